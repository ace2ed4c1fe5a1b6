"""What fails: the peer, and the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from termsplit import ConnectionLost, LocalProtocolError
from termsplit.testing._backend import receive, reset

from ._scenario import Echo, Lazy, Recorder, done, expect, needs, raises

if TYPE_CHECKING:
    import socket

    from termsplit.testing._backend import Trial


def _read_a_little_and_reset(sock: socket.socket) -> None:
    receive(sock, 4)
    reset(sock)


@needs("faces", "reset")
async def a_reset_while_receiving_is_a_lost_connection(trial: Trial) -> None:
    await trial.peer.send(b"one\ntwo\nthr")
    expect(await trial.stream.receive_record(b"\n"), b"one")
    resetting = trial.peer.start(reset)
    # What was received before is not lost.
    expect(await trial.stream.receive_record(b"\n"), b"two")
    error = await raises(ConnectionLost, trial.stream.receive_record(b"\n"))
    await trial.wait(resetting)
    assert isinstance(error.__cause__, Exception), "expected the loop's own error as the cause"
    await raises(ConnectionLost, trial.stream.receive_record(b"\n"))


@needs("faces", "reset")
async def a_reset_while_sending_is_a_lost_connection(trial: Trial) -> None:
    producer = Lazy()
    trial.stream.push_producer(producer)
    resetting = trial.peer.start(_read_a_little_and_reset)
    await raises(ConnectionLost, trial.stream.flush())
    await trial.wait(resetting)
    await raises(ConnectionLost, trial.stream.send(b"more"))
    assert producer.asked < producer.size
    await trial.stream.abort()
    assert producer.closed, "expected the producer to be closed"


@needs("faces", "reset")
async def a_reset_when_all_is_said_is_no_fault_of_closing(trial: Trial) -> None:
    await trial.stream.send(b"all")
    await trial.stream.flush()
    expect(await trial.peer.receive(3), b"all")
    await trial.peer.reset()
    await trial.stream.aclose()


@needs("faces", "reset")
async def a_reset_while_closing_is_a_lost_connection(trial: Trial) -> None:
    trial.stream.push_producer(Lazy())
    resetting = trial.peer.start(_read_a_little_and_reset)
    await raises(ConnectionLost, trial.stream.aclose())
    await trial.wait(resetting)


@needs("reset")
async def a_chat_is_told_once_that_its_peer_is_gone(trial: Trial) -> None:
    chat = Echo()
    await trial.peer.send(b"one\n")
    resetting = trial.peer.start(_read_a_little_and_reset)
    await trial.chat(chat)
    await trial.wait(resetting)
    expect(chat.told[0], b"one")
    expect([type(told) for told in chat.told[1:]], [ConnectionLost])


@needs("faces")
async def what_a_producer_raises_reaches_the_caller(trial: Trial) -> None:
    def produce() -> Iterator[bytes]:
        yield b"before"
        raise ZeroDivisionError("from the producer")

    trial.stream.push(b"long before, ")
    trial.stream.push_producer(produce())
    trial.stream.push(b"after")
    await raises(ZeroDivisionError, trial.stream.flush())
    expect(await trial.peer.receive(19), b"long before, before")
    # And it goes on reaching it.
    await raises(ZeroDivisionError, trial.stream.flush())
    await raises(ZeroDivisionError, trial.stream.receive_record(b"\n"))
    await raises(LocalProtocolError, trial.stream.send(b"more"))
    await raises(ZeroDivisionError, trial.stream.aclose())
    await trial.stream.aclose()


@needs("faces", "tasks")
async def what_a_producer_raises_wakes_who_receives(trial: Trial) -> None:
    class Fails:
        def more(self) -> bytes:
            raise ZeroDivisionError("from the producer")

    async def receive_one() -> None:
        await raises(ZeroDivisionError, trial.stream.receive_record(b"\n"))

    async def push() -> None:
        await trial.wait(done())
        trial.stream.push_producer(Fails())

    await trial.harness.together(receive_one, push)


@needs()
async def what_a_chats_producer_raises_reaches_the_caller(trial: Trial) -> None:
    class Fails(Recorder):
        def found_terminator(self) -> None:
            self.push_producer(cast("list[bytes]", ["no bytes"]))

    chat = Fails()
    await trial.peer.send(b"\n")
    error = await raises(TypeError, trial.chat(chat))
    expect(chat.told, [error])


@needs()
async def what_a_callback_raises_reaches_the_caller(trial: Trial) -> None:
    class Fails(Recorder):
        def found_terminator(self) -> None:
            raise ZeroDivisionError("from the callback")

    chat = Fails()
    await trial.peer.send(b"\n")
    error = await raises(ZeroDivisionError, trial.chat(chat))
    expect(chat.told, [error])
