"""The callbacks' face: asynchat's contract, without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._connection import Connection
from ._errors import RecordTooLong
from ._events import DataReceived, EOFReceived, RecordSkipped, TerminatorFound, check_too_long

if TYPE_CHECKING:
    from typing import Literal

    from ._producers import Producer
    from ._terminators import Terminator

__all__ = ["Chat"]


class Chat:
    r"""A protocol as callbacks: subclass it, and implement `collect_incoming_data` and `found_terminator`.

    The same class, unchanged, runs on every backend, and in a test that feeds it bytes.

    Args:
        terminator: what ends the first record, as for `set_terminator`.
        connection: the `Connection` to work on; a new one if left out.

    >>> class Echo(Chat):
    ...     def __init__(self):
    ...         super().__init__(b"\n")
    ...         self.line = b""
    ...
    ...     def collect_incoming_data(self, data):
    ...         self.line += data
    ...
    ...     def found_terminator(self):
    ...         self.push(self.line + b"\n")
    ...         self.line = b""
    >>> echo = Echo()
    >>> echo.feed(b"one\ntwo\nthr")
    >>> echo.connection.data_to_send()
    b'one\ntwo\n'
    """

    too_long: Literal["raise", "skip"] = "raise"
    """What to do about a record above the limit that `Limited` set: ``"raise"`` calls `record_too_long` at
    once, ``"skip"`` calls `record_skipped` at its end."""

    def __init__(
        self, terminator: Terminator = None, *, connection: Connection | None = None
    ) -> None:
        self.connection = Connection() if connection is None else connection
        """The machine behind this chat."""
        self._eof_delivered = False
        if terminator is not None:
            self.set_terminator(terminator)

    # For subclasses to implement.

    def collect_incoming_data(self, data: bytes) -> None:
        """Called with the next bytes of the record in progress, never empty, in any number of pieces."""
        raise NotImplementedError("a Chat must implement collect_incoming_data()")

    def found_terminator(self) -> None:
        """Called when the record in progress is complete."""
        raise NotImplementedError("a Chat must implement found_terminator()")

    def record_too_long(self, error: RecordTooLong) -> None:
        """Called as soon as the record in progress is known to be too long, after the bytes up to its limit.

        Unless overridden, it raises ``error`` out of `dispatch`. If it returns, the rest of the record is
        passed over.
        """
        raise error

    def record_skipped(self, size: int) -> None:
        """Called in place of `found_terminator` when a record of ``size`` bytes was too long."""

    def eof_received(self, clean: bool) -> None:
        """Called once, when the stream ended, and all before its end was delivered.

        Unless overridden, it calls `close_when_done`: what was pushed is still sent.

        Args:
            clean: as in `EOFReceived`.
        """
        self.close_when_done()

    def connection_lost(self, error: Exception | None) -> None:
        """Called once by a backend, when the connection is closed and no other call will come.

        Args:
            error: what ended it; None if it was closed in good order.
        """

    # asynchat's verbs.

    def set_terminator(self, terminator: Terminator) -> None:
        """As `Connection.set_terminator`."""
        self.connection.set_terminator(terminator)

    def get_terminator(self) -> Terminator:
        """As `Connection.get_terminator`."""
        return self.connection.get_terminator()

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """As `Connection.push`."""
        self.connection.push(data)

    def push_producer(self, producer: Producer) -> None:
        """As `Connection.push_producer`."""
        self.connection.push_producer(producer)

    def close_when_done(self) -> None:
        """As `Connection.close_when_done`."""
        self.connection.close_when_done()

    def discard_buffers(self) -> None:
        """As `Connection.discard_buffers`."""
        self.connection.discard_buffers()

    def abort(self) -> None:
        """Close the connection at once, by way of `Connection.abort`; what was not sent is lost.

        No callback follows but `connection_lost`, soon.
        """
        self.connection.abort()

    # What drives it.

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """`Connection.receive_data`, then `dispatch`."""
        self.connection.receive_data(data)
        self.dispatch()

    def feed_eof(self) -> None:
        """`Connection.receive_eof`, then `dispatch`."""
        self.connection.receive_eof()
        self.dispatch()

    def dispatch(self, *, until_congested: bool = False) -> None:
        """Make the callbacks for what was received; none after `close_when_done`.

        When one raises, it has had its data, what is behind that is still there, and calling again goes on.

        Args:
            until_congested: stop, after any callback, while the output is congested.

        Raises:
            RecordTooLong: unless `record_too_long` or `too_long` says otherwise.
            ValueError: `too_long` is neither ``"raise"`` nor ``"skip"``.
            Exception: whatever a callback raises.
        """
        connection = self.connection
        while not self._must_pause(until_congested):
            too_long = self.too_long
            if too_long != "raise":
                check_too_long(too_long)
            try:
                for event in connection._events(too_long):
                    # The events have no subclasses, and this is asked for each record twice.
                    if type(event) is DataReceived:
                        self.collect_incoming_data(event.data)
                    elif type(event) is TerminatorFound:
                        self.found_terminator()
                    elif type(event) is RecordSkipped:
                        self.record_skipped(event.size)
                    elif type(event) is EOFReceived and not self._eof_delivered:
                        self._eof_delivered = True
                        self.eof_received(event.clean)
                    # As _must_pause has it, without the calls that would cost as much as a callback.
                    if connection._closing or (
                        until_congested
                        and connection._before_run + len(connection._run) > connection._low_water
                        and connection.congested
                    ):
                        break
                return
            except RecordTooLong as error:
                if not connection._passing_over:
                    # A callback's own: not about this connection.
                    raise
                self.record_too_long(error)

    def _must_pause(self, until_congested: bool) -> bool:
        connection = self.connection
        return connection.closing or (until_congested and connection.congested)
