"""What asyncio's transports call: it passes on to the stream what they report."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, cast

from ._faces import RECEIVE_SIZE

if TYPE_CHECKING:
    from ._asyncio_stream import ChatStream


class _ReceiveBuffer(threading.local):
    """The loop fills it and hands it over in one step, so that one serves all connections of a thread."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(RECEIVE_SIZE))


_receive_buffer = _ReceiveBuffer()


class StreamProtocol(asyncio.BufferedProtocol):
    __slots__ = ("_stream",)

    def __init__(self, stream: ChatStream) -> None:
        self._stream = stream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stream._connect(cast("asyncio.Transport", transport))

    def get_buffer(self, sizehint: int) -> memoryview:
        return _receive_buffer.view

    def buffer_updated(self, nbytes: int) -> None:
        self._stream._received(bytes(_receive_buffer.view[:nbytes]))

    def eof_received(self) -> bool:
        return self._stream._received_eof()

    def pause_writing(self) -> None:
        self._stream._writing_paused = True

    def resume_writing(self) -> None:
        self._stream._writing_paused = False
        self._stream._send_queued()

    def connection_lost(self, exc: Exception | None) -> None:
        stream = self._stream
        if exc is None and not (stream._closed or stream._input_over) and stream.ssl_object:
            # So Python 3.10 reports the end of TLS.
            stream._received_eof()
        stream._disconnect(exc)
