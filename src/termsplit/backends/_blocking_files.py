"""Two binary files with the methods of a socket."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import BinaryIO


class Files:
    """What the blocking stream calls on its transport, for a file to read from and one to write to."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._writer = writer
        self._reader = reader
        # `read` would wait until it has got all that it was asked for.
        self.recv: Callable[[int], bytes] = getattr(reader, "read1", reader.read)

    def send(self, data: bytes | memoryview) -> int:
        sent = self._writer.write(data)
        self._writer.flush()
        return sent

    def shutdown(self, how: int) -> None:
        if how == socket.SHUT_WR:
            self._writer.close()

    def getpeername(self) -> None:
        return None

    def close(self) -> None:
        try:
            self._writer.close()
        finally:
            self._reader.close()
