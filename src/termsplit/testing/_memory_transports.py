"""Two connected transports in memory, for asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, cast

__all__ = ["MemoryTransport", "memory_transports"]

_HIGH_WATER = 64 * 1024


def memory_transports(
    one: asyncio.BaseProtocol, other: asyncio.BaseProtocol, *, chunk_size: int | None = None
) -> tuple[MemoryTransport, MemoryTransport]:
    """Connect two protocols by transports in memory, in the running loop.

    Data arrives in the loop's next round and not in the call that writes it, as from a network.

    Args:
        one: a `asyncio.Protocol` or `asyncio.BufferedProtocol`; its ``connection_made`` is called.
        other: likewise.
        chunk_size: at most so many bytes arrive at once; None for no such limit.

    Raises:
        ValueError: ``chunk_size`` is below 1.
        RuntimeError: no loop is running.
    """
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f"expected a chunk_size of 1 or more, got {chunk_size}")
    loop = asyncio.get_running_loop()
    here, there = (MemoryTransport(loop, protocol, chunk_size) for protocol in (one, other))
    here._peer, there._peer = there, here
    one.connection_made(here)
    other.connection_made(there)
    return here, there


class MemoryTransport(asyncio.Transport):
    """One of `memory_transports`.

    `abort` resets the connection: the peer loses what it has not received, and learns of it by a
    ConnectionResetError.
    """

    _peer: MemoryTransport

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BaseProtocol,
        chunk_size: int | None,
    ) -> None:
        super().__init__({"peername": "", "sockname": ""})
        self._loop = loop
        self._protocol = protocol
        self._chunk_size = chunk_size
        self._high, self._low = _HIGH_WATER, _HIGH_WATER // 4
        self._incoming = bytearray()
        self._input_ended = False
        self._output_ended = False
        self._eof_delivered = False
        self._reading = True
        self._writing_paused = False
        self._scheduled = False
        self._closing = False

    # Writing.

    def write(self, data: Any) -> None:
        """Send bytes-like data; what is written after `close` is dropped, as asyncio's own transports do."""
        if self._output_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._closing or not data:
            return
        if self._peer._closing:
            self._lose(BrokenPipeError("the peer has closed"))
            return
        self._peer._incoming += data
        self._peer._schedule()
        if len(self._peer._incoming) > self._high and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        """True."""
        return True

    def write_eof(self) -> None:
        """End what is sent; the peer may still send."""
        if not self._output_ended:
            self._output_ended = True
            self._peer._end_input()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Above how many bytes under way the protocol is paused, and down to how many."""
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not 0 <= low <= high:
            raise ValueError(f"expected 0 <= low <= high, got {low} and {high}")
        self._high, self._low = high, low

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """What `set_write_buffer_limits` set, the lower first."""
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        """How many bytes are under way to the peer."""
        return len(self._peer._incoming)

    # Reading.

    def is_reading(self) -> bool:
        """Whether data is delivered when it is there."""
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        """Deliver nothing until `resume_reading`."""
        self._reading = False

    def resume_reading(self) -> None:
        """Go on delivering."""
        self._reading = True
        self._schedule()

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that data is delivered to."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Deliver to another protocol from now on."""
        self._protocol = protocol

    # Closing.

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._closing

    def close(self) -> None:
        """Close it; what was written still arrives."""
        if not self._closing:
            self._peer._end_input()
            self._lose(None)

    def abort(self) -> None:
        """Close it, and reset the connection."""
        if not self._closing:
            self._peer._lose(ConnectionResetError("the peer has aborted"))
            self._lose(None)

    def _end_input(self) -> None:
        self._input_ended = True
        self._schedule()

    def _lose(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._incoming.clear()
            self._loop.call_soon(self._protocol.connection_lost, error)

    def _schedule(self) -> None:
        if not self._scheduled and (self._incoming or self._input_ended):
            self._scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False
        if not self.is_reading():
            return
        if self._incoming:
            protocol = self._protocol
            chunk = bytes(self._incoming[: self._chunk_size])
            if isinstance(protocol, asyncio.BufferedProtocol):
                buffer: Any = protocol.get_buffer(len(chunk))
                chunk = chunk[: len(buffer)]
                buffer[: len(chunk)] = chunk
            del self._incoming[: len(chunk)]
            if isinstance(protocol, asyncio.BufferedProtocol):
                protocol.buffer_updated(len(chunk))
            else:
                cast("asyncio.Protocol", protocol).data_received(chunk)
            self._peer._resume_writing()
            self._schedule()
        elif not self._eof_delivered:
            self._eof_delivered = True
            if not cast("asyncio.Protocol", self._protocol).eof_received():
                self.close()

    def _resume_writing(self) -> None:
        if self._writing_paused and self.get_write_buffer_size() <= self._low:
            self._writing_paused = False
            self._protocol.resume_writing()
