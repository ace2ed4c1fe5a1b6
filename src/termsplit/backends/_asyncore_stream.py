"""asyncore's stream: when to read and when to write, in asyncore's terms.

All that waits elsewhere is a callback here; and time-outs are looked after at each turn of the loop, when asyncore
asks what to watch.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from termsplit._errors import ConnectionLost, LocalProtocolError, RemoteProtocolError

from ._asyncore import asyncore
from ._asyncore_dispatcher import Callbacks, Dispatcher
from ._faces import (
    HANDSHAKE_FAILED,
    LINGER,
    RECEIVE_SIZE,
    SEND_AT_ONCE,
    Faces,
    aborted,
    lost,
    send_at_once,
)

if TYPE_CHECKING:
    from termsplit._chat import Chat
    from termsplit._connection import Connection

T = TypeVar("T")


class ChatStream(Faces, Dispatcher):
    """A `Connection` on a socket that asyncore watches; `run` puts a `Chat` on it.

    Args:
        sock: a connected socket. It belongs to this object now.
        map: the channel map to join; asyncore's own if left out.
        connection: the machine to use; a new `Connection` if left out.
    """

    def __init__(
        self,
        sock: socket.socket | None,
        map: dict[int, Any] | None = None,
        connection: Connection | None = None,
    ) -> None:
        Faces.__init__(self, connection)
        Dispatcher.__init__(self, sock, map)
        # Even if the peer is gone already: that will be found out like any other loss.
        self.connected = sock is not None
        if sock is not None:
            send_at_once(sock)
        self._addresses: Iterator[tuple[int, Any]] = iter(())
        self._server: object = None
        self._chat: Chat | None = None
        self._due = False  # callbacks have waited, and may be made now
        self._tls: tuple[ssl.SSLContext, bool, str | None] | None = None  # to begin
        self._handshaking = False
        self._wanted: Literal["", "read", "write"] = ""  # by TLS, before it can go on
        self._eof_sent = False
        self._linger_until = float("inf")
        self._error: Exception | None = None  # what ended it

    @property
    def peer(self) -> Any:
        """The peer's address, as its address family has it."""
        return self.addr

    @property
    def ssl_object(self) -> ssl.SSLSocket | None:
        """The TLS socket; None without TLS."""
        return self.socket if isinstance(self.socket, ssl.SSLSocket) else None

    def send(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        """Push ``data``: it leaves when the socket takes it.

        Returns:
            how many bytes that is, all of them.
        """
        self.push(data)
        return len(data)

    def abort(self) -> None:
        """Close the socket at once; what was not sent is lost. Idempotent."""
        self._end(aborted())

    def close(self) -> None:
        """As `abort`, under the name by which ``asyncore.close_all`` calls it."""
        self.abort()

    def detach(self) -> tuple[socket.socket, bytes]:
        """Leave the channel map, and hand over the socket with the bytes that are not taken yet.

        Raises:
            LocalProtocolError: what was pushed is not all sent yet.
            ConnectionLost: the transport failed, or was closed.
        """
        self._refuse_to_receive()
        if self.connection.output_pending:
            raise LocalProtocolError("detach() before all that was pushed was sent")
        self.del_channel()
        return self.socket, self._hand_over()

    def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        """Send what was pushed, then go on over TLS: STARTTLS, in mid-stream.

        When the handshake fails, the socket is closed at once, what was pushed is dropped, and
        `Chat.connection_lost` is told.

        Args:
            context: the TLS settings.
            server_side: whether this is the server's side.
            server_hostname: the name that the server's certificate must bear; a client has to give it, unless
                the settings check none (`ssl.SSLContext.check_hostname`).

        Raises:
            UnexpectedData: bytes were received behind the request; they would pass for encrypted ones.
            ValueError: ``server_hostname`` is needed, and left out; nothing has happened.
            ConnectionLost: the transport failed, or was closed.
        """
        self._refuse_to_start_tls(context, server_side, server_hostname)
        self._tls = context, server_side, server_hostname
        self._send()

    # What asyncore asks, at each turn of the loop.

    def readable(self) -> bool:
        """Whether to watch for input: if a `Chat` can take it, and its output is not congested."""
        connection = self.connection
        if connection.aborted:
            self.abort()
        elif time.monotonic() >= self._linger_until:
            self._end(None)
        if self._closed or not self.connected:
            return False
        return self._wanted == "read" or self._takes_input

    def writable(self) -> bool:
        """Whether to watch for room for output, or for the end of a connect."""
        if self._closed:
            return False
        if not self.connected or self._wanted == "write":
            return True
        if self._handshaking:
            return False
        connection = self.connection
        return (
            self._due
            or self._tls is not None
            or connection.output_pending
            or (connection.closing and not self._eof_sent)
        )

    # What asyncore reports.

    def handle_read(self) -> None:
        """Receive a chunk, make the callbacks for it, and send what they pushed, all together."""
        self._turn(receive=self._takes_input)

    def handle_write(self) -> None:
        """Send what is queued, and make the callbacks that waited for that."""
        self._turn(receive=self._takes_input and self._wanted == "write")

    def handle_close(self) -> None:
        """Called for a hang-up: what came before it is read first."""
        super().handle_close()
        if self._input_over:
            self._end(None if self._eof_sent else lost(None))
        else:
            self._turn(receive=True)

    def handle_connect_event(self) -> None:
        """The connect has succeeded; or it has failed, and the next address is tried."""
        try:
            super().handle_connect_event()
        except OSError as cause:
            self._connect(cause)
        except ConnectionLost as error:
            self._end(error)

    def handle_connect(self) -> None:
        """Begin TLS, if it was asked for."""
        send_at_once(self.socket)
        if self._tls is not None:
            self._begin_tls()

    def _escape(self, error: Exception) -> None:
        self._end(error)
        raise error

    @property
    def _takes_input(self) -> bool:
        if self._input_over or self._handshaking or self._tls is not None:
            return False
        connection = self.connection
        if connection.closing:
            # To drop it.
            return True
        return self._chat is not None and not (self._due or connection.congested)

    def _turn(self, receive: bool) -> None:
        if self._closed or not self.connected:
            return
        self._wanted = ""
        with Callbacks(self):
            try:
                self._shake_hands()
                if receive:
                    self._receive()
                self._dispatch()
                self._send()
            except (ConnectionLost, RemoteProtocolError) as error:
                self._end(None if self._eof_sent else error)

    def _shake_hands(self) -> None:
        if self._handshaking:
            self._attempt(self.socket.do_handshake, failed=HANDSHAKE_FAILED)
            self._handshaking = bool(self._wanted)

    def _receive(self) -> None:
        if self._handshaking:
            return
        data = self._attempt(self._recv)
        if data == b"":
            self.connection.receive_eof()
            if self._eof_sent:
                self._end(None)
        elif data is not None and not self.connection.closing:
            self.connection.receive_data(data)

    def _recv(self) -> bytes:
        try:
            return cast("bytes", self.socket.recv(RECEIVE_SIZE))
        except ssl.SSLZeroReturnError:
            # So TLS says that the peer has ended its side, when we have ended ours.
            return b""

    def _dispatch(self) -> None:
        if self._chat is None or self._closed:
            return
        self._chat.dispatch(until_congested=True)
        self._due = self.connection.congested
        if self.connection.aborted:
            self.abort()

    def _send(self) -> None:
        if self._closed or self._handshaking or not self.connected:
            return
        connection = self.connection
        room = SEND_AT_ONCE
        while connection.output_pending and (data := connection.data_to_send()):
            if room <= 0:
                return
            sent = self._attempt(lambda: self.socket.send(data))
            if sent is None:
                return
            connection.data_sent(sent)
            room -= sent
        if self._tls is not None:
            self._begin_tls()
        elif connection.closing and not self._eof_sent:
            self._send_eof()

    def _send_eof(self) -> None:
        if isinstance(self.socket, ssl.SSLSocket):
            try:
                self.socket.unwrap()
            except ssl.SSLWantWriteError:
                self._wanted = "write"
                return
            except OSError:
                # The peer is told, and that was all there was to do.
                pass
        self._eof_sent = True
        if self._input_over:
            self._end(None)
        else:
            self._attempt(lambda: self.socket.shutdown(socket.SHUT_WR))
            self._linger_until = time.monotonic() + LINGER

    def _attempt(self, operation: Callable[[], T], *, failed: str = "the peer is gone") -> T | None:
        """What the socket's operation returns; None if it would have to wait."""
        try:
            return operation()
        except ssl.SSLWantReadError:
            self._wanted = "read"
        except ssl.SSLWantWriteError:
            self._wanted = "write"
        except BlockingIOError:
            pass
        except OSError as cause:
            raise lost(cause, failed) from cause
        return None

    def _begin_tls(self) -> None:
        assert self._tls is not None
        context, server_side, hostname = self._tls
        self._tls = None
        try:
            self.socket = context.wrap_socket(
                self.socket,
                server_side=server_side,
                server_hostname=hostname,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except OSError as cause:
            raise lost(cause, HANDSHAKE_FAILED) from cause
        self._handshaking = True
        self._wanted = "read" if server_side else "write"

    def _connect(self, cause: OSError | None) -> None:
        """Try the next address, after the last one failed with ``cause``."""
        for family, address in self._addresses:
            if self.socket is not None:
                asyncore.dispatcher.close(self)
            self.create_socket(family)
            try:
                self.connect(address)
                return
            except OSError as error:
                cause = error
        self._end(lost(cause, "no connection"))

    def _end(self, error: Exception | None) -> None:
        if self._closed:
            return
        self._closed = True
        self._error = error
        if isinstance(error, ConnectionLost):
            self._input_lost = error
        asyncore.dispatcher.close(self)
        try:
            self._drop_output()
        finally:
            if self._chat is not None:
                self._chat.connection_lost(error)

    def _run(self, chat: Chat) -> None:
        if self._chat is not None:
            raise LocalProtocolError(
                "expected a stream without a Chat, got one that runs one already"
            )
        self._adopt(chat)
        self._chat = chat
        self._due = True
        if self._closed:
            chat.connection_lost(self._error)
