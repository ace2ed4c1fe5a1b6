"""A peer that follows a script, in memory or over a socket."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ._feeders import Cut, whole
from ._picture import draw_difference

if TYPE_CHECKING:
    import socket

    from typing_extensions import Self

    from termsplit import Chat

    from ._memory_sockets import MemorySocket

__all__ = ["NotAsScripted", "Script"]

_LONGEST_WAIT = 10.0


class NotAsScripted(AssertionError):
    """The other side did something else than the script expects; the message shows the step."""


class Script:
    r"""A peer that says what it is told to, and insists on the answers it was told of.

    The calls that write it can be chained. One script may be played any number of times.

    >>> from termsplit import Chat
    >>> class Echo(Chat):
    ...     def __init__(self):
    ...         super().__init__(b"\r\n")
    ...         self.line = b""
    ...
    ...     def collect_incoming_data(self, data):
    ...         self.line += data
    ...
    ...     def found_terminator(self):
    ...         self.push(self.line.upper())
    ...         self.line = b""
    >>> script = Script().send(b"hello\r\n").expect(b"hello\r\n").send_eof().expect_eof()
    >>> script.play(Echo())
    Traceback (most recent call last):
    ...
    termsplit.testing._script.NotAsScripted: step 2 of 4, expect b'hello\r\n':
    <BLANKLINE>
    want   b'hello\r\n'
    got    b'HELLO'  (nothing more came)
    """

    def __init__(self) -> None:
        self._steps: list[tuple[str, bytes, Cut]] = []

    def send(self, data: bytes, cut: Cut = whole) -> Self:
        """Send bytes.

        Args:
            data: the bytes.
            cut: makes the chunks in which they are sent. Over a socket each is a send of its own; what the network
                and the other side's buffer make of that is theirs.
        """
        self._steps.append(("send", data, cut))
        return self

    def expect(self, data: bytes) -> Self:
        """Wait for just these bytes, in any chunks."""
        self._steps.append(("expect", data, whole))
        return self

    def send_eof(self) -> Self:
        """End what this peer sends."""
        self._steps.append(("send_eof", b"", whole))
        return self

    def expect_eof(self) -> Self:
        """Wait for the other side to end what it sends, without another byte."""
        self._steps.append(("expect_eof", b"", whole))
        return self

    def play(self, chat: Chat) -> None:
        """Play it in memory.

        Args:
            chat: the other side, before anything was fed to it.

        Raises:
            NotAsScripted: the chat sends anything else than the script expects, by the end of the script.
            Exception: whatever it raises.
        """
        self._play(_InMemory(chat))

    def play_on(self, sock: socket.socket | MemorySocket) -> None:
        """Play it over a connected socket, whose time-out is the longest wait. The socket stays open.

        Raises:
            NotAsScripted: other bytes came than the script expects, or none.
            OSError: sending failed.
        """
        self._play(_OnSocket(sock))

    @contextmanager
    def serve(self, timeout: float = _LONGEST_WAIT) -> Generator[tuple[str, int]]:
        """Listen on this machine, and play it with the first client, in a thread; then close the connection.

        Args:
            timeout: how long to wait for the client, and for each of its answers, in seconds.

        Returns:
            a context manager that gives the host and the port. At its end it waits for the script to end.

        Raises:
            NotAsScripted, OSError: as `play_on` does; at the end of the context. An error of the client's own is
                its context then.
        """
        import socket

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(timeout)

            def accept() -> socket.socket:
                accepted, _ = listener.accept()
                accepted.settimeout(timeout)
                return accepted

            with self._in_thread(accept):
                yield listener.getsockname()

    @contextmanager
    def connect(self, host: str, port: int, timeout: float = _LONGEST_WAIT) -> Generator[None]:
        """Connect to a server, and play it there, in a thread; then close the connection.

        Args:
            host: the server's name or address.
            port: the server's port.
            timeout: how long to wait for the server, and for each of its answers, in seconds.

        Returns:
            a context manager. At its end it waits for the script to end.

        Raises:
            NotAsScripted, OSError: as `serve` does.
        """
        import socket

        with self._in_thread(lambda: socket.create_connection((host, port), timeout)):
            yield

    @contextmanager
    def _in_thread(self, connect: Callable[[], Any]) -> Generator[None]:
        import socket
        import threading

        failures: list[Exception] = []

        def run() -> None:
            try:
                with connect() as sock:
                    # Small chunks leave at once, each by itself.
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.play_on(sock)
            except Exception as error:  # noqa: BLE001 - it is raised in the caller's thread
                failures.append(error)

        thread = threading.Thread(target=run, name="termsplit script")
        thread.start()
        try:
            yield
        finally:
            thread.join()
            for failure in failures:
                raise failure

    def _play(self, player: _Player) -> None:
        __tracebackhide__ = True
        for number, (kind, data, cut) in enumerate(self._steps, start=1):
            if kind == "send":
                for chunk in cut(data):
                    player.send(chunk)
            elif kind == "send_eof":
                player.send_eof()
            else:
                got, why = player.receive(data, kind == "expect_eof")
                if why or got != data:
                    what = f"expect {data!r}" if kind == "expect" else "expect the end"
                    step = f"step {number} of {len(self._steps)}, {what}:"
                    raise NotAsScripted(_describe(step, data, got, why))
        if left := player.left():
            raise NotAsScripted(_describe("behind the last step:", b"", left, "that is too much"))


class _Player(Protocol):
    """One way to reach the other side."""

    def send(self, chunk: bytes) -> None: ...

    def send_eof(self) -> None: ...

    def receive(self, expected: bytes, eof: bool) -> tuple[bytes, str]:
        """What came as long as it was as expected, and what went wrong besides."""
        ...

    def left(self) -> bytes:
        """What came in vain, as far as that is known."""
        ...


class _InMemory:
    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._received = b""

    def send(self, chunk: bytes) -> None:
        self._chat.feed(chunk)

    def send_eof(self) -> None:
        self._chat.feed_eof()

    def receive(self, expected: bytes, eof: bool) -> tuple[bytes, str]:
        self._drain()
        if eof:
            got, self._received = self._received, b""
            return got, "" if self._chat.connection.must_close else "it does not close"
        got, self._received = self._received[: len(expected)], self._received[len(expected) :]
        return got, "" if len(got) == len(expected) else "nothing more came"

    def left(self) -> bytes:
        self._drain()
        return self._received

    def _drain(self) -> None:
        connection = self._chat.connection
        while data := connection.data_to_send():
            self._received += data
            connection.data_sent(len(data))


class _OnSocket:
    def __init__(self, sock: socket.socket | MemorySocket) -> None:
        self._sock = sock

    def send(self, chunk: bytes) -> None:
        self._sock.sendall(chunk)

    def send_eof(self) -> None:
        self._sock.shutdown(1)  # for writing

    def receive(self, expected: bytes, eof: bool) -> tuple[bytes, str]:
        got = b""
        try:
            while expected.startswith(got) and (eof or got != expected):
                data = self._sock.recv(1 if eof else len(expected) - len(got))
                if not data:
                    return got, "" if eof else "then the end"
                got += data
        except OSError as error:
            return got, f"then {error!r}"
        return got, ""

    def left(self) -> bytes:
        return b""


def _describe(step: str, expected: bytes, got: bytes, why: str) -> str:
    if got == expected:
        lines = f"got    {got!r}"
    else:
        lines = draw_difference([expected], [got], operator.eq, ("want", "got"))
    return f"{step}\n\n{lines}" + (f"  ({why})" if why else "")
