"""What the streams whose methods are coroutines have in common; no loop is imported here.

A loop adds how bytes are read and written, how a task is started, and which exceptions mean that the peer is gone.
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from termsplit._errors import ConnectionLost, RemoteProtocolError
from termsplit._events import NEED_DATA, NeedData

from ._async_reading import AsyncReading
from ._faces import aborted, lost

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._chat import Chat
    from termsplit._connection import Connection

T = TypeVar("T")


class _Event(Protocol):
    def set(self) -> Any: ...
    async def wait(self) -> Any: ...


class AsyncChatStream(AsyncReading):
    """A stream whose methods are coroutines, on whatever loop.

    What is pushed is sent in the background as soon as the task that pushes lets go: so all replies to one
    chunk leave together. What goes wrong there is raised by the next call. Where more data has to come before there
    is anything to do, it needs no background, as far as the transport takes it at once.
    """

    def __init__(self, connection: Connection | None) -> None:
        super().__init__(connection)
        self._failure: Exception | None = None  # why what is queued cannot be sent
        self._progress: _Event | None = None
        self._holding = False  # what is pushed waits for _release
        self._pushed_meanwhile = False
        self.connection.on_output = self._output_changed

    # What a loop adds.

    @abc.abstractmethod
    def _start_sending(self) -> None:
        """See to it that what is queued is sent soon, without waiting for it."""

    @abc.abstractmethod
    def _send_at_once(self) -> None:
        """Send what the transport takes without waiting, and the rest as `_start_sending` does."""

    @abc.abstractmethod
    def _new_event(self) -> _Event: ...

    @abc.abstractmethod
    async def _checkpoint(self) -> None:
        """What the loop demands of a call that has nothing to wait for."""

    @abc.abstractmethod
    async def _receive(self) -> None:
        """Wait until the connection got more bytes, or the end.

        Raises:
            ConnectionLost: neither will come.
        """

    @abc.abstractmethod
    def _interrupt_receiving(self) -> None:
        """Let a `_receive` that waits return without data, or `_receive_for` give up."""

    def _hold_receiving(self) -> None:
        """Take no more bytes from the transport unless asked to."""

    @abc.abstractmethod
    async def _close(self) -> None:
        """Close the transport in good order: all was sent, and nobody receives."""

    @abc.abstractmethod
    async def _abort(self) -> None:
        """Close the transport at once."""

    @abc.abstractmethod
    async def _start_tls(
        self, context: ssl.SSLContext, server_side: bool, hostname: str | None
    ) -> None: ...

    # Sending and closing.

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Push ``data``, and wait while the output is congested.

        It is sent at once, as far as the transport takes it; or, where something received waits to be taken, in the
        background, together with the next replies.

        Cancelled, it has pushed all the same: the data goes out once.

        Raises:
            ConnectionLost: the transport failed.
            TypeError, LocalProtocolError: as `Connection.push` does.
            Exception: what a producer raised.
        """
        self._holding = True
        try:
            self.connection.push(data)
        finally:
            self._release(at_once=self.connection._nothing_at_hand)
        await self._sent(lambda: not self.connection.congested)

    async def flush(self) -> None:
        """Wait until the transport has taken all that was pushed.

        Raises:
            ConnectionLost: the transport failed.
            Exception: what a producer raised.
        """
        await self._sent(self._output_taken)

    async def aclose(self) -> None:
        """Send what was pushed, then close. Idempotent.

        Cancelled, or when anything fails, it closes at once and leaves nothing open.

        Raises:
            ConnectionLost: the transport failed before it had taken all that was pushed.
            Exception: what a producer raised.
        """
        if self._closed:
            await self._checkpoint()
            return
        self._closed = True
        try:
            self.connection.close_when_done()
            self._interrupt_receiving()
            await self._sent(lambda: self._output_taken() and not self._receiving)
            await self._close()
            self._over = True
        except BaseException:
            await self.abort()
            raise

    async def abort(self) -> None:
        """Close the transport at once; what was not sent is lost. Idempotent."""
        if self._over:
            await self._checkpoint()
            return
        self._closed = True
        self._fail(lost(None, "the stream was aborted"))
        self._interrupt_receiving()
        try:
            await self._abort()
        finally:
            self._drop_output()

    async def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        """Send what was pushed, then go on over TLS: STARTTLS, in mid-stream.

        When the handshake fails, or is cancelled, it closes the transport at once: what was pushed meanwhile is
        dropped, and every later call raises one `ConnectionLost`, which says why.

        Args:
            context: the TLS settings.
            server_side: whether this is the server's side.
            server_hostname: the name that the server's certificate must bear; a client has to give it, unless
                the settings check none (`ssl.SSLContext.check_hostname`).

        Raises:
            UnexpectedData: bytes were received behind the request; they would pass for encrypted ones.
            ValueError: ``server_hostname`` is needed, and left out; nothing has happened.
            ConnectionLost: the transport failed, or the handshake did.
            LocalProtocolError: another task is receiving.
        """
        with self._receives():
            self._refuse_to_start_tls(context, server_side, server_hostname)
            self._hold_receiving()
            await self.flush()
            # What is pushed during the handshake has to wait for its end.
            self.connection.on_output = None
            try:
                await self._start_tls(context, server_side, server_hostname)
            except BaseException as cause:
                self._fail(self._handshake_lost(cause))
                await self.abort()
                raise
            self._watch_output()

    async def _detach(self) -> bytes:
        with self._receives():
            self._hold_receiving()
            await self.flush()
            return self._hand_over()

    async def __aenter__(self) -> Self:
        """The end of the block is `aclose`, or `abort` if anything is raised."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self.aclose()
        else:
            await self.abort()

    # What the loops call.

    async def _pull(self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]) -> T:
        """What ``step`` gives when enough was received."""
        while (item := self._parse(step)) is NEED_DATA:
            self._start_receiving()
            try:
                item = await self._receive_for(step)
            finally:
                self._stop_receiving()
            if item is not NEED_DATA:
                break
        return item

    async def _receive_for(
        self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]
    ) -> T | Literal[NeedData.NEED_DATA]:
        """What ``step`` gives when enough was received; or NEED_DATA, if that was interrupted."""
        while True:
            await self._fill()
            item = self._parse(step)
            if item is not NEED_DATA:
                return item

    def _parse(
        self, step: Callable[[], T | Literal[NeedData.NEED_DATA]]
    ) -> T | Literal[NeedData.NEED_DATA]:
        """What ``step`` gives; what it pushes leaves all together, and at once if more data must be waited for."""
        item: T | Literal[NeedData.NEED_DATA] | None = None
        self._holding = True
        try:
            item = step()
            return item
        finally:
            self._release(at_once=item is NEED_DATA)

    def _release(self, *, at_once: bool) -> None:
        """Send what was pushed while that was held."""
        self._holding = False
        pushed, self._pushed_meanwhile = self._pushed_meanwhile, False
        if self._failure is None:
            if at_once:
                if self.connection.output_pending:
                    self._send_at_once()
            elif pushed:
                self._start_sending()

    async def _fill(self) -> None:
        self._refuse_to_receive()
        if self._failure is not None and not isinstance(self._failure, ConnectionLost):
            raise self._failure
        try:
            await self._receive()
        except ConnectionLost as error:
            self._input_lost = error
            raise

    @contextlib.contextmanager
    def _receives(self) -> Generator[None]:
        """One task at a time."""
        self._start_receiving()
        try:
            yield
        finally:
            self._stop_receiving()

    def _stop_receiving(self) -> None:
        self._receiving = False
        self._progressed()

    def _output_taken(self) -> bool:
        return not self.connection.output_pending

    async def _sent(self, enough: Callable[[], bool]) -> None:
        await self._checkpoint()
        while True:
            if self._failure is not None:
                raise self._failure
            if enough():
                return
            if self._progress is None:
                self._progress = self._new_event()
            await self._progress.wait()

    def _progressed(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.set()

    def _fail(self, error: Exception) -> None:
        """Keep ``error`` for the next call; nothing more will be sent."""
        if self._failure is None:
            self._failure = error
        self._progressed()

    def _fail_to_produce(self, error: Exception) -> None:
        """`_fail`, with what a producer raised; a task that receives is told as well."""
        self._fail(error)
        self._interrupt_receiving()

    def _watch_output(self) -> None:
        connection = self.connection
        connection.on_output = self._output_changed
        if connection.output_pending or connection.closing:
            self._output_changed()

    def _output_changed(self) -> None:
        if self.connection._aborted:
            self._fail(aborted())
            self._interrupt_receiving()
        elif self._holding:
            self._pushed_meanwhile = True
        else:
            self._start_sending()

    def _adopt(self, chat: Chat) -> None:
        super()._adopt(chat)
        self._watch_output()

    async def _handle(
        self, handler: Callable[[Self], Awaitable[None]], context: ssl.SSLContext | None
    ) -> None:
        """Let ``handler`` serve this stream; what its peer does wrong is no fault of a server."""
        try:
            async with self:
                if context is not None:
                    await self.start_tls(context, server_side=True)
                await handler(self)
        except (ConnectionLost, RemoteProtocolError):
            pass

    async def _connected(self, context: ssl.SSLContext | None, hostname: str | None) -> Self:
        if context is not None:
            try:
                await self.start_tls(context, server_hostname=hostname)
            except BaseException:
                await self.abort()
                raise
        return self

    async def _run(self, chat: Chat) -> None:
        self._adopt(chat)
        connection = self.connection
        error: Exception | None = None

        def dispatch() -> Literal[NeedData.NEED_DATA] | None:
            chat.dispatch(until_congested=True)
            if connection.congested or connection.closing or self._input_over:
                return None
            return NEED_DATA

        try:
            while not connection.closing:
                await self._pull(dispatch)
                if connection.congested:
                    await self._sent(lambda: not connection.congested)
                elif self._input_over:
                    await self._sent(lambda: connection.closing)
            await self.aclose()
        except BaseException as raised:
            error = raised if isinstance(raised, Exception) else lost(raised, "interrupted")
            await self.abort()
            if not isinstance(raised, ConnectionLost):
                raise
        finally:
            chat.connection_lost(error)
