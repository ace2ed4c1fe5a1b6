"""asyncio's server: what listens, and a task for each peer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ._asyncio_stream import ChatStream

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._connection import Connection


class Server:
    """A listening server and the tasks of its peers; made by `serve`, closed by ``async with``."""

    def __init__(
        self,
        handler: Callable[[ChatStream], Awaitable[None]],
        context: ssl.SSLContext | None,
        new_connection: Callable[[], Connection],
    ) -> None:
        self._handler = handler
        self._context = context
        self._new_connection = new_connection
        self._tasks: set[asyncio.Task[None]] = set()
        self._exits = contextlib.ExitStack()
        self._closed = asyncio.Event()
        self._listener: asyncio.Server

    @property
    def addresses(self) -> list[Any]:
        """The addresses that are listened on."""
        return [socket.getsockname() for socket in self._listener.sockets]

    async def serve_forever(self) -> None:
        """Wait until the server is closed, or this call is cancelled."""
        await self._closed.wait()

    async def aclose(self) -> None:
        """Stop listening, and cancel what still serves a peer. Idempotent."""
        self._closed.set()
        self._listener.close()
        try:
            while self._tasks:
                for task in self._tasks:
                    task.cancel()
                await asyncio.wait(self._tasks)
            await self._listener.wait_closed()
        finally:
            self._exits.close()

    async def __aenter__(self) -> Self:
        """The end of the block is `aclose`."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _accept(self) -> asyncio.BaseProtocol:
        stream = ChatStream(self._new_connection())
        stream._on_connected = self._start_handler
        return stream._protocol

    def _start_handler(self, stream: ChatStream) -> None:
        task = asyncio.create_task(stream._handle(self._handler, self._context))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if self._closed.is_set():
            # This peer was accepted just before.
            task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {
                    "message": "a handler of termsplit's server failed",
                    "exception": error,
                    "task": task,
                }
            )
