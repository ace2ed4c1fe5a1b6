"""The peers, each used the way its own documentation says.

Coroutines are stepped by hand where they need no loop, which spares them the loop's cost for each chunk.
"""

from __future__ import annotations

import asyncio
import io
import warnings
from collections.abc import Coroutine, Generator
from typing import Any

import anyio.abc
import sansproto
import tornado.ioloop
import tornado.iostream
from anyio.streams.buffered import BufferedByteReceiveStream
from h11._receivebuffer import ReceiveBuffer
from twisted.internet.testing import StringTransport
from twisted.protocols.basic import Int32StringReceiver, LineOnlyReceiver, LineReceiver
from websockets.streams import StreamReader as WebSocketsReader

from .callbacks import drive
from .candidates import candidate
from .workloads import CRLF, MIB, Collect, Stream, body_size

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import asynchat

ASYNCHAT = "asynchat"
ASYNCHAT_DROPPING = "asynchat, pieces dropped"


def _step(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        pass


@candidate(ASYNCHAT, "lines", "http", "length")
def asynchat_(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    drive(asynchat.async_chat, stream, chunks, collect)


@candidate(ASYNCHAT_DROPPING, "lines", "http", "length")
def asynchat_dropping(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    drive(asynchat.async_chat, stream, chunks, collect, drop=True)


@candidate("asyncio.StreamReader", "lines", "http", "length")
def asyncio_reader(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    loop = asyncio.new_event_loop()
    reader = asyncio.StreamReader(limit=stream.max_size + 2, loop=loop)
    terminator = stream.terminator

    async def lines() -> None:
        while True:
            record = await reader.readuntil(terminator)
            if collect:
                collect(record[: -len(terminator)])

    async def http() -> None:
        while True:
            head = (await reader.readuntil(terminator))[:-4]
            body = await reader.readexactly(body_size(head))
            if collect:
                collect(head)
                collect(body)

    async def length() -> None:
        while True:
            size = int.from_bytes(await reader.readexactly(4), "big")
            body = await reader.readexactly(size)
            if collect:
                collect(body)

    reading = {"lines": lines, "http": http, "length": length}[stream.framing]()
    try:
        for chunk in chunks:
            reader.feed_data(chunk)
            reading.send(None)
    finally:
        reading.close()
        loop.close()


class _Chunks(anyio.abc.ObjectReceiveStream[bytes]):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = iter(chunks)

    async def receive(self) -> bytes:
        for chunk in self._chunks:
            return chunk
        raise anyio.EndOfStream

    async def aclose(self) -> None:
        pass


@candidate("anyio BufferedByteReceiveStream", "lines", "http", "length")
def anyio_buffered(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    reader = BufferedByteReceiveStream(_Chunks(chunks))
    terminator, limit = stream.terminator, stream.max_size + MIB

    async def lines() -> None:
        for _ in range(stream.messages):
            record = await reader.receive_until(terminator, limit)
            if collect:
                collect(record)

    async def http() -> None:
        for _ in range(stream.messages):
            head = await reader.receive_until(terminator, limit)
            body = await reader.receive_exactly(body_size(head))
            if collect:
                collect(head)
                collect(body)

    async def length() -> None:
        for _ in range(stream.messages):
            size = int.from_bytes(await reader.receive_exactly(4), "big")
            body = await reader.receive_exactly(size)
            if collect:
                collect(body)

    _step({"lines": lines, "http": http, "length": length}[stream.framing]())


@candidate("Twisted LineReceiver", "lines", "http")
def twisted_line_receiver(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    class Receiver(LineReceiver):
        delimiter = stream.terminator
        MAX_LENGTH = stream.max_size + 70  # it counts part of the delimiter, as the cut has it
        missing = 0

        def lineReceived(self, line: bytes) -> None:
            if collect:
                collect(line)
            if stream.framing == "http":
                self.missing = body_size(line)
                self.pieces: list[bytes] = []
                self.setRawMode()

        def rawDataReceived(self, data: bytes) -> None:
            body, rest = data[: self.missing], data[self.missing :]
            self.missing -= len(body)
            self.pieces.append(body)
            if not self.missing:
                body = b"".join(self.pieces)
                if collect:
                    collect(body)
                self.setLineMode(rest)

    receiver = Receiver()
    receiver.makeConnection(StringTransport())
    for chunk in chunks:
        receiver.dataReceived(chunk)


@candidate("Twisted LineOnlyReceiver", "lines")
def twisted_line_only(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    class Receiver(LineOnlyReceiver):
        delimiter = stream.terminator
        MAX_LENGTH = stream.max_size + 70  # it counts part of the delimiter, as the cut has it

        def lineReceived(self, line: bytes) -> None:
            if collect:
                collect(line)

    receiver = Receiver()
    receiver.makeConnection(StringTransport())
    for chunk in chunks:
        receiver.dataReceived(chunk)


@candidate("Twisted Int32StringReceiver", "length")
def twisted_int32(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    class Receiver(Int32StringReceiver):
        def stringReceived(self, string: bytes) -> None:
            if collect:
                collect(string)

    receiver = Receiver()
    receiver.makeConnection(StringTransport())
    for chunk in chunks:
        receiver.dataReceived(chunk)


class _TornadoStream(tornado.iostream.BaseIOStream):
    def __init__(self, stream: Stream, chunks: list[bytes]) -> None:
        limit = 4 * (stream.max_size + MIB)
        super().__init__(max_buffer_size=limit, read_chunk_size=max(map(len, chunks)))
        self._chunks = iter(chunks)

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        for chunk in self._chunks:
            buf[: len(chunk)] = chunk
            return len(chunk)
        return None

    def close_fd(self) -> None:
        pass


@candidate("Tornado IOStream", "lines", "http", "length")
def tornado_stream(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    terminator = stream.terminator

    async def read() -> None:
        source = _TornadoStream(stream, chunks)
        if stream.framing == "lines":
            for _ in range(stream.messages):
                record = await source.read_until(terminator)
                if collect:
                    collect(record[: -len(terminator)])
        elif stream.framing == "http":
            for _ in range(stream.messages):
                head = (await source.read_until(terminator))[:-4]
                body = await source.read_bytes(body_size(head))
                if collect:
                    collect(head)
                    collect(body)
        else:
            for _ in range(stream.messages):
                size = int.from_bytes(await source.read_bytes(4), "big")
                body = await source.read_bytes(size)
                if collect:
                    collect(body)

    asyncio.run(read())


@candidate("h11 ReceiveBuffer", "lines", "http", "length")
def h11_buffer(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    buffer = ReceiveBuffer()
    if stream.framing == "lines":
        if stream.terminator != CRLF:
            raise LookupError("it knows no other terminator")
        for chunk in chunks:
            buffer += chunk
            while (line := buffer.maybe_extract_next_line()) is not None:
                if collect:
                    collect(line[:-2])
        return
    missing: int | None = None
    if stream.framing == "http":
        for chunk in chunks:
            buffer += chunk
            while True:
                if missing is None:
                    lines = buffer.maybe_extract_lines()
                    if lines is None:
                        break
                    missing = body_size(lines[-1])
                    if collect:
                        collect(b"\r\n".join(lines))
                if len(buffer) < missing:
                    break
                body = buffer.maybe_extract_at_most(missing)
                missing = None
                if collect:
                    collect(body or b"")
        return
    for chunk in chunks:
        buffer += chunk
        while True:
            if missing is None:
                if len(buffer) < 4:
                    break
                missing = int.from_bytes(buffer.maybe_extract_at_most(4) or b"", "big")
            if len(buffer) < missing:
                break
            body = buffer.maybe_extract_at_most(missing)
            missing = None
            if collect:
                collect(body or b"")


@candidate("websockets StreamReader", "lines", "http", "length")
def websockets_reader(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    reader = WebSocketsReader()
    limit = stream.max_size + 2
    if stream.framing == "lines" and stream.terminator not in (b"\n", b"\r\n"):
        raise LookupError("it knows no other terminator")
    step = len(stream.terminator)

    def lines() -> Generator[None, None, None]:
        while True:
            line = yield from reader.read_line(limit)
            if collect:
                collect(line[:-step])

    def http() -> Generator[None, None, None]:
        while True:
            head = []
            while line := (yield from reader.read_line(limit))[:-2]:
                head.append(line)
            body = yield from reader.read_exact(body_size(head[-1]))
            if collect:
                collect(b"\r\n".join(head))
                collect(body)

    def length() -> Generator[None, None, None]:
        while True:
            size = int.from_bytes((yield from reader.read_exact(4)), "big")
            body = yield from reader.read_exact(size)
            if collect:
                collect(body)

    parser = {"lines": lines, "http": http, "length": length}[stream.framing]()
    next(parser)
    for chunk in chunks:
        reader.feed_data(chunk)
        next(parser)


@candidate("sansproto", "lines", "http", "length")
def sansproto_(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    terminator = stream.terminator

    @sansproto.receiver
    def lines(emit: Collect) -> sansproto.Parser:
        reader = sansproto.Reader()
        while True:
            reader.begin_event()
            record = yield from reader.read_until(terminator)
            if emit:
                emit(record)

    @sansproto.receiver
    def http(emit: Collect) -> sansproto.Parser:
        reader = sansproto.Reader()
        while True:
            reader.begin_event()
            head = yield from reader.read_until(terminator)
            body = yield from reader.read(body_size(head))
            if emit:
                emit(head)
                emit(body)

    @sansproto.receiver
    def length(emit: Collect) -> sansproto.Parser:
        reader = sansproto.Reader()
        while True:
            reader.begin_event()
            size = int.from_bytes((yield from reader.read(4)), "big")
            body = yield from reader.read(size)
            if emit:
                emit(body)

    receiver = {"lines": lines, "http": http, "length": length}[stream.framing](collect)  # type: ignore[arg-type]
    for chunk in chunks:
        receiver.send(chunk)


class _RawChunks(io.RawIOBase):
    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = iter(chunks)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        for chunk in self._chunks:
            buffer[: len(chunk)] = chunk
            return len(chunk)
        return 0


@candidate("io.BufferedReader", "lines", "http", "length", any_of=True)
def buffered_reader(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    reader = io.BufferedReader(_RawChunks(chunks), max(8192, max(map(len, chunks))))
    if stream.framing == "length":
        while prefix := reader.read(4):
            body = reader.read(int.from_bytes(prefix, "big"))
            if collect:
                collect(body)
        return
    if stream.framing == "http":
        for _ in range(stream.messages):
            head = b"".join(iter(reader.readline, CRLF))[:-2]
            body = reader.read(body_size(head))
            if collect:
                collect(head)
                collect(body)
        return
    if stream.terminator not in (b"\n", b"\r\n"):
        raise LookupError("it knows no other terminator")
    if stream.alternatives:
        for line in reader:
            record = line.rstrip(b"\r\n")
            if collect:
                collect(record)
        return
    step = len(stream.terminator)
    for line in reader:
        if collect:
            collect(line[:-step])
