"""Two connected byte streams in memory, for anyio."""

from __future__ import annotations

import math

import anyio
from anyio.abc import ByteStream, ObjectReceiveStream, ObjectSendStream
from anyio.lowlevel import checkpoint

__all__ = ["MemoryStream", "memory_streams"]


def memory_streams(*, chunk_size: int | None = None) -> tuple[MemoryStream, MemoryStream]:
    """Make two byte streams of anyio's in memory, each the peer of the other.

    (trio has its own: `trio.testing.memory_stream_pair`.)

    Args:
        chunk_size: at most so many bytes come in one ``receive``; None for no such limit.

    Raises:
        ValueError: ``chunk_size`` is below 1.
    """
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"expected a chunk_size of 1 or more, got {chunk_size}")
    there_in, there_out = anyio.create_memory_object_stream[bytes](math.inf)
    back_in, back_out = anyio.create_memory_object_stream[bytes](math.inf)
    return (
        MemoryStream(there_in, back_out, chunk_size),
        MemoryStream(back_in, there_out, chunk_size),
    )


class MemoryStream(ByteStream):
    """One of `memory_streams`."""

    def __init__(
        self,
        sending: ObjectSendStream[bytes],
        receiving: ObjectReceiveStream[bytes],
        chunk_size: int | None,
    ) -> None:
        self._sending = sending
        self._receiving = receiving
        self._chunk_size = chunk_size
        self._rest = b""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Wait for data: at most ``max_bytes``."""
        if self._rest:
            await checkpoint()
        else:
            self._rest = await self._receiving.receive()
        size = max_bytes if self._chunk_size is None else min(max_bytes, self._chunk_size)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    async def send(self, item: bytes) -> None:
        """Send bytes."""
        if item:
            await self._sending.send(bytes(item))
        else:
            await checkpoint()

    async def send_eof(self) -> None:
        """End what is sent; the peer may still send."""
        await self._sending.aclose()

    async def aclose(self) -> None:
        """Close both directions."""
        await self._sending.aclose()
        await self._receiving.aclose()
