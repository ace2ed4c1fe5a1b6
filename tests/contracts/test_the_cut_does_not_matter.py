"""Contract 1: the same bytes give the same records, terminators, verdicts and offsets, however they are cut.

What each face gives over a random cut is compared with what the model gives for the whole stream with its
end in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import example, given, strategies as st

from termsplit import (
    AnyOf,
    Chat,
    Connection,
    DataReceived,
    EOFReceived,
    IncompleteRecord,
    Limited,
    NeedData,
    Parse,
    Parser,
    RecordSkipped,
    RecordTooLong,
    RemoteProtocolError,
    Splitter,
    Terminator,
    TerminatorFound,
)
from tests import strategies
from tests.model import Model, TooLong, parse


@dataclass
class Program:
    """What the application does: which terminator it sets, if any, after each thing it is told."""

    first: Terminator
    then: list[tuple[bool, Terminator]]
    max_size: int | None
    too_long: TooLong
    looks: list[bool]


class Run:
    """One run of a program: what it was told, as far as the cut may not matter."""

    def __init__(self, program: Program, machine: Splitter | Model) -> None:
        self.program = program
        self.machine = machine
        self.told: list[Any] = []
        self.data = b""

    def tell(self, fact: object) -> None:
        """Note a fact, and do what the program does then."""
        if isinstance(fact, DataReceived):
            self.data += fact.data
            return
        if self.data:
            self.told.append(self.data)
            self.data = b""
        index = len(self.told)
        if isinstance(fact, RemoteProtocolError):
            self.told.append((type(fact), *fact.args))
        else:
            self.told.append(fact)
        if self.program.looks[index % len(self.program.looks)]:
            machine = self.machine
            self.told.append(machine.position if isinstance(machine, Model) else machine.offset)
        change, terminator = self.program.then[index % len(self.program.then)]
        if change:
            self.machine.set_terminator(terminator)


# A terminator that consumes nothing comes up again and again at the end of the stream: a count of 0,
# or one that is refused before a byte of it is read.
ENOUGH = 200

programs = st.builds(
    Program,
    first=strategies.terminators,
    then=st.lists(st.tuples(st.booleans(), strategies.terminators), min_size=1, max_size=6),
    max_size=strategies.limits,
    too_long=strategies.policies,
    looks=st.sampled_from([[False], [False], [True], [True, False, False], [False] * 5 + [True]]),
)


def drive(program: Program, chunks: Iterable[bytes], face: str) -> list[Any]:
    splitter = Splitter(program.first, max_size=program.max_size)
    run = Run(program, splitter)

    def take() -> None:
        while len(run.told) < ENOUGH:
            try:
                facts: Iterable[object]
                if face == "events":
                    facts = splitter.events(too_long=program.too_long)
                elif program.too_long == "skip":
                    facts = splitter.records(too_long="skip")
                else:
                    facts = splitter.records()
                for fact in facts:
                    run.tell(fact)
                    if len(run.told) >= ENOUGH:
                        return
                return
            except IncompleteRecord as error:
                run.tell(error)
                return
            except RecordTooLong as error:
                run.tell(error)

    for chunk in chunks:
        splitter.receive_data(chunk)
        take()
    splitter.receive_eof()
    take()
    return run.told[:ENOUGH]


def expect(program: Program, chunks: Iterable[bytes], face: str) -> list[Any]:
    model = Model(program.first, program.max_size, b"".join(chunks), eof=True)
    run = Run(program, model)
    take: Callable[[TooLong], object]
    take = model.next_event if face == "events" else model.next_record
    while len(run.told) < ENOUGH:
        try:
            fact = take(program.too_long)
            if isinstance(fact, NeedData):
                break
            run.tell(fact)
            if isinstance(fact, EOFReceived):
                break
        except IncompleteRecord as error:
            run.tell(error)
            break
        except RecordTooLong as error:
            run.tell(error)
    return run.told[:ENOUGH]


@given(programs, strategies.cut_streams())
@example(Program(b"\r\n", [(True, 0), (True, b"\r\n")], None, "raise", [True]), [b"\r", b"\n\r\n"])
@example(Program(AnyOf(b"abcd", b"bc"), [(False, None)], None, "raise", [True]), [b"abc"])
@example(Program(Limited(b"\r\n", 1), [(False, None)], None, "skip", [True]), [b"a\r", b"\r\nb\r"])
def test_events(program: Program, chunks: list[bytes]) -> None:
    assert drive(program, chunks, "events") == expect(program, chunks, "events")


@given(programs, strategies.cut_streams())
@example(Program(2**63, [(False, None)], 1, "raise", [True]), [b"a"])
@example(Program(1, [(True, Limited(2, 1))], None, "raise", [True]), [b"a"])
def test_records(program: Program, chunks: list[bytes]) -> None:
    assert drive(program, chunks, "records") == expect(program, chunks, "records")


class Recorder(Chat):
    def __init__(self, program: Program) -> None:
        super().__init__(program.first, connection=Connection(max_size=program.max_size))
        self.too_long = program.too_long
        self.run = Run(program, self.connection)
        self.since = 0

    def collect_incoming_data(self, data: bytes) -> None:
        self.run.tell(DataReceived(data))

    def found_terminator(self) -> None:
        self.run.tell("found")
        self.stop_when_enough()

    def record_too_long(self, error: RecordTooLong) -> None:
        self.run.tell(error)
        self.stop_when_enough()

    def record_skipped(self, size: int) -> None:
        self.run.tell(RecordSkipped(size))
        self.stop_when_enough()

    def eof_received(self, clean: bool) -> None:
        self.run.tell(EOFReceived(clean))

    def stop_when_enough(self) -> None:
        if len(self.run.told) >= ENOUGH:
            self.close_when_done()


@given(programs, strategies.cut_streams())
def test_callbacks(program: Program, chunks: list[bytes]) -> None:
    chat = Recorder(program)
    for chunk in chunks:
        chat.feed(chunk)
    chat.feed_eof()
    expected = expect(program, chunks, "events")
    assert chat.run.told[:ENOUGH] == [
        "found" if isinstance(fact, TerminatorFound) else fact for fact in expected
    ]


@given(
    messages=st.lists(
        st.lists(strategies.terminators, min_size=1, max_size=4).filter(
            lambda terminators: any(
                not isinstance(one, int) or one > 0 for one in map(bare, terminators)
            )
        ),
        min_size=1,
        max_size=3,
    ),
    catches=st.booleans(),
    max_size=strategies.limits,
    too_long=strategies.policies,
    chunks=strategies.cut_streams(),
)
def test_messages(
    messages: list[list[Terminator]],
    catches: bool,
    max_size: int | None,
    too_long: TooLong,
    chunks: list[bytes],
) -> None:
    def make_grammar() -> Callable[[], Parse[list[Any]]]:
        runs = 0

        def grammar() -> Parse[list[Any]]:
            nonlocal runs
            plan = messages[runs % len(messages)]
            runs += 1
            message: list[Any] = []
            for terminator in plan:
                try:
                    message.append((yield terminator))
                except RecordTooLong as error:
                    message.append(error.args)
                    if not catches or runs > ENOUGH:
                        raise
            return message

        return grammar

    def comparable(message: object) -> object:
        return (type(message), *message.args) if isinstance(message, Exception) else message

    parser: Parser[Any]
    splitter = Splitter(max_size=max_size)
    if too_long == "skip":
        parser = Parser(make_grammar(), splitter, too_long="skip")
    else:
        parser = Parser(make_grammar(), splitter)
    given: list[Any] = []

    def take() -> None:
        while len(given) < ENOUGH:
            try:
                for message in parser.messages():
                    given.append(message)
                    if len(given) >= ENOUGH:
                        return
                return
            except IncompleteRecord as error:
                given.append(error)
                return
            except RecordTooLong as error:
                given.append(error)

    for chunk in chunks:
        parser.receive_data(chunk)
        take()
    parser.receive_eof()
    take()
    model = Model(None, max_size, b"".join(chunks), eof=True)
    expected = parse(model, make_grammar(), too_long, ENOUGH)[:ENOUGH]
    assert list(map(comparable, given)) == list(map(comparable, expected))


def bare(terminator: Terminator) -> bytes | int | AnyOf | None:
    return terminator.terminator if isinstance(terminator, Limited) else terminator
