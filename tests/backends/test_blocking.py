from __future__ import annotations

import io
import os
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

from termsplit import (
    Chat,
    Connection,
    ConnectionLost,
    EOFReceived,
    IncompleteRecord,
    LocalProtocolError,
)
from termsplit.backends.blocking import (
    ChatStream,
    Server,
    connect,
    connect_unix,
    run,
    serve,
    serve_unix,
)


def lines() -> Connection:
    return Connection(b"\n", max_size=100)


def echo(stream: ChatStream) -> None:
    for line in stream:
        stream.send(line + b"\n")


def pair() -> tuple[ChatStream, socket.socket]:
    ours, theirs = socket.socketpair()
    return ChatStream(ours), theirs


def test_a_loop_that_goes_on_after_errors_ends_with_the_stream() -> None:
    stream, peer = pair()
    with stream:
        peer.sendall(b"one\ntw")
        peer.close()
        stream.set_terminator(b"\n")
        records = stream.records()
        assert next(records) == b"one"
        with pytest.raises(IncompleteRecord):
            next(records)
        assert [next(records, "the end") for _ in range(2)] == ["the end"] * 2
        with pytest.raises(IncompleteRecord):
            stream.receive_record(b"\n")


# Time-outs and signals.


def test_a_time_out_while_receiving_loses_nothing() -> None:
    stream, peer = pair()
    with peer, stream:
        stream.transport.settimeout(0.001)
        peer.sendall(b"hel")
        with pytest.raises(TimeoutError):
            stream.receive_record(b"\n")
        records = stream.records()
        with pytest.raises(TimeoutError):
            next(records)
        peer.sendall(b"lo\nagain\n")
        # The same iterator goes on.
        assert [next(records), next(records)] == [b"hello", b"again"]
        peer.shutdown(socket.SHUT_WR)
        assert list(records) == []
        peer.close()


def test_a_time_out_while_sending_loses_nothing_and_sends_nothing_twice() -> None:
    stream, peer = pair()
    stream.transport.settimeout(0.001)
    sent = b"".join(b"%d," % number for number in range(300_000))
    with peer, stream:
        with pytest.raises(TimeoutError):
            stream.send(sent)
        received = bytearray()
        while len(received) < len(sent):
            received += peer.recv(100_000)
            try:
                stream.flush()
            except TimeoutError:
                pass
        assert bytes(received) == sent
        peer.close()


def test_a_chat_that_times_out_is_told_so() -> None:
    class Told(Chat):
        error: Exception | None = None

        def connection_lost(self, error: Exception | None) -> None:
            self.error = error

    stream, peer = pair()
    stream.transport.settimeout(0.001)
    chat = Told(b"\n")
    with peer, pytest.raises(TimeoutError) as raised:
        run(chat, stream)
    assert chat.error is raised.value


class Interrupted(Exception):
    pass


@pytest.fixture
def alarm() -> Any:
    """A signal again and again, and the handler that is to be called; it may be replaced."""
    calls: list[Callable[[], None]] = [lambda: None]
    before = signal.signal(signal.SIGALRM, lambda number, frame: calls[0]())
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    yield calls
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_signal_whose_handler_returns_is_not_noticed(alarm: list[Callable[[], None]]) -> None:
    stream, peer = pair()
    arrived = threading.Event()
    count = 0

    def note() -> None:
        nonlocal count
        count += 1
        if count == 3:
            arrived.set()

    def answer() -> None:
        arrived.wait()
        peer.sendall(b"hello\n")

    thread = threading.Thread(target=answer)
    thread.start()
    alarm[0] = note
    with peer, stream:
        assert stream.receive_record(b"\n") == b"hello"
        thread.join()
        peer.close()
    assert count >= 3


def test_what_a_signals_handler_raises_interrupts_and_loses_nothing(
    alarm: list[Callable[[], None]],
) -> None:
    stream, peer = pair()

    def interrupt() -> None:
        alarm[0] = lambda: None
        raise Interrupted

    with peer, stream:
        peer.sendall(b"hel")
        with pytest.raises(Interrupted):
            stream.next_event()
            alarm[0] = interrupt
            stream.receive_record(b"\n")
        peer.sendall(b"lo\n")
        assert stream.receive_record(b"\n") == b"lo"
        peer.close()


# Transports.


