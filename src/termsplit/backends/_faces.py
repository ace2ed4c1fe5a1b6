"""What the streams of all loops are, coroutines or not: a connection, and asynchat's verbs on it."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from termsplit._connection import Connection
from termsplit._errors import ConnectionLost, IncompleteRecord, LocalProtocolError
from termsplit._events import NEED_DATA, NeedData
from termsplit._parser import Parser

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from termsplit._chat import Chat
    from termsplit._parser import Parse
    from termsplit._producers import Producer
    from termsplit._terminators import Terminator

T = TypeVar("T")

RECEIVE_SIZE = 64 * 1024

SEND_AT_ONCE = 256 * 1024
"""After so many bytes others have their turn: one producer that never runs out must not keep the loop from them."""

LINGER = 2.0
"""How long, in seconds, a closing stream waits for the peer to close its side too.

A socket that is closed while input waits in it resets the connection, and the peer may lose our last words.
"""


def lost(cause: BaseException | None, what: str = "the peer is gone") -> ConnectionLost:
    """The one exception of all backends for a transport that failed with ``cause``."""
    reason = cause
    if cause is not None and not cause.args:
        # trio's and anyio's errors say nothing but by their own cause.
        reason = cause.__cause__ or cause
    error = ConnectionLost(what if reason is None else f"{what}: {reason!r}")
    error.__cause__ = cause
    return error


HANDSHAKE_FAILED = "the TLS handshake failed"
HANDSHAKE_INTERRUPTED = "the TLS handshake was interrupted"


def aborted() -> ConnectionLost:
    """What a stream ends by after `Connection.abort`."""
    return lost(None, "the connection was aborted")


def send_at_once(sock: socket.socket) -> None:
    """Let no packet wait for the answer to the one before, as all event loops do: we cork ourselves."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        # The peer may be gone already.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def peer_name(sock: Any) -> Any:
    """The address of the peer; None if it is gone already, which will be found out like any other loss."""
    try:
        return sock.getpeername()
    except OSError:
        return None


class Items(Generic[T]):
    """The items of one face of a stream.

    An iterator and no generator: it may be abandoned at any time, and gone on with after an error, a
    cancellation or a time-out.
    """

    _end: ClassVar[type[Exception]]

    def __init__(self, stream: Faces, face: Callable[[], Iterator[T]]) -> None:
        self._stream = stream
        self._face = face
        self._items = face()

    def _next(self) -> T | Literal[NeedData.NEED_DATA]:
        try:
            for item in self._items:
                return item
        except IncompleteRecord:
            if self._stream._input_over:
                # Once: who goes on after each error must come to an end.
                self._face = _no_items
            self._items = self._face()
            raise
        except BaseException:
            self._items = self._face()
            raise
        self._items = self._face()
        if self._stream._input_over:
            raise self._end
        return NEED_DATA


def _no_items() -> Iterator[Any]:
    return iter(())


class Faces:
    """A connection, and asynchat's verbs on it."""

    def __init__(self, connection: Connection | None) -> None:
        self.connection = Connection() if connection is None else connection
        """The machine behind this stream."""
        self._receiving = False
        self._input_lost: ConnectionLost | None = None
        self._closed = False  # or about to be, or detached
        self._detached = False
        self._over = False  # the transport is closed, or no longer ours
        self._last_parser: tuple[Callable[[], Parse[Any]], Parser[Any]] | None = None

    def set_terminator(self, terminator: Terminator) -> None:
        """As `Connection.set_terminator`."""
        self.connection.set_terminator(terminator)

    def push(self, data: bytes | bytearray | memoryview) -> None:
        """As `Connection.push`."""
        self.connection.push(data)

    def push_producer(self, producer: Producer) -> None:
        """As `Connection.push_producer`."""
        self.connection.push_producer(producer)

    def close_when_done(self) -> None:
        """As `Connection.close_when_done`; the peer is told of the end when all was sent."""
        self.connection.close_when_done()

    def _parser(self, grammar: Parser[T] | Callable[[], Parse[T]]) -> Parser[T]:
        if not isinstance(grammar, Parser):
            last = self._last_parser
            if last is None or last[0] != grammar or last[1].splitter is not self.connection:
                # Kept, for who goes on in the middle of a message.
                self._last_parser = last = grammar, Parser(grammar, self.connection)
            return last[1]
        if grammar.splitter is not self.connection:
            raise ValueError("expected a Parser on this stream's connection, got one on another")
        return grammar  # pyright: ignore[reportUnknownVariableType]

    def _adopt(self, chat: Chat) -> None:
        """Go on with the connection of ``chat``, as if it had been there from the start."""
        if chat.connection is self.connection:
            return
        if self.connection.output_pending:
            raise LocalProtocolError("expected a stream that nothing was pushed on, to run a Chat")
        ended = self.connection.eof_received
        chat.connection.receive_data(self.connection.detach())
        if ended:
            chat.connection.receive_eof()
        self.connection.on_output = None
        self.connection = chat.connection

    def _start_receiving(self) -> None:
        self._refuse_to_receive()
        if self._receiving:
            raise LocalProtocolError("expected one task to receive from a stream, got two at once")
        self._receiving = True

    def _refuse_to_receive(self) -> None:
        """Raise what explains that nothing more can be received, if so it is."""
        if self._detached:
            raise LocalProtocolError("expected a stream with a transport, got a detached one")
        if self._input_lost is not None:
            # A socket reports it once, and an end after that.
            raise self._input_lost
        if self._closed:
            raise lost(None, "the stream was closed")

    def _refuse_to_start_tls(
        self, context: ssl.SSLContext, server_side: bool, hostname: str | None
    ) -> None:
        """Raise what explains that TLS can't begin, if so it is; nothing has changed then."""
        self._refuse_to_receive()
        # Some loops would check no name at all.
        if not (server_side or hostname) and context.check_hostname:
            raise ValueError(
                "expected server_hostname, the name that the server's certificate must bear, "
                "or a context whose check_hostname is False"
            )
        self.connection.refuse_trailing_data()

    def _handshake_lost(self, cause: BaseException) -> ConnectionLost:
        """What all calls to come raise: who can't go on with a handshake can't go on without one either."""
        error = cause if isinstance(cause, ConnectionLost) else lost(cause, HANDSHAKE_INTERRUPTED)
        self._input_lost = error
        return error

    @property
    def _input_over(self) -> bool:
        return bool(self.connection._input_ended_by)

    def _drop_output(self) -> None:
        """Close the producers that are queued; what is pushed from now on goes the same way."""
        self._over = True
        self.connection.on_output = self.connection.discard_buffers
        self.connection.discard_buffers()

    def _hand_over(self) -> bytes:
        """End this stream, but not its transport; pushing is refused from now on."""
        self._closed = self._detached = self._over = True
        self.connection.on_output = None
        self.connection.close_when_done()
        return self.connection.detach()
