"""termsplit on every loop: by a grammar that loops, and record by record."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import trio
import uvloop

from termsplit import Chat, Connection, IncompleteRecord, Parse, asynchat
from termsplit.backends import (
    anyio as on_anyio,
    asyncio as on_asyncio,
    asyncore as on_asyncore,
    blocking,
    trio as on_trio,
)

from .bare import BARE, Lines
from .contracts import WITH_CONTRACTS, LinesInWindows
from .ours import BLOCKING, TRIO
from .servers import END, READ_SIZE, async_chat, asyncore_loop
from .sockets import HOST, Serve, Server

Connect = Callable[[int], AbstractAsyncContextManager[Any]]
"""A stream to this port, of any loop whose methods are coroutines."""


def count_lines() -> Parse[int]:
    """One message, at the end: how many lines came."""
    count = 0
    with contextlib.suppress(IncompleteRecord):
        while True:
            yield END
            count += 1
    return count


def echo(stream: Any) -> Callable[[], Parse[None]]:
    def grammar() -> Parse[None]:
        push = stream.push
        with contextlib.suppress(IncompleteRecord):
            while True:
                push((yield END) + END)

    return grammar


def _blocking_receive(port: int) -> int:
    received = 0
    with blocking.connect(HOST, port) as stream:
        for count in stream.messages(count_lines):
            received += count
    return received


def _blocking_records(port: int) -> int:
    count = 0
    with blocking.connect(HOST, port, connection=Connection(END)) as stream:
        for _record in stream:
            count += 1
    return count


def _blocking_echo(port: int) -> None:
    with blocking.connect(HOST, port) as stream:
        for _ in stream.messages(echo(stream)):
            pass


def _blocking_echo_records(port: int) -> None:
    with blocking.connect(HOST, port, connection=Connection(END)) as stream:
        for record in stream:
            stream.push(record + END)


def _asynchronous(
    name: str, run: Callable[[Callable[[int], Any], int], Any], connect: Connect
) -> Iterator[Server]:
    async def receive(port: int) -> int:
        received = 0
        async with connect(port) as stream:
            async for count in stream.messages(count_lines):
                received += count
        return received

    async def receive_records(port: int) -> int:
        count = 0
        async with connect(port) as stream:
            stream.set_terminator(END)
            async for _record in stream:
                count += 1
        return count

    async def echo_lines(port: int) -> None:
        async with connect(port) as stream:
            async for _ in stream.messages(echo(stream)):
                pass

    async def echo_records(port: int) -> None:
        async with connect(port) as stream:
            stream.set_terminator(END)
            async for record in stream:
                stream.push(record + END)

    def serving(main: Callable[[int], Any]) -> Serve:
        return lambda port: run(main, port)

    yield Server(f"termsplit, {name}", serving(receive), serving(echo_lines))
    yield Server(f"termsplit, {name}, async for", serving(receive_records), serving(echo_records))


@asynccontextmanager
async def _connect_asyncio(port: int) -> AsyncIterator[Any]:
    async with await on_asyncio.connect(HOST, port) as stream:
        yield stream


@asynccontextmanager
async def _connect_trio(port: int) -> AsyncIterator[Any]:
    async with trio.open_nursery() as nursery:
        async with await on_trio.connect(HOST, port, nursery=nursery) as stream:
            yield stream


@asynccontextmanager
async def _connect_anyio(port: int) -> AsyncIterator[Any]:
    async with anyio.create_task_group() as task_group:
        async with await on_anyio.connect(HOST, port, task_group=task_group) as stream:
            yield stream


class CountChat(Chat):
    count = 0

    def collect_incoming_data(self, data: bytes) -> None:
        pass

    def found_terminator(self) -> None:
        self.count += 1


class EchoChat(Chat):
    line = b""

    def collect_incoming_data(self, data: bytes) -> None:
        self.line += data

    def found_terminator(self) -> None:
        self.push(self.line + END)
        self.line = b""


def _asyncore_run(chat: Chat, port: int) -> None:
    sockets: dict[int, Any] = {}
    on_asyncore.run(chat, on_asyncore.connect(HOST, port, map=sockets))
    asyncore_loop(map=sockets)


def _asyncore_receive(port: int) -> int:
    chat = CountChat(END)
    _asyncore_run(chat, port)
    return chat.count


def _asyncore_echo(port: int) -> None:
    _asyncore_run(EchoChat(END), port)


def _barely(name: str, machine: Callable[[bytes], Lines]) -> Server:
    def receive(port: int) -> int:
        run, parse = machine(END).run, count_lines()
        next(parse)
        with socket.create_connection((HOST, port)) as connection:
            while data := connection.recv(READ_SIZE):
                for _ in run(data, parse.send):
                    pass
        return _counted(parse)

    return Server(name, receive, None)


def _barely_on_trio(name: str, machine: Callable[[bytes], Lines]) -> Server:
    async def receive(port: int) -> int:
        run, parse = machine(END).run, count_lines()
        next(parse)
        async with await trio.open_tcp_stream(HOST, port) as stream:
            while data := await stream.receive_some(READ_SIZE):
                for _ in run(data, parse.send):
                    pass
        return _counted(parse)

    return Server(name, lambda port: trio.run(receive, port), None)


def _counted(parse: Parse[int]) -> int:
    try:
        parse.throw(IncompleteRecord(b"", END, 0))
    except StopIteration as end:
        return int(end.value)
    raise AssertionError


OURS = [
    _barely(BARE[BLOCKING], Lines),
    _barely(WITH_CONTRACTS[BLOCKING], LinesInWindows),
    _barely_on_trio(BARE[TRIO], Lines),
    _barely_on_trio(WITH_CONTRACTS[TRIO], LinesInWindows),
    Server(BLOCKING, _blocking_receive, _blocking_echo),
    Server("termsplit, blocking, for", _blocking_records, _blocking_echo_records),
    *_asynchronous("asyncio", lambda main, port: asyncio.run(main(port)), _connect_asyncio),
    *_asynchronous("uvloop", lambda main, port: uvloop.run(main(port)), _connect_asyncio),
    *_asynchronous("trio", trio.run, _connect_trio),
    *_asynchronous("anyio", anyio.run, _connect_anyio),
    *_asynchronous("anyio on trio", functools.partial(anyio.run, backend="trio"), _connect_anyio),
    Server("termsplit, asyncore", _asyncore_receive, _asyncore_echo),
    Server("termsplit.asynchat", *async_chat(asynchat.async_chat)),
]
