"""What it costs to have it: memory per idle connection, and the time of an import, each in a process of its own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from . import idle
from .measure import Entry, Group

_IMPORTS = [
    "asynchat",
    "asyncio",
    "anyio",
    "h11",
    "sansproto",
    "termsplit",
    "trio",
    "twisted.protocols.basic",
]


def footprint(*, quick: bool) -> Iterator[Group]:
    count = 2_000 if quick else 100_000
    entries = [Entry(name, _kept(name, count)) for name in idle.CANDIDATES]
    yield Group("memory per idle connection", "bytes", "byte", 1, entries, exact=True)
    present = [name for name in _IMPORTS if importlib.util.find_spec(name.partition(".")[0])]
    with tempfile.TemporaryDirectory() as compiled:
        # Compiled first, as an installer does it, and all for the same folder.
        about = {name: _imported(name, compiled) for name in present}
        yield Group(
            "import",
            "time",
            "second",
            1,
            [Entry(name, about[name], about[name]) for name in present],
        )


def _kept(name: str, count: int) -> Callable[[], float]:
    return lambda: _program("-m", idle.__name__, name, str(count))


def _imported(name: str, compiled: str) -> Callable[[], float]:
    code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"

    def run() -> float:
        return min(_program("-c", code, compiled=compiled) for _ in range(5))

    return run


def _program(*arguments: str, compiled: str | None = None) -> float:
    """The number that it prints."""
    environment = dict(os.environ)
    if compiled is not None:
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = compiled
    command = [sys.executable, "-W", "ignore", *arguments]
    printed = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE).stdout
    return float(printed)
