from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from termsplit import (
    NEED_DATA,
    AnyOf,
    Chat,
    Connection,
    Limited,
    Parse,
    Parser,
    RecordTooLong,
    Splitter,
    Terminator,
)
from termsplit.backends import blocking
from termsplit.framing import length_prefixed
from termsplit.testing import record
from termsplit.testing._entries import read_recording, terminator_of


class Recorded:
    """A connection whose recording is read back as it grows."""

    def __init__(self, connection: Splitter) -> None:
        self.file = io.StringIO()
        record(connection, self.file)
        self._read = 0

    def news(self) -> list[str]:
        """What was written since the last call, the fields after their names."""
        lines = self.file.getvalue().splitlines()[self._read :]
        self._read += len(lines)
        return [" ".join(str(field) for field in json.loads(line).values()) for line in lines]


def test_records_are_written_down_with_their_places() -> None:
    connection = Connection(AnyOf(b"\r\n", b"\n"))
    recorded = Recorded(connection)
    assert recorded.news() == ["recording 1 0 65536 ['\\r\\n', '\\n']"]
    connection.receive_data(b"one\r\nt")
    assert recorded.news() == ["received 0 one\r\nt"]
    assert list(connection.records()) == [b"one"]
    assert recorded.news() == ["record 0 3 5", "waiting 5"]
    connection.receive_data(b"wo\n\n")
    assert list(connection.records()) == [b"two", b""]
    assert recorded.news() == ["received 6 wo\n\n", "record 5 3 9", "record 9 0 10", "waiting 10"]


def test_nothing_is_written_of_what_was_not_taken() -> None:
    """Contract 3: what was cut ahead was not decided."""
    connection = Connection(b";")
    connection.receive_data(b"a;b;c;" * 1000)
    recorded = Recorded(connection)
    for _ in zip(range(6), connection.records(), strict=False):
        pass
    connection.set_terminator(3)
    assert connection.next_record() == b"a;b"
    assert recorded.news()[2:] == [
        *(f"record {2 * i} 1 {2 * i + 2}" for i in range(6)),
        "terminator 12 3",
        "record 12 3 15",
    ]


def test_all_that_a_known_grammar_takes_is_written_down() -> None:
    framing = length_prefixed(1)
    connection = Connection()
    recorded = Recorded(connection)
    parser = Parser(framing.grammar, connection)
    assert list(parser.feed(framing.encode(b"a message") * 50)) == [b"a message"] * 50
    records = [line for line in recorded.news() if line.startswith("record ")]
    assert records == [
        line
        for begin in range(0, 500, 10)
        for line in (f"record {begin} 1 {begin + 1}", f"record {begin + 1} 9 {begin + 10}")
    ]


def test_so_is_a_body_that_was_awaited_before_the_recording_began() -> None:
    connection = Connection()
    parser = Parser(length_prefixed(1).grammar, connection)
    assert list(parser.feed(b"\x05ab")) == []
    recorded = Recorded(connection)
    assert list(parser.feed(b"cde")) == [b"abcde"]
    assert recorded.news()[-3:] == ["record 1 5 6", "terminator 6 1", "waiting 6"]


def test_what_a_grammar_waits_for_is_written_down_though_it_stood_already() -> None:
    terminator = b"aaaa"

    def line() -> Parse[bytes]:
        return (yield terminator)

    connection = Connection(terminator)
    parser = Parser(line, connection)
    assert connection.next_record() is NEED_DATA
    recorded = Recorded(connection)
    assert parser.next_message() is NEED_DATA
    assert "terminator 0 aaaa" in recorded.news()


def test_events_are_written_down_piece_by_piece() -> None:
    connection = Connection(b"\r\n")
    recorded = Recorded(connection)
    recorded.news()
    connection.receive_data(b"abc\r")
    assert len(list(connection.events())) == 1
    connection.receive_data(b"\n\r\nxy")
    connection.receive_eof()
    assert len(list(connection.events())) == 4
    assert recorded.news() == [
        "received 0 abc\r",
        "data 0 3",
        "waiting 3",
        "received 4 \n\r\nxy",
        "eof 9",
        "record 0 3 5",
        "record 5 0 7",
        "data 7 2",
        "ended 9 False",
        "waiting 9",
    ]
    connection.next_event()
    assert recorded.news() == []


def test_the_place_of_a_record_whose_terminator_was_changed_within() -> None:
    connection = Connection(b"\r\n")
    recorded = Recorded(connection)
    connection.receive_data(b"abc|\r\n")
    connection.next_event()
    connection.set_terminator(b"\n")
    assert len(list(connection.events())) == 2
    assert recorded.news()[2:] == [
        "data 0 4",
        "terminator 4 \n",
        "data 4 1",
        "record 4 1 6",
        "waiting 6",
    ]


