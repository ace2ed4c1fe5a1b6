"""`Chat.abort` on every loop but asyncore's, which has its own tests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from termsplit import Chat, ConnectionLost


class Greedy(Chat):
    """Pushes more than the peer takes, and aborts when it is told to; or lets ``later`` do it, after a while."""

    def __init__(self, later: Callable[[Callable[[], None]], object]) -> None:
        super().__init__(b"\n")
        self.later = later
        self.line = b""
        self.lost: list[Exception | None] = []

    def collect_incoming_data(self, data: bytes) -> None:
        self.line += data

    def found_terminator(self) -> None:
        if self.line == b"now":
            self.abort()
        else:
            self.push(b"x" * 10_000_000)
            self.later(self.abort)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.append(error)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname(), timeout=60)
        ours, _ = listener.accept()
    with ours, peer:
        yield ours, peer


def on_asyncio(line: bytes, ours: socket.socket) -> Greedy:
    from termsplit.backends.asyncio import ChatStream, run

    async def main() -> Greedy:
        loop = asyncio.get_running_loop()
        chat = Greedy(loop.call_soon)
        stream = ChatStream()
        await loop.create_connection(lambda: stream._protocol, sock=ours)
        await run(chat, stream)
        return chat

    return asyncio.run(main())


def on_trio(line: bytes, ours: socket.socket) -> Greedy:
    trio = pytest.importorskip("trio")
    testing = pytest.importorskip("trio.testing")
    from termsplit.backends.trio import ChatStream, run

    async def main() -> Greedy:
        async def soon(function: Callable[[], None]) -> None:
            await testing.wait_all_tasks_blocked()
            function()

        async with trio.open_nursery() as nursery:
            chat = Greedy(lambda function: nursery.start_soon(soon, function))
            stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
            await run(chat, ChatStream(stream, nursery))
        return chat

    return trio.run(main)  # type: ignore[no-any-return]


def on_anyio(line: bytes, ours: socket.socket) -> Greedy:
    anyio = pytest.importorskip("anyio")
    if not hasattr(anyio.abc.SocketStream, "from_socket"):
        pytest.skip("this anyio adopts no sockets")
    from termsplit.backends.anyio import ChatStream, run

    async def main() -> Greedy:
        async def soon(function: Callable[[], None]) -> None:
            await anyio.wait_all_tasks_blocked()
            function()

        async with anyio.create_task_group() as group:
            chat = Greedy(lambda function: group.start_soon(soon, function))
            stream = await anyio.abc.SocketStream.from_socket(ours)
            await run(chat, ChatStream(stream, group))
        return chat

    return anyio.run(main)  # type: ignore[no-any-return]


def on_blocking(line: bytes, ours: socket.socket) -> Greedy:
    from termsplit.backends.blocking import ChatStream, run

    # No other task could do it later.
    chat = Greedy(lambda function: function())
    run(chat, ChatStream(ours))
    return chat


@pytest.mark.parametrize("line", [b"now", b"later"])
@pytest.mark.parametrize("backend", [on_asyncio, on_trio, on_anyio, on_blocking])
def test_abort_closes_though_the_peer_does_not_read(
    backend: Any, line: bytes, ends: tuple[socket.socket, socket.socket]
) -> None:
    ours, peer = ends
    peer.sendall(line + b"\nmore\n")
    chat = backend(line, ours)
    (error,) = chat.lost
    assert isinstance(error, ConnectionLost)
    assert str(error) == "the connection was aborted"
    received = 0
    try:
        while data := peer.recv(65536):
            received += len(data)
    except ConnectionResetError:
        pass
    assert received < 10_000_000
