from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from termsplit.testing import MemoryTransport, memory_transports


class Recorder(asyncio.Protocol):
    """Writes down what it is told."""

    keeps_open = False

    def __init__(self) -> None:
        self.told: list[object] = []
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return self.keeps_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(("lost", type(exc)))

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


class Buffered(asyncio.BufferedProtocol):
    def __init__(self) -> None:
        self.buffer = bytearray(2)
        self.received: list[bytes] = []

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received.append(bytes(self.buffer[:nbytes]))


async def settle() -> None:
    """Let all happen that was set going."""
    for _ in range(30):
        await asyncio.sleep(0)


Ends = tuple[Recorder, MemoryTransport, Recorder, MemoryTransport]


def connected(
    play: Callable[
        [Recorder, MemoryTransport, Recorder, MemoryTransport], Coroutine[Any, Any, None]
    ],
    chunk_size: int | None = None,
) -> None:
    async def main() -> None:
        here, there = Recorder(), Recorder()
        one, other = memory_transports(here, there, chunk_size=chunk_size)
        assert here.transport is one
        assert there.transport is other
        await play(here, one, there, other)

    asyncio.run(main())


def test_data_arrives_later_and_in_chunks() -> None:
    async def play(here: Recorder, one: MemoryTransport, there: Recorder, _: Any) -> None:
        one.write(b"hel")
        one.write(bytearray(b"lo"))
        assert there.told == []
        await settle()
        assert there.told == [b"he", b"ll", b"o"]

    connected(play, chunk_size=2)


def test_without_a_chunk_size_all_arrives_at_once() -> None:
    async def play(here: Recorder, one: MemoryTransport, there: Recorder, _: Any) -> None:
        one.writelines([b"hel", b"lo"])
        await settle()
        assert there.told == [b"hello"]

    connected(play)


def test_the_end_of_one_direction_leaves_the_other() -> None:
    async def play(
        here: Recorder, one: MemoryTransport, there: Recorder, other: MemoryTransport
    ) -> None:
        there.keeps_open = True
        one.write(b"x")
        one.write_eof()
        with pytest.raises(RuntimeError):
            one.write(b"y")
        await settle()
        assert there.told == [b"x", "eof"]
        other.write(b"answer")
        other.close()
        await settle()
        assert here.told == [b"answer", "eof", ("lost", type(None))]

    connected(play)


def test_a_protocol_that_does_not_keep_open_is_closed_at_the_end() -> None:
    async def play(here: Recorder, one: MemoryTransport, there: Recorder, other: Any) -> None:
        one.write_eof()
        await settle()
        assert there.told == ["eof", ("lost", type(None))]
        assert other.is_closing()

    connected(play)


def test_aborting_resets() -> None:
    async def play(here: Recorder, one: MemoryTransport, there: Recorder, other: Any) -> None:
        one.write(b"x")
        one.abort()
        one.abort()
        await settle()
        assert here.told == [("lost", type(None))]
        assert there.told == [("lost", ConnectionResetError)]

    connected(play)


def test_writing_to_a_peer_that_has_closed_loses_the_connection() -> None:
    async def play(here: Recorder, one: MemoryTransport, there: Recorder, other: Any) -> None:
        here.keeps_open = True
        other.close()
        await settle()
        one.write(b"x")
        one.write(b"y")
        await settle()
        assert here.told == ["eof", ("lost", BrokenPipeError)]

    connected(play)


def test_a_writer_is_paused_and_resumed() -> None:
    async def play(here: Recorder, one: MemoryTransport, there: Recorder, other: Any) -> None:
        one.set_write_buffer_limits(high=4)
        assert one.get_write_buffer_limits() == (1, 4)
        other.pause_reading()
        assert not other.is_reading()
        one.write(b"12345")
        one.write(b"6")
        await settle()
        assert (here.told, there.told, one.get_write_buffer_size()) == (["pause"], [], 6)
        other.resume_reading()
        await settle()
        assert (here.told, there.told) == (["pause", "resume"], [b"12", b"34", b"56"])

    connected(play, chunk_size=2)


def test_limits() -> None:
    async def play(here: Recorder, one: MemoryTransport, there: Recorder, other: Any) -> None:
        one.set_write_buffer_limits(low=3)
        assert one.get_write_buffer_limits() == (3, 12)
        one.set_write_buffer_limits()
        assert one.get_write_buffer_limits() == (16384, 65536)
        with pytest.raises(ValueError, match=r"^expected 0 <= low <= high, got 2 and 1$"):
            one.set_write_buffer_limits(high=1, low=2)
        assert one.can_write_eof()

    connected(play)


def test_a_buffered_protocol_gets_what_its_buffer_holds() -> None:
    async def main() -> None:
        one, other = memory_transports(Recorder(), Recorder())
        buffered = Buffered()
        other.set_protocol(buffered)
        assert other.get_protocol() is buffered
        one.write(b"abcde")
        await settle()
        assert buffered.received == [b"ab", b"cd", b"e"]

    asyncio.run(main())


def test_streams_of_asyncio_run_on_them() -> None:
    async def main() -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        there = Recorder()
        one, other = memory_transports(protocol, there, chunk_size=1)
        writer = asyncio.StreamWriter(one, protocol, reader, asyncio.get_running_loop())
        other.write(b"line\nrest")
        other.write_eof()
        assert await reader.readline() == b"line\n"
        assert await reader.read() == b"rest"
        writer.write(b"x")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await settle()
        assert there.told == [b"x", "eof", ("lost", type(None))]

    asyncio.run(main())


def test_a_chunk_size_below_one_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=r"^expected a chunk_size of 1 or more, got 0$"):
            memory_transports(Recorder(), Recorder(), chunk_size=0)

    asyncio.run(main())
