"""One conformance suite for every adapter that binds termsplit to a loop.

The scenarios (`_conformance`) are coroutines, written once. The stream under test is at one end of a real
connection; at the other is a `Peer`, a plain socket with a thread of its own. A `BackendHarness` says how to do on a
loop what only its adapter can know. A stream that blocks is wrapped so that its methods can be awaited: a coroutine
that waits for nothing else needs no loop.
"""

from __future__ import annotations

import abc
import concurrent.futures
import contextlib
import os
import socket
import ssl
import stat
import struct
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from termsplit import Connection

if TYPE_CHECKING:
    from termsplit import Chat

__all__ = ["BackendFailed", "BackendHarness", "backend_scenarios", "check_backend"]

T = TypeVar("T")

HOSTNAME = "localhost"
# A peer gives up, and resets the connection, when a scenario takes longer.
_DEADLINE = 30.0


class BackendFailed(AssertionError):
    """An adapter failed a scenario, which the message names; the ``__cause__`` says how."""


class BackendHarness(abc.ABC):
    """How to do on a loop what `check_backend` needs: subclass it for your adapter.

    "The stream" is always what `connect` returned, or its like.
    """

    transports: tuple[str, ...] = ("tcp", "unix", "tls")
    """The transports to run the scenarios over, of ``"tcp"``, ``"unix"`` and ``"tls"``."""

    lacks: frozenset[str] = frozenset()
    """What the adapter does not claim to do, so that the scenarios that need it are left out:

    ``"faces"``
        receive by any other way than a `Chat`
    ``"tasks"``
        let several tasks use one stream, and send in the background what is pushed
    ``"interrupt"``
        go on after a cancellation or time-out
    ``"half-close"``
        end one direction of the transport (over TLS no adapter is asked to)
    ``"reset"``
        tell a reset from an end
    ``"truncation"``
        tell a TLS stream that was cut off from one that ended
    ``"starttls"``
        begin TLS in mid-stream
    ``"detach"``
        hand over the transport
    """

    tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
    """The settings of a server that is ``localhost``, and of a client that trusts it; None to leave TLS out."""

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run an async function on the loop, to its end.

        Unless overridden it needs no loop, and waits for nothing: for adapters that block.
        """
        _finish(main())

    @abc.abstractmethod
    async def connect(
        self,
        address: tuple[str, int] | str,
        connection: Connection,
        context: ssl.SSLContext | None,
    ) -> Any:
        """Open a stream.

        Args:
            address: host and port of a TCP socket, or the path of a Unix socket.
            connection: the machine to use.
            context: speak TLS with these settings, to a server that has the host's name; None for no TLS.
        """

    @abc.abstractmethod
    async def chat(self, chat: Chat, stream: Any) -> None:
        """Drive ``chat`` on the stream, to the end of the connection: as a rule ``await run(chat, stream)``."""

    async def wait(self, future: concurrent.futures.Future[T]) -> T:
        """Wait for what another thread does, while the loop goes on; the future's result."""
        return future.result()

    async def interrupt(self, call: Callable[[], Coroutine[Any, Any, object]], turns: int) -> None:
        """Begin ``call()``, and when it has waited for a while cancel it, or let it time out.

        Returns when it has ended, in this way or by itself.

        Args:
            call: an async function.
            turns: after so many turns of the loop, 1 or more, if the adapter can count them.
        """
        raise NotImplementedError("expected a harness that interrupts, or lacks 'interrupt'")

    async def together(self, *calls: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run several async functions at once, each in a task, to the end of all."""
        raise NotImplementedError("expected a harness with tasks, or one that lacks 'tasks'")

    async def close_transport(self, transport: Any) -> None:
        """Close what the stream's ``detach`` handed over."""
        transport.close()

    def tasks(self) -> int:
        """How many tasks there are now, so that one which is left can be told; always 0, unless overridden."""
        return 0


def backend_scenarios(harness: BackendHarness) -> list[str]:
    """The names of the scenarios that `check_backend` holds an adapter to.

    Each is what must be true, and over what: ``"closing twice is harmless, over tcp"``.
    """
    return list(_scenarios(harness))


def check_backend(harness: BackendHarness, *names: str) -> None:
    """Hold an adapter to what every backend promises, over real sockets on loopback.

    Args:
        harness: how to do on the adapter's loop what the suite needs.
        *names: of `backend_scenarios`, those to run; all, if left out.

    Raises:
        BackendFailed: in the first scenario that fails.
        ValueError: there is no scenario of such a name.
    """
    scenarios = _scenarios(harness)
    for name in names or scenarios:
        if name not in scenarios:
            raise ValueError(f"expected one of backend_scenarios(harness), got {name!r}")
        scenario, transport = scenarios[name]
        try:
            _hold(harness, scenario, transport)
        except Exception as error:
            raise BackendFailed(f"{name}: {_first(error)!r}") from error


class Counting(Connection):
    """A connection that counts how often the adapter has sent something."""

    sends = 0

    def data_sent(self, count: int) -> None:
        if count:
            self.sends += 1
        super().data_sent(count)


class Peer:
    """The other end of the connection: a plain socket that works in a thread of its own, one job after the other."""

    def __init__(self, harness: BackendHarness, thread: concurrent.futures.Executor) -> None:
        self._harness = harness
        self._thread = thread
        self.sock: socket.socket

    def start(self, job: Callable[[socket.socket], T]) -> concurrent.futures.Future[T]:
        """Begin a job; wait for it with `BackendHarness.wait`."""
        return self._thread.submit(lambda: job(self.sock))

    async def do(self, job: Callable[[socket.socket], T]) -> T:
        return await self._harness.wait(self.start(job))

    async def send(self, data: bytes) -> None:
        await self.do(lambda sock: sock.sendall(data))

    async def receive(self, size: int) -> bytes:
        return await self.do(lambda sock: receive(sock, size))

    async def end(self) -> None:
        """Send no more, but receive."""
        await self.do(lambda sock: sock.shutdown(socket.SHUT_WR))

    async def finish(self) -> None:
        """End the stream as the rules want it; with TLS that is more than to end its transport."""
        if isinstance(self.sock, ssl.SSLSocket):
            # The answer may come when our side is closed: this is not waited for.
            self.start(finish)
        else:
            await self.end()

    async def reset(self) -> None:
        await self.do(reset)

    def leave(self) -> None:
        """Close the socket under whatever job is still at it."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)
        self.sock.close()


def receive(sock: socket.socket, size: int) -> bytes:
    """Just so many bytes; fewer only at the end."""
    received = bytearray()
    while len(received) < size and (data := sock.recv(min(size - len(received), 65536))):
        received += data
    return bytes(received)


def receive_to_end(sock: socket.socket) -> bytes:
    """All there is up to the end, which is answered by closing."""
    received = bytearray()
    while data := sock.recv(65536):
        received += data
    sock.close()
    return bytes(received)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def finish(sock: socket.socket) -> None:
    """End what is sent, as the rules want it; with TLS that waits for the answer."""
    if isinstance(sock, ssl.SSLSocket):
        with contextlib.suppress(OSError):
            sock.unwrap()
    else:
        sock.shutdown(socket.SHUT_WR)


class Trial:
    """One scenario under way."""

    def __init__(self, harness: BackendHarness, connection: Counting, peer: Peer) -> None:
        self.harness = harness
        self.connection = connection
        self.peer = peer
        self.opened: Any
        self.stream: Any  # the same, with methods that can be awaited

    async def wait(self, future: concurrent.futures.Future[T]) -> T:
        return await self.harness.wait(future)

    async def chat(self, chat: Chat) -> None:
        await self.harness.chat(chat, self.opened)

    async def interrupt(
        self, call: Callable[[], Coroutine[Any, Any, object]], turns: int = 20
    ) -> None:
        await self.harness.interrupt(call, turns)

    async def close(self) -> bytes:
        """Close the stream in good order; all that the peer has received."""
        received = self.peer.start(receive_to_end)
        await self.stream.aclose()
        return await self.wait(received)


Scenario = Callable[[Trial], Coroutine[Any, Any, None]]


def _scenarios(harness: BackendHarness) -> dict[str, tuple[Scenario, str]]:
    from ._conformance import SCENARIOS

    chosen: dict[str, tuple[Scenario, str]] = {}
    for transport in harness.transports:
        lacks = set(harness.lacks)
        if transport == "tls":
            if harness.tls is None:
                continue
            lacks |= {"half-close", "starttls"}
        else:
            lacks |= {"truncation"}
        if harness.tls is None:
            lacks |= {"starttls"}
        if transport == "unix":
            if not hasattr(socket, "AF_UNIX"):
                continue
            # Unix sockets have no way to reset.
            lacks |= {"reset"}
        for scenario, needs in SCENARIOS.items():
            if not needs & lacks:
                name = scenario.__name__.replace("_", " ")
                chosen[f"{name}, over {transport}"] = scenario, transport
    return chosen


def _hold(harness: BackendHarness, scenario: Scenario, transport: str) -> None:
    threads = _threads()
    _hold_with_peer(harness, scenario, transport)
    for thread in _threads() - threads:
        thread.join(_DEADLINE)
        if thread.is_alive():
            raise AssertionError(f"expected no thread to be left, got {thread}")


def _threads() -> set[threading.Thread]:
    """Those that must end before the process can."""
    return {thread for thread in threading.enumerate() if not thread.daemon}


def _hold_with_peer(harness: BackendHarness, scenario: Scenario, transport: str) -> None:
    with contextlib.ExitStack() as exits:
        listener = exits.enter_context(_listener(transport))
        thread = exits.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        secured = transport == "tls"

        def accept() -> socket.socket:
            accepted, _ = listener.accept()
            accepted.settimeout(_DEADLINE)
            if transport != "unix":
                # What was sent has arrived, then.
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secured and harness.tls is not None:
                return harness.tls[0].wrap_socket(
                    accepted, server_side=True, suppress_ragged_eofs=False
                )
            return accepted

        async def main() -> None:
            tasks, sockets = harness.tasks(), _open_sockets()
            accepting = thread.submit(accept)
            connection = Counting()
            peer = Peer(harness, thread)
            trial = Trial(harness, connection, peer)
            address, context = listener.getsockname(), None
            if secured and harness.tls is not None:
                address, context = (HOSTNAME, address[1]), harness.tls[1]
            stream = await harness.connect(address, connection, context)
            trial.opened = stream
            trial.stream = stream if hasattr(stream, "aclose") else _Awaitable(stream)
            peer.sock = await harness.wait(accepting)
            watch = threading.Timer(_DEADLINE, peer.leave)
            watch.start()
            try:
                await scenario(trial)
            finally:
                watch.cancel()
                watch.join()
                await trial.stream.abort()
                peer.leave()
            # The loop may have to turn before what was closed is gone.
            for _ in range(100):
                if harness.tasks() <= tasks and _open_sockets() <= sockets:
                    break
                await harness.wait(thread.submit(int))
            else:
                raise AssertionError(
                    f"expected nothing to be left, got {harness.tasks() - tasks} tasks "
                    f"and the sockets {_open_sockets() - sockets}"
                )

        harness.run(main)


@contextlib.contextmanager
def _listener(transport: str) -> Generator[socket.socket]:
    with contextlib.ExitStack() as exits:
        if transport == "unix":
            listener = exits.enter_context(socket.socket(socket.AF_UNIX))
            folder = exits.enter_context(tempfile.TemporaryDirectory())
            listener.bind(os.path.join(folder, "socket"))
            listener.listen()
        else:
            listener = exits.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(_DEADLINE)
        yield listener


def _open_sockets() -> set[int]:
    """The file descriptors of the process that are sockets; none where the system does not tell."""
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except FileNotFoundError:
        return set()
    found = set[int]()
    for number in numbers:
        # The one that listed them is closed again.
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                found.add(number)
    return found


def _finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as result:
        return result.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("expected a coroutine that never waits, got one that does")


class _Awaitable:
    """A stream that blocks, with methods that can be awaited."""

    _waits: ClassVar = {
        "next_event",
        "receive_message",
        "receive_record",
        "send",
        "flush",
        "start_tls",
        "detach",
        "abort",
    }
    _iterates: ClassVar = {"events", "records", "messages"}

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stream, "close" if name == "aclose" else name)

        async def call(*args: Any, **options: Any) -> Any:
            return method(*args, **options)

        async def iterate(*args: Any, **options: Any) -> AsyncIterator[Any]:
            for item in method(*args, **options):
                yield item

        if name in self._iterates:
            return iterate
        return call if name == "aclose" or name in self._waits else method


def _first(error: BaseException) -> BaseException:
    """The one that counts, where a loop has wrapped it in groups."""
    while (wrapped := getattr(error, "exceptions", None)) is not None:
        error = wrapped[0]
    return error
