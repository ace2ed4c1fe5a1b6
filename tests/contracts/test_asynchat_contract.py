"""Contract 6, the callbacks' part of it: asynchat's own cutting, as an oracle for `Chat`.

The programs are those that mean the same to both: a terminator is set after each one found (a count fires
again in termsplit, and once in asynchat), and none is 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import example, given, strategies as st

from termsplit import Chat
from tests import strategies

if TYPE_CHECKING:
    import asynchat
else:
    # From Python 3.12 on an optional package.
    asynchat = pytest.importorskip("asynchat")

OneTerminator: TypeAlias = "bytes | int | None"


class Log:
    """What was collected before each terminator found; and the terminators that follow."""

    def __init__(self, terminators: Iterable[OneTerminator]) -> None:
        self.terminators = iter(terminators)
        self.records = [b""]

    def collect(self, data: bytes) -> None:
        assert data, "both say that data is never empty"
        self.records[-1] += data

    def found(self) -> OneTerminator:
        self.records.append(b"")
        return next(self.terminators, None)


class Oracle(asynchat.async_chat):
    def __init__(self, terminators: list[OneTerminator]) -> None:
        super().__init__(map={})
        self.heard = Log(terminators[1:])
        self.chunk = b""
        self.set_terminator(terminators[0])

    def recv(self, buffer_size: int) -> bytes:
        return self.chunk

    def feed(self, chunk: bytes) -> None:
        self.chunk = chunk
        self.handle_read()

    def collect_incoming_data(self, data: bytes) -> None:
        self.heard.collect(data)

    def found_terminator(self) -> None:
        self.set_terminator(self.heard.found())

    @property
    def held_back(self) -> bytes:
        buffer: bytes = self.ac_in_buffer  # type: ignore[attr-defined]  # typeshed leaves it out
        return buffer


class Subject(Chat):
    def __init__(self, terminators: list[OneTerminator]) -> None:
        super().__init__(terminators[0])
        self.heard = Log(terminators[1:])

    def collect_incoming_data(self, data: bytes) -> None:
        self.heard.collect(data)

    def found_terminator(self) -> None:
        self.set_terminator(self.heard.found())

    @property
    def held_back(self) -> bytes:
        return self.connection.trailing_data


literals = st.sampled_from(strategies.LITERALS)
programs = st.one_of(
    st.lists(st.one_of(literals, st.integers(1, 9)), min_size=1, max_size=20),
    # One that stays long enough to be cut in batches.
    st.builds(lambda terminator, times: [terminator] * times, literals, st.integers(1, 200)),
)


@given(programs, strategies.cut_streams())
@example([b"abab", b"abab"], [b"ab", b"aab", b"ab"])
def test_the_same_records_end_at_the_same_bytes(
    terminators: list[OneTerminator], chunks: list[bytes]
) -> None:
    oracle, subject = Oracle(terminators), Subject(terminators)
    for chunk in filter(None, chunks):  # to asynchat, no bytes are the end
        oracle.feed(chunk)
        subject.feed(chunk)
        assert subject.heard.records == oracle.heard.records
        assert subject.held_back == oracle.held_back
