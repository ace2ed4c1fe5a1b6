"""Idle connections, as many as are asked for: each got one line, sent its reply, and waits for the next.

Run as a program, in a process for each candidate, it prints the bytes that one of them keeps: those that Python has
allocated for all of them, by tracemalloc, divided by their number. There are no sockets: one stand-in serves all
connections, so that what is counted are the objects of the library alone. (With real sockets each of them has a socket
and the loop's own transport in addition, the same for all that run on that loop.)
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

LINE = b"one line came in\r\n"
REPLY = b"and one went out\r\n"
END = b"\r\n"


class _Socket:
    """One for all: each of its connections has a number of its own, as the channel map wants it."""

    family = None

    def __init__(self) -> None:
        self._numbers = itertools.count(1000)

    def fileno(self) -> int:
        return next(self._numbers)

    def recv(self, size: int) -> bytes:
        return LINE

    def send(self, data: Any) -> int:
        return len(data)

    def getpeername(self) -> None:
        return None

    def setblocking(self, flag: bool) -> None:
        pass


class _Transport(asyncio.Transport):
    disconnecting = False  # as Twisted's have it

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class _Loop(asyncio.SelectorEventLoop):
    """Its connections lead nowhere, and a line comes in on each."""

    transport = _Transport()

    async def create_connection(self, protocol_factory: Any, *_: Any, **__: Any) -> Any:
        protocol: Any = protocol_factory()
        protocol.connection_made(self.transport)
        if isinstance(protocol, asyncio.BufferedProtocol):
            buffer: Any = protocol.get_buffer(len(LINE))
            buffer[: len(LINE)] = LINE
            protocol.buffer_updated(len(LINE))
        else:
            protocol.data_received(LINE)
        return self.transport, protocol


def _connections(count: int) -> list[Any]:
    from termsplit import Connection

    kept = []
    for _ in range(count):
        connection = Connection(END)
        connection.receive_data(LINE)
        for _record in connection.records():
            connection.push(REPLY)
        connection.data_sent(len(connection.data_to_send()))
        kept.append(connection)
    return kept


def _parsers(count: int) -> list[Any]:
    from termsplit import Connection, Parse, Parser

    def line() -> Parse[bytes]:
        return (yield END)

    kept = []
    for _ in range(count):
        connection = Connection()
        parser = Parser(line, connection)
        for _message in parser.feed(LINE):
            connection.push(REPLY)
        connection.data_sent(len(connection.data_to_send()))
        kept.append(parser)
    return kept


def _program(base: type[Any]) -> type[Any]:
    class Reply(base):  # type: ignore[misc]
        def collect_incoming_data(self, data: bytes) -> None:
            pass

        def found_terminator(self) -> None:
            self.push(REPLY)

    return Reply


def _chats(count: int) -> list[Any]:
    from termsplit import Chat

    reply = _program(Chat)
    kept = []
    for _ in range(count):
        chat = reply(END)
        chat.feed(LINE)
        chat.connection.data_sent(len(chat.connection.data_to_send()))
        kept.append(chat)
    return kept


def _blocking(count: int) -> list[Any]:
    from termsplit.backends.blocking import ChatStream

    socket: Any = _Socket()
    kept = []
    for _ in range(count):
        stream = ChatStream(socket)
        stream.receive_record(END)
        stream.send(REPLY)
        kept.append(stream)
    return kept


def _asyncio(count: int) -> list[Any]:
    from termsplit.backends.asyncio import connect

    async def main() -> list[Any]:
        kept = []
        for _ in range(count):
            stream = await connect("", 0)
            await stream.receive_record(END)
            await stream.send(REPLY)
            kept.append(stream)
        await asyncio.sleep(0)
        return kept

    return _run(main())


def _run(main: Any) -> list[Any]:
    loop = _Loop()
    kept: list[Any] = loop.run_until_complete(main)
    loop.close()
    return kept


def _trio(count: int) -> list[Any]:
    import trio

    from termsplit.backends.trio import ChatStream

    class Stream(trio.abc.Stream):
        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            return LINE

        async def send_all(self, data: object) -> None:
            pass

        async def wait_send_all_might_not_block(self) -> None:
            pass

        async def aclose(self) -> None:
            pass

    async def main() -> list[Any]:
        transport = Stream()
        kept = []
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                stream = ChatStream(transport, nursery)
                await stream.receive_record(END)
                await stream.send(REPLY)
                kept.append(stream)
        return kept

    return trio.run(main)


def _anyio_stream() -> Any:
    import anyio.abc

    class Stream(anyio.abc.ByteStream):
        async def receive(self, max_bytes: int = 65536) -> bytes:
            return LINE

        async def send(self, item: bytes) -> None:
            pass

        async def send_eof(self) -> None:
            pass

        async def aclose(self) -> None:
            pass

    return Stream()


def _anyio(count: int) -> list[Any]:
    import anyio

    from termsplit.backends.anyio import ChatStream

    async def main() -> list[Any]:
        transport = _anyio_stream()
        kept = []
        async with anyio.create_task_group() as task_group:
            for _ in range(count):
                stream = ChatStream(transport, task_group)
                await stream.receive_record(END)
                await stream.send(REPLY)
                kept.append(stream)
        return kept

    return anyio.run(main)


def _asyncore(count: int) -> list[Any]:
    from termsplit import Chat
    from termsplit.backends.asyncore import ChatStream, run

    reply = _program(Chat)
    socket: Any = _Socket()
    channels: dict[int, Any] = {}
    for _ in range(count):
        stream = ChatStream(socket, channels)
        run(reply(END), stream)
        stream.handle_read()
    return [channels]


def _async_chats(base: type[Any], count: int) -> list[Any]:
    reply = _program(base)
    socket: Any = _Socket()
    channels: dict[int, Any] = {}
    for _ in range(count):
        chat = reply(socket, channels)
        chat.set_terminator(END)
        chat.handle_read()
    return [channels]


def _drop_in(count: int) -> list[Any]:
    from termsplit.asynchat import async_chat

    return _async_chats(async_chat, count)


def _peer_asynchat(count: int) -> list[Any]:
    from asynchat import async_chat

    return _async_chats(async_chat, count)


def _peer_asyncio(count: int) -> list[Any]:
    async def main() -> list[Any]:
        kept: list[Any] = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("", 0)
            await reader.readuntil(END)
            writer.write(REPLY)
            kept += reader, writer
        return kept

    return _run(main())


def _peer_anyio(count: int) -> list[Any]:
    import anyio
    from anyio.streams.buffered import BufferedByteStream

    async def main() -> list[Any]:
        transport = _anyio_stream()
        kept = []
        for _ in range(count):
            stream = BufferedByteStream(transport)
            await stream.receive_until(END, 100)
            await stream.send(REPLY)
            kept.append(stream)
        return kept

    return anyio.run(main)


def _peer_twisted(count: int) -> list[Any]:
    from twisted.protocols.basic import LineReceiver

    class Reply(LineReceiver):
        def lineReceived(self, line: bytes) -> None:  # noqa: N802
            transport.write(REPLY)

    transport: Any = _Transport()
    kept = []
    for _ in range(count):
        receiver = Reply()
        receiver.makeConnection(transport)
        receiver.dataReceived(LINE)
        kept.append(receiver)
    return kept


def _peer_h11_buffer(count: int) -> list[Any]:
    from h11._receivebuffer import ReceiveBuffer

    kept = []
    for _ in range(count):
        buffer = ReceiveBuffer()
        buffer += LINE
        buffer.maybe_extract_next_line()
        kept.append(buffer)
    return kept


def _peer_h11(count: int) -> list[Any]:
    """A line of HTTP is a whole request."""
    import h11

    kept = []
    for _ in range(count):
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while (
            connection.next_event() is not h11.NEED_DATA and connection.their_state is not h11.DONE
        ):
            pass
        connection.send(h11.Response(status_code=204, headers=[]))
        connection.send(h11.EndOfMessage())
        connection.start_next_cycle()
        kept.append(connection)
    return kept


CANDIDATES: dict[str, Callable[[int], list[Any]]] = {
    "asynchat": _peer_asynchat,
    "asyncio reader and writer": _peer_asyncio,
    "anyio BufferedByteStream": _peer_anyio,
    "Twisted LineReceiver": _peer_twisted,
    "h11 ReceiveBuffer, no output": _peer_h11_buffer,
    "h11 Connection": _peer_h11,
    "termsplit: Connection": _connections,
    "termsplit: Parser and Connection": _parsers,
    "termsplit: Chat and Connection": _chats,
    "termsplit, blocking": _blocking,
    "termsplit, asyncio": _asyncio,
    "termsplit, trio": _trio,
    "termsplit, anyio": _anyio,
    "termsplit, asyncore": _asyncore,
    "termsplit.asynchat": _drop_in,
}


def main() -> None:
    make, count = CANDIDATES[sys.argv[1]], int(sys.argv[2])
    make(10)  # what is made once, such as modules
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = make(count)
    gc.collect()
    print((tracemalloc.get_traced_memory()[0] - before - sys.getsizeof(kept)) / count)


if __name__ == "__main__":
    main()
