"""What a grammar or a callback pushes, on every loop with tasks: it leaves when more data must be waited for."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

import pytest

pytest.importorskip("trio")
pytest.importorskip("anyio")
pytest.importorskip("trustme")

import trio

from termsplit import Chat, Connection, ConnectionLost, IncompleteRecord, Parse
from termsplit.backends import trio as trio_backend
from termsplit.testing import BackendHarness
from tests.backends.harnesses import Anyio, Asyncio, Trio, TrioInMemory

Talk = Callable[[BackendHarness, Any], Coroutine[Any, Any, None]]


def stream_and_peer(
    harness: BackendHarness, peer: Callable[[socket.socket], Any], talk: Talk
) -> Any:
    """Run ``talk`` on a stream to ``peer``, which runs in a thread; what that returned."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)

        def accept() -> Any:
            accepted, _ = listener.accept()
            with accepted:
                accepted.settimeout(60)
                return peer(accepted)

        async def main() -> None:
            with concurrent.futures.ThreadPoolExecutor(1) as thread:
                told.append(thread.submit(accept))
                stream = await harness.connect(listener.getsockname(), Connection(), None)
                try:
                    await talk(harness, stream)
                finally:
                    await stream.abort()
                await harness.wait(told[0])

        told: list[concurrent.futures.Future[Any]] = []
        harness.run(main)
        return told[0].result()


def receive_to_end(sock: socket.socket) -> bytes:
    received = bytearray()
    while data := sock.recv(1 << 20):
        received += data
    return bytes(received)


on_sockets = pytest.mark.parametrize(
    "harness",
    [Asyncio(), Trio(), Anyio("asyncio"), Anyio("trio")],
    ids=["asyncio", "trio", "anyio", "anyio on trio"],
)
on_every_loop = pytest.mark.parametrize(
    "harness",
    [Asyncio(), Trio(), Anyio("asyncio"), Anyio("trio"), TrioInMemory()],
    ids=["asyncio", "trio", "anyio", "anyio on trio", "trio in memory"],
)


@on_sockets
def test_what_is_sent_where_nothing_waits_needs_no_background(harness: BackendHarness) -> None:
    arrived = threading.Event()

    def peer(sock: socket.socket) -> bytes:
        received = sock.recv(100)
        arrived.set()
        return received + receive_to_end(sock)

    async def talk(_: BackendHarness, stream: Any) -> None:
        await stream.send(b"one")
        # The loop gets no turn.
        assert arrived.wait(60)
        await stream.aclose()

    assert stream_and_peer(harness, peer, talk) == b"one"


@on_sockets
def test_what_is_sent_where_more_waits_leaves_together(harness: BackendHarness) -> None:
    def peer(sock: socket.socket) -> list[bytes]:
        sock.sendall(b"a\nb\nc\n")
        return [sock.recv(100), receive_to_end(sock)]

    async def talk(_: BackendHarness, stream: Any) -> None:
        stream.set_terminator(b"\n")
        records = stream.records()
        for _number in range(3):
            await stream.send(await records.__anext__())
        await stream.aclose()

    assert stream_and_peer(harness, peer, talk) == [b"abc", b""]


@on_every_loop
def test_a_peer_that_reads_late_is_read_all_the_same(harness: BackendHarness) -> None:
    """What the transport does not take at once must not keep the stream from receiving."""
    lines = b"".join(b"%d" % number * 600 + b"\n" for number in range(20_000))

    def ask_all_first(sock: socket.socket) -> bytes:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, 65536)
        sock.sendall(lines)
        sock.shutdown(socket.SHUT_WR)
        return receive_to_end(sock)

    async def echo(harness: BackendHarness, stream: Any) -> None:
        def answers() -> Parse[None]:
            with contextlib.suppress(IncompleteRecord):
                while True:
                    stream.push((yield b"\n") + b"\n")

        async for _ in stream.messages(answers):
            pass
        await stream.aclose()

    received = stream_and_peer(harness, ask_all_first, echo)
    assert received == lines, f"{len(received)} bytes of {len(lines)}"


