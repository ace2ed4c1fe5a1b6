"""Streams over an object that is asked for bytes, and takes bytes, by coroutines: what trio and anyio share.

A task that is started when there is something to send lives until all of it is sent. No task is started for what a
socket takes at once: to start one costs more than all else that is done about a chunk.
"""

from __future__ import annotations

import abc
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from termsplit._events import NEED_DATA, NeedData

from ._faces import LINGER, SEND_AT_ONCE, lost
from ._stream import AsyncChatStream

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from termsplit._connection import Connection


T = TypeVar("T")

_SOCKETS_ARE_FILES = sys.platform != "win32"


class _Scope(Protocol):
    def cancel(self) -> None: ...


class PullingChatStream(AsyncChatStream):
    """A stream that reads when it is asked to, and sends in a task of its own."""

    #: What the transport raises when it fails, or is closed while in use.
    _lost_errors: ClassVar[tuple[type[Exception], ...]]

    #: What it raises at the end, if it does not return b"".
    _end_errors: ClassVar[tuple[type[Exception], ...]] = ()

    def __init__(self, connection: Connection | None) -> None:
        super().__init__(connection)
        self._sending = False  # a task to send is there
        self._writing = False  # and has given the transport something
        self._corked = False
        self._reading: _Scope | None = None

    # What a loop adds.

    @abc.abstractmethod
    def _start_task(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None: ...

    @abc.abstractmethod
    async def _pause(self) -> None:
        """The loop's own checkpoint."""

    @abc.abstractmethod
    def _move_on_after(self, seconds: float) -> AbstractContextManager[object]: ...

    @abc.abstractmethod
    def _new_scope(self) -> AbstractContextManager[_Scope, bool]:
        """What can be cancelled, and takes note of that itself."""

    @abc.abstractmethod
    def _read(self) -> Awaitable[bytes | bytearray]:
        """Some bytes."""

    @abc.abstractmethod
    def _idle_socket(self) -> Any:
        """The socket beneath, which never blocks, if what it is given now goes out next; None if there is none."""

    @abc.abstractmethod
    async def _write(self, data: bytes | memoryview) -> None:
        """Send all of ``data``."""

    @abc.abstractmethod
    async def _write_eof(self) -> None:
        """Tell the peer that no more will come, if the transport has a way to."""

    @abc.abstractmethod
    async def _end_tls(self) -> None:
        """Where there is TLS: tell the peer of the end, wait for its answer, and go on without."""

    # Receiving.

    async def _checkpoint(self) -> None:
        # Who takes what has come in piece by piece is not done with it yet, so what it pushes is not sent yet.
        self._corked = True
        try:
            await self._pause()
        finally:
            self._corked = False

    async def _pull(self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]) -> T:
        if not self.connection._nothing_at_hand:
            # Else the wait for more is one.
            await self._checkpoint()
        return await super()._pull(step)

    async def _receive(self) -> None:
        try:
            data = await self._read()
        except self._end_errors:
            data = b""
        except self._lost_errors as cause:
            raise (self._failure or lost(cause)) from cause
        if data:
            self.connection.receive_data(data)
        elif self._closed:
            # This end is our own doing.
            raise self._failure or lost(None, "the stream was closed")
        else:
            self.connection.receive_eof()

    async def _receive_for(
        self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]
    ) -> T | Literal[NeedData.NEED_DATA]:
        with self._new_scope() as self._reading:
            try:
                return await super()._receive_for(step)
            finally:
                self._reading = None
        return NEED_DATA

    def _interrupt_receiving(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    # Sending.

    def _start_sending(self) -> None:
        if not self._sending and self._failure is None:
            self._start_task(self._send_queued)
            self._sending = True

    def _send_at_once(self) -> None:
        connection = self.connection
        sock = self._idle_socket() if _SOCKETS_ARE_FILES and not self._writing else None
        room = SEND_AT_ONCE
        while sock is not None and room > 0 and connection.output_pending:
            try:
                data = connection.data_to_send()
            except Exception as error:  # noqa: BLE001 - kept for the next call, which raises it
                self._fail_to_produce(error)
                return
            try:
                sent = os.write(sock.fileno(), data)
            except BlockingIOError:
                break
            except OSError as cause:
                self._fail(lost(cause))
                return
            connection.data_sent(sent)
            room -= sent
        self._progressed()
        if connection.output_pending or connection.closing:
            self._start_sending()

    async def _send_queued(self) -> None:
        connection = self.connection
        try:
            while True:
                while self._corked:
                    await self._pause()
                try:
                    data = connection.data_to_send()
                except Exception as error:  # noqa: BLE001 - kept for the next call, which raises it
                    self._fail_to_produce(error)
                    return
                if not data:
                    break
                self._writing = True
                await self._write(data)
                self._writing = False
                # Meanwhile it may have been discarded.
                connection.data_sent(min(len(data), connection._offered))
                self._progressed()
            if connection.must_close and not self._detached:
                await self._end_output()
        except self._lost_errors as cause:
            self._fail(lost(cause))
        except BaseException as cause:
            # A part of the chunk may be sent, so that it can't be sent again.
            self._fail(lost(cause, "the sending task was ended"))
            raise
        finally:
            self._sending = self._writing = False
            self._progressed()

    async def _end_output(self) -> None:
        try:
            await self._write_eof()
        except self._lost_errors:
            # All was taken, and who is gone need not be told.
            pass
        self._interrupt_receiving()

    # Closing.

    async def _close(self) -> None:
        with self._move_on_after(LINGER):
            try:
                await self._end_tls()
                while not self._input_over and await self._read():
                    pass
            except (*self._lost_errors, *self._end_errors):
                # All was taken: how the peer ends its side is its own affair.
                pass
        await self._abort()
