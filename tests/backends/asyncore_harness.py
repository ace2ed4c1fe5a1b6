"""What `check_backend` has to know of asyncore's backend: whatever waits turns the loop, one after the other."""

from __future__ import annotations

import contextlib
import ssl
import types
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

from termsplit import Chat, Connection
from termsplit.backends import asyncore as asyncore_backend
from termsplit.backends._asyncore import asyncore
from termsplit.testing import BackendHarness
from tests.backends.harnesses import contexts

T = TypeVar("T")
Call = Callable[[], Coroutine[Any, Any, object]]


class Asyncore(BackendHarness):
    lacks = frozenset({"faces"})

    def __init__(self, use_poll: bool = False) -> None:
        self.tls = contexts()
        self._use_poll = use_poll

    def run(self, main: Call) -> None:
        self._map: dict[int, Any] = {}
        _together([main()])

    async def connect(
        self,
        address: tuple[str, int] | str,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        if isinstance(address, str):
            self._stream = asyncore_backend.connect_unix(
                address, map=self._map, connection=connection
            )
        else:
            self._stream = asyncore_backend.connect(
                *address, map=self._map, ssl=context, connection=connection
            )
        return self._stream

    async def chat(self, chat: Chat, stream: Any) -> None:
        asyncore_backend.run(chat, stream)
        try:
            while stream in self._map.values():
                await self._turn()
        finally:
            stream.abort()

    async def wait(self, future: Future[T]) -> T:
        while not future.done():
            await self._turn()
        return future.result()

    async def interrupt(self, call: Call, turns: int) -> None:
        with contextlib.closing(call()) as coroutine:
            for _ in range(turns):
                try:
                    coroutine.send(None)
                except StopIteration:
                    return

    async def together(self, *calls: Call) -> None:
        _together([call() for call in calls])

    async def _turn(self) -> None:
        asyncore.loop(0.01, self._use_poll, self._map, count=1)
        await _pause()


def _together(coroutines: list[Coroutine[Any, Any, object]]) -> None:
    while coroutines:
        for coroutine in coroutines.copy():
            try:
                coroutine.send(None)
            except StopIteration:
                coroutines.remove(coroutine)


@types.coroutine
def _pause() -> Generator[None]:
    yield
