from __future__ import annotations

import pytest

from termsplit import Chat, Connection, LocalProtocolError


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
