"""What is measured: streams of bytes, what must come out of them, and how they are cut into chunks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CRLF = b"\r\n"
HEAD_END = b"\r\n\r\n"
KIB = 1024
MIB = 1024 * KIB
CHUNK_SIZES = (1, 16, 64, 1460, 64 * KIB, MIB)

Collect = Callable[[bytes | bytearray], object] | None
"""Is given each record when the answer is checked; None when the time is taken, so that it costs nothing."""


@dataclass(frozen=True)
class Stream:
    """A stream of messages, each of one record (lines) or of two of which the first says the second's length."""

    name: str
    framing: str
    """``lines``, ``http`` or ``length``."""
    data: bytes
    expected: list[bytes]
    messages: int
    terminator: bytes = CRLF
    alternatives: tuple[bytes, ...] = ()
    """If any, a line ends at the first of them."""
    max_size: int = 64 * KIB
    times: int = 1
    """So many times it is the same, in the same chunks: they stay in the processor's cache, as what has just come in does."""

    def chunks(self, size: int) -> list[bytes]:
        part = len(self.data) // self.times
        return [self.data[i : min(i + size, part)] for i in range(0, part, size)] * self.times


def body_size(head: bytes | bytearray) -> int:
    """What the last header field of a head says; every candidate works it out in this way."""
    return int(head[head.rindex(b" ") + 1 :])


def lines(
    name: str,
    size: int,
    total: int,
    *,
    terminator: bytes = CRLF,
    max_size: int = 64 * KIB,
    times: int = 1,
) -> Stream:
    records = [_text(size, seed) for seed in range(8)]
    count = max(1, total // (size + len(terminator)))
    expected = [records[i % 8] for i in range(count)] * times
    data = b"".join(record + terminator for record in expected)
    return Stream(
        name, "lines", data, expected, len(expected), terminator, max_size=max_size, times=times
    )


def long_records(name: str, chunk_size: int, total: int) -> Stream:
    """So many that it doesn't count what it takes to make a machine."""
    return lines(name, 64 * KIB, total, times=16 if chunk_size >= 1460 else 1)


def http(total: int) -> Stream:
    body = _text(KIB, 1)
    head = b"POST /path/of/the/resource HTTP/1.1\r\nHost: example.org\r\nX-Filler: "
    last = b"\r\nContent-Length: 1024"
    head += _text(300 - len(head) - len(last), 2) + last
    count = max(2, total // (len(head) + len(HEAD_END) + len(body)))
    return Stream(
        "HTTP-like", "http", (head + HEAD_END + body) * count, [head, body] * count, count, HEAD_END
    )


def length_prefixed(total: int) -> Stream:
    body = _text(100, 3)
    count = max(2, total // (4 + len(body)))
    data = (len(body).to_bytes(4, "big") + body) * count
    return Stream("4-byte length + 100 B", "length", data, [body] * count, count)


def any_of(total: int) -> Stream:
    record = _text(20, 4)
    ends = (b"\r\n", b"\n")
    count = total // 22
    data = b"".join(record + ends[i % 2] for i in range(count))
    return Stream(
        "20 B lines, any of two terminators",
        "lines",
        data,
        [record] * count,
        count,
        b"\n",
        alternatives=ends,
    )


def plain(chunk_size: int, scale: float) -> Iterator[Stream]:
    """The workloads that are measured in every chunk size."""
    # So much that a pass takes some milliseconds, and that one megabyte is one chunk.
    total = int(scale * {1: 32 * KIB, 16: 128 * KIB, 64: 256 * KIB}.get(chunk_size, MIB))
    yield lines("20 B lines", 20, total)
    yield lines("100 B lines", 100, total)
    yield long_records("64 KiB records", chunk_size, total)
    yield http(total)
    yield length_prefixed(total)
    yield any_of(total)
    yield lines("20 B lines, at most 64 B", 20, total, max_size=64)


@dataclass(frozen=True)
class Hostile:
    """A stream made to be slow: it can be made at any size, and doubling it must no more than double the time."""

    name: str
    chunk_size: int
    make: Callable[[int], Stream]


def hostile() -> Iterator[Hostile]:
    boundary = CRLF + b"--" + _text(66, 5)

    def nothing(total: int) -> Stream:
        return _one_record("no terminator in sight", b"x" * total, CRLF)

    def near_misses(total: int) -> Stream:
        return _one_record("near-miss terminators", b"\r\n\r" * (total // 3), HEAD_END)

    def mime(total: int) -> Stream:
        return _one_record(
            "a MIME boundary's own prefix", boundary[:-1] * (total // len(boundary)), boundary
        )

    def tiny(total: int) -> Stream:
        expected = [b"x"] * (total // 2)
        return Stream(
            "1 B lines in one chunk",
            "lines",
            b"x\n" * len(expected),
            expected,
            len(expected),
            b"\n",
        )

    for chunk_size in (1, 64, 16 * MIB):
        for make in (nothing, near_misses, mime):
            yield Hostile(make(3 * 70).name, chunk_size, make)
    yield Hostile(tiny(2).name, 16 * MIB, tiny)


def _one_record(name: str, record: bytes, terminator: bytes) -> Stream:
    # The near misses end in what is not the beginning of the terminator, so the record is what it looks like.
    record += b"x"
    return Stream(name, "lines", record + terminator, [record], 1, terminator, max_size=64 * MIB)


def _text(size: int, seed: int) -> bytes:
    return bytes(random.Random(seed).choices(b"abcdefghijklmnopqrstuvwxyz0123456789", k=size))
