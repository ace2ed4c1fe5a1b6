"""Two connected sockets in memory, for what blocks."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["MemorySocket", "memory_sockets"]

_SHUT_RD, _SHUT_WR, _SHUT_RDWR = 0, 1, 2


def memory_sockets(
    *, chunk_size: int | None = None, capacity: int = 64 * 1024
) -> tuple[MemorySocket, MemorySocket]:
    """Make two sockets in memory, each the peer of the other; for threads, as real ones.

    Args:
        chunk_size: at most so many bytes come in one ``recv`` and go in one ``send``; None for no such limit.
        capacity: so many bytes, 1 or more, may be under way in each direction before ``send`` waits.

    Raises:
        ValueError: ``chunk_size`` or ``capacity`` is below 1.

    >>> client, server = memory_sockets(chunk_size=2)
    >>> client.sendall(b"hello")
    >>> server.recv(100), server.recv(100)
    (b'he', b'll')
    >>> client.close()
    >>> server.recv(100), server.recv(100)
    (b'o', b'')
    """
    if capacity < 1 or (chunk_size is not None and chunk_size < 1):
        raise ValueError(f"expected sizes of 1 or more, got {chunk_size} and {capacity}")
    most = capacity if chunk_size is None else min(chunk_size, capacity)
    there, back = _Pipe(capacity), _Pipe(capacity)
    return MemorySocket(back, there, most), MemorySocket(there, back, most)


class _Pipe:
    """The bytes under way in one direction."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.data = bytearray()
        self.ended = False  # by the sender
        self.refused = False  # by the receiver
        self.changed = threading.Condition()


class MemorySocket:
    """One of `memory_sockets`: the methods of a connected stream socket that do not need the operating system."""

    def __init__(self, receiving: _Pipe, sending: _Pipe, most: int) -> None:
        self._receiving = receiving
        self._sending = sending
        self._most = most
        self._timeout: float | None = None
        self._closed = False

    def recv(self, size: int, /) -> bytes:
        """Wait for data: at most ``size`` bytes; ``b""`` at the end of the stream."""
        pipe = self._receiving
        with pipe.changed:
            self._wait(pipe, lambda: bool(pipe.data or pipe.ended or pipe.refused))
            size = min(size, self._most)
            data = bytes(pipe.data[:size])
            del pipe.data[:size]
            pipe.changed.notify_all()
        return data

    def recv_into(self, buffer: bytearray | memoryview, size: int = 0, /) -> int:
        """As `recv`, into the beginning of ``buffer``; returns how many bytes came."""
        data = self.recv(size or len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes | bytearray | memoryview, /) -> int:
        """Wait until some of ``data`` can be taken; returns how many bytes were."""
        pipe = self._sending
        with pipe.changed:
            self._wait(pipe, lambda: pipe.ended or pipe.refused or len(pipe.data) < pipe.capacity)
            if pipe.ended or pipe.refused:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
            taken = bytes(data[: min(self._most, pipe.capacity - len(pipe.data))])
            pipe.data += taken
            pipe.changed.notify_all()
        return len(taken)

    def sendall(self, data: bytes | bytearray | memoryview, /) -> None:
        """`send` until all of it was taken."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.send(rest) :]

    def shutdown(self, how: int, /) -> None:
        """End one direction or both, as `socket.socket.shutdown` does."""
        self._refuse_closed()
        if how in (_SHUT_RD, _SHUT_RDWR):
            _set(self._receiving, "refused")
        if how in (_SHUT_WR, _SHUT_RDWR):
            _set(self._sending, "ended")

    def close(self) -> None:
        """End both directions; what was sent still arrives. Idempotent."""
        self._closed = True
        _set(self._receiving, "refused")
        _set(self._sending, "ended")

    def settimeout(self, seconds: float | None, /) -> None:
        """The longest wait of a call, in seconds; None for no end."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """What `settimeout` set."""
        return self._timeout

    def getpeername(self) -> str:
        """A socket in memory has no address."""
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _wait(self, pipe: _Pipe, ready: Callable[[], bool]) -> None:
        self._refuse_closed()
        if not pipe.changed.wait_for(ready, self._timeout):
            raise TimeoutError("timed out")

    def _refuse_closed(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _set(pipe: _Pipe, flag: str) -> None:
    with pipe.changed:
        setattr(pipe, flag, True)
        pipe.changed.notify_all()