@pytest.mark.parametrize("face", ["records", "events"])
def test_records_that_are_too_long_are_written_down(face: str) -> None:
    connection = Connection(Limited(b"\n", 3))
    recorded = Recorded(connection)
    connection.receive_data(b"far too long\nok\nagain too long\n")
    with pytest.raises(RecordTooLong):
        list(getattr(connection, face)())
    list(getattr(connection, face)(too_long="skip"))
    lines = [line for line in recorded.news()[2:] if not line.startswith("data ")]
    where = 0 if face == "records" else 3
    too_long = "expected a record of at most 3 bytes, got a longer one at offset"
    assert lines == [
        f"error {where} RecordTooLong {too_long} {where}",
        "skipped 12 13",
        "record 13 2 16",
        "skipped 14 31",
        "waiting 31",
    ]


def test_a_grammar_is_recorded_on_a_bare_splitter() -> None:
    def grammar() -> Parse[bytes]:
        size = int((yield b":"))
        return (yield size)

    parser = Parser(grammar)
    recorded = Recorded(parser.splitter)
    assert list(parser.feed(b"2:ab0:3:x")) == [b"ab", b""]
    assert recorded.news()[1:] == [
        "received 0 2:ab0:3:x",
        "terminator 0 :",
        "record 0 1 2",
        "terminator 2 2",
        "record 2 2 4",
        "terminator 4 :",
        "record 4 1 6",
        "terminator 6 0",
        "record 6 0 6",
        "terminator 6 :",
        "record 6 1 8",
        "terminator 8 3",
        "waiting 8",
    ]


def test_records_are_written_down_whoever_takes_them() -> None:
    """Also one whose terminator was set just before."""
    splitter = Splitter(b"\n")
    recorded = Recorded(splitter)
    splitter.receive_data(b"a line\n" * 20 + b"onetwo")
    assert [next(splitter.records()) for _ in range(20)] == [b"a line"] * 20
    splitter.set_terminator(3)
    assert list(splitter.records()) == [b"one", b"two"]
    assert sum("record " in entry for entry in recorded.news()) == 22


def test_that_there_is_no_more_is_written_down_behind_a_long_record_too() -> None:
    def grammar() -> Parse[int]:
        return len((yield b"\n"))

    parser = Parser(grammar)
    recorded = Recorded(parser.splitter)
    assert list(parser.feed(b"x" * 9000 + b"\n" + b"y" * 5000)) == [9000]
    assert recorded.news()[-2:] == ["record 0 9000 9001", "waiting 9001"]


def test_what_the_end_of_the_stream_completes_is_written_down() -> None:
    connection = Connection()
    recorded = Recorded(connection)
    connection.receive_data(b"all")
    connection.receive_eof()
    connection.receive_eof()
    assert list(connection.records()) == [b"all"]
    assert recorded.news()[1:] == ["received 0 all", "eof 3", "record 0 3 3", "waiting 3"]


def test_input_that_waits_when_the_recording_begins_is_in_it() -> None:
    connection = Connection(b";")
    connection.receive_data(b"one;two;")
    assert connection.next_record() == b"one"
    recorded = Recorded(connection)
    assert connection.next_record() == b"two"
    connection.receive_data(b"three")
    assert recorded.news()[1:] == ["received 4 two;", "record 4 3 8", "received 8 three"]
    assert connection.detach() == b"three"
    assert recorded.news() == ["detached 8 5"]


def test_output_is_written_down_when_it_is_sent() -> None:
    connection = Connection()
    recorded = Recorded(connection)
    connection.push(b"hello")
    connection.push_producer([b"world"])
    connection.close_when_done()
    connection.close_when_done()
    assert recorded.news()[1:] == ["pushed 5", "pushed None", "closes"]
    connection.data_to_send()
    connection.data_sent(0)
    connection.data_sent(2)
    connection.data_sent(1)
    connection.data_to_send(100)
    connection.data_sent(2)
    connection.data_to_send(100)
    connection.data_sent(5)
    assert recorded.news() == ["sent 0 he", "sent 2 l", "sent 3 lo", "sent 5 world"]
    connection.discard_buffers()
    assert recorded.news() == ["discarded"]


def test_a_producer_that_fails_is_written_down() -> None:
    connection = Connection()
    recorded = Recorded(connection)
    connection.push_producer(int(text) for text in ["x"])  # type: ignore[misc]
    with pytest.raises(ValueError):
        connection.data_to_send()
    assert recorded.news()[2:] == [
        "failed 0 ValueError invalid literal for int() with base 10: 'x'"
    ]


