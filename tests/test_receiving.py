from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from termsplit import (
    NEED_DATA,
    AnyOf,
    DataReceived,
    EOFReceived,
    Limited,
    LocalProtocolError,
    RecordSkipped,
    RecordTooLong,
    Splitter,
    Terminator,
    TerminatorFound,
)

Data, Found = DataReceived, TerminatorFound


def end(splitter: Splitter) -> Splitter:
    splitter.receive_eof()
    return splitter


class TestReceiving:
    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_bytes_like_data(self, kind: Callable[[bytes], bytes]) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(kind(b"a\nb"))
        splitter.receive_data(kind(b"\n"))
        records = list(splitter.records())
        assert records == [b"a", b"b"]
        assert {type(record) for record in records} == {bytes}

    def test_data_is_copied_if_it_can_change(self) -> None:
        splitter = Splitter(b"\n")
        buffer = bytearray(b"a\n")
        splitter.receive_data(buffer)
        buffer[0] = ord("b")
        assert splitter.next_record() == b"a"

    @pytest.mark.parametrize("data", ["a\n", None, 3, [97, 10]])
    def test_anything_else_is_refused_and_changes_nothing(self, data: Any) -> None:
        splitter = Splitter(b"\n")
        splitter.receive_data(b"a\nb")
        with pytest.raises(TypeError, match=f"expected bytes-like data, got {type(data).__name__}"):
            splitter.receive_data(data)
        assert splitter.trailing_data == b"a\nb"

    def test_no_bytes_are_nothing_at_all(self) -> None:
        splitter = Splitter(None)
        for data in (b"", b"a", b"", b"", b"b", b""):
            splitter.receive_data(data)
        assert list(splitter.events()) == [Data(b"ab")]
        assert splitter.next_event() is NEED_DATA

    def test_data_after_the_end_is_refused(self) -> None:
        splitter = end(Splitter(b"\n"))
        for data in (b"a", b""):
            with pytest.raises(LocalProtocolError, match=r"after receive_eof\(\)"):
                splitter.receive_data(data)

    def test_the_end_may_be_told_again(self) -> None:
        splitter = end(end(Splitter(b"\n")))
        assert splitter.eof_received
        assert [splitter.next_event() for _ in range(2)] == [EOFReceived(True)] * 2
        assert end(splitter).next_event() == EOFReceived(True)

    def test_a_chunk_that_is_cut_as_it_comes_in_can_be_put_back(self) -> None:
        splitter = Splitter(b"\n")
        lines = b"".join(b"a line, number %d\n" % i for i in range(60))
        splitter.receive_data(lines)
        assert len(list(splitter.records())) == 60
        splitter.receive_data(lines + b"the rest")
        assert splitter.offset == len(lines)
        assert splitter.trailing_data == lines + b"the rest"
        assert next(splitter.records()) == b"a line, number 0"
        splitter.set_terminator(b"\n" + b"a line, number 5\n")
        assert next(splitter.records()).startswith(b"a line, number 1\n")
        splitter.set_terminator(1)
        assert splitter.next_record() == b"a"

    def test_a_long_record_goes_on_in_a_chunk_that_came_before_it_was_looked_for(self) -> None:
        splitter = Splitter(b"\n")
        assert list(splitter.records()) == []
        splitter.receive_data(b"a\n" + b"x" * 20_000)
        splitter.receive_data(b"y\nz")
        assert list(splitter.records()) == [b"a", b"x" * 20_000 + b"y"]
        assert splitter.trailing_data == b"z"

    def test_what_stands_before_it_gets_each_chunk_once(self) -> None:
        chunks: list[bytes] = []

        class Recorded(Splitter):
            def receive_data(self, data: bytes | bytearray | memoryview) -> bool:
                chunks.append(bytes(data))
                return super().receive_data(data)

        splitter = Recorded(b"\n", max_size=400)
        assert list(splitter.records()) == []
        for _ in range(200):
            splitter.receive_data(b"x")
        assert chunks == [b"x"] * 200
        assert splitter.trailing_data == b"x" * 200

    def test_chunks_that_are_longer_than_a_record_may_be(self) -> None:
        splitter = Splitter(b"\n", max_size=8)
        data = b"a line\nanother\n" * 20 + b"much too long\nshort\n" + b"the rest\n" * 9
        taken: list[bytes | RecordSkipped] = []
        for start in range(0, len(data), 50):
            splitter.receive_data(data[start : start + 50])
            for record in splitter.records(too_long="skip"):
                taken.append(record)
                size = record.size if isinstance(record, RecordSkipped) else len(record)
                assert data.startswith(b"\n", splitter.offset - 1)
                assert data[splitter.offset - 1 - size : splitter.offset - 1].count(b"\n") == 0
        lines = [b"a line", b"another"] * 20
        assert taken == [*lines, RecordSkipped(13), b"short", *[b"the rest"] * 9]
        assert splitter.offset == len(data)

    @pytest.mark.parametrize("behind", [b"x" * 9, b"longer than it may be\n", b""])
    def test_the_limit_in_chunks_that_are_longer(self, behind: bytes) -> None:
        splitter = Splitter(b"\n", max_size=8)
        assert len(list(splitter.feed(b"a line\n" * 20))) == 40
        splitter.receive_data(b"a line\n" * 5 + behind)
        records = splitter.records()
        assert [next(records) for _ in range(5)] == [b"a line"] * 5
        if behind:
            with pytest.raises(RecordTooLong) as caught:
                next(records)
            assert caught.value.offset == 25 * len(b"a line\n")
        else:
            assert list(records) == []


