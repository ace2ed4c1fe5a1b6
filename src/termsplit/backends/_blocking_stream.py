"""The blocking stream: over any socket, or a pair of binary files.

Nothing is sent in the background: what was pushed leaves, all of it together, before the next wait for input, at
`send`, `flush` and `close`.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from termsplit._errors import ConnectionLost, LocalProtocolError

from ._blocking_files import Files
from ._blocking_reading import Reading
from ._faces import HANDSHAKE_FAILED, LINGER, RECEIVE_SIZE, aborted, lost, peer_name

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._chat import Chat
    from termsplit._connection import Connection

S = TypeVar("S")
T = TypeVar("T")


class ChatStream(Reading):
    """A `Connection` on a socket, or on a file to read from and one to write to.

    One thread at a time may use it, but for `abort`.

    Args:
        transport: a connected socket, with TLS or without, whose time-out is the longest wait of every call; or
            two binary files, the first to read from. It belongs to this object now.
        connection: the machine to use; a new `Connection` if left out.
    """

    def __init__(
        self,
        transport: socket.socket | tuple[BinaryIO, BinaryIO],
        connection: Connection | None = None,
    ) -> None:
        super().__init__(connection)
        self.transport: Any = transport
        self._transport: Any = Files(*transport) if isinstance(transport, tuple) else transport
        self.peer: Any = peer_name(self._transport)
        """The peer's address, as its address family has it; None for files."""
        self._eof_sent = False
        self._aborted = False

    @property
    def ssl_object(self) -> ssl.SSLSocket | None:
        """The TLS socket; None without TLS."""
        return self._transport if hasattr(self._transport, "unwrap") else None

    # Sending and closing.

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Push ``data``, and send all that is queued; raises as `Connection.push` and `flush` do."""
        self.connection.push(data)
        self.flush()

    def flush(self) -> None:
        """Send all that is queued.

        Nothing is received meanwhile: if the peer waits for its answers to be taken, before it takes more, both wait,
        until the time-out. So do not push more than the sockets hold to a peer that answers it all.

        Raises:
            TimeoutError: nothing went for the socket's time-out; calling again goes on.
            ConnectionLost: the transport failed.
            Exception: what a producer raised.
        """
        connection = self.connection
        if connection.broken is not None:
            raise connection.broken
        if self._aborted:
            raise self._input_lost or lost(None, "the stream was aborted")
        while connection.output_pending and (data := connection.data_to_send()):
            connection.data_sent(self._attempt(self._transport.send, data))
        if connection.must_close and not (self._eof_sent or self._detached):
            self._eof_sent = True
            if self.ssl_object is None:
                # All was taken, and who is gone need not be told.
                with contextlib.suppress(OSError):
                    self._transport.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Send what was pushed, then close. Idempotent.

        When anything fails, it closes at once and leaves nothing open.

        Raises:
            TimeoutError, ConnectionLost: before the transport had taken all that was pushed.
            Exception: what a producer raised.
        """
        if self._over:
            return
        try:
            self.connection.close_when_done()
            self.flush()
            self._linger()
        except BaseException:
            self.abort()
            raise
        self._closed = self._over = True
        self._transport.close()

    def abort(self) -> None:
        """Close the transport at once; what was not sent is lost. Idempotent.

        Another thread that waits on the socket is woken.
        """
        if self._over:
            return
        self._wake()
        try:
            self._transport.close()
        finally:
            self._drop_output()

    def detach(self) -> tuple[Any, bytes]:
        """Send what was pushed, and hand over the transport with the bytes that are not taken yet."""
        self._refuse_to_receive()
        self.flush()
        return self.transport, self._hand_over()

    def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
    ) -> None:
        """Send what was pushed, then go on over TLS: STARTTLS, in mid-stream.

        When the handshake fails, or times out, it closes the transport at once: every later call raises one
        `ConnectionLost`, which says why.

        Args:
            context: the TLS settings.
            server_side: whether this is the server's side.
            server_hostname: the name that the server's certificate must bear; a client has to give it, unless
                the settings check none (`ssl.SSLContext.check_hostname`).

        Raises:
            UnexpectedData: bytes were received behind the request; they would pass for encrypted ones.
            ValueError: ``server_hostname`` is needed, and left out; nothing has happened.
            TimeoutError, ConnectionLost: the transport failed, or the handshake did.
            LocalProtocolError: the transport is a pair of files.
        """
        if isinstance(self._transport, Files):
            raise LocalProtocolError("expected a socket to begin TLS on, got a pair of files")
        self._refuse_to_start_tls(context, server_side, server_hostname)
        self.flush()

        def wrap(sock: socket.socket) -> ssl.SSLSocket:
            # Of one that is gone it would take the file descriptor, and not give it back.
            sock.getpeername()
            return context.wrap_socket(
                sock,
                server_side=server_side,
                server_hostname=server_hostname,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )

        try:
            self.transport = self._transport = self._attempt(
                wrap, self._transport, failed=HANDSHAKE_FAILED
            )
            # Another thread may have closed the socket that this one has replaced.
            self._refuse_to_receive()
            self._attempt(lambda tls: tls.do_handshake(), self._transport, failed=HANDSHAKE_FAILED)
        except BaseException as cause:
            self._handshake_lost(cause)
            self.abort()
            raise

    def __enter__(self) -> Self:
        """The end of the block is `close`, or `abort` if anything is raised."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    # What stands behind them.

    def _fill(self) -> None:
        self._start_receiving()
        try:
            self.flush()
            data = self._attempt(self._transport.recv, RECEIVE_SIZE)
        except ConnectionLost as error:
            self._input_lost = error
            raise
        finally:
            self._receiving = False
        if data:
            self.connection.receive_data(data)
        elif self._aborted:
            raise lost(None, "the stream was aborted")
        else:
            self.connection.receive_eof()

    def _attempt(
        self, operation: Callable[[S], T], argument: S, *, failed: str = "the peer is gone"
    ) -> T:
        """What the transport's operation returns; its errors are those of a lost peer, but for a time-out."""
        try:
            return operation(argument)
        except TimeoutError:
            raise
        except OSError as cause:
            raise lost(cause, failed) from cause
        except ValueError as cause:
            # So say files, and sockets with TLS, that another thread has closed.
            if not self._closed:
                raise
            raise lost(cause) from cause

    def _wake(self) -> None:
        """Let every thread that waits on the socket go on; it is of no use any more."""
        self._closed = self._aborted = True
        # It may be closed already.
        with contextlib.suppress(OSError):
            self._beneath_tls("shutdown")(socket.SHUT_RDWR)

    def _beneath_tls(self, name: str) -> Any:
        """A method of the socket itself: that of a socket with TLS does something else."""
        if self.ssl_object is None:
            return getattr(self._transport, name)
        return functools.partial(getattr(socket.socket, name), self._transport)

    def _linger(self) -> None:
        """Drop input until the peer ends its side too, for `LINGER` seconds at the most."""
        sock = self._transport
        if isinstance(sock, Files):
            return
        deadline = time.monotonic() + LINGER
        # All was sent: how the peer ends its side is its own affair.
        if self.ssl_object is not None:
            sock.settimeout(LINGER)
            with contextlib.suppress(OSError):
                sock.unwrap()
            with contextlib.suppress(OSError):
                self._beneath_tls("shutdown")(socket.SHUT_WR)
        receive = self._beneath_tls("recv")
        with contextlib.suppress(OSError):
            while not self._input_over and (left := deadline - time.monotonic()) > 0:
                sock.settimeout(left)
                if not receive(RECEIVE_SIZE):
                    break

    def _run(self, chat: Chat) -> None:
        self._adopt(chat)
        connection = self.connection
        error: Exception | None = None
        try:
            while not connection.closing:
                chat.dispatch(until_congested=True)
                if connection.congested:
                    self.flush()
                elif self._input_over:
                    # Nothing more can come, and no other thread may push.
                    break
                elif not connection.closing:
                    self._fill()
            if connection.aborted:
                raise aborted()
            self.close()
        except BaseException as raised:
            error = raised if isinstance(raised, Exception) else lost(raised, "interrupted")
            self.abort()
            if not isinstance(raised, ConnectionLost):
                raise
        finally:
            chat.connection_lost(error)