class Miser:
    """A socket that takes a byte at a time."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> int:
        self.sent.append(bytes(data))
        return 1

    def getpeername(self) -> str:
        return "miser"

    def shutdown(self, how: int) -> None: ...
    def close(self) -> None: ...


def test_a_socket_may_take_a_part() -> None:
    transport: Any = Miser()
    stream = ChatStream(transport)
    stream.push(b"abc")
    stream.flush()
    assert transport.sent == [b"abc", b"bc", b"c"]
    stream.abort()


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_pair_of_files(buffering: int) -> None:
    read_here, write_there = os.pipe()
    read_there, write_here = os.pipe()
    here: Any = os.fdopen(read_here, "rb", buffering), os.fdopen(write_here, "wb", buffering)
    there: Any = os.fdopen(read_there, "rb", buffering), os.fdopen(write_there, "wb", buffering)
    with ChatStream(here) as stream, ChatStream(there) as peer:
        assert (stream.peer, stream.ssl_object) == (None, None)
        stream.send(b"one\ntw")
        assert peer.receive_record(b"\n") == b"one"
        stream.push(b"o\n")
        stream.close()
        assert peer.receive_record(b"\n") == b"two"
        assert peer.next_event() == EOFReceived(True)
        with pytest.raises(LocalProtocolError, match="pair of files"):
            peer.start_tls(ssl.create_default_context())
    assert all(file.closed for file in (*here, *there))


def test_both_files_are_closed_whatever_the_first_does() -> None:
    class Full(io.BytesIO):
        def close(self) -> None:
            super().close()
            raise OSError(28, "no space left on device")

    reader = io.BytesIO()
    with pytest.raises(OSError, match="no space"):
        ChatStream((reader, Full())).abort()
    assert reader.closed


def test_a_file_that_another_thread_closed_is_a_lost_connection() -> None:
    read, write = os.pipe()
    stream = ChatStream((os.fdopen(read, "rb"), os.fdopen(write, "wb")))
    stream.abort()
    with pytest.raises(ConnectionLost):
        stream.receive_record(b"\n")


def test_a_socket_that_is_gone_has_no_peer() -> None:
    with socket.socket() as unconnected:
        stream = ChatStream(unconnected)
        assert stream.peer is None
        with pytest.raises(ConnectionLost):
            stream.receive_record(b"\n")
        stream.abort()


# Threads.


def test_another_thread_aborts_a_stream_that_waits() -> None:
    stream, peer = pair()
    waiting = threading.Event()
    raised: list[ConnectionLost] = []

    def wait() -> None:
        waiting.set()
        with pytest.raises(ConnectionLost) as error:
            stream.receive_record(b"\n")
        raised.append(error.value)

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    stream.abort()
    thread.join()
    peer.close()
    assert len(raised) == 1


def test_two_threads_that_receive_at_once_get_a_clear_error() -> None:
    stream, peer = pair()
    got: list[object] = []

    def receive() -> None:
        try:
            got.append(stream.receive_record(b"\n"))
        except LocalProtocolError:
            got.append("refused")
            peer.sendall(b"hello\n")

    threads = [threading.Thread(target=receive) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=str) == [b"hello", "refused"]
    peer.close()
    stream.close()


# Servers.


def ask(server: Server) -> None:
    (address,) = server.addresses
    with connect(*address, timeout=60) as stream:
        assert stream.peer == address
        assert stream.transport.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        stream.push(b"hello\n")
        assert stream.receive_record(b"\n") == b"hello"


def test_a_server_serves_each_peer_in_a_thread() -> None:
    with serve(echo, "127.0.0.1", 0, new_connection=lines) as server:
        with connect(*server.addresses[0]) as first:
            first.push(b"one\n")
            assert first.receive_record(b"\n") == b"one"
            ask(server)


def test_closing_a_server_wakes_its_handlers() -> None:
    ended = threading.Event()

    def handler(stream: ChatStream) -> None:
        stream.send(b"hello\n")
        with pytest.raises(ConnectionLost):
            stream.receive_record(b"\n")
        ended.set()

    with serve(handler, "127.0.0.1", 0) as server:
        stream = connect(*server.addresses[0])
        assert stream.receive_record(b"\n") == b"hello"
    assert ended.is_set()
    stream.abort()
    server.close()


def test_closing_a_server_wakes_a_handshake() -> None:
    trustme = pytest.importorskip("trustme")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with serve(echo, "127.0.0.1", 0, ssl=context) as server:
        peer = socket.create_connection(server.addresses[0], timeout=60)
        said = ssl.MemoryBIO()
        client = ssl.create_default_context().wrap_bio(
            ssl.MemoryBIO(), said, server_hostname="localhost"
        )
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        peer.sendall(said.read())
        # It has answered, and waits for the rest.
        assert peer.recv(1)
    peer.close()


def test_what_a_peer_does_wrong_ends_its_handler_and_nothing_else() -> None:
    with serve(echo, "127.0.0.1", 0, new_connection=lines) as server:
        with connect(*server.addresses[0]) as stream:
            stream.send(b"x" * 1000)
            with pytest.raises((ConnectionLost, EOFError)):
                while not isinstance(stream.next_event(), EOFReceived):
                    pass
                raise EOFError
        with socket.create_connection(server.addresses[0]) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        ask(server)


def test_a_fault_of_the_application_goes_to_the_threads_excepthook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", lambda about: told.append(about.exc_type))
    faults: list[type[Exception]] = [ZeroDivisionError]

    def new_connection() -> Connection:
        if faults:
            raise faults.pop()
        return lines()

    def fail(stream: ChatStream) -> None:
        raise ArithmeticError

    with serve(fail, "127.0.0.1", 0, new_connection=new_connection) as server:
        for _ in range(2):
            with socket.create_connection(server.addresses[0], timeout=60) as peer:
                try:
                    assert peer.recv(1) == b""
                except ConnectionError:
                    pass
    assert told == [ZeroDivisionError, ArithmeticError]


def test_a_server_on_a_unix_socket_removes_its_path(tmp_path: Any) -> None:
    path = tmp_path / "socket"
    with serve_unix(echo, path, new_connection=lines) as server:
        assert server.addresses == [str(path)]
        with connect_unix(path, timeout=60) as stream:
            stream.push(b"hello\n")
            assert stream.receive_record(b"\n") == b"hello"
    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        connect_unix(path)


def test_a_server_is_waited_for_until_it_is_closed() -> None:
    with serve(echo, "127.0.0.1", 0) as server:
        closer = threading.Thread(target=server.close)
        closer.start()
        server.serve_forever()
        closer.join()
