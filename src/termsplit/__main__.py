"""The command line: ``termsplit``, or ``python -m termsplit``."""

from __future__ import annotations

import argparse
import sys
from importlib import metadata
from typing import NoReturn

from termsplit._cli import demo, serve, trace


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after the program's name; those of this process if left out.

    Returns:
        the exit status: 0, 1 if the demo found something wrong, 2 if a verb can't do its work.

    Raises:
        SystemExit: the words make no sense (status 2), or ask for help (status 0).
    """
    parser = _Parser(
        prog="termsplit", description="A byte stream, cut into records, on every event loop."
    )
    parser.add_argument("--version", action="version", version=metadata.version("termsplit"))
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, module, purpose in (
        ("demo", demo, "one protocol, on every backend there is, in real conversations"),
        ("serve", serve, "keep the demo's server up, for a curl"),
        ("trace", trace, "show a stream: offsets, records, terminators, and where it was cut"),
    ):
        verb = verbs.add_parser(
            name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
        )
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    chosen = parser.parse_args(arguments)
    return int(chosen.run(chosen))


if __name__ == "__main__":
    sys.exit(main())
