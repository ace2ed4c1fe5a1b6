"""Who can serve a connection, of the peers; each the way its own documentation has it."""

from __future__ import annotations

import asyncio
import socket
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.abc
import tornado.iostream
import tornado.tcpclient
import uvloop
from anyio.streams.buffered import BufferedByteStream
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.protocols.basic import LineOnlyReceiver, LineReceiver
from twisted.python.failure import Failure

from .sockets import HOST, Serve, Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import asynchat
    import asyncore

END = b"\r\n"
asyncore_loop = asyncore.loop
READ_SIZE = 64 * 1024


def _connect(port: int) -> socket.socket:
    """A connection on which small replies leave at once, as they do on those that asyncio makes."""
    connection = socket.create_connection((HOST, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _recv_and_split(port: int) -> int:
    with _connect(port) as connection:
        count, rest = 0, b""
        while data := connection.recv(READ_SIZE):
            lines = (rest + data).split(END)
            rest = lines.pop()
            for _line in lines:
                count += 1
        return count


def _recv_and_split_echo(port: int) -> None:
    with _connect(port) as connection:
        rest = b""
        while data := connection.recv(READ_SIZE):
            lines = (rest + data).split(END)
            rest = lines.pop()
            connection.sendall(b"".join([line + END for line in lines]))


def _makefile(port: int) -> int:
    count = 0
    with _connect(port) as connection, connection.makefile("rb") as file:
        for _line in file:
            count += 1
    return count


def _makefile_echo(port: int) -> None:
    with _connect(port) as connection, connection.makefile("rwb") as file:
        for line in file:
            file.write(line)
            file.flush()


async def _streams_receive(port: int) -> int:
    reader, writer = await asyncio.open_connection(HOST, port)
    count = 0
    try:
        while True:
            await reader.readuntil(END)
            count += 1
    except asyncio.IncompleteReadError:
        writer.close()
        return count


async def _streams_echo(port: int) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        while True:
            writer.write(await reader.readuntil(END))
            await writer.drain()
    except asyncio.IncompleteReadError:
        writer.close()


async def _anyio_receive(port: int) -> int:
    count = 0
    async with BufferedByteStream(await anyio.connect_tcp(HOST, port)) as stream:
        try:
            while True:
                await stream.receive_until(END, READ_SIZE)
                count += 1
        except anyio.IncompleteRead:
            return count


async def _anyio_echo(port: int) -> None:
    async with BufferedByteStream(await anyio.connect_tcp(HOST, port)) as stream:
        try:
            while True:
                await stream.send(await stream.receive_until(END, READ_SIZE) + END)
        except anyio.IncompleteRead:
            return


async def _tornado_connect(port: int) -> tornado.iostream.IOStream:
    stream = await tornado.tcpclient.TCPClient().connect(HOST, port)
    stream.set_nodelay(True)
    return stream


async def _tornado_receive(port: int) -> int:
    stream = await _tornado_connect(port)
    count = 0
    try:
        while True:
            await stream.read_until(END)
            count += 1
    except tornado.iostream.StreamClosedError:
        return count


async def _tornado_echo(port: int) -> None:
    stream = await _tornado_connect(port)
    try:
        while True:
            await stream.write(await stream.read_until(END))
    except tornado.iostream.StreamClosedError:
        pass


def _twisted(protocol: type[Protocol], port: int) -> Any:
    reactor = EPollReactor()
    made: list[Protocol] = []

    class Once(protocol):  # type: ignore[misc, valid-type]
        def connectionMade(self) -> None:
            made.append(self)

        def connectionLost(self, reason: Failure | None = None) -> None:
            reactor.callLater(0, reactor.stop)

    factory = ClientFactory.forProtocol(Once)
    factory.noisy = False
    reactor.connectTCP(HOST, port, factory)  # type: ignore[arg-type]
    reactor.run(installSignalHandlers=False)
    return made[0]


class _TwistedCount(LineReceiver):
    count = 0

    def lineReceived(self, line: bytes) -> None:
        self.count += 1


class _TwistedEcho(LineReceiver):
    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line)


class _TwistedOnlyCount(LineOnlyReceiver):
    count = 0

    def lineReceived(self, line: bytes) -> None:
        self.count += 1


class _TwistedOnlyEcho(LineOnlyReceiver):
    def lineReceived(self, line: bytes) -> None:
        self.sendLine(line)


def on_twisted(counter: type[Any], echoer: type[Protocol]) -> tuple[Serve, Serve]:
    def receive(port: int) -> int:
        count: int = _twisted(counter, port).count
        return count

    def echo(port: int) -> None:
        _twisted(echoer, port)

    return receive, echo


def async_chat(base: type[Any]) -> tuple[Serve, Serve]:
    """Receive and echo, as a program written for asynchat does."""

    class Count(base):  # type: ignore[misc]
        count = 0

        def collect_incoming_data(self, data: bytes) -> None:
            pass

        def found_terminator(self) -> None:
            self.count += 1

    class Echo(base):  # type: ignore[misc]
        line = b""

        def collect_incoming_data(self, data: bytes) -> None:
            self.line += data

        def found_terminator(self) -> None:
            self.push(self.line + END)
            self.line = b""

    def serve(chat: type[Any], port: int) -> Any:
        sockets: dict[int, Any] = {}
        channel = chat(None, sockets)
        channel.create_socket()
        channel.connect((HOST, port))
        channel.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel.set_terminator(END)
        asyncore.loop(map=sockets)
        return channel

    def receive(port: int) -> int:
        channel = serve(Count, port)
        assert isinstance(channel, Count)
        return channel.count

    def echo(port: int) -> None:
        serve(Echo, port)

    return receive, echo


Main = Callable[[int], Coroutine[Any, Any, Any]]


def on_asyncio(main: Main) -> Serve:
    return lambda port: asyncio.run(main(port))


def on_uvloop(main: Main) -> Serve:
    return lambda port: uvloop.run(main(port))


def on_trio(main: Main) -> Serve:
    return lambda port: anyio.run(main, port, backend="trio")


PEERS = [
    Server("recv + split", _recv_and_split, _recv_and_split_echo),
    Server("socket.makefile", _makefile, _makefile_echo),
    Server("asynchat", *async_chat(asynchat.async_chat)),
    Server("asyncio streams", on_asyncio(_streams_receive), on_asyncio(_streams_echo)),
    Server("asyncio streams, uvloop", on_uvloop(_streams_receive), on_uvloop(_streams_echo)),
    Server("anyio, asyncio", on_asyncio(_anyio_receive), on_asyncio(_anyio_echo)),
    Server("anyio, uvloop", on_uvloop(_anyio_receive), on_uvloop(_anyio_echo)),
    Server("anyio, trio", on_trio(_anyio_receive), on_trio(_anyio_echo)),
    Server("Tornado IOStream", on_asyncio(_tornado_receive), on_asyncio(_tornado_echo)),
    Server("Twisted LineReceiver", *on_twisted(_TwistedCount, _TwistedEcho)),
    Server("Twisted LineOnlyReceiver", *on_twisted(_TwistedOnlyCount, _TwistedOnlyEcho)),
]
