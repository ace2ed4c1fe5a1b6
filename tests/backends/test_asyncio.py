from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("trio")
pytest.importorskip("anyio")
pytest.importorskip("trustme")

from termsplit import Connection, ConnectionLost, RecordTooLong
from termsplit.backends.asyncio import (
    ChatStream,
    Server,
    connect,
    connect_unix,
    serve,
    serve_unix,
)
from tests.backends.harnesses import contexts


def lines() -> Connection:
    return Connection(b"\n", max_size=100)


async def echo(stream: ChatStream) -> None:
    async for line in stream:
        await stream.send(line + b"\n")


def serving(
    talk: Callable[[Server], Awaitable[None]],
    handler: Callable[[ChatStream], Awaitable[None]] = echo,
    context: ssl.SSLContext | None = None,
) -> list[dict[str, Any]]:
    """Talk to a server; what the loop's exception handler was told."""
    told: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(about))
        async with await serve(
            handler, "127.0.0.1", 0, ssl=context, new_connection=lines
        ) as server:
            await talk(server)

    asyncio.run(main(), debug=True)
    return told


async def ask(server: Server, context: ssl.SSLContext | None = None) -> None:
    (address,) = server.addresses
    host = "127.0.0.1" if context is None else "localhost"
    async with await connect(host, address[1], ssl=context) as stream:
        assert stream.peer == address
        assert (stream.ssl_object is None) == (context is None)
        stream.push(b"hello\n")
        assert await stream.receive_record(b"\n") == b"hello"


def test_a_server_reports_its_addresses_and_serves() -> None:
    assert serving(ask) == []


def test_a_server_speaks_tls() -> None:
    server, client = contexts()
    assert serving(functools.partial(ask, context=client), context=server) == []


def test_a_certificate_that_is_not_trusted_is_a_lost_connection() -> None:
    async def talk(server: Server) -> None:
        with pytest.raises(ConnectionLost, match="CERTIFICATE_VERIFY_FAILED"):
            await connect("localhost", server.addresses[0][1], ssl=ssl.create_default_context())

    assert serving(talk, context=contexts()[0]) == []


def test_what_a_peer_does_wrong_ends_its_handler_and_nothing_else() -> None:
    ended: list[object] = []

    async def handler(stream: ChatStream) -> None:
        try:
            await echo(stream)
        except BaseException as error:
            ended.append(type(error))
            raise

    async def talk(server: Server) -> None:
        stream = await connect(*server.addresses[0])
        await stream.send(b"x" * 1000)
        with contextlib.suppress(ConnectionLost):
            async for _ in stream.events():
                pass
        await stream.abort()
        with socket.create_connection(server.addresses[0]) as rude:
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await ask(server)

    assert serving(talk, handler) == []
    assert ended[0] is RecordTooLong


def test_a_fault_of_the_handler_goes_to_the_loops_exception_handler() -> None:
    async def fail(stream: ChatStream) -> None:
        await stream.receive_record(b"\n")
        raise ZeroDivisionError

    async def talk(server: Server) -> None:
        async with await connect(*server.addresses[0]) as stream:
            stream.push(b"\n")
            with contextlib.suppress(ConnectionLost):
                async for _ in stream.events():
                    pass

    (told,) = serving(talk, fail)
    assert isinstance(told["exception"], ZeroDivisionError)


def test_closing_a_server_cancels_its_handlers_and_closes_their_streams() -> None:
    async def talk(server: Server) -> None:
        stream = await connect(*server.addresses[0])
        stream.push(b"hello\n")
        assert await stream.receive_record(b"\n") == b"hello"
        await server.aclose()
        with contextlib.suppress(ConnectionLost):
            assert [event async for event in stream.events()]
        await stream.aclose()
        await server.aclose()

    assert serving(talk) == []


def test_a_peer_that_is_in_the_middle_of_a_handshake_does_not_hold_up_closing() -> None:
    async def talk(server: Server) -> None:
        silent = await connect(*server.addresses[0])
        await asyncio.wait_for(server.aclose(), 60)
        await silent.abort()

    assert serving(talk, context=contexts()[0]) == []


def test_serving_for_ever_can_be_cancelled_while_a_peer_is_served() -> None:
    async def talk(server: Server) -> None:
        async with await connect(*server.addresses[0]) as stream:
            stream.push(b"hello\n")
            assert await stream.receive_record(b"\n") == b"hello"
            forever = asyncio.create_task(server.serve_forever())
            await asyncio.sleep(0)
            forever.cancel()
            with pytest.raises(asyncio.CancelledError):
                await forever
            forever = asyncio.create_task(server.serve_forever())
            await server.aclose()
            await forever

    assert serving(talk) == []


def test_a_server_on_a_unix_socket_removes_its_path(tmp_path: Any) -> None:
    path = tmp_path / "socket"

    async def main() -> None:
        async with await serve_unix(echo, path, new_connection=lines) as server:
            assert server.addresses == [str(path)]
            async with await connect_unix(path) as stream:
                stream.push(b"hello\n")
                assert await stream.receive_record(b"\n") == b"hello"

    asyncio.run(main(), debug=True)
    assert not path.exists()


def test_what_is_pushed_during_a_handshake_is_sent_over_tls() -> None:
    secret = b"secret\n"

    async def upgrade(stream: ChatStream) -> None:
        assert await stream.receive_record(b"\n") == b"STARTTLS"
        upgrading = asyncio.create_task(stream.start_tls(contexts()[0], server_side=True))
        await asyncio.sleep(0)
        stream.push(secret)
        await upgrading
        await stream.flush()

    async def talk(server: Server) -> None:
        async with await connect(*server.addresses[0]) as stream:
            stream.push(b"STARTTLS\n")
            await stream.flush()
            await stream.start_tls(contexts()[1], server_hostname="localhost")
            assert await stream.receive_record(b"\n") == b"secret"

    assert serving(talk, upgrade) == []


def test_a_time_out_works_and_nothing_is_lost() -> None:
    async def talk(server: Server) -> None:
        async with await connect(*server.addresses[0]) as stream:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(stream.receive_record(b"\n"), 0.001)
            stream.push(b"hello\n")
            assert await stream.receive_record(b"\n") == b"hello"

    assert serving(talk) == []


def test_a_detached_transport_takes_another_protocol() -> None:
    class Collect(asyncio.Protocol):
        def __init__(self) -> None:
            self.data = b""
            self.ended = asyncio.get_running_loop().create_future()

        def data_received(self, data: bytes) -> None:
            self.data += data

        def connection_lost(self, exc: Exception | None) -> None:
            self.ended.set_result(exc)

    async def talk(server: Server) -> None:
        stream = await connect(*server.addresses[0])
        stream.push(b"one\ntwo\n")
        assert await stream.receive_record(b"\n") == b"one"
        transport, data = await stream.detach()
        collect = Collect()
        transport.set_protocol(collect)
        transport.resume_reading()
        transport.write(b"three\n")
        transport.write_eof()
        assert await collect.ended is None
        assert data + collect.data == b"two\nthree\n"

    assert serving(talk) == []
