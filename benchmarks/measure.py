"""Takes the times: candidates interleaved, each checked before its time is believed."""

from __future__ import annotations

import functools
import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .candidates import Run, candidates
from .workloads import CHUNK_SIZES, Hostile, Stream, any_of, hostile, lines, plain

# A pass longer than this is not repeated: it is slow, and will be so again.
_SLOW = 0.4


class WrongAnswer(Exception):
    """A candidate handed over something else than what the stream contains."""


@dataclass(frozen=True)
class Entry:
    """One candidate in one group."""

    candidate: str
    run: Callable[[], float]
    """Makes one pass and returns its seconds, or bytes."""
    check: Callable[[], object] = lambda: None
    """Raises WrongAnswer, or LookupError if it can't do this at all; for what ``run`` does not check itself."""


@dataclass(frozen=True)
class Group:
    """What is compared: the same work, done by several candidates in turn."""

    workload: str
    column: str
    unit: str
    """``second`` or ``byte``: what ``run`` returns."""
    count: int
    """How many records, or other things, a pass is about: what is reported is for one of them."""
    entries: list[Entry]
    exact: bool = False
    """Another pass would give the same."""


def values(group: Group, rounds: int) -> dict[str, list[float]]:
    """What each pass took for one record, by candidate; the passes of all candidates take turns."""
    taken: dict[str, list[float]] = {}
    entries = checked(group)
    gc.collect()
    for _ in range(rounds):
        for entry in entries:
            earlier = taken.setdefault(entry.candidate, [])
            if earlier and (group.exact or earlier[-1] * group.count > _SLOW):
                continue
            earlier.append(entry.run() / group.count)
    return taken


def checked(group: Group) -> list[Entry]:
    """The entries that can do it, each found to do it right."""
    able: list[Entry] = []
    for entry in group.entries:
        try:
            entry.check()
        except LookupError:
            continue
        able.append(entry)
    return able


def size_name(size: int) -> str:
    if size >= 1 << 20:
        return "whole" if size >= 1 << 24 else f"{size >> 20} MiB"
    return f"{size >> 10} KiB" if size >= 1 << 10 and size % (1 << 10) == 0 else f"{size} B"


def in_memory(scale: float) -> Iterator[Group]:
    """Every stream workload, in every chunk size."""
    for chunk_size in CHUNK_SIZES:
        for stream in plain(chunk_size, scale):
            yield _group(stream, chunk_size)
    total = int(scale * (1 << 19))
    yield _group(any_of(total), 1460)
    yield _group(any_of(total), 1 << 16)
    limited = lines("20 B lines, at most 64 B", 20, total, max_size=64)
    yield _group(limited, 1460)
    yield _group(limited, 1 << 16)


def doubled(scale: float) -> Iterator[Group]:
    """Every hostile stream, at one size and at twice that: linear is when a byte costs the same."""
    total = int(scale * (1 << 18))
    for case in hostile():
        size = total >> 3 if case.chunk_size == 1 else total
        yield _hostile_group(case, size)
        yield _hostile_group(case, 2 * size)


def _hostile_group(case: Hostile, total: int) -> Group:
    stream = case.make(total)
    group = _group(stream, case.chunk_size)
    name = f"hostile: {stream.name}, {group.column}"
    return Group(name, size_name(total), "second", len(stream.data), group.entries)


def _group(stream: Stream, chunk_size: int) -> Group:
    chunks = stream.chunks(chunk_size)
    entries = [
        Entry(
            candidate.name,
            _timed(candidate.run, stream, chunks),
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


def _timed(run: Run, stream: Stream, chunks: list[bytes]) -> Callable[[], float]:
    def timed() -> float:
        enabled = gc.isenabled()
        gc.disable()
        try:
            started = time.perf_counter()
            run(stream, chunks, None)
            return time.perf_counter() - started
        finally:
            if enabled:
                gc.enable()

    return timed