@on_every_loop
def test_all_that_is_pushed_leaves_in_order(harness: BackendHarness) -> None:
    """From within a grammar and from outside, more than the transport takes at once and less."""
    sizes = [1, 2, 10_000_000, 10, 5_000, 700_000, 2, 1, 100_000] * 2
    expected = b"".join(b"<%d>" % size + b"x" * size + b"</%d>" % size for size in sizes)

    def ask(sock: socket.socket) -> bytes:
        for size in sizes:
            sock.sendall(b"%d\n" % size)
        sock.shutdown(socket.SHUT_WR)
        return receive_to_end(sock)

    async def talk(harness: BackendHarness, stream: Any) -> None:
        def answer() -> Parse[int]:
            size = int((yield b"\n"))
            stream.push(b"<%d>" % size)
            stream.push(b"x" * size)
            return size

        async for size in stream.messages(answer):
            stream.push(b"</%d>" % size)
        await stream.aclose()

    received = stream_and_peer(harness, ask, talk)
    assert received == expected, f"{len(received)} bytes of {len(expected)}"


@on_every_loop
def test_what_a_grammar_pushes_for_a_message_does_not_wait_for_the_next(
    harness: BackendHarness,
) -> None:
    async def talk(harness: BackendHarness, stream: Any) -> None:
        def answer() -> Parse[None]:
            stream.push((yield b"\n") + b"\n")

        messages = stream.messages(answer)
        await messages.__anext__()
        await harness.wait(answered)

    answered: concurrent.futures.Future[bytes] = concurrent.futures.Future()

    def ask(sock: socket.socket) -> None:
        sock.sendall(b"one\ntwo\n")
        answered.set_result(sock.recv(4))

    stream_and_peer(harness, ask, talk)
    assert answered.result() == b"one\n"


@on_every_loop
def test_the_end_that_a_grammar_asks_for_is_told_when_more_is_waited_for(
    harness: BackendHarness,
) -> None:
    async def talk(harness: BackendHarness, stream: Any) -> None:
        def leave() -> Parse[bytes]:
            line = yield b"\n"
            stream.push(line)
            stream.close_when_done()
            return (yield b"\n")

        assert [line async for line in stream.messages(leave)] == [b"late"]

    def ask(sock: socket.socket) -> bytes:
        sock.sendall(b"bye\n")
        answer = receive_to_end(sock)
        sock.sendall(b"late\n")
        sock.shutdown(socket.SHUT_WR)
        return answer

    assert stream_and_peer(harness, ask, talk) == b"bye"


@on_every_loop
def test_what_a_grammars_producer_raises_reaches_who_receives(harness: BackendHarness) -> None:
    def produce() -> Iterator[bytes]:
        yield b"before"
        raise ZeroDivisionError

    async def talk(harness: BackendHarness, stream: Any) -> None:
        def answer() -> Parse[None]:
            yield b"\n"
            stream.push_producer(produce())
            yield b"\n"

        with pytest.raises(ZeroDivisionError):
            async for _ in stream.messages(answer):
                pass

    def ask(sock: socket.socket) -> bytes:
        sock.sendall(b"one\n")
        received = sock.recv(6)
        with contextlib.suppress(ConnectionResetError):
            received += receive_to_end(sock)
        return received

    assert stream_and_peer(harness, ask, talk) == b"before"


@on_every_loop
def test_a_callback_that_pushes_and_aborts_ends_in_no_good_order(harness: BackendHarness) -> None:
    class Aborts(Chat):
        lost: Exception | None = None

        def collect_incoming_data(self, data: bytes) -> None:
            pass

        def found_terminator(self) -> None:
            self.push(b"x")
            self.abort()

        def connection_lost(self, error: Exception | None) -> None:
            self.lost = error

    chat = Aborts(b"\n")

    async def talk(harness: BackendHarness, stream: Any) -> None:
        await harness.chat(chat, stream)

    def ask(sock: socket.socket) -> bytes:
        sock.sendall(b"one\nmore")
        with contextlib.suppress(ConnectionResetError):
            return receive_to_end(sock)
        return b""

    assert stream_and_peer(harness, ask, talk) == b""
    assert isinstance(chat.lost, ConnectionLost)


def test_what_a_socket_takes_at_once_needs_no_task() -> None:
    class NoNursery:
        def start_soon(self, *args: object) -> None:
            raise AssertionError("expected no task to be started")

    async def main(sock: socket.socket) -> None:
        stream = trio_backend.ChatStream(
            trio.SocketStream(trio.socket.from_stdlib_socket(sock)), cast("Any", NoNursery())
        )

        def answer() -> Parse[None]:
            while True:
                stream.push((yield b"\n") + b"!")

        with trio.move_on_after(60) as scope, pytest.raises(IncompleteRecord):
            async for _ in stream.messages(answer):
                pass
        assert not scope.cancelled_caught
        await stream.abort()

    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"one\ntwo\n")
        theirs.shutdown(socket.SHUT_WR)
        trio.run(main, ours)
        assert theirs.recv(100) == b"one!two!"