@pytest.mark.parametrize("size", [1, 7, 50, 100, 299])
def test_a_long_record_in_short_chunks_is_too_long_at_the_same_byte(size: int) -> None:
    splitter = Splitter(b"\n", max_size=300)
    assert list(splitter.records()) == []
    for start in range(0, 300, size):
        splitter.receive_data(b"x" * min(size, 300 - start))
        assert list(splitter.records()) == []
    splitter.receive_data(b"x")
    with pytest.raises(RecordTooLong):
        list(splitter.records())


@pytest.mark.parametrize("size", [1, 7, 50, 100, 399])
def test_a_long_count_in_short_chunks_is_complete_at_its_last_byte(size: int) -> None:
    splitter = Splitter(400)
    assert list(splitter.records()) == []
    for start in range(0, 399, size):
        splitter.receive_data(b"x" * min(size, 399 - start))
        assert list(splitter.records()) == []
    splitter.receive_data(b"x")
    assert list(splitter.records()) == [b"x" * 400]


@pytest.mark.parametrize("size", [1, 100, 1460, 5000, 30_001, 65_536])
@pytest.mark.parametrize(
    "terminator", [b"\r\n", b"\n", AnyOf(b"\r\n", b"\n"), Limited(b"\r\n", 30_000)], ids=repr
)
def test_long_records_are_the_same_in_chunks_of_any_size(terminator: Terminator, size: int) -> None:
    """Also where a chunk ends in what may be the beginning of the terminator."""
    end = b"\n" if terminator == b"\n" else b"\r\n"
    records = [(b"x" * 99 + b"\r") * 300, b"y" * 30_000, b"a short one", b"z" * 9_000] * 2
    data = b"".join(record + end for record in records)
    splitter = Splitter(terminator, max_size=None)
    seen = []
    taken = 0
    for start in range(0, len(data), size):
        splitter.receive_data(data[start : start + size])
        for record in splitter.records():
            seen.append(record)
            taken += len(record) + len(end)
            assert splitter.offset == taken
    assert seen == records


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 700])
@pytest.mark.parametrize("terminator", [b"\r\n\r\n", b"\r\n" + b"-" * 70 + b"e"], ids=len)
def test_a_long_record_full_of_beginnings_of_its_terminator(terminator: bytes, size: int) -> None:
    """Each chunk has the terminator's last byte in it, which ends nothing, but for the one behind the record."""
    record = b"x" * 600 + (terminator[:-1] + b"." + terminator[-1:] + b"--") * 60
    data = (record + terminator) * 3
    splitter, streaming = Splitter(terminator), Splitter(terminator)
    records: list[bytes] = []
    events: list[object] = []
    for start in range(0, len(data), size):
        splitter.receive_data(data[start : start + size])
        records += splitter.records()
        events += streaming.feed(data[start : start + size])
    assert records == [record] * 3
    pieces = [event.data if isinstance(event, Data) else b"|" for event in events]
    assert b"".join(pieces) == (record + b"|") * 3


def test_a_terminator_that_begins_in_a_long_chunk_and_goes_on_in_a_short_one() -> None:
    splitter = Splitter(b"ab;")
    splitter.receive_data(b"x" * 6000 + b"a")
    splitter.receive_data(b"b")
    splitter.receive_data(b";")
    assert splitter.next_record() == b"x" * 6000
    assert splitter.offset == 6003
