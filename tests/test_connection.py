from __future__ import annotations

from typing import Any

import pytest

from termsplit import (
    Chat,
    Connection,
    DataReceived,
    LocalProtocolError,
    ProducerQueue,
    RecordTooLong,
    Splitter,
    TerminatorFound,
)


def test_it_is_both_machines() -> None:
    connection = Connection(b"\n", max_size=4, high_water=8, low_water=2)
    assert isinstance(connection, Splitter)
    assert isinstance(connection, ProducerQueue)
    connection.receive_data(b"ping\nping\ntoo long\n")
    with pytest.raises(RecordTooLong):
        for record in connection.records():
            connection.push(record.replace(b"i", b"o") + b"\n")
    assert connection.congested
    assert connection.data_to_send() == b"pong\npong\n"
    connection.data_sent(8)
    assert not connection.congested


def test_what_ends_one_side_does_not_end_the_other() -> None:
    connection = Connection(b"\n")
    connection.close_when_done()
    assert connection.must_close
    assert list(connection.feed(b"a\n")) == [DataReceived(b"a"), TerminatorFound(b"\n")]

    connection = Connection(b"\n")
    connection.receive_data(b"a")
    connection.push(b"b")
    assert connection.detach() == b"a"
    connection.push(b"c")
    assert connection.data_to_send() == b"bc"
    connection.discard_buffers()
    with pytest.raises(LocalProtocolError):
        connection.receive_data(b"b")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"terminator": "\n"}, TypeError),
        ({"terminator": b""}, ValueError),
        ({"max_size": -1}, ValueError),
        ({"max_size": True}, TypeError),
        ({"high_water": -1}, ValueError),
        ({"high_water": 1, "low_water": 2}, ValueError),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="expected"):
        Connection(**arguments)


def test_abort_drops_what_is_queued_and_what_is_not_taken() -> None:
    woken: list[bool] = []
    connection = Connection(b"\n")
    connection.on_output = lambda: woken.append(connection.aborted)
    connection.receive_data(b"one\ntwo\n")
    assert connection.next_record() == b"one"
    connection.push(b"unsent")
    connection.abort()
    connection.abort()
    assert woken == [False, True, True]
    assert (connection.trailing_data, connection.offset) == (b"", 4)
    assert connection.data_to_send() == b""
    with pytest.raises(LocalProtocolError, match="push"):
        connection.push(b"more")
    with pytest.raises(LocalProtocolError, match="receive_data"):
        connection.receive_data(b"more")


def test_a_chat_that_aborts_in_a_callback_hears_nothing_more() -> None:
    class Rude(Chat):
        heard = b""

        def collect_incoming_data(self, data: bytes) -> None:
            self.heard += data

        def found_terminator(self) -> None:
            self.abort()

    chat = Rude(b"\n")
    chat.feed(b"one\ntwo\n")
    assert chat.heard == b"one"
    assert chat.connection.aborted
