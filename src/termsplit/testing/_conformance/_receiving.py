"""Receiving: the four faces, limits, and the end of the stream."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from termsplit import (
    AnyOf,
    ConnectionLost,
    DataReceived,
    EOFReceived,
    IncompleteRecord,
    Limited,
    RecordSkipped,
    RecordTooLong,
    TerminatorFound,
)
from termsplit.testing._backend import finish, receive, receive_to_end

from ._scenario import Echo, Recorder, expect, listed, needs, raises

if TYPE_CHECKING:
    import socket

    from termsplit import Terminator
    from termsplit.testing._backend import Trial


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


@needs("faces", "interrupt")
async def a_message_is_waited_for_across_any_cut(trial: Trial) -> None:
    def counted() -> Generator[Terminator, bytes, bytes]:
        size = yield b":"
        return (yield int(size))

    data = b"3:one0:5:three"
    got: list[bytes] = []

    async def receive_on() -> None:
        while True:
            got.append(await trial.stream.receive_message(counted))

    for cut in range(1, len(data)):
        for piece in (data[:cut], data[cut:]):
            await trial.peer.send(piece)
            await trial.interrupt(receive_on)
    expect(got, [b"one", b"", b"three"] * (len(data) - 1))
    await trial.peer.finish()
    error = await raises(IncompleteRecord, trial.stream.receive_message(counted))
    expect(error.partial, b"")


@needs("faces")
async def a_loop_that_goes_on_after_errors_ends_with_the_stream(trial: Trial) -> None:
    def line() -> Generator[Terminator, bytes, bytes]:
        return (yield b"\n")

    await trial.peer.send(b"one\ntw")
    await trial.peer.finish()
    messages = trial.stream.messages(line)
    got: list[object] = []
    for _ in range(4):
        try:
            got.append(await messages.__anext__())
        except IncompleteRecord as error:
            got.append(error.partial)
        except StopAsyncIteration:
            got.append("the end")
    expect(got, [b"one", b"tw", "the end", "the end"])


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
    await trial.chat(chat)
    expect(await trial.wait(talking), b"one\n\nthree\n")
    expect(chat.told, [b"one", b"", b"three", EOFReceived(True), None])


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
    await trial.chat(chat)
    await trial.wait(talking)
    expect(chat.told, [b"short", RecordSkipped(100_000), b"next", EOFReceived(True), None])


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
    await trial.chat(chat)
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
    await trial.chat(Answers(None))
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
