"""The blocking server: what listens, and a thread for each peer."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from termsplit._errors import ConnectionLost, RemoteProtocolError

from ._blocking_stream import ChatStream
from ._faces import send_at_once

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from typing_extensions import Self

    from termsplit._connection import Connection

# What accepting waits, in seconds, when the process has no file descriptor left for a peer.
_RETRY_AFTER = 0.1


class Server:
    """A listening server with a thread for each peer; made by `serve`, closed by ``with``."""

    def __init__(
        self,
        handler: Callable[[ChatStream], object],
        listener: socket.socket,
        context: ssl.SSLContext | None,
        new_connection: Callable[[], Connection],
        timeout: float | None,
    ) -> None:
        self._handler = handler
        self._listener = listener
        self._context = context
        self._new_connection = new_connection
        self._timeout = timeout
        self._exits = contextlib.ExitStack()
        self._exits.enter_context(listener)
        self._lock = threading.Lock()
        self._closing = False
        self._threads: set[threading.Thread] = set()
        self._streams: set[ChatStream] = set()
        self._stop_sender, self._stop_receiver = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name="termsplit server")
        self._acceptor.start()

    @property
    def addresses(self) -> list[Any]:
        """The addresses that are listened on."""
        return [self._listener.getsockname()]

    def serve_forever(self) -> None:
        """Wait until another thread closes the server, or this one is interrupted."""
        self._acceptor.join()

    def close(self) -> None:
        """Stop listening, abort the streams that are still served, and wait for their threads. Idempotent."""
        self._stop_sender.close()
        self._acceptor.join()
        with self._lock:
            self._closing = True
            for stream in self._streams:
                stream._wake()
            threads = list(self._threads)
        for thread in threads:
            thread.join()
        self._exits.close()

    def __enter__(self) -> Self:
        """The end of the block is `close`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        self._listener.setblocking(False)
        with selectors.DefaultSelector() as selector, self._stop_receiver:
            selector.register(self._stop_receiver, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._stop_receiver in ready:
                    return
                try:
                    accepted, _ = self._listener.accept()
                except (BlockingIOError, ConnectionError):
                    # The peer that made the listener ready is gone again.
                    continue
                except OSError:
                    selector.unregister(self._listener)
                    selector.select(_RETRY_AFTER)
                    selector.register(self._listener, selectors.EVENT_READ)
                    continue
                thread = threading.Thread(target=self._serve, args=(accepted,))
                with self._lock:
                    self._threads.add(thread)
                thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        try:
            with accepted:
                accepted.settimeout(self._timeout)
                send_at_once(accepted)
                stream = ChatStream(accepted, self._new_connection())
                self._serve_stream(stream)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _serve_stream(self, stream: ChatStream) -> None:
        with self._lock:
            self._streams.add(stream)
            if self._closing:
                stream._wake()
        try:
            with stream:
                if self._context is not None:
                    stream.start_tls(self._context, server_side=True)
                self._handler(stream)
        except (ConnectionLost, RemoteProtocolError):
            # What its peer does wrong is no fault of a server.
            pass
        finally:
            with self._lock:
                self._streams.discard(stream)
