"""No times: every candidate gives the right answer, and ours makes calls in proportion to its input.

How many bytes it searches and copies is counted by the tests of contract 2.
"""

from __future__ import annotations

import sys

from .candidates import candidates
from .measure import checked, size_name
from .streams import doubled, in_memory
from .workloads import Hostile, hostile

_SIZE = 16 * 1024


class NotLinear(Exception):
    """Twice the input took more than twice the calls."""


def check() -> None:
    """Raise at the first thing that is wrong."""
    for kind in (in_memory, doubled):
        for group in kind(1 / 16):
            print(f"{group.workload}, {group.column}: {len(checked(group))} right")
    for case in hostile():
        for candidate in candidates(case.make(_SIZE)):
            if candidate.name.startswith("termsplit"):
                _check_linear(case, candidate.name)


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
