"""What it costs to have it: memory per idle connection, and the time of an import, each in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from .measure import Entry, Group

LINE = b"one line came in\r\n"
REPLY = b"and one went out\r\n"


def _core() -> Callable[[], object]:
    from termsplit import Connection

    def make() -> object:
        connection = Connection(b"\r\n")
        connection.receive_data(LINE)
        for _ in connection.records():
            connection.push(REPLY)
        connection.data_sent(len(connection.data_to_send()))
        return connection

    return make


def _chat() -> Callable[[], object]:
    from termsplit import Chat

    class Reply(Chat):
        def collect_incoming_data(self, data: bytes) -> None:
            pass

        def found_terminator(self) -> None:
            self.push(REPLY)

    def make() -> object:
        chat = Reply(b"\r\n")
        chat.feed(LINE)
        chat.connection.data_sent(len(chat.connection.data_to_send()))
        return chat

    return make


def _parser() -> Callable[[], object]:
    from termsplit import Connection, Parse, Parser

    def line() -> Parse[bytes]:
        return (yield b"\r\n")

    def make() -> object:
        connection = Connection()
        parser = Parser(line, connection)
        for _ in parser.feed(LINE):
            connection.push(REPLY)
        connection.data_sent(len(connection.data_to_send()))
        return parser

    return make


class _NoTransport(asyncio.Transport):
    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return True


def _asyncio_streams() -> Callable[[], object]:
    loop = asyncio.new_event_loop()
    transport = _NoTransport()

    def make() -> object:
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        reader.feed_data(LINE)
        coroutine = reader.readuntil(b"\r\n")
        try:
            coroutine.send(None)
        except StopIteration:
            writer.write(REPLY)
        return reader, writer

    return make


def _asynchat() -> Callable[[], object]:
    import asynchat

    class Reply(asynchat.async_chat):
        def recv(self, buffer_size: int) -> bytes:
            return LINE

        def send(self, data: Any) -> int:
            return len(data)

        def collect_incoming_data(self, data: bytes) -> None:
            pass

        def found_terminator(self) -> None:
            self.push(REPLY)

    def make() -> object:
        chat = Reply()
        chat.connected = True
        chat.set_terminator(b"\r\n")
        chat.handle_read()
        return chat

    return make


def _twisted() -> Callable[[], object]:
    from twisted.protocols.basic import LineReceiver

    class Reply(LineReceiver):
        def lineReceived(self, line: bytes) -> None:
            pass

    def make() -> object:
        receiver = Reply()
        receiver.dataReceived(LINE)
        return receiver

    return make


def _h11() -> Callable[[], object]:
    from h11._receivebuffer import ReceiveBuffer

    def make() -> object:
        buffer = ReceiveBuffer()
        buffer += LINE
        buffer.maybe_extract_next_line()
        return buffer

    return make


_IDLE: dict[str, Callable[[], Callable[[], object]]] = {
    "asynchat": _asynchat,
    "asyncio reader and writer": _asyncio_streams,
    "Twisted LineReceiver": _twisted,
    "h11 ReceiveBuffer, no output": _h11,
    "termsplit: Connection": _core,
    "termsplit: Parser and Connection": _parser,
    "termsplit: Chat and Connection": _chat,
}

_IMPORTS = [
    "asynchat",
    "asyncio",
    "anyio",
    "h11",
    "sansproto",
    "termsplit",
    "trio",
    "twisted.protocols.basic",
]


def footprint(*, quick: bool) -> Iterator[Group]:
    count = 2_000 if quick else 100_000
    entries = [Entry(name, _traced(name, count)) for name in _IDLE]
    yield Group(
        f"memory per idle connection, of {count:,}", "bytes", "byte", 1, entries, exact=True
    )
    present = [name for name in _IMPORTS if importlib.util.find_spec(name.partition(".")[0])]
    yield Group("import", "time", "second", 1, [Entry(name, _imported(name)) for name in present])


def _traced(name: str, count: int) -> Callable[[], float]:
    return lambda: float(_python("-W", "ignore", "-m", "benchmarks.footprint", name, str(count)))


def _imported(name: str) -> Callable[[], float]:
    code = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
    return lambda: float(_python("-W", "ignore", "-c", code))


def _python(*arguments: str) -> str:
    return subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def main() -> None:
    name, count = sys.argv[1], int(sys.argv[2])
    make = _IDLE[name]()
    make()
    gc.collect()
    tracemalloc.start()
    kept: list[object] = [None] * count
    before = tracemalloc.get_traced_memory()[0]
    kept[:] = [make() for _ in range(count)]
    gc.collect()
    print((tracemalloc.get_traced_memory()[0] - before) / count)


if __name__ == "__main__":
    main()
