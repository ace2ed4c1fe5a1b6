"""Handing over: to the application, and to TLS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from termsplit import ConnectionLost, LocalProtocolError, UnexpectedData
from termsplit.testing._backend import HOSTNAME, receive

from ._scenario import Lazy, done, expect, needs, raises, read_to_whatever_end

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

    from termsplit.testing._backend import Trial


@needs("faces", "detach")
async def detaching_hands_over_the_transport_and_what_was_not_taken(trial: Trial) -> None:
    stream, peer = trial.stream, trial.peer
    await peer.send(b"one\nrest")
    expect(await stream.receive_record(b"\n"), b"one")
    stream.push(b"answer")
    transport, data = await stream.detach()
    expect(data, b"rest")
    expect(await peer.receive(6), b"answer")
    await raises(LocalProtocolError, stream.send(b"more"))
    await raises(LocalProtocolError, stream.receive_record(b"\n"))
    await stream.aclose()
    await stream.abort()
    expect(await peer.do(_would_wait), True)
    await trial.harness.close_transport(transport)


def _would_wait(sock: socket.socket) -> bool:
    """Whether the connection is open, and nothing has come."""
    sock.settimeout(0)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    return False


@needs("faces", "starttls")
async def tls_begins_in_mid_stream_for_a_client(trial: Trial) -> None:
    assert trial.harness.tls is not None
    ours, theirs = trial.harness.tls[1], trial.harness.tls[0]
    await trial.peer.send(b"ready\n")
    expect(await trial.stream.receive_record(b"\n"), b"ready")
    trial.stream.push(b"go\n")

    def begin(sock: socket.socket) -> socket.socket:
        expect(receive(sock, 3), b"go\n")
        return theirs.wrap_socket(sock, server_side=True)

    beginning = trial.peer.start(begin)
    await trial.stream.start_tls(ours, server_hostname=HOSTNAME)
    trial.peer.sock = await trial.wait(beginning)
    await _talk_in_secret(trial)


@needs("faces", "starttls")
async def tls_begins_in_mid_stream_for_a_server(trial: Trial) -> None:
    assert trial.harness.tls is not None
    ours, theirs = trial.harness.tls
    await trial.peer.send(b"STARTTLS\n")
    expect(await trial.stream.receive_record(b"\n"), b"STARTTLS")
    trial.stream.push(b"go\n")

    def begin(sock: socket.socket) -> socket.socket:
        expect(receive(sock, 3), b"go\n")
        return theirs.wrap_socket(sock, server_hostname=HOSTNAME)

    beginning = trial.peer.start(begin)
    await trial.stream.start_tls(ours, server_side=True)
    trial.peer.sock = await trial.wait(beginning)
    await _talk_in_secret(trial)


async def _talk_in_secret(trial: Trial) -> None:
    assert trial.stream.ssl_object is not None
    await trial.peer.send(b"secret\n")
    expect(await trial.stream.receive_record(b"\n"), b"secret")
    trial.stream.push(b"hidden\n" * 100_000)
    expect(await trial.close(), b"hidden\n" * 100_000)


@needs("faces", "starttls")
async def plaintext_that_was_injected_before_tls_is_refused(trial: Trial) -> None:
    assert trial.harness.tls is not None
    await trial.peer.send(b"STARTTLS\nQUIT\n")
    expect(await trial.stream.receive_record(b"\n"), b"STARTTLS")
    error = await raises(
        UnexpectedData, trial.stream.start_tls(trial.harness.tls[0], server_side=True)
    )
    expect((error.data, error.offset), (b"QUIT\n", 9))


@needs("starttls")
async def tls_without_the_name_that_must_be_checked_is_refused(trial: Trial) -> None:
    for name in (None, ""):
        error = await raises(
            ValueError,
            trial.stream.start_tls(ssl.create_default_context(), server_hostname=name),
        )
        assert "server_hostname" in str(error), f"expected it to say what to pass, got {error!r}"
    # Nothing has happened, then.
    await trial.stream.send(b"in the clear")
    expect(await trial.peer.receive(12), b"in the clear")


@needs("faces", "starttls")
async def a_handshake_that_fails_is_a_lost_connection(trial: Trial) -> None:
    assert trial.harness.tls is not None
    await trial.peer.send(b"STARTTLS\n")
    expect(await trial.stream.receive_record(b"\n"), b"STARTTLS")
    trial.stream.push(b"go\n")

    def begin(sock: socket.socket) -> None:
        expect(receive(sock, 3), b"go\n")
        sock.sendall(_NO_HANDSHAKE)

    beginning = trial.peer.start(begin)
    error = await raises(
        ConnectionLost, trial.stream.start_tls(trial.harness.tls[0], server_side=True)
    )
    assert isinstance(error.__cause__, Exception), "expected the loop's own error as the cause"
    await trial.wait(beginning)
    await _expect_no_more(trial, str(error))


@needs("faces", "starttls", "interrupt")
async def a_handshake_that_is_interrupted_is_a_lost_connection(trial: Trial) -> None:
    await trial.interrupt(lambda: _begin(trial))
    error = await raises(ConnectionLost, trial.stream.receive_record(b"\n"))
    await _expect_no_more(trial, str(error))


@needs("faces", "starttls", "interrupt")
async def tls_that_is_interrupted_before_its_handshake_may_begin_again(trial: Trial) -> None:
    assert trial.harness.tls is not None
    theirs, data = trial.harness.tls[0], b"x" * 32_000_000
    trial.stream.push(data)
    await trial.interrupt(lambda: _begin(trial))

    def begin(sock: socket.socket) -> socket.socket:
        assert receive(sock, len(data)) == data, "expected all that was pushed"
        return theirs.wrap_socket(sock, server_side=True)

    beginning = trial.peer.start(begin)
    await _begin(trial)
    trial.peer.sock = await trial.wait(beginning)
    await _talk_in_secret(trial)


@needs("faces", "starttls", "tasks")
async def what_is_pushed_during_a_handshake_that_fails_is_dropped(trial: Trial) -> None:
    producer = Lazy()
    lost: list[str] = []

    async def begin() -> None:
        lost.append(str(await raises(ConnectionLost, _begin(trial))))

    async def flush() -> None:
        await trial.peer.receive(1)
        trial.stream.push_producer(producer)
        refusing = trial.peer.start(lambda sock: sock.sendall(_NO_HANDSHAKE))
        lost.append(str(await raises(ConnectionLost, trial.stream.flush())))
        await trial.wait(refusing)

    await trial.harness.together(begin, flush)
    assert producer.closed, "expected the producer to be closed"
    expect(lost, lost[:1] * 2)
    await _expect_no_more(trial, lost[0])


@needs("faces", "starttls", "tasks")
async def aborting_ends_a_handshake(trial: Trial) -> None:
    async def begin() -> None:
        await raises(ConnectionLost, _begin(trial))

    async def abort() -> None:
        await trial.peer.receive(1)
        await trial.stream.abort()

    await trial.harness.together(begin, abort)
    await trial.peer.do(read_to_whatever_end)


@needs("faces", "starttls", "reset")
async def tls_with_a_peer_that_is_gone_is_a_lost_connection(trial: Trial) -> None:
    await trial.peer.send(b"ready\n")
    expect(await trial.stream.receive_record(b"\n"), b"ready")
    await trial.peer.reset()
    # A loop that reads ahead may notice it now.
    for _ in range(3):
        await trial.wait(done())
    error = await raises(ConnectionLost, _begin(trial))
    expect(str(await raises(ConnectionLost, trial.stream.flush())), str(error))


@needs("starttls")
async def no_tls_begins_on_a_closed_stream(trial: Trial) -> None:
    await _close(trial)
    await raises(ConnectionLost, _begin(trial))


@needs("detach")
async def a_closed_stream_is_not_handed_over(trial: Trial) -> None:
    await _close(trial)
    await raises(ConnectionLost, trial.stream.detach())


async def _close(trial: Trial) -> None:
    def answer(sock: socket.socket) -> None:
        read_to_whatever_end(sock)
        sock.close()

    answering = trial.peer.start(answer)
    await trial.stream.aclose()
    await trial.wait(answering)


_NO_HANDSHAKE = b"this is no handshake" * 10


async def _begin(trial: Trial) -> None:
    assert trial.harness.tls is not None
    await trial.stream.start_tls(trial.harness.tls[1], server_hostname=HOSTNAME)


async def _expect_no_more(trial: Trial, why: str) -> None:
    """The transport is closed, and every call says why."""
    assert "TLS" in why, f"expected an error of the handshake, got {why}"
    await trial.peer.do(read_to_whatever_end)
    producer = Lazy()
    trial.stream.push_producer(producer)
    assert producer.closed, "expected the producer to be closed"
    calls: list[Callable[[], Coroutine[Any, Any, object]]] = [
        lambda: trial.stream.receive_record(b"\n"),
        trial.stream.next_event,
        lambda: trial.stream.send(b"more"),
        trial.stream.flush,
        lambda: _begin(trial),
    ]
    for call in calls:
        expect(str(await raises(ConnectionLost, call())), why)
    await trial.stream.aclose()
    await trial.stream.abort()
