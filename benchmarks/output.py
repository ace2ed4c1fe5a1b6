"""The way out: many small pushes, and one large producer, into a socket that is read as fast as it goes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import trio

from termsplit import ProducerQueue, asynchat as drop_in

from .bare import BARE, Queue
from .contracts import WITH_CONTRACTS, Queue as QueueWithContracts
from .measure import Entry, Group, WrongAnswer
from .ours import QUEUE
from .sockets import HOST, Remote

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import asynchat
    import asyncore

RECORD = b"0123456789abcdefghij"
PIECE = RECORD[:16] * 4096

Push = Callable[[int, int], None]
"""Connects to a port, and sends so many records, pushed one by one, or pieces, made one by one."""


class Pieces:
    """A producer of ``count`` pieces."""

    def __init__(self, count: int) -> None:
        self.count = count

    def more(self) -> bytes:
        if not self.count:
            return b""
        self.count -= 1
        return PIECE


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port))
    _without_delay(connection)
    return connection


def _without_delay(connection: socket.socket) -> None:
    """As asyncio and trio have it: the end of a piece doesn't wait until what is before it was acknowledged."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _join_and_sendall(port: int, count: int) -> None:
    pushed: list[bytes] = []
    for _ in range(count):
        pushed.append(RECORD)  # noqa: PERF401
    with _connect(port) as connection:
        connection.sendall(b"".join(pushed))


def _sendall_loop(port: int, count: int) -> None:
    producer = Pieces(count)
    with _connect(port) as connection:
        while data := producer.more():
            connection.sendall(data)


def _bare_pushes(new_queue: Callable[[], Queue | QueueWithContracts]) -> Push:
    def pushes(port: int, count: int) -> None:
        queue = new_queue()
        for _ in range(count):
            queue.push(RECORD)
        with _connect(port) as connection:
            connection.sendall(queue.data_to_send())

    return pushes


def _queue_pushes(port: int, count: int) -> None:
    queue = ProducerQueue()
    for _ in range(count):
        queue.push(RECORD)
    _emit(queue, port)


def _queue_producer(port: int, count: int) -> None:
    queue = ProducerQueue()
    queue.push_producer(Pieces(count))
    _emit(queue, port)


def _emit(queue: ProducerQueue, port: int) -> None:
    with _connect(port) as connection:
        while data := queue.data_to_send():
            queue.data_sent(connection.send(data))


async def _transport_pushes(port: int, count: int) -> None:
    _, writer = await asyncio.open_connection(HOST, port)
    for _ in range(count):
        writer.write(RECORD)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def _transport_producer(port: int, count: int) -> None:
    _, writer = await asyncio.open_connection(HOST, port)
    producer = Pieces(count)
    while data := producer.more():
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


def _on_asyncio(main: Callable[[int, int], Any]) -> Push:
    return lambda port, count: asyncio.run(main(port, count))


async def _trio_pushes(port: int, count: int) -> None:
    stream = await trio.open_tcp_stream(HOST, port)
    for _ in range(count):
        await stream.send_all(RECORD)
    await stream.aclose()


async def _trio_producer(port: int, count: int) -> None:
    stream = await trio.open_tcp_stream(HOST, port)
    producer = Pieces(count)
    while data := producer.more():
        await stream.send_all(data)
    await stream.aclose()


def _on_trio(main: Callable[[int, int], Any]) -> Push:
    return lambda port, count: trio.run(main, port, count)


def _async_chat(base: type[Any]) -> tuple[Push, Push]:
    def pushes(port: int, count: int) -> None:
        sockets: dict[int, Any] = {}
        chat = base(None, sockets)
        chat.create_socket()
        _without_delay(chat.socket)
        chat.connect((HOST, port))
        for _ in range(count):
            chat.push(RECORD)
        chat.close_when_done()
        asyncore.loop(map=sockets)

    def producer(port: int, count: int) -> None:
        sockets: dict[int, Any] = {}
        chat = base(None, sockets)
        chat.create_socket()
        _without_delay(chat.socket)
        chat.connect((HOST, port))
        chat.push_with_producer(Pieces(count))
        chat.close_when_done()
        asyncore.loop(map=sockets)

    return pushes, producer


_CANDIDATES: list[tuple[str, Push, Push | None]] = [
    ("join + sendall, a sendall loop", _join_and_sendall, _sendall_loop),
    ("asynchat", *_async_chat(asynchat.async_chat)),
    ("asyncio streams", _on_asyncio(_transport_pushes), _on_asyncio(_transport_producer)),
    ("trio", _on_trio(_trio_pushes), _on_trio(_trio_producer)),
    (BARE[QUEUE], _bare_pushes(Queue), None),
    (WITH_CONTRACTS[QUEUE], _bare_pushes(QueueWithContracts), None),
    (QUEUE, _queue_pushes, _queue_producer),
    ("termsplit.asynchat", *_async_chat(drop_in.async_chat)),
]


def output(*, quick: bool) -> Iterator[Group]:
    with contextlib.closing(Remote()) as remote:
        count = 20_000 if quick else 100_000
        entries = [
            Entry(name, _pass(remote, name, pushes, count, len(RECORD)))
            for name, pushes, _ in _CANDIDATES
        ]
        yield Group("output", "a push", "second", count, entries)
        count = 512 if quick else 4096
        entries = [
            Entry(name, _pass(remote, name, producer, count, len(PIECE)))
            for name, _, producer in _CANDIDATES
            if producer is not None
        ]
        yield Group("output", "a MiB of a producer", "second", count // 16, entries)


def _pass(remote: Remote, name: str, push: Push, count: int, size: int) -> Callable[[], float]:
    def run() -> float:
        _, received, seconds, _ = remote.during(lambda port: push(port, count), "drain")
        if received != count * size:
            raise WrongAnswer(f"{name}: expected {count * size} bytes to arrive, got {received}")
        return seconds

    return run
