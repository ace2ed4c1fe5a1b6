"""Who takes part: every candidate is a function that reads a stream in chunks and hands over its records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .workloads import Collect, Stream

Run = Callable[[Stream, list[bytes], Collect], object]


@dataclass(frozen=True)
class Candidate:
    name: str
    framings: tuple[str, ...]
    run: Run
    limit: bool
    """Not a peer: it takes the whole input, whatever the chunks are."""
    any_of: bool


_ALL: list[Candidate] = []


def candidate(
    name: str, *framings: str, limit: bool = False, any_of: bool = False
) -> Callable[[Run], Run]:
    """Enter a function among the candidates for these framings."""

    def enter(run: Run) -> Run:
        _ALL.append(Candidate(name, framings, run, limit, any_of))
        return run

    return enter


def candidates(stream: Stream) -> list[Candidate]:
    """Those that can read this stream, of all that were entered."""
    return [
        each
        for each in _ALL
        if stream.framing in each.framings and (not stream.alternatives or each.any_of)
    ]
