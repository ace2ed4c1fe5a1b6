"""asyncio's stream: a protocol of its own on any of its transports.

It pauses the transport's reading when more than `READ_AHEAD` bytes wait for the application, and holds what is queued
while the transport's writing is paused.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ._asyncio_protocol import StreamProtocol
from ._faces import HANDSHAKE_FAILED, LINGER, SEND_AT_ONCE, lost
from ._stream import AsyncChatStream

if TYPE_CHECKING:
    from termsplit._connection import Connection

READ_AHEAD = 64 * 1024
"""So many bytes may wait for the application before the transport is told to stop reading."""

_POLL = 0.01


class ChatStream(AsyncChatStream):
    """A `Connection` on an asyncio transport; made by `connect` and `serve`.

    Args:
        connection: the machine to use; a new `Connection` if left out.
    """

    def __init__(self, connection: Connection | None = None) -> None:
        super().__init__(connection)
        self._loop = asyncio.get_running_loop()
        self._protocol = StreamProtocol(self)
        self._transport: Any = None
        self._beneath_tls: Any = None
        self._send_scheduled = False
        self._writing_paused = False
        self._reading_paused = False
        self._read_ahead = 0
        self._receiver: asyncio.Future[None] | None = None
        self._disconnected: asyncio.Future[None] = self._loop.create_future()
        self._why_disconnected: Exception | None = None
        self._on_connected: Callable[[ChatStream], None] | None = None

    @property
    def peer(self) -> Any:
        """The peer's address, as its address family has it."""
        return self._transport.get_extra_info("peername")

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The state of TLS; None without."""
        return cast("ssl.SSLObject | None", self._transport.get_extra_info("ssl_object"))

    async def detach(self) -> tuple[asyncio.Transport, bytes]:
        """Send what was pushed, and hand over the transport with the bytes that are not taken yet.

        The transport's reading is paused: give it its new protocol, then resume it.
        """
        data = await self._detach()
        return self._transport, data

    # What the loop adds.

    def _new_event(self) -> asyncio.Event:
        return asyncio.Event()

    async def _checkpoint(self) -> None:
        pass

    def _start_sending(self) -> None:
        if self._disconnected.done():
            self._fail_to_send()
        elif not self._send_scheduled and self._transport is not None:
            self._send_scheduled = True
            self._loop.call_soon(self._send_queued)

    def _send_at_once(self) -> None:
        if self._disconnected.done():
            self._fail_to_send()
        elif self._transport is not None:
            self._send_queued()

    def _send_queued(self) -> None:
        self._send_scheduled = False
        connection = self.connection
        sent = 0
        while not (self._writing_paused or self._disconnected.done() or self._detached):
            if not connection.output_pending:
                if connection.must_close:
                    self._end_output()
                break
            try:
                data = connection.data_to_send()
            except Exception as error:  # noqa: BLE001 - kept for the next call, which raises it
                self._fail_to_produce(error)
                return
            if not data:
                continue
            self._transport.write(data)
            connection.data_sent(len(data))
            sent += len(data)
            if sent >= SEND_AT_ONCE:
                self._start_sending()
                break
        self._progressed()

    def _end_output(self) -> None:
        if self._transport.can_write_eof():
            try:
                self._transport.write_eof()
            except OSError:
                # All was taken, and who is gone need not be told.
                pass
        self._interrupt_receiving()

    @functools.cached_property
    def _input_ended(self) -> asyncio.Future[None]:
        # Made at the end: an idle connection is smaller without.
        return self._loop.create_future()

    def _output_taken(self) -> bool:
        return not (self._writing_paused or self.connection.output_pending)

    def _fail_to_send(self) -> None:
        if not self._output_taken():
            self._fail(lost(self._why_disconnected))

    async def _receive(self) -> None:
        if self._disconnected.done():
            raise self._failure or lost(self._why_disconnected)
        self._read_ahead = 0
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        self._receiver = self._loop.create_future()
        try:
            await self._receiver
        finally:
            self._receiver = None

    def _interrupt_receiving(self) -> None:
        if self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    def _hold_receiving(self) -> None:
        if self._reading_paused:
            # uvloop, and asyncio in Python 3.10, do not heed a pause that comes before they have begun to read.
            self._transport.resume_reading()
        self._reading_paused = True
        self._transport.pause_reading()

    async def _close(self) -> None:
        if self._disconnected.done():
            await self._abort()
            return
        self._reading_paused = False
        self._transport.resume_reading()
        if self._transport.can_write_eof():
            if not self._input_over:
                await self._wait_for(self._input_ended)
        else:
            # Closing tells the peer of the end of TLS, and waits for its answer. If other input comes instead, it
            # forgets what the socket has not taken, and there is no other way to be told when it has.
            while self._beneath_tls.get_write_buffer_size():  # noqa: ASYNC110
                await asyncio.sleep(_POLL)
        self._transport.close()
        await self._wait_for(self._disconnected)
        await self._abort()

    async def _wait_for(self, future: asyncio.Future[None]) -> None:
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait({future, self._disconnected}, timeout=LINGER, return_when=first)

    async def _abort(self) -> None:
        self._transport.abort()
        await asyncio.wait({self._disconnected})

    async def _start_tls(
        self, context: ssl.SSLContext, server_side: bool, hostname: str | None
    ) -> None:
        if self._disconnected.done():
            # The loop would wait for an answer.
            raise lost(self._why_disconnected)
        try:
            transport = await self._loop.start_tls(
                self._transport,
                self._protocol,
                context,
                server_side=server_side,
                server_hostname=hostname,
            )
            if transport is None or self._failure is not None:
                # Another task has aborted it.
                raise ConnectionResetError from self._why_disconnected
        except BaseException as cause:
            # What happens during a handshake the protocol may not be told.
            if not self._disconnected.done():
                self._disconnected.set_result(None)
            if isinstance(cause, OSError):
                raise (self._failure or lost(cause, HANDSHAKE_FAILED)) from cause
            raise
        self._reading_paused = False
        self._beneath_tls = self._transport
        self._attach(transport)

    # What the protocol reports.

    def _attach(self, transport: asyncio.Transport) -> None:
        # The queue is ours: so the transport holds what it was given last, and nothing more. (With TLS it pauses at
        # its limit, and not above.)
        tls = transport.get_extra_info("ssl_object") is not None
        transport.set_write_buffer_limits(high=1 if tls else 0)
        self._transport = transport

    def _connect(self, transport: asyncio.Transport) -> None:
        self._attach(transport)
        # Nothing is read before it is asked for: the first bytes may be those of TLS.
        self._hold_receiving()
        self._watch_output()
        if self._on_connected is not None:
            self._on_connected(self)

    def _received(self, data: bytes) -> None:
        if self._closed:
            return
        self.connection.receive_data(data)
        self._read_ahead += len(data)
        if self._read_ahead > READ_AHEAD:
            self._hold_receiving()
        self._interrupt_receiving()

    def _received_eof(self) -> bool:
        tls = self.ssl_object
        if tls is not None and not _ended(tls):
            self._disconnect(ssl.SSLEOFError("the connection ended, and TLS did not"))
            return False
        if not self._closed:
            self.connection.receive_eof()
        if not self._input_ended.done():
            self._input_ended.set_result(None)
        self._interrupt_receiving()
        return tls is None

    def _disconnect(self, cause: Exception | None) -> None:
        if not self._disconnected.done():
            self._why_disconnected = cause
            self._disconnected.set_result(None)
        self._fail_to_send()
        self._interrupt_receiving()


def _ended(tls: ssl.SSLObject) -> bool:
    """Whether the peer has said that this is the end; who cuts a connection can't."""
    try:
        return not tls.read(1)
    except ssl.SSLZeroReturnError:
        return True
    except ssl.SSLError:
        return False