def test_a_chat_is_recorded_and_does_what_it_did() -> None:
    class Echo(Chat):
        def __init__(self) -> None:
            super().__init__(b"\n")

        def collect_incoming_data(self, data: bytes) -> None:
            self.push(data)

        def found_terminator(self) -> None:
            self.push(b"\n")

    echo = Echo()
    recorded = Recorded(echo.connection)
    echo.feed(b"a\nb\n")
    assert echo.connection.data_to_send() == b"a\nb\n"
    assert recorded.news()[1:] == [
        "received 0 a\nb\n",
        "data 0 1",
        "pushed 1",
        "record 0 1 2",
        "pushed 1",
        "data 2 1",
        "pushed 1",
        "record 2 1 4",
        "pushed 1",
        "waiting 4",
    ]


def test_the_streams_of_backends_are_recorded() -> None:
    mine, peers = socket.socketpair()
    with peers, blocking.ChatStream(mine) as stream:
        recorded = Recorded(stream.connection)
        peers.sendall(b"ping\n")
        assert stream.receive_record(b"\n") == b"ping"
        stream.send(b"pong\n")
        assert peers.recv(5) == b"pong\n"
        peers.shutdown(socket.SHUT_WR)
        assert list(stream.records()) == []
        assert recorded.news()[1:] == [
            "terminator 0 \n",
            "waiting 0",
            "received 0 ping\n",
            "record 0 4 5",
            "pushed 5",
            "sent 0 pong\n",
            "waiting 5",
            "eof 5",
            "waiting 5",
        ]


def test_any_byte_is_written_in_ascii() -> None:
    connection = Connection()
    recorded = Recorded(connection)
    every = bytes(range(256))
    connection.receive_data(bytearray(every))
    connection.push(every)
    connection.data_to_send()
    connection.data_sent(256)
    assert recorded.file.getvalue().isascii()
    _, received, _, sent = read_recording(recorded.file.getvalue().splitlines())
    assert received["data"].encode("latin-1") == sent["data"].encode("latin-1") == every


@pytest.mark.parametrize(
    "terminator",
    [b"\xff", 0, None, AnyOf(b"\r\n", b"\n"), Limited(5, 6), Limited(AnyOf(b"a"), None)],
)
def test_any_terminator_is_read_back(terminator: Terminator) -> None:
    recorded = Recorded(Connection(terminator))
    (header,) = read_recording([recorded.file.getvalue()])
    assert terminator_of(header["terminator"]) == terminator


def test_the_limit_of_a_connection_is_in_its_recording() -> None:
    assert Recorded(Connection(max_size=None)).news() == ["recording 1 0 None None"]
    assert Recorded(Connection(max_size=5)).news() == ["recording 1 0 5 None"]


HEADER = '{"what": "recording", "version": 1, "offset": 0, "max_size": null, "terminator": null}'


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([], "expected a recording, got an empty file"),
        (["GET / HTTP/1.1"], "line 1: expected JSON"),
        (["[]"], "line 1: expected an entry of a recording, got '\\[\\]'"),
        (["{}"], "line 1: expected an entry"),
        (['{"what": []}'], "line 1: expected an entry"),
        (['{"what": "pushed", "size": 1}'], "line 1: expected a recording of version 1"),
        (['{"what": "recording", "version": 2}'], "line 1: expected a recording of version 1"),
        ([HEADER, '{"what": "rec'], 'line 2: expected JSON, got \'{"what": "rec\''),
        ([HEADER, HEADER, "5"], "line 3: expected an entry"),
        ([HEADER, '{"what": "record"}'], "line 2: expected 'record' with a good 'offset', got '{"),
        ([HEADER, '{"what": "eof", "offset": -1}'], "with a good 'offset'"),
        ([HEADER, '{"what": "eof", "offset": true}'], "with a good 'offset'"),
        ([HEADER, '{"what": "received", "offset": 0, "data": "\u1234"}'], "with a good 'data'"),
        ([HEADER, '{"what": "received", "offset": 0, "data": 5}'], "with a good 'data'"),
        ([HEADER, '{"what": "terminator", "offset": 0, "terminator": ""}'], "good 'terminator'"),
        ([HEADER, '{"what": "terminator", "offset": 0, "terminator": [5]}'], "good 'terminator'"),
        ([HEADER, '{"what": "ended", "offset": 0, "clean": 1}'], "with a good 'clean'"),
    ],
)
def test_what_is_no_recording_is_refused(lines: list[str], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        list(read_recording(lines))


@pytest.mark.parametrize("taken", [lambda c: list(c.records()), lambda c: list(c.events())])
def test_a_failing_file_is_no_secret(taken: Callable[[Any], object]) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            if self.tell() > 150:
                raise OSError("no space left")
            return super().write(text)

    connection = Connection(b";")
    record(connection, Full())
    connection.receive_data(b"a;b;c;")
    with pytest.raises(OSError, match="no space left"):
        taken(connection)
