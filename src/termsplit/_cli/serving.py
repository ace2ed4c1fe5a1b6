"""The demo's server on each backend, in a thread of its own."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .http import HTTPRequestHandler

if TYPE_CHECKING:
    from typing import TypeAlias

    # The address that is listened on, and what stops the server.
    Started: TypeAlias = "Future[tuple[Any, Callable[[], object]]]"


@contextlib.contextmanager
def serving(backend: str, host: str, port: int) -> Generator[tuple[str, int]]:
    """Serve on ``backend``, one of `BACKENDS`, and give the address; stop at the end.

    Raises:
        ImportError: the backend's library is not installed.
        OSError: the address can't be listened on.
    """
    started: Started = Future()

    def main() -> None:
        try:
            BACKENDS[backend](host, port, started)
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=main, name=f"{backend} server")
    thread.start()
    try:
        address, stop = started.result()
        try:
            yield address[:2]
        finally:
            stop()
    finally:
        thread.join()


def _asyncio(host: str, port: int, started: Started) -> None:
    import asyncio

    from termsplit.backends.asyncio import run, serve

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with await serve(
            lambda stream: run(HTTPRequestHandler(), stream), host, port
        ) as server:
            started.set_result((server.addresses[0], lambda: loop.call_soon_threadsafe(stop.set)))
            await stop.wait()

    asyncio.run(main())


def _trio(host: str, port: int, started: Started) -> None:
    import trio

    from termsplit.backends.trio import run, serve

    async def main() -> None:
        token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:

            async def listen(task_status: trio.TaskStatus[list[Any]]) -> None:
                await serve(
                    lambda stream: run(HTTPRequestHandler(), stream),
                    host,
                    port,
                    task_status=task_status,
                )

            try:
                addresses = await nursery.start(listen)
            except OSError as error:
                # Out of the nursery it would come wrapped in a group.
                started.set_exception(error)
                return
            started.set_result(
                (addresses[0], lambda: token.run_sync_soon(nursery.cancel_scope.cancel))
            )

    trio.run(main)


def _blocking(host: str, port: int, started: Started) -> None:
    from termsplit.backends.blocking import run, serve

    stop = threading.Event()
    with serve(lambda stream: run(HTTPRequestHandler(), stream), host, port) as server:
        started.set_result((server.addresses[0], stop.set))
        stop.wait()


def _anyio(loop: str, host: str, port: int, started: Started) -> None:
    from anyio.from_thread import start_blocking_portal

    from termsplit.backends.anyio import run, serve

    stop = threading.Event()
    with start_blocking_portal(loop) as portal:
        serving, addresses = portal.start_task(
            functools.partial(serve, lambda stream: run(HTTPRequestHandler(), stream), host, port)
        )
        started.set_result((addresses[0], stop.set))
        stop.wait()
        serving.cancel()


def _asyncore(host: str, port: int, started: Started) -> None:
    from termsplit.backends._asyncore import asyncore
    from termsplit.backends.asyncore import run, serve

    channels: dict[int, Any] = {}
    stop = threading.Event()
    server = serve(lambda stream: run(HTTPRequestHandler(), stream), host, port, map=channels)
    started.set_result((server.addresses[0], stop.set))
    try:
        while not stop.is_set():
            asyncore.loop(timeout=0.1, map=channels, count=1)
    finally:
        asyncore.close_all(channels)


BACKENDS: dict[str, Callable[[str, int, Started], None]] = {
    "blocking": _blocking,
    "asyncio": _asyncio,
    "trio": _trio,
    "asyncore": _asyncore,
    "anyio-asyncio": functools.partial(_anyio, "asyncio"),
    "anyio-trio": functools.partial(_anyio, "trio"),
}
