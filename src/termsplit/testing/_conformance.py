"""What every backend promises, a scenario for each promise. `_backend` runs them."""

from __future__ import annotations

import concurrent.futures
import functools
import random
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from termsplit import (
    AnyOf,
    Chat,
    ConnectionLost,
    DataReceived,
    EOFReceived,
    IncompleteRecord,
    Limited,
    LocalProtocolError,
    RecordSkipped,
    RecordTooLong,
    TerminatorFound,
    UnexpectedData,
)

from ._backend import HOSTNAME, finish, receive, receive_to_end, reset

if TYPE_CHECKING:
    import socket

    from termsplit import Terminator

    from ._backend import Scenario, Trial

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

SCENARIOS: dict[Scenario, frozenset[str]] = {}
"""The scenarios, and what each needs of an adapter."""

# What the kernel's buffers and a loop's transport may hold, in bytes, whatever we do.
_UNDER_WAY = 16 * 1024 * 1024
# How much a stream may read that nobody has asked for.
_READ_AHEAD = 256 * 1024


def needs(*features: str) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        SCENARIOS[scenario] = frozenset(features)
        return scenario

    return register


def expect(got: T, expected: T | object) -> None:
    if got != expected:
        raise AssertionError(f"expected {_shown(expected)}, got {_shown(got)}")


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 400 else f"{shown[:400]}... ({len(shown)} characters)"


async def raises(kind: type[E], call: Coroutine[Any, Any, object]) -> E:
    try:
        result = await call
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, got the result {_shown(result)}")


