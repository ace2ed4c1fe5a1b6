"""``termsplit demo``: one protocol, on every backend there is, in real conversations."""

from __future__ import annotations

import argparse
import sys
import time

from .exchanges import EXCHANGES
from .serving import BACKENDS, serving


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend",
        action="append",
        choices=list(BACKENDS),
        help="only this one; may be given more than once",
    )


def run(arguments: argparse.Namespace) -> int:
    """Show how the conversations went; 1 if anything was wrong, 2 if the table can't be drawn."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print("termsplit demo needs rich: pip install 'termsplit[cli]'", file=sys.stderr)
        return 2
    table = Table("backend", "asked", "came back", "how it went")
    faults = 0
    for backend in arguments.backend or BACKENDS:
        for number, (asked, came_back, fault, seconds) in enumerate(_converse(backend)):
            faults += fault is not None
            went = f"[green]ok[/], {seconds:.3f} s" if fault is None else f"[red]WRONG[/]: {fault}"
            table.add_row("" if number else backend, asked, came_back, went)
        table.add_section()
    console = Console()
    console.print(table)
    console.print(
        f"{faults} wrong."
        if faults
        else "One HTTP handler, written once, on every backend: all ok."
    )
    return 1 if faults else 0


def _converse(backend: str) -> list[tuple[str, str, str | None, float]]:
    """What was asked, what came back, what was wrong with it, and how long it took in seconds."""
    rows: list[tuple[str, str, str | None, float]] = []
    try:
        with serving(backend, "127.0.0.1", 0) as address:
            for asked, exchange in EXCHANGES.items():
                started = time.perf_counter()
                came_back, fault = "", None
                try:
                    came_back = exchange(address)
                except Exception as error:  # noqa: BLE001 - shown in the table, and counted
                    fault = f"{type(error).__name__}: {error}"
                rows.append((asked, came_back, fault, time.perf_counter() - started))
    except ImportError as error:
        rows.append(("import", "", str(error), 0.0))
    return rows
