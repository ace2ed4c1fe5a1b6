from __future__ import annotations

import functools
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("trio")
pytest.importorskip("anyio")
pytest.importorskip("trustme")

import anyio
from anyio.streams.stapled import StapledObjectStream
from trio import testing

from termsplit import Connection, ConnectionLost, Parse
from termsplit.backends.anyio import ChatStream, connect, connect_unix, serve, serve_unix
from tests.backends.harnesses import contexts

on_both_loops = pytest.mark.parametrize("loop", ["asyncio", "trio"])


def lines() -> Connection:
    return Connection(b"\n", max_size=100)


def line() -> Parse[bytes]:
    return (yield b"\n")


async def echo(stream: ChatStream) -> None:
    async for line in stream:
        await stream.send(line + b"\n")


Ends = tuple[StapledObjectStream[bytes], StapledObjectStream[bytes]]


def pair() -> Ends:
    there_in, there_out = anyio.create_memory_object_stream[bytes](100)
    back_in, back_out = anyio.create_memory_object_stream[bytes](100)
    return StapledObjectStream(there_in, back_out), StapledObjectStream(back_in, there_out)


def test_every_call_is_a_checkpoint() -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            ours, theirs = pair()
            stream = ChatStream(ours, group, lines())
            await theirs.send(b"1\n2\n3\n4\n")
            calls: list[Callable[[], Awaitable[object]]] = [
                lambda: stream.receive_record(b"\n"),
                lambda: stream.receive_record(b"\n"),
                stream.records().__anext__,
                stream.messages(line).__anext__,
                lambda: stream.send(b"x"),
                stream.flush,
                stream.flush,
            ]
            for call in calls:
                with testing.assert_checkpoints():
                    await call()
            await theirs.aclose()
            for call in (stream.aclose, stream.aclose, stream.abort):
                with testing.assert_checkpoints():
                    await call()

    anyio.run(main, backend="trio")


@on_both_loops
def test_a_deadline_works_and_nothing_is_lost(loop: str) -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            ours, theirs = pair()
            stream = ChatStream(ours, group)
            await theirs.send(b"hel")
            with anyio.move_on_after(0.001) as scope:
                await stream.receive_record(b"\n")
            assert scope.cancelled_caught
            await theirs.send(b"lo\n")
            assert await stream.receive_record(b"\n") == b"hello"
            await stream.abort()
            await theirs.aclose()

    anyio.run(main, backend=loop)


@on_both_loops
def test_answers_to_one_chunk_leave_in_one_item(loop: str) -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            ours, theirs = pair()
            stream = ChatStream(ours, group, lines())
            await theirs.send(b"one\ntwo\nthree\n")
            for _ in range(3):
                await stream.send(await stream.receive_record(b"\n") + b"\n")
            assert await theirs.receive() == b"one\ntwo\nthree\n"
            await stream.abort()
            await theirs.aclose()

    anyio.run(main, backend=loop)


def serving(
    loop: str,
    talk: Callable[[Any], Awaitable[None]],
    handler: Callable[[ChatStream], Awaitable[None]] = echo,
    **options: Any,
) -> None:
    async def main() -> None:
        async with anyio.create_task_group() as group:
            (address,) = await group.start(
                functools.partial(serve, handler, "127.0.0.1", 0, new_connection=lines, **options)
            )
            await talk(address)
            group.cancel_scope.cancel()

    anyio.run(main, backend=loop)


async def ask(address: Any, context: ssl.SSLContext | None = None) -> None:
    async with anyio.create_task_group() as group:
        host = "127.0.0.1" if context is None else "localhost"
        async with await connect(host, address[1], task_group=group, ssl=context) as stream:
            assert stream.peer == address
            assert (stream.ssl_object is None) == (context is None)
            stream.push(b"hello\n")
            assert await stream.receive_record(b"\n") == b"hello"


@on_both_loops
def test_a_server_reports_its_addresses_and_serves(loop: str) -> None:
    serving(loop, ask)


@on_both_loops
def test_a_server_speaks_tls(loop: str) -> None:
    server, client = contexts()
    serving(loop, functools.partial(ask, context=client), ssl=server)


@on_both_loops
def test_a_certificate_that_is_not_trusted_is_a_lost_connection(loop: str) -> None:
    async def talk(address: Any) -> None:
        async with anyio.create_task_group() as group:
            with pytest.raises(ConnectionLost, match="CERTIFICATE_VERIFY_FAILED"):
                await connect(
                    "localhost", address[1], task_group=group, ssl=ssl.create_default_context()
                )

    serving(loop, talk, ssl=contexts()[0])


@on_both_loops
def test_what_a_peer_does_wrong_ends_its_handler_and_nothing_else(loop: str) -> None:
    async def talk(address: Any) -> None:
        async with await anyio.connect_tcp(*address) as peer:
            await peer.send(b"x" * 1000)
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await peer.receive()
        await ask(address)

    serving(loop, talk)


@on_both_loops
def test_a_server_on_a_unix_socket_removes_its_path(loop: str, tmp_path: Any) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        async with anyio.create_task_group() as group:
            addresses = await group.start(
                functools.partial(serve_unix, echo, path, new_connection=lines)
            )
            assert addresses == [str(path)]
            async with await connect_unix(path, task_group=group) as stream:
                stream.push(b"hello\n")
                assert await stream.receive_record(b"\n") == b"hello"
            group.cancel_scope.cancel()

    anyio.run(main, backend=loop)
    assert not path.exists()