async def listed(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


class Lazy:
    """A producer of 1 GiB, made as it is asked for."""

    size = 1024 * 1024 * 1024
    chunk = bytes(range(256)) * 64

    def __init__(self) -> None:
        self.asked = 0
        self.closed = False

    def more(self) -> bytes:
        if self.asked == self.size:
            return b""
        self.asked += len(self.chunk)
        return self.chunk

    def close(self) -> None:
        self.closed = True


class Recorder(Chat):
    """A chat that keeps what it is told."""

    def __init__(self, terminator: Terminator = b"\n") -> None:
        super().__init__(terminator)
        self.told: list[object] = []
        self.record = b""

    def collect_incoming_data(self, data: bytes) -> None:
        self.record += data

    def found_terminator(self) -> None:
        self.told.append(self.record)
        self.record = b""

    def record_skipped(self, size: int) -> None:
        self.told.append(RecordSkipped(size))
        self.record = b""

    def eof_received(self, clean: bool) -> None:
        self.told.append(EOFReceived(clean))
        super().eof_received(clean)

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append(error)


class Echo(Recorder):
    """It answers each record with the same."""

    def found_terminator(self) -> None:
        record = self.record
        super().found_terminator()
        self.push(record + b"\n")


# The four faces.


@needs("faces", "interrupt")
async def records_come_whole_across_any_cut(trial: Trial) -> None:
    data = b"one\r\n\rt\nwo\r\n\r\n"
    stream, peer = trial.stream, trial.peer
    stream.set_terminator(b"\r\n")
    got: list[bytes] = []

    async def receive_on() -> None:
        async for record in stream.records():
            got.append(record)  # noqa: PERF401 - what was got before an interruption is to be kept

    for cut in range(1, len(data)):
        for piece in (data[:cut], data[cut:]):
            await peer.send(piece)
            await trial.interrupt(receive_on)
    expect(got, [b"one", b"\rt\nwo", b""] * (len(data) - 1))


@needs("faces")
async def the_terminator_changes_in_the_middle(trial: Trial) -> None:
    stream, peer = trial.stream, trial.peer
    await peer.send(b"5\r\nhello\n\r\n3;abc0;;line\r\nrest")
    expect(await stream.receive_record(b"\r\n"), b"5")
    expect(await stream.receive_record(5), b"hello")
    expect(await stream.receive_record(AnyOf(b"\r\n", b"\n")), b"")
    expect(await stream.receive_record(AnyOf(b"\r\n", b"\n")), b"")
    expect(await stream.receive_record(b";"), b"3")
    expect(await stream.receive_record(3), b"abc")
    expect(await stream.receive_record(b";"), b"0")
    expect(await stream.receive_record(0), b"")
    expect(await stream.receive_record(b";"), b"")
    expect(await stream.receive_record(Limited(b"\r\n", 4)), b"line")
    expect(await stream.receive_record(4), b"rest")


@needs("faces")
async def the_records_face(trial: Trial) -> None:
    trial.stream.set_terminator(b"\n")
    await trial.peer.send(b"one\n\nthree\n")
    await trial.peer.finish()
    expect(await listed(trial.stream.records()), [b"one", b"", b"three"])


@needs("faces")
async def the_events_face(trial: Trial) -> None:
    trial.stream.set_terminator(b"\n")
    await trial.peer.send(b"one\n\ntwo")
    await trial.peer.finish()
    pieces: list[object] = []
    async for event in trial.stream.events():
        if isinstance(event, DataReceived) and pieces and isinstance(pieces[-1], bytes):
            pieces[-1] += event.data
        else:
            pieces.append(event.data if isinstance(event, DataReceived) else event)
    found = TerminatorFound(b"\n")
    expect(pieces, [b"one", found, found, b"two", EOFReceived(False)])
    expect(await trial.stream.next_event(), EOFReceived(False))
    expect(await trial.stream.next_event(), EOFReceived(False))


@needs("faces")
async def the_grammars_face(trial: Trial) -> None:
    def counted() -> Generator[Terminator, bytes, bytes]:
        size = yield b":"
        return (yield int(size))

    await trial.peer.send(b"3:one0:5:three")
    await trial.peer.finish()
    expect(await listed(trial.stream.messages(counted)), [b"one", b"", b"three"])


@needs()
async def the_callbacks_face(trial: Trial) -> None:
    chat = Echo()

    def talk(sock: socket.socket) -> bytes:
        for byte in b"one\n\nthree\n":
            sock.sendall(bytes([byte]))
        answer = receive(sock, 11)
        finish(sock)
        return answer

    talking = trial.peer.start(talk)
    await trial.harness.chat(chat, trial.stream)
    expect(await trial.wait(talking), b"one\n\nthree\n")
    expect(chat.told, [b"one", b"", b"three", EOFReceived(True), None])


# Limits.


@needs("faces")
async def a_record_that_is_too_long_is_raised_and_passed_over(trial: Trial) -> None:
    stream = trial.stream
    await trial.peer.send(b"short\n" + b"x" * 100_000 + b"\nnext\n")
    line = Limited(b"\n", 1000)
    expect(await stream.receive_record(line), b"short")
    error = await raises(RecordTooLong, stream.receive_record(line))
    expect((error.limit, error.offset), (1000, 6))
    expect(await stream.receive_record(line), b"next")


@needs("faces")
async def a_record_that_is_too_long_is_skipped(trial: Trial) -> None:
    trial.stream.set_terminator(Limited(b"\n", 1000))
    await trial.peer.send(b"short\n" + b"x" * 100_000 + b"\nnext\n")
    await trial.peer.finish()
    got = await listed(trial.stream.records(too_long="skip"))
    expect(got, [b"short", RecordSkipped(100_000), b"next"])


@needs()
async def a_chat_is_told_of_a_record_that_is_too_long(trial: Trial) -> None:
    chat = Echo(Limited(b"\n", 1000))
    chat.too_long = "skip"

    def talk(sock: socket.socket) -> None:
        sock.sendall(b"short\n" + b"x" * 100_000 + b"\nnext\n")
        receive(sock, 11)
        finish(sock)

    talking = trial.peer.start(talk)
    await trial.harness.chat(chat, trial.stream)
    await trial.wait(talking)
    expect(chat.told, [b"short", RecordSkipped(100_000), b"next", EOFReceived(True), None])


# The end of the stream.


@needs("faces")
async def the_stream_ends_at_a_boundary(trial: Trial) -> None:
    await trial.peer.send(b"one\n")
    await trial.peer.finish()
    expect(await trial.stream.receive_record(b"\n"), b"one")
    error = await raises(IncompleteRecord, trial.stream.receive_record(b"\n"))
    expect((error.partial, error.expected, error.offset), (b"", b"\n", 4))
    expect(await listed(trial.stream.records()), [])


@needs("faces")
async def the_stream_ends_in_the_middle_of_a_record(trial: Trial) -> None:
    await trial.peer.send(b"one\ntw")
    await trial.peer.finish()
    expect(await trial.stream.receive_record(b"\n"), b"one")
    error = await raises(IncompleteRecord, trial.stream.receive_record(b"\n"))
    expect((error.partial, error.expected, error.offset), (b"tw", b"\n", 4))


@needs()
async def a_chat_is_told_that_the_stream_ended_in_a_record(trial: Trial) -> None:
    chat = Recorder()
    await trial.peer.send(b"one\ntw")
    await trial.peer.finish()
    await trial.harness.chat(chat, trial.stream)
    expect(chat.told, [b"one", EOFReceived(False), None])


@needs("faces", "half-close")
async def the_peer_ends_its_side_and_still_gets_the_answer(trial: Trial) -> None:
    await trial.peer.send(b"question")
    await trial.peer.end()
    expect(await trial.stream.receive_record(None), b"question")
    received = trial.peer.start(receive_to_end)
    await trial.stream.send(b"answer" * 100_000)
    await trial.stream.aclose()
    expect(await trial.wait(received), b"answer" * 100_000)


@needs("half-close")
async def the_peer_ends_its_side_and_still_gets_the_chats_answer(trial: Trial) -> None:
    class Answers(Recorder):
        def eof_received(self, clean: bool) -> None:
            self.push(self.record * 100_000)
            super().eof_received(clean)

    await trial.peer.send(b"question")
    await trial.peer.end()
    received = trial.peer.start(receive_to_end)
    await trial.harness.chat(Answers(None), trial.stream)
    expect(await trial.wait(received), b"question" * 100_000)


@needs("faces", "half-close", "tasks")
async def we_end_our_side_and_still_get_the_answer(trial: Trial) -> None:
    trial.stream.push(b"question")
    trial.stream.close_when_done()

    def answer(sock: socket.socket) -> None:
        question = b""
        while data := sock.recv(100):
            question += data
        sock.sendall(b"answer to " + question)
        sock.close()

    answering = trial.peer.start(answer)
    expect(await trial.stream.receive_record(None), b"answer to question")
    await trial.wait(answering)
    await trial.stream.aclose()


@needs("faces", "truncation")
async def a_stream_that_was_cut_off_did_not_end(trial: Trial) -> None:
    await trial.peer.send(b"one\n")
    await trial.peer.do(lambda sock: sock.close())
    expect(await trial.stream.receive_record(b"\n"), b"one")
    await raises(ConnectionLost, trial.stream.receive_record(b"\n"))


# Resets.


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
    await trial.harness.chat(chat, trial.stream)
    await trial.wait(resetting)
    expect(chat.told[0], b"one")
    expect([type(told) for told in chat.told[1:]], [ConnectionLost])


# Back-pressure.


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
    flooding = trial.peer.start(_flood)
    await trial.interrupt(lambda: trial.harness.chat(chat, trial.stream))
    trial.peer.leave()
    await trial.wait(flooding)
    assert chat.most <= 64 * 1024 + 10_000, f"expected high water to stop it, got {chat.most}"


@needs("faces")
async def a_peer_that_floods_is_not_read_while_we_are_busy(trial: Trial) -> None:
    flooding = trial.peer.start(_flood)
    for _ in range(200):
        await trial.stream.receive_record(Limited(b"\n", None))
        # This takes the loop a few turns.
        await trial.wait(_done())
        waiting = len(trial.connection.trailing_data)
        if waiting > _READ_AHEAD:
            raise AssertionError(f"expected at most {_READ_AHEAD} bytes read ahead, got {waiting}")
    trial.peer.leave()
    await trial.wait(flooding)


def _flood(sock: socket.socket) -> None:
    try:
        while True:
            sock.sendall((b"x" * 1023 + b"\n") * 64)
    except OSError:
        # We have left it.
        pass


def _done() -> concurrent.futures.Future[None]:
    done = concurrent.futures.Future[None]()
    done.set_result(None)
    return done


# Sending and closing.


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
    await trial.harness.chat(chat, trial.stream)
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
    await trial.peer.do(_read_to_whatever_end)
    await raises(ConnectionLost, trial.stream.receive_record(b"\n"))


def _read_to_whatever_end(sock: socket.socket) -> None:
    try:
        while sock.recv(1024 * 1024):
            pass
    except TimeoutError:
        raise
    except OSError:
        # A reset is an end too.
        pass


# Interruptions.


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
    await trial.interrupt(lambda: trial.harness.chat(chat, trial.stream))
    expect(chat.told[0], b"one")
    expect(len(chat.told), 2)
    assert isinstance(chat.told[1], Exception), f"expected an error, got {chat.told[1]!r}"


# Several tasks.


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
            await trial.wait(_done())
        chat.push(b"bye")
        received = trial.peer.start(receive_to_end)
        chat.close_when_done()
        expect(await trial.wait(received), b"bye")

    await trial.harness.together(lambda: trial.harness.chat(chat, trial.stream), close)
    expect(chat.told, [b"one", None])


@needs("faces", "tasks")
async def closing_wakes_a_task_that_receives(trial: Trial) -> None:
    got: list[object] = []

    async def receive_one() -> None:
        got.append(await raises(ConnectionLost, trial.stream.receive_record(b"\n")))

    async def close() -> None:
        await trial.wait(_done())
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
        await trial.wait(_done())
        await trial.stream.abort()

    await trial.harness.together(receive_one, flush, abort)
    expect(len(woken), 2)


# Corked.

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
    await trial.harness.chat(chat, trial.stream)
    expect(await trial.wait(talking), _PIPELINED)
    expect((trial.connection.sends, "sends"), (1, "sends"))


# What goes wrong in the application.


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
        await trial.wait(_done())
        trial.stream.push_producer(Fails())

    await trial.harness.together(receive_one, push)


@needs()
async def what_a_chats_producer_raises_reaches_the_caller(trial: Trial) -> None:
    class Fails(Recorder):
        def found_terminator(self) -> None:
            self.push_producer(cast("list[bytes]", ["no bytes"]))

    chat = Fails()
    await trial.peer.send(b"\n")
    error = await raises(TypeError, trial.harness.chat(chat, trial.stream))
    expect(chat.told, [error])


@needs()
async def what_a_callback_raises_reaches_the_caller(trial: Trial) -> None:
    class Fails(Recorder):
        def found_terminator(self) -> None:
            raise ZeroDivisionError("from the callback")

    chat = Fails()
    await trial.peer.send(b"\n")
    error = await raises(ZeroDivisionError, trial.harness.chat(chat, trial.stream))
    expect(chat.told, [error])


# Handing over.


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


@needs("faces", "starttls")
async def a_handshake_that_fails_is_a_lost_connection(trial: Trial) -> None:
    assert trial.harness.tls is not None
    await trial.peer.send(b"STARTTLS\n")
    expect(await trial.stream.receive_record(b"\n"), b"STARTTLS")
    trial.stream.push(b"go\n")

    def begin(sock: socket.socket) -> None:
        expect(receive(sock, 3), b"go\n")
        sock.sendall(b"this is no handshake" * 10)

    beginning = trial.peer.start(begin)
    await raises(ConnectionLost, trial.stream.start_tls(trial.harness.tls[0], server_side=True))
    await trial.wait(beginning)
