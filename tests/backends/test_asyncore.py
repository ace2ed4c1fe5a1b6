"""Over real sockets; the loop turns until something has come true.

The peer is a plain dispatcher in the same channel map, driven by hand.
"""

from __future__ import annotations

import errno
import gc
import io
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from termsplit import (
    Chat,
    ConnectionLost,
    Limited,
    LocalProtocolError,
    Parse,
    Parser,
    RecordTooLong,
    Terminator,
    UnexpectedData,
)

pytest.importorskip("termsplit.backends.asyncore", exc_type=ImportError)

from termsplit.backends._asyncore import asyncore
from termsplit.backends._faces import LINGER
from termsplit.backends.asyncore import ChatStream, connect, connect_unix, run, serve, serve_unix


class Loop:
    """asyncore's loop on a channel map of its own."""

    def __init__(self, use_poll: bool) -> None:
        self.map: dict[int, Any] = {}
        self.use_poll = use_poll

    def turn(self) -> None:
        asyncore.loop(60, self.use_poll, self.map, count=1)

    def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            assert self.map, "no channel is left to wait for"
            self.turn()


class Peer(asyncore.dispatcher):
    """The other end: sends and receives when it is told to."""

    def __init__(self, sock: socket.socket, loop: Loop) -> None:
        super().__init__(sock, loop.map)
        self.socket: Any
        self.received = bytearray()
        self.to_send = bytearray()
        self.sent = 0
        self.reading = True
        self.eof = False
        self.reset = False

    def readable(self) -> bool:
        return self.reading and not self.eof

    def writable(self) -> bool:
        return bool(self.to_send)

    def handle_read(self) -> None:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            self.reset = self.eof = True
        else:
            self.eof = not data
            self.received += data

    def handle_write(self) -> None:
        count = self.socket.send(self.to_send)
        self.sent += count
        del self.to_send[:count]

    def handle_close(self) -> None:
        if self.readable():
            self.handle_read()

    def handle_error(self) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        raise error

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset_connection(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


class Counting:
    """A socket that notes how many bytes each send took, and may take fewer than were offered; 0 for none."""

    def __init__(self, sock: socket.socket, at_most: int = sys.maxsize) -> None:
        self._sock = sock
        self._at_most = at_most
        self.sends: list[int] = []

    def send(self, data: bytes | memoryview) -> int:
        self.sends.append(0)
        self.sends[-1] = self._sock.send(data[: self._at_most])
        return self.sends[-1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Recorder(Chat):
    """Answers each line in upper case, and notes what happens."""

    def __init__(self, terminator: Terminator = b"\n") -> None:
        super().__init__(terminator)
        self.line = b""
        self.lines: list[bytes] = []
        self.ends: list[bool] = []
        self.lost: list[Exception | None] = []

    def collect_incoming_data(self, data: bytes) -> None:
        self.line += data

    def found_terminator(self) -> None:
        line, self.line = self.line, b""
        self.lines.append(line)
        self.answer(line)

    def answer(self, line: bytes) -> None:
        self.push(line.upper() + b"\n")

    def eof_received(self, clean: bool) -> None:
        self.ends.append(clean)
        super().eof_received(clean)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.append(error)


class Silent(Recorder):
    """Answers nothing, and leaves it to the test to close."""

    def answer(self, line: bytes) -> None:
        pass

    def eof_received(self, clean: bool) -> None:
        self.ends.append(clean)


class Counted:
    """A producer of so many bytes, that knows how many it was asked for."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.made = 0
        self.closed = False

    def more(self) -> bytes:
        data = b"x" * min(10_000, self.left)
        self.left -= len(data)
        self.made += len(data)
        return data

    def close(self) -> None:
        self.closed = True


@pytest.fixture(params=["select", "poll"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    loop = Loop(request.param == "poll")
    yield loop
    assert loop.map == {}, "a channel is left in the map"
    gc.collect(1)


def connected_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    # So that what one end does not read soon stops the other.
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    return near, far


def talk(loop: Loop, chat: Chat) -> tuple[Peer, ChatStream]:
    near, far = connected_pair()
    stream = ChatStream(near, loop.map)
    run(chat, stream)
    return Peer(far, loop), stream


# Sending and receiving.


def test_lines_are_answered_until_the_peer_closes(loop: Loop) -> None:
    chat = Recorder()
    peer, stream = talk(loop, chat)
    assert stream.peer == peer.socket.getsockname()
    peer.to_send += b"one\ntw"
    loop.until(lambda: peer.received == b"ONE\n")
    peer.to_send += b"o\n"
    loop.until(lambda: peer.received == b"ONE\nTWO\n")
    peer.half_close()
    loop.until(lambda: peer.eof)
    assert (chat.ends, chat.lost) == ([True], [None])
    assert stream not in loop.map.values()
    peer.close()


def test_replies_to_one_chunk_leave_in_one_send(loop: Loop) -> None:
    chat = Recorder()
    peer, stream = talk(loop, chat)
    sends = stream.socket = Counting(stream.socket)
    peer.to_send += b"a\n" * 100
    loop.until(lambda: len(peer.received) == 200)
    assert sends.sends == [200]
    peer.close()
    loop.until(lambda: chat.lost)


def test_what_is_pushed_outside_of_a_callback_leaves_at_the_next_turn(loop: Loop) -> None:
    chat = Recorder()
    chat.push(b"hello ")
    peer, stream = talk(loop, chat)
    assert stream.send(b"world") == 5
    sends = stream.socket = Counting(stream.socket)
    loop.until(lambda: peer.received == b"hello world")
    assert sends.sends == [11]
    stream.close()
    peer.close()


def test_partial_sends_lose_and_repeat_nothing(loop: Loop) -> None:
    chat = Recorder()
    peer, stream = talk(loop, chat)
    stream.socket = Counting(stream.socket, at_most=7)
    text = bytes(range(256)) * 40
    chat.push(text)
    chat.push_producer([text, text])
    chat.close_when_done()
    loop.until(lambda: peer.eof)
    assert peer.received == text * 3
    peer.close()
    loop.until(lambda: chat.lost)
    assert chat.lost == [None]


def test_other_dispatchers_share_the_map(loop: Loop) -> None:
    chats = [Recorder(), Recorder()]
    peers = [talk(loop, chat)[0] for chat in chats]
    for peer in peers:
        peer.to_send += b"hi\n"
    loop.until(lambda: all(peer.received == b"HI\n" for peer in peers))
    assert len(loop.map) == 4
    asyncore.close_all(loop.map)
    assert [type(error) for chat in chats for error in chat.lost] == [ConnectionLost] * 2


def test_a_peer_that_does_not_read_stops_a_producer_within_high_water(loop: Loop) -> None:
    chat = Recorder()
    producer = Counted(1 << 30)
    peer, stream = talk(loop, chat)
    sends = stream.socket = Counting(stream.socket)
    peer.reading = False
    chat.push_producer(producer)
    loop.until(lambda: sends.sends[-1:] == [0])
    assert producer.made - sum(sends.sends) <= 10_000
    peer.reset_connection()
    loop.until(lambda: chat.lost)
    assert producer.closed


def test_a_producer_without_end_leaves_the_loop_to_others(loop: Loop) -> None:
    class Bottomless:
        """Takes all there is."""

        def __init__(self, sock: socket.socket) -> None:
            self._sock = sock
            self.sent = 0

        def send(self, data: bytes) -> int:
            self.sent += len(data)
            return len(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sock, name)

    chat = Recorder()
    peer, stream = talk(loop, chat)
    sink = stream.socket = Bottomless(stream.socket)
    chat.push_producer(Counted(1 << 40))
    loop.turn()
    assert 0 < sink.sent <= 300_000
    stream.close()
    peer.close()


def test_a_peer_that_floods_is_not_read_while_the_output_is_congested(loop: Loop) -> None:
    class Doubling(Recorder):
        def answer(self, line: bytes) -> None:
            self.push(line * 100)

    chat = Doubling()
    peer, stream = talk(loop, chat)
    sends = stream.socket = Counting(stream.socket)
    peer.reading = False
    peer.to_send += b"12345678\n" * 50_000
    loop.until(lambda: sends.sends[-1:] == [0])
    most = 0

    def note_and_count() -> bool:
        nonlocal most
        most = max(most, stream.connection.buffered)
        return len(peer.received) == 800 * 50_000

    assert not stream.readable()
    assert len(chat.lines) < 50_000
    peer.reading = True
    loop.until(note_and_count)
    assert most <= 64 * 1024 + 800
    assert len(chat.lines) == 50_000
    stream.close()
    peer.close()


def test_a_chat_may_be_put_on_a_stream_that_has_data_already(loop: Loop) -> None:
    near, far = connected_pair()
    peer, stream = Peer(far, loop), ChatStream(near, loop.map)
    assert not stream.readable()
    stream.connection.receive_data(b"early\n")
    chat = Recorder()
    run(chat, stream)
    loop.until(lambda: peer.received == b"EARLY\n")
    stream.close()
    peer.close()


def test_a_grammar_runs_in_a_chat_that_hands_it_what_comes(loop: Loop) -> None:
    def counted() -> Parse[bytes]:
        size = yield b":"
        return (yield int(size))

    class Grammatical(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.parser = Parser(counted, self.connection)

        def dispatch(self, *, until_congested: bool = False) -> None:
            for message in self.parser.messages():
                self.answer(message)

    chat = Grammatical()
    peer, stream = talk(loop, chat)
    for piece in (b"3", b":one0:5:th", b"ree"):
        peer.to_send += piece
        loop.until(lambda: not peer.to_send)
    loop.until(lambda: len(peer.received) == 11)
    assert peer.received == b"ONE\n\nTHREE\n"
    stream.close()
    peer.close()


def test_two_chats_on_one_stream_are_refused(loop: Loop) -> None:
    peer, stream = talk(loop, Recorder())
    with pytest.raises(LocalProtocolError, match="runs one already"):
        run(Recorder(), stream)
    stream.close()
    peer.close()


# Ends.


def test_after_a_half_close_by_the_peer_our_answer_still_arrives(loop: Loop) -> None:
    class Summary(Recorder):
        def answer(self, line: bytes) -> None:
            pass

        def eof_received(self, clean: bool) -> None:
            self.push_producer(b"%d " % len(line) for line in self.lines * 10_000)
            super().eof_received(clean)

    chat = Summary()
    peer, _ = talk(loop, chat)
    peer.to_send += b"a\nbb\n"
    loop.until(lambda: not peer.to_send)
    peer.half_close()
    loop.until(lambda: peer.eof)
    assert peer.received == b"1 2 " * 10_000
    assert (chat.ends, chat.lost) == ([True], [None])
    peer.close()


def test_a_chat_may_go_on_sending_after_the_peers_end(loop: Loop) -> None:
    chat = Silent()
    peer, stream = talk(loop, chat)
    peer.to_send += b"unfinished"
    loop.until(lambda: not peer.to_send)
    peer.half_close()
    loop.until(lambda: chat.ends)
    assert chat.ends == [False]
    assert not stream.readable()
    chat.push(b"later")
    chat.close_when_done()
    loop.until(lambda: peer.eof)
    assert peer.received == b"later"
    assert (chat.ends, chat.lost) == ([False], [None])
    peer.close()


def test_close_when_done_delivers_everything_to_a_peer_that_still_sends(loop: Loop) -> None:
    class Goodbye(Recorder):
        def answer(self, line: bytes) -> None:
            self.push(b"bye" * 100_000)
            self.close_when_done()

    chat = Goodbye()
    peer, _ = talk(loop, chat)
    peer.reading = False
    peer.to_send += b"quit\n" * 2_000_000
    loop.until(lambda: not peer.to_send)
    peer.reading = True
    loop.until(lambda: peer.eof)
    assert not peer.reset
    assert peer.received == b"bye" * 100_000
    assert (chat.lines, chat.lost) == ([b"quit"], [])
    peer.close()
    loop.until(lambda: chat.lost)
    assert chat.lost == [None]


def test_a_peer_that_never_closes_is_waited_for_no_longer_than_linger(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = Recorder()
    peer, stream = talk(loop, chat)
    chat.push(b"bye")
    chat.close_when_done()
    loop.until(lambda: peer.eof)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + LINGER - 0.1)
    assert stream.readable()
    monkeypatch.setattr(time, "monotonic", lambda: now + LINGER)
    assert not stream.readable()
    assert chat.lost == [None]
    peer.close()


def test_a_reset_after_all_was_delivered_is_no_loss(loop: Loop) -> None:
    chat = Recorder()
    peer, _ = talk(loop, chat)
    chat.push(b"bye")
    chat.close_when_done()
    loop.until(lambda: peer.eof)
    peer.reset_connection()
    loop.until(lambda: chat.lost)
    assert chat.lost == [None]


def test_a_peer_that_is_gone_before_its_stream_is_made_is_told_as_lost(loop: Loop) -> None:
    near, far = connected_pair()
    Peer(far, loop).reset_connection()
    chat = Recorder()
    run(chat, ChatStream(near, loop.map))
    loop.until(lambda: chat.lost)
    assert isinstance(chat.lost[0], ConnectionLost)


@pytest.mark.parametrize("pushed", [b"", b"x" * 10_000_000])
def test_a_reset_by_the_peer_is_told_once(loop: Loop, pushed: bytes) -> None:
    chat = Recorder()
    peer, stream = talk(loop, chat)
    peer.reading = False
    chat.push(pushed)
    loop.turn()
    peer.reset_connection()
    loop.until(lambda: chat.lost)
    (error,) = chat.lost
    assert isinstance(error, ConnectionLost)
    assert isinstance(error.__cause__, ConnectionError)
    stream.close()
    assert len(chat.lost) == 1
    assert chat.ends == []


def test_what_came_before_a_reset_is_delivered(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("termsplit.backends._asyncore_stream.RECEIVE_SIZE", 10)
    chat = Silent()
    peer, _ = talk(loop, chat)
    peer.socket.sendall(b"line\n" * 100)
    peer.reset_connection()
    loop.until(lambda: chat.lost)
    assert chat.lines == [b"line"] * 100


def test_a_reset_after_the_peers_end_is_told(loop: Loop) -> None:
    chat = Silent()
    peer, _ = talk(loop, chat)
    peer.half_close()
    loop.until(lambda: chat.ends)
    peer.reset_connection()
    chat.push(b"x" * 10_000_000)
    loop.until(lambda: chat.lost)
    assert isinstance(chat.lost[0], ConnectionLost)


def test_a_chat_may_abort_itself_and_hears_nothing_more(loop: Loop) -> None:
    class Rude(Recorder):
        def answer(self, line: bytes) -> None:
            self.push(b"x" * 100)
            self.abort()

    chat = Rude()
    peer, _ = talk(loop, chat)
    peer.to_send += b"one\ntwo\n"
    loop.until(lambda: peer.eof)
    assert chat.lines == [b"one"]
    assert [str(error) for error in chat.lost] == ["the connection was aborted"]
    assert peer.received == b""
    peer.close()


def test_a_chat_may_be_aborted_by_another_even_if_its_peer_does_not_read(loop: Loop) -> None:
    slow = Recorder()
    slow_peer, stream = talk(loop, slow)
    slow_peer.reading = False
    slow.push(b"x" * 10_000_000)

    class Judge(Recorder):
        def answer(self, line: bytes) -> None:
            slow.abort()
            assert slow.lost == []
            super().answer(line)

    judge = Judge()
    peer, judge_stream = talk(loop, judge)
    peer.to_send += b"one\n"
    loop.until(lambda: peer.received == b"ONE\n")
    assert [type(error) for error in slow.lost] == [ConnectionLost]
    assert stream.connection.buffered == 0
    for channel in (slow_peer, peer, judge_stream):
        channel.close()


def test_detach_hands_over_the_socket_and_what_was_not_taken(loop: Loop) -> None:
    near, far = connected_pair()
    stream = ChatStream(near, loop.map)
    stream.connection.receive_data(b"rest")
    stream.push(b"hello")
    with pytest.raises(LocalProtocolError, match="before all that was pushed was sent"):
        stream.detach()
    loop.until(lambda: not stream.connection.output_pending)
    sock, data = stream.detach()
    assert (sock, data, loop.map) == (near, b"rest", {})
    assert far.recv(10) == b"hello"
    near.close()
    far.close()


# What goes wrong.


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("oops"), OSError(errno.ECONNRESET, "oops"), OSError("oops")]
)
def test_an_exception_of_a_callback_comes_out_of_the_loop_and_others_go_on(
    loop: Loop, error: Exception
) -> None:
    class Buggy(Recorder):
        def answer(self, line: bytes) -> None:
            raise error

    buggy, chat = Buggy(), Recorder()
    buggy_peer, _ = talk(loop, buggy)
    peer, stream = talk(loop, chat)
    buggy_peer.to_send += b"one\n"
    with pytest.raises(type(error), match="oops"):
        loop.until(lambda: buggy_peer.eof)
    assert buggy.lost == [error]
    loop.until(lambda: buggy_peer.eof)
    peer.to_send += b"one\n"
    loop.until(lambda: peer.received == b"ONE\n")
    for channel in (buggy_peer, peer, stream):
        channel.close()


def test_a_producers_exception_comes_out_of_the_loop_after_what_was_before_it(loop: Loop) -> None:
    def broken() -> Iterator[bytes]:
        yield b"two"
        raise ZeroDivisionError("oops")

    chat = Recorder()
    peer, _ = talk(loop, chat)
    chat.push(b"one")
    chat.push_producer(broken())
    with pytest.raises(ZeroDivisionError):
        loop.until(lambda: peer.eof)
    loop.until(lambda: peer.eof)
    assert peer.received == b"onetwo"
    assert [type(error) for error in chat.lost] == [ZeroDivisionError]
    peer.close()


def test_exitnow_leaves_the_loop_and_no_channel(loop: Loop) -> None:
    class Stopping(Recorder):
        def answer(self, line: bytes) -> None:
            if line == b"stop":
                raise asyncore.ExitNow
            super().answer(line)

    chat = Stopping()
    peer, stream = talk(loop, chat)
    peer.to_send += b"stop\ngo\n"
    with pytest.raises(asyncore.ExitNow):
        loop.until(lambda: chat.lost)
    peer.to_send += b"on\n"
    loop.until(lambda: peer.received == b"GO\nON\n")
    stream.close()
    peer.close()


def test_a_peer_that_breaks_the_rules_ends_its_connection_and_nothing_else(loop: Loop) -> None:
    chat = Recorder(Limited(b"\n", 3))
    peer, _ = talk(loop, chat)
    peer.to_send += b"abc\nabcd\n"
    loop.until(lambda: peer.eof)
    (error,) = chat.lost
    assert isinstance(error, RecordTooLong)
    assert error.limit == 3
    peer.close()


# Listening and connecting.


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", None])
def test_a_server_reports_its_address_and_serves(loop: Loop, host: str | None) -> None:
    if host == "::1" and not socket.has_ipv6:
        pytest.skip("no IPv6")
    chats: list[Recorder] = []

    def handler(stream: ChatStream) -> None:
        chats.append(Recorder())
        run(chats[-1], stream)

    server = serve(handler, host, 0, map=loop.map)
    ((address, port, *_),) = server.addresses
    assert address == (host or "0.0.0.0")
    client = Recorder()
    client.push(b"one\n")
    stream = connect(host or "127.0.0.1", port, map=loop.map)
    run(client, stream)
    loop.until(lambda: client.lines)
    assert client.lines == [b"ONE"]
    client.close_when_done()
    loop.until(lambda: client.lost and chats[0].lost)
    assert client.lost == chats[0].lost == [None]
    server.close()


def test_a_server_that_is_closed_aborts_the_streams_of_its_peers_and_no_others(loop: Loop) -> None:
    served, other = Recorder(), Recorder()
    peer, stream = talk(loop, other)
    client = Recorder()
    client.push(b"one\n")
    with serve(lambda stream: run(served, stream), "127.0.0.1", 0, map=loop.map) as server:
        run(client, connect(*server.addresses[0], map=loop.map))
        loop.until(lambda: client.lines)
    assert [type(error) for error in served.lost] == [ConnectionLost]
    loop.until(lambda: client.lost)
    assert other.lost == []
    stream.close()
    peer.close()


def test_serve_forever_turns_the_loop_until_the_server_is_closed(loop: Loop) -> None:
    class Closing(Recorder):
        def answer(self, line: bytes) -> None:
            server.close()

    client = Recorder()
    client.push(b"close\n")
    with serve(lambda stream: run(Closing(), stream), "127.0.0.1", 0, map=loop.map) as server:
        run(client, connect(*server.addresses[0], map=loop.map))
        server.serve_forever()
    loop.until(lambda: client.lost)


def test_unix_sockets(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = serve_unix(lambda stream: run(Recorder(), stream), path, map=loop.map)
    assert server.addresses == [str(path)]
    client = Recorder()
    client.push(b"one\n")
    run(client, connect_unix(path, map=loop.map))
    loop.until(lambda: client.lines)
    server.close()
    server.close()
    assert not path.exists()
    loop.until(lambda: not loop.map)


@pytest.mark.parametrize("error", [ZeroDivisionError("oops"), OSError(errno.EPIPE, "oops")])
def test_an_exception_of_a_handler_comes_out_of_the_loop_and_closes_the_stream(
    loop: Loop, error: Exception
) -> None:
    def handler(stream: ChatStream) -> None:
        raise error

    server = serve(handler, "127.0.0.1", 0, map=loop.map)
    client = Recorder()
    run(client, connect(*server.addresses[0], map=loop.map))
    with pytest.raises(type(error), match="oops"):
        loop.until(lambda: client.lost)
    loop.until(lambda: client.lost)
    assert loop.map == {}


def test_a_server_without_a_file_descriptor_left_tries_again(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Exhausted:
        def __init__(self, sock: socket.socket) -> None:
            self._sock = sock

        def accept(self) -> None:
            raise OSError(errno.EMFILE, "too many open files")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._sock, name)

    server = serve(lambda stream: run(Recorder(), stream), "127.0.0.1", 0, map=loop.map)
    listener = server.socket
    server.socket = Exhausted(listener)
    client = Recorder()
    client.push(b"one\n")
    run(client, connect(*server.addresses[0], map=loop.map))
    loop.until(lambda: not server.readable())
    server.socket = listener
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1)
    loop.until(lambda: client.lines)
    server.close()
    loop.until(lambda: not loop.map)


def test_connect_tries_one_address_after_the_other(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda stream: run(Recorder(), stream), "127.0.0.1", 0, map=loop.map)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()

    def getaddrinfo(*args: Any, **named: Any) -> list[Any]:
        kind = (socket.SOCK_STREAM, 0, "")
        return [(socket.AF_INET, *kind, address) for address in (nobody, server.addresses[0])]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    client = Recorder()
    client.push(b"one\n")
    run(client, connect("example", 1, map=loop.map))
    loop.until(lambda: client.lines)
    server.close()
    loop.until(lambda: not loop.map)


def test_a_connect_that_fails_is_told(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()
    chat = Recorder()
    run(chat, connect(*nobody, map=loop.map))
    loop.until(lambda: chat.lost)
    (error,) = chat.lost
    assert isinstance(error, ConnectionLost)
    assert isinstance(error.__cause__, ConnectionRefusedError)


def test_a_connect_that_fails_at_once_is_told_too(loop: Loop, tmp_path: Path) -> None:
    chat = Recorder()
    run(chat, connect_unix(tmp_path / "nobody", map=loop.map))
    (error,) = chat.lost
    assert isinstance(error, ConnectionLost)
    assert isinstance(error.__cause__, FileNotFoundError)


# TLS.


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server named localhost, and of a client that trusts it."""
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def tls_pair(loop: Loop, server_chat: Chat, client_chat: Chat) -> tuple[ChatStream, ChatStream]:
    server_context, client_context = contexts()
    near, far = connected_pair()
    server, client = ChatStream(far, loop.map), ChatStream(near, loop.map)
    server.start_tls(server_context, server_side=True)
    client.start_tls(client_context, server_hostname="localhost")
    run(server_chat, server)
    run(client_chat, client)
    return server, client


def test_tls_from_the_start(loop: Loop) -> None:
    server_context, client_context = contexts()
    served: list[Recorder] = []

    def handler(stream: ChatStream) -> None:
        served.append(Recorder())
        run(served[0], stream)

    server = serve(handler, "localhost", 0, map=loop.map, ssl=server_context)
    client = Recorder()
    client.push(b"one\n")
    stream = connect("localhost", server.addresses[0][1], map=loop.map, ssl=client_context)
    run(client, stream)
    loop.until(lambda: client.lines)
    assert client.lines == [b"ONE"]
    assert stream.ssl_object is not None
    assert stream.ssl_object.version() is not None
    client.close_when_done()
    loop.until(lambda: client.lost and served[0].lost)
    assert client.lost == served[0].lost == [None]
    server.close()


def test_large_data_both_ways_over_tls(loop: Loop) -> None:
    class Sink(Recorder):
        def answer(self, line: bytes) -> None:
            self.close_when_done()

    line = b"0123456789" * 100_000
    chats = Sink(), Sink()
    for chat in chats:
        chat.push_producer([line[:10_000]] * 100 + [b"\n"])
    tls_pair(loop, *chats)
    loop.until(lambda: not loop.map)
    assert [chat.lines for chat in chats] == [[line], [line]]
    assert [chat.lost for chat in chats] == [[None], [None]]


def test_close_when_done_over_tls_delivers_everything_to_a_peer_that_still_sends(
    loop: Loop,
) -> None:
    class Goodbye(Recorder):
        def answer(self, line: bytes) -> None:
            self.push(b"bye\n" * 100_000)
            self.close_when_done()

    class Sink(Recorder):
        def answer(self, line: bytes) -> None:
            pass

    server, client = Goodbye(), Sink()
    client.push(b"quit\n" * 200_000)
    tls_pair(loop, server, client)
    loop.until(lambda: not loop.map)
    assert client.lines == [b"bye"] * 100_000
    assert (server.lines, server.lost) == ([b"quit"], [None])


class TLSClient:
    """A plain socket with TLS, that lets the loop turn while it has to wait."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, loop: Loop) -> None:
        sock.setblocking(False)
        self.loop = loop
        self.socket = context.wrap_socket(
            sock, server_hostname="localhost", do_handshake_on_connect=False
        )
        self.attempt(self.socket.do_handshake)

    def attempt(self, operation: Callable[[], Any]) -> Any:
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                asyncore.loop(0.01, self.loop.use_poll, self.loop.map, count=1)


def tls_server_and_client(loop: Loop, chat: Chat) -> tuple[ChatStream, TLSClient]:
    server_context, client_context = contexts()
    near, far = connected_pair()
    stream = ChatStream(near, loop.map)
    stream.start_tls(server_context, server_side=True)
    run(chat, stream)
    return stream, TLSClient(far, client_context, loop)


def test_after_a_half_close_over_tls_our_answer_still_arrives(loop: Loop) -> None:
    class Summary(Recorder):
        def answer(self, line: bytes) -> None:
            pass

        def eof_received(self, clean: bool) -> None:
            self.push(b"%d\n" % len(self.lines))
            super().eof_received(clean)

    chat = Summary()
    _, client = tls_server_and_client(loop, chat)
    client.attempt(lambda: client.socket.send(b"a\nb\n"))
    with pytest.raises(ssl.SSLWantReadError):
        client.socket.unwrap()
    assert client.attempt(lambda: client.socket.recv(10)) == b"2\n"
    with pytest.raises(ssl.SSLZeroReturnError):
        client.attempt(lambda: client.socket.recv(10))
    client.socket.close()
    loop.until(lambda: not loop.map)
    assert chat.lost == [None]


def test_the_end_of_the_stream_without_the_end_of_tls_is_no_end(loop: Loop) -> None:
    chat = Recorder()
    _, client = tls_server_and_client(loop, chat)
    client.socket.close()
    loop.until(lambda: chat.lost)
    assert isinstance(chat.lost[0], ConnectionLost)
    assert chat.ends == []


def test_a_flood_over_tls_is_not_read_while_the_output_is_congested(loop: Loop) -> None:
    class Multiplying(Recorder):
        def answer(self, line: bytes) -> None:
            self.push(line * 1000)

    chat = Multiplying()
    stream, client = tls_server_and_client(loop, chat)
    most = received = 0
    while received < 5_000_000:
        try:
            client.socket.send(b"12345678\n" * 1000)
        except ssl.SSLWantWriteError:
            pass
        received += len(client.attempt(lambda: client.socket.recv(10_000)))
        asyncore.loop(0, loop.use_poll, loop.map, count=1)
        most = max(most, len(stream.connection.trailing_data))
    assert most <= 64 * 1024
    stream.close()
    client.socket.close()


def test_a_failed_handshake_is_told_to_both(loop: Loop) -> None:
    server_context, client_context = contexts()
    chats = Recorder(), Recorder()
    near, far = connected_pair()
    server, client = ChatStream(far, loop.map), ChatStream(near, loop.map)
    server.start_tls(server_context, server_side=True)
    client.start_tls(client_context, server_hostname="elsewhere.example")
    run(chats[0], server)
    run(chats[1], client)
    loop.until(lambda: not loop.map)
    for chat in chats:
        (error,) = chat.lost
        assert isinstance(error, ConnectionLost)
        assert isinstance(error.__cause__, OSError)
    error = chats[1].lost[0]
    assert str(error).startswith("the TLS handshake failed: ")
    producer = io.BytesIO(b"more")
    client.push_producer(producer)
    assert producer.closed
    with pytest.raises(ConnectionLost) as again:
        client.start_tls(client_context, server_hostname="localhost")
    assert again.value is error
    with pytest.raises(ConnectionLost) as again:
        client.detach()
    assert again.value is error


class StartTLS(Recorder):
    def __init__(self, stream: ChatStream, context: ssl.SSLContext) -> None:
        super().__init__()
        self.stream = stream
        self.context = context

    def answer(self, line: bytes) -> None:
        super().answer(line)
        if line == b"starttls":
            self.stream.start_tls(self.context, server_side=True)


class StartTLSClient(Recorder):
    def __init__(self, stream: ChatStream, context: ssl.SSLContext) -> None:
        super().__init__()
        self.stream = stream
        self.context = context

    def answer(self, line: bytes) -> None:
        if line == b"STARTTLS":
            self.stream.start_tls(self.context, server_hostname="localhost")
            self.push(b"secret\n")


def test_starttls_in_mid_stream(loop: Loop) -> None:
    server_context, client_context = contexts()
    near, far = connected_pair()
    server_stream, client_stream = ChatStream(far, loop.map), ChatStream(near, loop.map)
    server = StartTLS(server_stream, server_context)
    client = StartTLSClient(client_stream, client_context)
    client.push(b"hello\nstarttls\n")
    run(server, server_stream)
    run(client, client_stream)
    loop.until(lambda: len(client.lines) == 3)
    assert client.lines == [b"HELLO", b"STARTTLS", b"SECRET"]
    assert server_stream.ssl_object is not None
    client.close_when_done()
    loop.until(lambda: not loop.map)
    assert client.lost == server.lost == [None]


def test_plaintext_injected_behind_starttls_is_refused(loop: Loop) -> None:
    server_context, _ = contexts()
    near, far = connected_pair()
    stream = ChatStream(near, loop.map)
    chat = StartTLS(stream, server_context)
    run(chat, stream)
    peer = Peer(far, loop)
    peer.to_send += b"starttls\ninjected\n"
    loop.until(lambda: peer.eof)
    (error,) = chat.lost
    assert isinstance(error, UnexpectedData)
    assert chat.lines == [b"starttls"]
    peer.close()


# Where it comes from.


def test_importing_it_gives_no_warning() -> None:
    code = "import termsplit.backends.asyncore"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_where_asyncore_is_missing_the_error_names_the_extra() -> None:
    code = "import sys; sys.modules['asyncore'] = None; import termsplit.backends.asyncore"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: asyncore left the standard library in Python 3.12; it comes back with: "
        "pip install 'termsplit[asyncore]'"
    )
    assert "another exception" not in done.stderr
