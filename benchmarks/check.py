"""No times: every answer is right, every figure has its candidates, and our calls are in proportion to the input.

How many bytes it searches and copies is counted by the tests of contract 2.
"""

from __future__ import annotations

import sys
from itertools import chain

from .candidates import candidates
from .figures import unmeasured
from .footprint import footprint
from .ladder import ladders
from .loopback import loopback
from .measure import Entry, Group, checked, size_name
from .output import output
from .results import Table
from .streams import doubled, in_memory
from .workloads import Hostile, hostile

_SIZE = 16 * 1024


class NotLinear(Exception):
    """Twice the input took more than twice the calls."""


class Unmeasured(Exception):
    """A figure names a workload or a candidate that there is none of."""


def check() -> None:
    """Raise at the first thing that is wrong."""
    found: dict[str, Table] = {}
    small = 1 / 16
    for group in chain(in_memory(small), *doubled(small), ladders(small)):
        _note(group, checked(group), found)
    for group in chain(loopback(quick=True), output(quick=True), footprint(quick=True)):
        for entry in group.entries:
            entry.run()
        _note(group, group.entries, found)
    if missing := unmeasured(found):
        raise Unmeasured(f"expected both candidates of every figure, got none for {missing}")
    for case in hostile():
        for candidate in candidates(case.make(_SIZE)):
            if candidate.name.startswith("termsplit"):
                _check_linear(case, candidate.name)


def _note(group: Group, able: list[Entry], found: dict[str, Table]) -> None:
    print(f"{group.workload}, {group.column}: {len(able)} right")
    found.setdefault(group.workload, {})[group.column] = {entry.candidate: 1.0 for entry in able}


def _check_linear(case: Hostile, name: str) -> None:
    once, twice = _calls(case, name, _SIZE), _calls(case, name, 2 * _SIZE)
    print(f"{case.name}, {size_name(case.chunk_size)}, {name}: {once} calls, then {twice}")
    if twice > 2.3 * once + 100:
        raise NotLinear(
            f"{name}, {case.name}: expected at most {2.3 * once:.0f} calls, got {twice}"
        )


def _calls(case: Hostile, name: str, size: int) -> int:
    stream = case.make(size)
    chunks = stream.chunks(case.chunk_size)
    (run,) = [candidate.run for candidate in candidates(stream) if candidate.name == name]
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        run(stream, chunks, None)
    finally:
        sys.setprofile(None)
    return calls
