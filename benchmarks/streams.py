"""Reading streams in memory: every workload, in chunks, by every candidate that can."""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable, Iterator

# They enter themselves among the candidates.
from . import bare, contracts, limits, ours, peers  # noqa: F401
from .candidates import Run, candidates
from .measure import Entry, Group, WrongAnswer, size_name
from .workloads import CHUNK_SIZES, Hostile, Stream, hostile, plain


def in_memory(scale: float) -> Iterator[Group]:
    """Every stream workload, in every chunk size."""
    for chunk_size in CHUNK_SIZES:
        for stream in plain(chunk_size, scale):
            yield stream_group(stream, chunk_size)


def doubled(scale: float) -> Iterator[list[Group]]:
    """Every hostile stream, at one size and, in turn, at twice that: linear is when a byte costs the same."""
    total = int(scale * (1 << 18))
    for case in hostile():
        size = total >> 3 if case.chunk_size == 1 else total
        yield [_hostile_group(case, size), _hostile_group(case, 2 * size)]


def _hostile_group(case: Hostile, total: int) -> Group:
    stream = case.make(total)
    group = stream_group(stream, case.chunk_size)
    name = f"hostile: {stream.name}, {group.column}"
    return Group(name, size_name(total), "second", len(stream.data), group.entries)


def stream_group(stream: Stream, chunk_size: int) -> Group:
    """All who can read ``stream``, in such chunks."""
    chunks = stream.chunks(chunk_size)
    entries = [
        Entry(
            candidate.name,
            timed(candidate.run, stream, chunks),
            functools.partial(_check, candidate.run, candidate.name, stream, chunks),
        )
        for candidate in candidates(stream)
    ]
    return Group(stream.name, size_name(chunk_size), "second", stream.messages, entries)


def _check(run: Run, name: str, stream: Stream, chunks: list[bytes]) -> None:
    got: list[bytes | bytearray] = []
    run(stream, chunks, got.append)
    if got != stream.expected:
        raise WrongAnswer(
            f"{name}, {stream.name}, chunks of {len(chunks[0])} bytes: expected "
            f"{len(stream.expected)} records, got {len(got)}, or others"
        )


def timed(run: Run, stream: Stream, chunks: list[bytes]) -> Callable[[], float]:
    """A pass, and the seconds that it took."""

    def one() -> float:
        enabled = gc.isenabled()
        gc.disable()
        try:
            started = time.perf_counter()
            run(stream, chunks, None)
            return time.perf_counter() - started
        finally:
            if enabled:
                gc.enable()

    return one
