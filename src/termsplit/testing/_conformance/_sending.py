"""Sending: back-pressure, order, closing, and corks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from termsplit import ConnectionLost, Limited, LocalProtocolError
from termsplit.testing._backend import finish, receive, receive_to_end

from ._scenario import (
    Echo,
    Lazy,
    Recorder,
    done,
    expect,
    flood,
    needs,
    raises,
    read_to_whatever_end,
)

if TYPE_CHECKING:
    import socket

    from termsplit.testing._backend import Trial


# What the kernel's buffers and a loop's transport may hold, in bytes, whatever we do.
_UNDER_WAY = 16 * 1024 * 1024
# How much a stream may read that nobody has asked for.
_READ_AHEAD = 256 * 1024


@needs("faces", "interrupt")
async def a_peer_that_does_not_read_stops_the_producer(trial: Trial) -> None:
    producer, stream = Lazy(), trial.stream
    most = trial.connection.buffered + 64 * 1024 + len(producer.chunk)
    stream.push_producer(producer)
    read = 0
    for _ in range(8):
        reading = trial.peer.start(lambda sock: receive(sock, 512 * 1024))
        await trial.interrupt(stream.flush)
        data = await trial.wait(reading)
        read += len(data)
        assert data == producer.chunk * (len(data) // len(producer.chunk)), "expected its own bytes"
        await trial.interrupt(stream.flush)
        if trial.connection.buffered > most:
            raise AssertionError(
                f"expected {most} bytes at the most, got {trial.connection.buffered}"
            )
        if producer.asked - read > _UNDER_WAY:
            raise AssertionError(
                f"expected it to wait for its peer, got {producer.asked} bytes of it"
            )
    await stream.abort()
    assert producer.closed, "expected the producer to be closed"


@needs("faces", "interrupt", "tasks")
async def a_peer_that_does_not_read_stops_who_sends(trial: Trial) -> None:
    sent = 0

    async def send() -> None:
        nonlocal sent
        while True:
            await trial.stream.send(b"x" * 10_000)
            sent += 10_000

    for _ in range(3):
        await trial.interrupt(send)
    assert sent < _UNDER_WAY, f"expected it to wait for its peer, got {sent} bytes sent"
    assert trial.connection.buffered <= 64 * 1024 + 3 * 10_000, (
        "expected it to wait above high water"
    )


@needs("interrupt")
async def a_peer_that_does_not_read_stops_a_chat(trial: Trial) -> None:
    class Amplifier(Recorder):
        most = 0

        def found_terminator(self) -> None:
            self.push(b"x" * 10_000)
            self.most = max(self.most, self.connection.buffered)

    chat = Amplifier(1)
    flooding = trial.peer.start(flood)
    await trial.interrupt(lambda: trial.chat(chat))
    trial.peer.leave()
    await trial.wait(flooding)
    assert chat.most <= 64 * 1024 + 10_000, f"expected high water to stop it, got {chat.most}"


@needs("faces")
async def a_peer_that_floods_is_not_read_while_we_are_busy(trial: Trial) -> None:
    flooding = trial.peer.start(flood)
    for _ in range(200):
        await trial.stream.receive_record(Limited(b"\n", None))
        # This takes the loop a few turns.
        await trial.wait(done())
        waiting = len(trial.connection.trailing_data)
        if waiting > _READ_AHEAD:
            raise AssertionError(f"expected at most {_READ_AHEAD} bytes read ahead, got {waiting}")
    trial.peer.leave()
    await trial.wait(flooding)


@needs("faces")
async def what_was_pushed_arrives_once_and_in_order(trial: Trial) -> None:
    sizes = random.Random(1)
    pieces = [bytes([number % 256]) * sizes.randrange(1, 60_000) for number in range(60)]

    def read(sock: socket.socket) -> bytes:
        received = bytearray()
        while data := sock.recv(sizes.randrange(1, 50_000)):
            received += data
        sock.close()
        return bytes(received)

    reading = trial.peer.start(read)
    for number, piece in enumerate(pieces):
        if number % 3 == 0:
            trial.stream.push(piece)
        elif number % 3 == 1:
            trial.stream.push_producer([piece[:100], b"", piece[100:]])
        else:
            await trial.stream.send(piece)
    await trial.stream.aclose()
    assert await trial.wait(reading) == b"".join(pieces), "expected all that was pushed, in order"


@needs()
async def closing_when_done_delivers_all_of_it_first(trial: Trial) -> None:
    class Says(Recorder):
        def found_terminator(self) -> None:
            self.push(b"head")
            self.push_producer(b"body" * 1000 for _ in range(1000))
            self.push(b"tail")
            self.close_when_done()

    chat = Says()
    await trial.peer.send(b"say\nmore that nobody reads\n" + b"x" * 100_000)
    received = trial.peer.start(receive_to_end)
    await trial.chat(chat)
    said = await trial.wait(received)
    assert said == b"head" + b"body" * 1_000_000 + b"tail", f"expected all, got {len(said)} bytes"
    expect(chat.told, [None])


@needs("faces")
async def closing_delivers_all_of_it_first(trial: Trial) -> None:
    await trial.peer.send(b"hello\n" + b"x" * 100_000)
    await trial.stream.receive_record(b"\n")
    trial.stream.push_producer(b"body" * 1000 for _ in range(1000))
    trial.stream.push(b"tail")
    said = await trial.close()
    assert said == b"body" * 1_000_000 + b"tail", f"expected all, got {len(said)} bytes"


@needs("faces")
async def closing_twice_is_harmless(trial: Trial) -> None:
    trial.stream.push(b"bye")
    expect(await trial.close(), b"bye")
    await trial.stream.aclose()
    await trial.stream.abort()
    await trial.stream.aclose()
    await raises(LocalProtocolError, trial.stream.send(b"more"))
    await raises(ConnectionLost, trial.stream.receive_record(b"\n"))


@needs("faces")
async def aborting_drops_what_was_pushed(trial: Trial) -> None:
    before, after = Lazy(), Lazy()
    trial.stream.push_producer(before)
    await trial.stream.abort()
    assert before.closed, "expected the producer to be closed"
    trial.stream.push_producer(after)
    assert after.closed, "expected the producer to be closed"
    await raises(ConnectionLost, trial.stream.send(b"more"))
    await raises(ConnectionLost, trial.stream.receive_record(b"\n"))
    await trial.stream.abort()
    await trial.stream.aclose()


@needs("faces", "interrupt")
async def closing_that_is_interrupted_leaves_nothing_open(trial: Trial) -> None:
    producer = Lazy()
    trial.stream.push_producer(producer)
    await trial.interrupt(trial.stream.aclose)
    assert producer.closed, "expected the producer to be closed"
    await trial.peer.do(read_to_whatever_end)
    await raises(ConnectionLost, trial.stream.receive_record(b"\n"))


_PIPELINED = b"".join(b"%d\n" % number for number in range(64))


@needs("faces")
async def answers_to_one_chunk_leave_in_one_send(trial: Trial) -> None:
    stream = trial.stream
    stream.set_terminator(b"\n")
    await trial.peer.send(_PIPELINED)
    count = 0
    async for record in stream.records():
        stream.push(record + b"\n")
        count += 1
        if count == 64:
            break
    await stream.flush()
    expect(await trial.peer.receive(len(_PIPELINED)), _PIPELINED)
    expect((trial.connection.sends, "sends"), (1, "sends"))


@needs("faces", "tasks")
async def answers_that_are_sent_leave_in_one_send_too(trial: Trial) -> None:
    await trial.peer.send(_PIPELINED)
    for _ in range(64):
        await trial.stream.send(await trial.stream.receive_record(b"\n") + b"\n")
    await trial.stream.flush()
    expect(await trial.peer.receive(len(_PIPELINED)), _PIPELINED)
    expect((trial.connection.sends, "sends"), (1, "sends"))


@needs()
async def a_chats_answers_to_one_chunk_leave_in_one_send(trial: Trial) -> None:
    chat = Echo()
    # The chat's connection is the one that is used, and that counts.
    chat.connection = trial.connection
    chat.set_terminator(b"\n")

    def talk(sock: socket.socket) -> bytes:
        sock.sendall(_PIPELINED)
        answer = receive(sock, len(_PIPELINED))
        finish(sock)
        return answer

    talking = trial.peer.start(talk)
    await trial.chat(chat)
    expect(await trial.wait(talking), _PIPELINED)
    expect((trial.connection.sends, "sends"), (1, "sends"))
