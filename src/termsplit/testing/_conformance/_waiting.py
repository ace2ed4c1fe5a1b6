"""Waiting: interruptions, and several tasks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from termsplit import ConnectionLost, LocalProtocolError
from termsplit.testing._backend import receive_to_end

from ._scenario import Lazy, Recorder, done, expect, needs, raises

if TYPE_CHECKING:
    import socket

    from termsplit.testing._backend import Trial


@needs("faces", "interrupt")
async def an_interrupted_receive_loses_nothing(trial: Trial) -> None:
    records = [b"%d" % number * 10 for number in range(100)]
    data = b"".join(record + b"\n" for record in records)
    got: list[bytes] = []

    async def receive_one() -> None:
        got.append(await trial.stream.receive_record(b"\n"))

    def trickle(sock: socket.socket) -> None:
        for start in range(0, len(data), 7):
            sock.sendall(data[start : start + 7])

    trickling = trial.peer.start(trickle)
    turns = 0
    while len(got) < len(records):
        turns += 1
        await trial.interrupt(receive_one, 1 + turns % 7)
    await trial.wait(trickling)
    expect(got, records)


@needs("faces", "interrupt")
async def an_interrupted_send_goes_out_once(trial: Trial) -> None:
    pieces = [bytes([number]) * 300_000 for number in range(40)]
    for number, piece in enumerate(pieces):
        await trial.interrupt(functools.partial(trial.stream.send, piece), 1 + number % 7)
    said = await trial.close()
    assert said == b"".join(pieces), f"expected all, once, got {len(said)} bytes"


@needs("interrupt")
async def a_chat_that_is_interrupted_is_told_once(trial: Trial) -> None:
    chat = Recorder()
    await trial.peer.send(b"one\ntw")
    await trial.interrupt(lambda: trial.chat(chat))
    expect(chat.told[0], b"one")
    expect(len(chat.told), 2)
    assert isinstance(chat.told[1], Exception), f"expected an error, got {chat.told[1]!r}"


@needs("faces", "tasks")
async def two_tasks_that_receive_at_once_get_a_clear_error(trial: Trial) -> None:
    got: list[object] = []

    async def receive_one() -> None:
        try:
            got.append(await trial.stream.receive_record(b"\n"))
        except LocalProtocolError:
            got.append("refused")
            await trial.peer.send(b"one\n")

    await trial.harness.together(receive_one, receive_one)
    expect(got, ["refused", b"one"])


@needs("faces", "tasks")
async def what_another_task_pushes_is_sent_while_one_receives(trial: Trial) -> None:
    got: list[bytes] = []

    async def receive_one() -> None:
        got.append(await trial.stream.receive_record(b"\n"))

    async def push() -> None:
        trial.stream.push(b"question")
        expect(await trial.peer.receive(8), b"question")
        trial.stream.push_producer([b"and ", b"more"])
        expect(await trial.peer.receive(8), b"and more")
        await trial.peer.send(b"answer\n")

    await trial.harness.together(receive_one, push)
    expect(got, [b"answer"])


@needs("tasks")
async def a_chat_is_closed_from_another_task(trial: Trial) -> None:
    chat = Recorder()

    async def close() -> None:
        await trial.peer.send(b"one\n")
        while not chat.told:
            await trial.wait(done())
        chat.push(b"bye")
        received = trial.peer.start(receive_to_end)
        chat.close_when_done()
        expect(await trial.wait(received), b"bye")

    await trial.harness.together(lambda: trial.chat(chat), close)
    expect(chat.told, [b"one", None])


@needs("faces", "tasks")
async def closing_wakes_a_task_that_receives(trial: Trial) -> None:
    got: list[object] = []

    async def receive_one() -> None:
        got.append(await raises(ConnectionLost, trial.stream.receive_record(b"\n")))

    async def close() -> None:
        await trial.wait(done())
        trial.stream.push(b"bye")
        expect(await trial.close(), b"bye")

    await trial.harness.together(receive_one, close)
    expect(len(got), 1)


@needs("faces", "tasks")
async def aborting_wakes_the_tasks_that_wait(trial: Trial) -> None:
    woken: list[ConnectionLost] = []
    trial.stream.push_producer(Lazy())

    async def receive_one() -> None:
        woken.append(await raises(ConnectionLost, trial.stream.receive_record(b"\n")))

    async def flush() -> None:
        woken.append(await raises(ConnectionLost, trial.stream.flush()))

    async def abort() -> None:
        await trial.wait(done())
        await trial.stream.abort()

    await trial.harness.together(receive_one, flush, abort)
    expect(len(woken), 2)
