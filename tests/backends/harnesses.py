"""What `check_backend` has to know of each of our backends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ssl
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

import anyio
import anyio.abc
import anyio.lowlevel
import trio
import trio.testing
import trustme
from anyio.streams.stapled import StapledObjectStream

from termsplit import Chat, Connection
from termsplit.backends import (
    anyio as anyio_backend,
    asyncio as asyncio_backend,
    blocking,
    trio as trio_backend,
)
from termsplit.testing import BackendHarness

T = TypeVar("T")
Address = tuple[str, int] | str
Call = Callable[[], Coroutine[Any, Any, object]]


@functools.cache
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The settings of a server that is localhost, and of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


class Blocking(BackendHarness):
    lacks = frozenset({"tasks"})

    def __init__(self) -> None:
        self.tls = contexts()

    async def connect(
        self,
        address: Address,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        if isinstance(address, str):
            self.stream = blocking.connect_unix(address, connection=connection)
        else:
            self.stream = blocking.connect(*address, ssl=context, connection=connection)
        return self.stream

    async def chat(self, chat: Chat, stream: Any) -> None:
        blocking.run(chat, stream)

    async def interrupt(self, call: Call, turns: int) -> None:
        self.stream.transport.settimeout(0.02)
        with contextlib.suppress(TimeoutError):
            await call()
        with contextlib.suppress(OSError):
            self.stream.transport.settimeout(None)


class Asyncio(BackendHarness):
    def __init__(
        self,
        debug: bool = False,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        self.tls = contexts()
        self._debug = debug
        self._loop_factory = loop_factory

    def run(self, main: Call) -> None:
        loop = self._loop_factory()
        loop.set_debug(self._debug)
        try:
            loop.run_until_complete(main())
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def connect(
        self,
        address: Address,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        if isinstance(address, str):
            return await asyncio_backend.connect_unix(address, connection=connection)
        return await asyncio_backend.connect(*address, ssl=context, connection=connection)

    async def chat(self, chat: Chat, stream: Any) -> None:
        await asyncio_backend.run(chat, stream)

    async def wait(self, future: Future[T]) -> T:
        return await asyncio.wrap_future(future)

    async def interrupt(self, call: Call, turns: int) -> None:
        task = asyncio.ensure_future(call())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def together(self, *calls: Call) -> None:
        await asyncio.gather(*[call() for call in calls])

    async def close_transport(self, transport: Any) -> None:
        transport.abort()

    def tasks(self) -> int:
        return len(asyncio.all_tasks())


class Trio(BackendHarness):
    def __init__(self) -> None:
        self.tls = contexts()

    def run(self, main: Call) -> None:
        async def within() -> None:
            async with trio.open_nursery() as self._nursery:
                await main()

        trio.run(within)

    async def connect(
        self,
        address: Address,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        if isinstance(address, str):
            return await trio_backend.connect_unix(
                address, nursery=self._nursery, connection=connection
            )
        return await trio_backend.connect(
            *address, nursery=self._nursery, ssl=context, connection=connection
        )

    async def chat(self, chat: Chat, stream: Any) -> None:
        await trio_backend.run(chat, stream)

    async def wait(self, future: Future[T]) -> T:
        return await trio.to_thread.run_sync(future.result)

    async def interrupt(self, call: Call, turns: int) -> None:
        async def cancel() -> None:
            for _ in range(turns):
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel)
            await call()
            nursery.cancel_scope.cancel()

    async def together(self, *calls: Call) -> None:
        async with trio.open_nursery() as nursery:
            for call in calls:
                nursery.start_soon(call)

    async def close_transport(self, transport: Any) -> None:
        await transport.aclose()

    def tasks(self) -> int:
        return trio.lowlevel.current_statistics().tasks_living


class Anyio(BackendHarness):
    def __init__(self, loop: str) -> None:
        self.tls = contexts()
        self._loop = loop

    def run(self, main: Call) -> None:
        async def within() -> None:
            async with anyio.create_task_group() as self._task_group:
                await main()

        anyio.run(within, backend=self._loop)

    async def connect(
        self,
        address: Address,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        if isinstance(address, str):
            return await anyio_backend.connect_unix(
                address, task_group=self._task_group, connection=connection
            )
        return await anyio_backend.connect(
            *address, task_group=self._task_group, ssl=context, connection=connection
        )

    async def chat(self, chat: Chat, stream: Any) -> None:
        await anyio_backend.run(chat, stream)

    async def wait(self, future: Future[T]) -> T:
        return await anyio.to_thread.run_sync(future.result)

    async def interrupt(self, call: Call, turns: int) -> None:
        async def cancel() -> None:
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(cancel)
            await call()
            group.cancel_scope.cancel()

    async def together(self, *calls: Call) -> None:
        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(call)

    async def close_transport(self, transport: Any) -> None:
        await anyio.aclose_forcefully(transport)

    def tasks(self) -> int:
        return len(anyio.get_running_tasks())


class TrioInMemory(Trio):
    """A stream in memory, joined to the peer's socket by two tasks that copy."""

    transports = ("tcp",)
    lacks = frozenset({"reset"})

    async def connect(
        self,
        address: Address,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        assert isinstance(address, tuple)
        ours, theirs = trio.testing.lockstep_stream_pair()
        self._nursery.start_soon(self._join, theirs, await trio.open_tcp_stream(*address))
        return trio_backend.ChatStream(ours, self._nursery, connection)

    async def _join(self, memory: Any, socket: trio.SocketStream) -> None:
        async def copy(source: Any, sink: Any) -> None:
            try:
                async for data in source:
                    await sink.send_all(data)
                await sink.send_eof()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                await trio.aclose_forcefully(memory)
                await trio.aclose_forcefully(socket)

        async with socket, trio.open_nursery() as nursery:
            nursery.start_soon(copy, memory, socket)
            nursery.start_soon(copy, socket, memory)


class AnyioInMemory(Anyio):
    """As `TrioInMemory`."""

    transports = ("tcp",)
    lacks = frozenset({"reset"})

    async def connect(
        self,
        address: Address,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        assert isinstance(address, tuple)
        there_in, there_out = anyio.create_memory_object_stream[bytes](0)
        back_in, back_out = anyio.create_memory_object_stream[bytes](0)
        ours = StapledObjectStream(there_in, back_out)
        theirs = StapledObjectStream(back_in, there_out)
        self._task_group.start_soon(self._join, theirs, await anyio.connect_tcp(*address))
        return anyio_backend.ChatStream(ours, self._task_group, connection)

    async def _join(self, memory: Any, socket: anyio.abc.SocketStream) -> None:
        async def copy(source: Any, sink: Any) -> None:
            try:
                async for data in source:
                    await sink.send(data)
                await sink.send_eof()
            except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                await anyio.aclose_forcefully(memory)
                await anyio.aclose_forcefully(socket)

        async with memory, socket, anyio.create_task_group() as group:
            group.start_soon(copy, memory, socket)
            group.start_soon(copy, socket, memory)
