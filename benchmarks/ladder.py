"""What a figure is made of: the path of a chunk, a record, a message or a push, measured with steps taken away.

Each rung is bare Python, or public calls of termsplit, that do a part of what has to be done; what one adds to another
is what its step costs. At the top stand the candidates themselves.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Generator, Iterator
from itertools import chain

from termsplit import DataReceived, ProducerQueue, Splitter

from . import limits, ours, peers
from .candidates import Run
from .measure import Entry, Group, size_name
from .streams import stream_group, timed
from .workloads import (
    KIB,
    MIB,
    Collect,
    Stream,
    body_size,
    http,
    length_prefixed,
    lines,
    long_records,
)

LADDER = "ladder: "
_TOP = (
    peers.ASYNCHAT,
    peers.ASYNCHAT_DROPPING,
    ours.RECORDS,
    ours.GRAMMAR,
    ours.MESSAGES,
    ours.FRAMING,
    ours.EVENTS,
    ours.CALLBACKS,
    ours.DROP_IN,
    ours.DROP_IN_DROPPING,
)


class _Bare:
    def take(self, data: bytes) -> None:
        pass


def _sink() -> Generator[None, bytes, None]:
    while True:
        yield


def _one_record() -> Generator[bytes | None, bytes, bytes]:
    return (yield None)


def _runs() -> Generator[bytes | None, bytes, None]:
    while True:
        yield (yield from _one_record())


def _runner() -> Callable[[bytes], object]:
    send = _runs().send

    def run_anew(record: bytes) -> None:
        send(None)  # type: ignore[arg-type]
        send(record)

    return run_anew


def _with_each(use: Callable[[], Callable[[bytes], object]], *, of_chunks: bool = False) -> Run:
    """Do with each chunk, or with each record, which needs not be found."""

    def run(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
        do = use()
        for data in chunks if of_chunks else stream.expected:
            do(data)

    return run


def _loop(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    for _ in stream.expected:
        pass


def _sender() -> Callable[[bytes], object]:
    sink = _sink()
    next(sink)
    return sink.send


def _look_through(chunk: bytes) -> None:
    index = chunk.find(10)
    while index >= 0:
        index = chunk.find(10, index + 1)


def _exhaust(_: bytes) -> None:
    for _batch in chain.from_iterable(_no_batches()):
        pass


def _no_batches() -> Iterator[list[bytes]]:
    yield from ()


def _receive_data(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(stream.terminator, max_size=stream.max_size)
    for chunk in chunks:
        splitter.receive_data(chunk)


def _records_unused(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(stream.terminator, max_size=stream.max_size)
    for chunk in chunks:
        splitter.receive_data(chunk)
        splitter.records()


def _split_each(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    rest = b""
    for chunk in chunks:
        records = (rest + chunk).split(stream.terminator)
        rest = records.pop()
        for _ in records:
            pass


def _compiled_split_each(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    rest, split = b"", re.compile(re.escape(stream.terminator)).split
    for chunk in chunks:
        records = split(rest + chunk)
        rest = records.pop()
        for _ in records:
            pass


def _strings() -> Generator[int, bytes, None]:
    while True:
        yield int.from_bytes((yield 4), "big")


def _as_asked(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    """As if nothing but counts could be asked for, and all were there."""
    data, send, position = stream.data, _strings().send, 0
    count = send(None)  # type: ignore[arg-type]
    while (end := position + count) <= len(data):
        count = send(data[position:end])
        position = end


def _join_records(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    """As if it were known where each record begins and ends."""
    size, count = len(chunks[0]), stream.messages // stream.times
    for _ in range(stream.times):
        start = 0
        for record in stream.expected[:count]:
            end = start + len(record)
            first, last = start // size, end // size
            pieces = [memoryview(chunk) for chunk in chunks[first : last + 1]]
            pieces[-1] = pieces[-1][: end - last * size]
            pieces[0] = pieces[0][start - first * size :]
            b"".join(pieces)
            start = end + len(stream.terminator)


def _push(stream: Stream, chunks: list[bytes], collect: Collect) -> ProducerQueue:
    queue = ProducerQueue()
    for chunk in chunks:
        queue.push(chunk)
    return queue


def _push_and_emit(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    queue = _push(stream, chunks, collect)
    while data := queue.data_to_send():
        queue.data_sent(len(data))


_CHUNK: dict[str, Run] = {
    "a method called with each": _with_each(lambda: _Bare().take, of_chunks=True),
    "an iterator made, that is empty": _with_each(lambda: _exhaust, of_chunks=True),
    "receive_data() alone": _receive_data,
    "and records(), but no loop over it": _records_unused,
}
_RECORD: dict[str, Run] = {
    "a method called with each": _with_each(lambda: _Bare().take),
    "a generator sent each": _with_each(_sender),
    "a generator run anew for each": _with_each(_runner),
    "an event made of each": _with_each(lambda: DataReceived),
}
_SPLIT: dict[str, Run] = {
    "a loop over the records": _loop,
    "rest + chunk, split": _split_each,
    "rest + chunk, split by a compiled expression": _compiled_split_each,
}
_HTTP: dict[str, Run] = {
    "a generator sent head and body": _with_each(_sender),
    "the length read from each head": lambda stream, *_: [*map(body_size, stream.expected[::2])],
    "find + slice, whole": limits.find_and_slice,
}
_LENGTH: dict[str, Run] = {
    "a generator sent each": _with_each(_sender),
    "the length made of four bytes": _with_each(
        lambda: lambda _: int.from_bytes(b"\0\0\0d", "big")
    ),
    "find + slice, whole": limits.find_and_slice,
    "slices of the whole, sent to a generator": _as_asked,
}
_LONG: dict[str, Run] = {
    "a method called with each chunk": _with_each(lambda: _Bare().take, of_chunks=True),
    "every last byte looked for": _with_each(lambda: _look_through, of_chunks=True),
    "the record joined of known pieces": _join_records,
}
_PUSH: dict[str, Run] = {
    "a list's append": _with_each(lambda: list[bytes]().append, of_chunks=True),
    "all joined": lambda stream, chunks, _: b"".join(chunks),
    "push() alone": _push,
    "and data_to_send(), data_sent()": _push_and_emit,
}


def ladders(scale: float) -> Iterator[Group]:
    """One for each kind of work."""
    total = int(scale * 64 * KIB)
    for column, chunk_size, record, rungs in (
        ("1 B, ends nothing", 1, total, _CHUNK),
        ("16 B, ends nothing", 16, total, _CHUNK),
        ("16 B, ends one record", 16, 14, _CHUNK | {"rest + chunk, split": _split_each}),
        ("16 B, ends two", 16, 6, _CHUNK | {"rest + chunk, split": _split_each}),
    ):
        stream = lines("a chunk", record, total, max_size=MIB)
        yield _group(stream, column, chunk_size, len(stream.data) // chunk_size, rungs)
    total = int(scale * MIB)
    for name, stream, chunk_size, rungs in (
        ("a record of 20 B", lines("", 20, total), 64 * KIB, _SPLIT | _RECORD),
        ("a record of 100 B", lines("", 100, total), 64 * KIB, _SPLIT),
        ("a message of head and body", http(total), 64 * KIB, _HTTP),
        ("a message of length and 100 B", length_prefixed(total), 64 * KIB, _LENGTH),
        ("a record of 64 KiB", long_records("", 1460, total), 1460, _LONG),
        ("a record of 64 KiB", long_records("", 64 * KIB, total), 64 * KIB, _LONG),
    ):
        stream = dataclasses.replace(stream, name=name)
        column = f"in chunks of {size_name(chunk_size)}"
        yield _group(stream, column, chunk_size, stream.messages, rungs)
    chunks = [b"0123456789abcdefghij"] * (total // 20)
    entries = [Entry(name, timed(run, stream, chunks)) for name, run in _PUSH.items()]
    yield Group(LADDER + "a push of 20 B", "each", "second", len(chunks), entries)


def _group(
    stream: Stream, column: str, chunk_size: int, count: int, rungs: dict[str, Run]
) -> Group:
    chunks = stream.chunks(chunk_size)
    entries = [Entry(name, timed(run, stream, chunks)) for name, run in rungs.items()]
    candidates = {entry.candidate: entry for entry in stream_group(stream, chunk_size).entries}
    entries += [candidates[name] for name in _TOP if name in candidates]
    return Group(LADDER + stream.name, column, "second", count, entries)
