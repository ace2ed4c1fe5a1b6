"""What the splitter does to be fast changes nothing: it agrees with one that does none of it, on any program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

from hypothesis import given, strategies as st

from termsplit import (
    NEED_DATA,
    AnyOf,
    DataReceived,
    EOFReceived,
    IncompleteRecord,
    Limited,
    Parse,
    Parser,
    RecordTooLong,
    Splitter,
    Terminator,
)
from termsplit._batched import EachRecord
from termsplit.framing import length_prefixed
from tests.invariants import check_state

T = TypeVar("T")


class PlainSplitter(Splitter):
    """Cuts a record at a time, looks at every chunk, has every terminator set, and takes nothing without an iterator."""

    @property
    def _window(self) -> int:
        return 0

    @_window.setter
    def _window(self, window: int) -> None:
        pass

    @property
    def _room(self) -> int:
        return 0

    @_room.setter
    def _room(self, room: int) -> None:
        pass

    @property
    def _single_next(self) -> bool | None:
        return None

    @_single_next.setter
    def _single_next(self, single: bool | None) -> None:
        pass

    def _send_at_hand(self, send: Callable[[bytes], object], answer: object) -> object:
        return answer

    def next_record(self) -> Any:
        return self._next_of(self.records())

    def next_event(self, *, too_long: Literal["raise", "skip"] = "raise") -> Any:
        return self._next_of(self.events(too_long=too_long))


TERMINATORS: list[Terminator] = [
    *(b"\n", b"\r\n", b"\r\n\r\n", b"aab", 1, 3, 7, None),
    *(AnyOf(b"\r\n", b"\n"), AnyOf(b"a", b"aab")),
    *(Limited(b"\n", 4), Limited(AnyOf(b"b", b"bab"), 2), Limited(5, 4), AnyOf(b"b", b"bab")),
]
FACES = ["records", "events", "messages", "next records", "next events", "next messages"]
PROGRAMS = st.lists(
    st.one_of(
        st.lists(
            st.sampled_from([b"\n", b"\r\n", b"a", b"aab", b"b", b"word", b"x" * 300, b"r" * 6000])
        )
        .map(b"".join)
        .map(lambda data: ("receive", data)),
        st.tuples(st.sampled_from(FACES), st.integers(0, 40)),
        st.tuples(st.just("terminator"), st.sampled_from(TERMINATORS)),
        st.just(("look", None)),
    ),
    max_size=30,
)


class PlainParser(Parser[T]):
    """Runs a grammar also if what it does is known."""

    def __init__(self, grammar: Callable[[], Parse[T]], splitter: Splitter) -> None:
        super().__init__(lambda: grammar(), splitter)


class Run:
    """A program, run on a splitter; ``seen`` is all that its application sees."""

    def __init__(self, splitter: Splitter, terminators: list[Terminator]) -> None:
        self.splitter = splitter
        self.terminators = terminators
        self.parser: Parser[Any] = Parser(self.grammar, splitter)
        self.seen: list[object] = []
        self.asked = 0

    def grammar(self) -> Parse[list[bytes]]:
        records = []
        for _ in range(1 + self.asked % 3):
            self.asked += 1
            records.append((yield self.terminators[self.asked % len(self.terminators)]))
            self.seen.append(self.splitter.get_terminator())
        return records

    def take(self, face: str, most: int, *, set_after: bool = False) -> None:
        """Take items, and after each set what ends the next record, if asked to."""
        faces: dict[str, Iterator[object]] = {
            "records": self.splitter.records(),
            "events": self.splitter.events(),
            "messages": self.parser.messages(),
            "next records": one_by_one(self.splitter.next_record),
            "next events": one_by_one(self.splitter.next_event),
            "next messages": one_by_one(self.parser.next_message),
        }
        items = faces[face]
        try:
            for item in items if most else ():
                self.see(item)
                if not isinstance(item, DataReceived):
                    most -= 1
                    if set_after:
                        self.asked += 1
                        self.splitter.set_terminator(
                            self.terminators[self.asked % len(self.terminators)]
                        )
                    if most <= 0:
                        break
        except (RecordTooLong, IncompleteRecord) as error:
            self.seen.append((type(error), error.args))
        except Exception as error:  # noqa: BLE001 - which one is compared
            self.seen.append(type(error))

    def see(self, item: object) -> None:
        self.check()
        # The pieces in which a record comes may differ: joined, they may not.
        if isinstance(item, DataReceived) and self.seen and isinstance(self.seen[-1], DataReceived):
            item = DataReceived(self.seen.pop().data + item.data)  # type: ignore[attr-defined]
        self.seen.append(item)

    def step(self, verb: str, argument: object) -> None:
        if isinstance(argument, bytes) and verb == "receive":
            self.splitter.receive_data(argument)
        elif verb == "terminator":
            self.splitter.set_terminator(argument)  # type: ignore[arg-type]
        elif verb in ("events", "next events"):
            # All of them, since where a number of pieces ends depends on the pieces.
            self.take(verb, 100_000)
        elif verb.startswith("set after") and isinstance(argument, int):
            self.take(verb.removeprefix("set after "), argument, set_after=True)
        elif isinstance(argument, int):
            self.take(verb, argument)
        else:
            self.seen.append((self.splitter.offset, self.splitter.trailing_data))
        self.check()

    def check(self) -> None:
        if not isinstance(self.splitter, PlainSplitter):
            check_state(self.splitter)


def one_by_one(take: Callable[[], object]) -> Iterator[object]:
    while (item := take()) is not NEED_DATA:
        yield item
        if isinstance(item, EOFReceived):
            return


@given(
    program=PROGRAMS,
    terminators=st.lists(st.sampled_from(TERMINATORS), min_size=1, max_size=3),
    max_size=st.sampled_from([0, 5, 300, 64 * 1024]),
)
def test_fast_and_plain_agree(
    program: list[tuple[str, object]], terminators: list[Terminator], max_size: int
) -> None:
    fast, plain = (
        Run(splitter(terminators[0], max_size=max_size), terminators)
        for splitter in (Splitter, PlainSplitter)
    )
    follow(fast, plain, program)


@given(
    program=PROGRAMS,
    terminator=st.sampled_from(
        [terminator for terminator in TERMINATORS if terminator is not None]
    ),
)
def test_a_grammar_that_need_not_be_run_agrees(
    program: list[tuple[str, object]], terminator: Terminator
) -> None:
    fast, plain = Run(Splitter(), []), Run(PlainSplitter(), [])
    fast.parser = Parser(EachRecord(terminator), fast.splitter)
    plain.parser = PlainParser(EachRecord(terminator), plain.splitter)
    follow(fast, plain, program)


@given(
    width=st.sampled_from([1, 2, 3, 8]),
    byteorder=st.sampled_from(["big", "little"]),
    counts_itself=st.booleans(),
    max_size=st.sampled_from([None, 100, 240]),
    sizes=st.lists(
        st.sampled_from([*[0, 1, 3, 90, 240] * 9, -1, 700, 6000]), min_size=30, max_size=60
    ),
    cuts=st.lists(st.sampled_from([5, 400, 3000]), min_size=1, max_size=5),
    steps=st.lists(
        st.lists(
            st.sampled_from(
                [
                    *[("messages", most) for most in (1, 2, 3, 100)],
                    *[("next messages", most) for most in (1, 100)],
                    ("look", None),
                ]
            ),
            min_size=1,
            max_size=5,
        ),
        min_size=1,
        max_size=8,
    ),
    switch=st.sampled_from([None, b"a", 5]),
)
def test_messages_cut_in_batches_agree(
    width: int,
    byteorder: Literal["big", "little"],
    counts_itself: bool,
    max_size: int | None,
    sizes: list[int],
    cuts: list[int],
    steps: list[list[tuple[str, object]]],
    switch: Terminator,
) -> None:
    """As long as all is well, when a length is wrong or too large, and when another face goes on."""
    framed = length_prefixed(width, byteorder, counts_itself=counts_itself, max_size=max_size)
    own = width if counts_itself else 0
    data = b"".join(
        min(max(0, own + size), 256**width - 1).to_bytes(width, byteorder) + b"a" * size
        for size in sizes
    )
    fast, plain = Run(Splitter(), []), Run(PlainSplitter(), [])
    fast.parser = Parser(framed.grammar, fast.splitter)
    plain.parser = PlainParser(framed.grammar, plain.splitter)
    turn = 0
    while data:
        cut = cuts[turn % len(cuts)]
        for run in (fast, plain):
            run.splitter.receive_data(data[:cut])
            for verb, argument in steps[turn % len(steps)]:
                run.step(verb, argument)
            if turn == 3 and switch is not None:
                run.step("terminator", switch)
                run.step("records", 1)
                run.step("events", None)
        assert fast.seen == plain.seen
        data = data[cut:]
        turn += 1
    end(fast, plain)


def follow(fast: Run, plain: Run, program: list[tuple[str, object]]) -> None:
    for verb, argument in program:
        fast.step(verb, argument)
        plain.step(verb, argument)
        assert fast.seen == plain.seen
    end(fast, plain)


def end(fast: Run, plain: Run) -> None:
    for run in (fast, plain):
        run.splitter.receive_eof()
        for _ in range(4):
            run.take("messages", 100_000)
        for _ in range(4):
            run.take("events", 100_000)
        run.step("look", None)
    assert fast.seen == plain.seen


@given(
    records=st.lists(st.sampled_from([b"", b"a", b"a record", b"x" * 200]), max_size=40),
    sizes=st.lists(st.sampled_from([1, 2, 5, 11, 30, 700]), min_size=1, max_size=20),
    steps=st.lists(
        st.sampled_from(
            [
                *[("records", 100), ("messages", 100), ("events", 1)] * 3,
                *[("next records", 3), ("next events", 1)],
                *[("records", 1), ("messages", 2), ("look", None), ("terminator", b"a")],
                ("terminator", b"\r\n"),
            ]
        ),
        min_size=1,
        max_size=20,
    ),
    terminators=st.sampled_from([[b"\r\n"], [b"\r\n", b"\r\n", 3], [Limited(b"\r\n", 150)]]),
)
def test_short_chunks_agree(
    records: list[bytes],
    sizes: list[int],
    steps: list[tuple[str, object]],
    terminators: list[Terminator],
) -> None:
    """Where the terminator stays long enough for a chunk to be cut as it comes in."""
    fast, plain = (
        Run(splitter(terminators[0]), terminators) for splitter in (Splitter, PlainSplitter)
    )
    data = b"a line\r\n" * 20 + b"".join(record + b"\r\n" for record in records)
    turn = 0
    while data:
        size, (verb, argument) = sizes[turn % len(sizes)], steps[turn % len(steps)]
        for run in (fast, plain):
            run.splitter.receive_data(data[:size])
            run.step(verb, argument)
        assert fast.seen == plain.seen
        data = data[size:]
        turn += 1
    end(fast, plain)


HEADS_AND_BODIES: list[Terminator] = [
    *(b"\r\n", b"\r\n", 3, 5, 400, 0),
    *(Limited(b"\r\n", None), Limited(b"\r\n", 9), Limited(4, None), AnyOf(b"\n", b"x")),
]


@given(
    data=st.lists(
        st.sampled_from([b"\r\n", b"\r\n", b"\n", b"a head", b"body", b"x" * 90, b"y" * 700]),
        min_size=10,
        max_size=60,
    ).map(b"".join),
    sizes=st.lists(st.sampled_from([1, 3, 12, 150, 900]), min_size=1, max_size=10),
    steps=st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from([*FACES, *[f"set after {face}" for face in FACES]]),
                st.sampled_from([1, 2, 100]),
            ),
            st.sampled_from([("records", 1), ("events", 1), ("look", None)]),
            st.tuples(st.just("terminator"), st.sampled_from(HEADS_AND_BODIES)),
        ),
        min_size=1,
        max_size=12,
    ),
    terminators=st.lists(st.sampled_from(HEADS_AND_BODIES), min_size=2, max_size=4),
    max_size=st.sampled_from([4, 100, 600, None]),
)
def test_conversations_agree(
    data: bytes,
    sizes: list[int],
    steps: list[tuple[str, object]],
    terminators: list[Terminator],
    max_size: int | None,
) -> None:
    """Where each record has another terminator than the one before, whoever sets it."""
    fast, plain = (
        Run(splitter(terminators[0], max_size=max_size), terminators)
        for splitter in (Splitter, PlainSplitter)
    )
    turn = 0
    while data:
        size, (verb, argument) = sizes[turn % len(sizes)], steps[turn % len(steps)]
        for run in (fast, plain):
            run.splitter.receive_data(data[:size])
            run.step(verb, argument)
        assert fast.seen == plain.seen
        data = data[size:]
        turn += 1
    end(fast, plain)


def take_all(run: Run, face: str) -> None:
    """Go on until there is nothing to take, and nothing to be raised."""
    seen = -1
    while len(run.seen) != seen:
        seen = len(run.seen)
        run.step(face, 100_000)


@given(
    data=st.lists(
        st.sampled_from([b"\r\n", b"\r\n", b"\n", b"\r", b"a head", b"x" * 90, b"y" * 700]),
        min_size=5,
        max_size=60,
    ).map(b"".join),
    sizes=st.lists(st.sampled_from([1, 3, 12, 150, 900]), min_size=1, max_size=10),
    face=st.sampled_from(
        [
            *("records", "next records", "messages", "next messages"),
            *("set after records", "set after next records"),
        ]
    ),
    terminators=st.one_of(
        st.sampled_from([[b"\r\n"], [b"\r\n\r\n", b"\r\n\r\n", 5]]),
        # (Nothing but counts of 0 would never need data.)
        st.lists(st.sampled_from(HEADS_AND_BODIES), min_size=2, max_size=4).filter(any),
    ),
    max_size=st.sampled_from([4, 100, 600, None]),
)
def test_who_asks_only_when_there_may_be_something_misses_nothing(
    data: bytes, sizes: list[int], face: str, terminators: list[Terminator], max_size: int | None
) -> None:
    always, told = (Run(Splitter(terminators[0], max_size=max_size), terminators) for _ in range(2))
    turn = 0
    while data:
        size = sizes[turn % len(sizes)]
        always.splitter.receive_data(data[:size])
        take_all(always, face)
        if told.splitter.receive_data(data[:size]):
            take_all(told, face)
        assert told.seen == always.seen
        data = data[size:]
        turn += 1


@given(
    bodies=st.lists(st.integers(0, 1200).map(bytes), max_size=20),
    sizes=st.lists(st.sampled_from([1, 2, 7, 64, 900]), min_size=1, max_size=10),
    max_size=st.sampled_from([100, 1000, None]),
)
def test_nor_of_messages_for_which_no_grammar_is_run(
    bodies: list[bytes], sizes: list[int], max_size: int | None
) -> None:
    framing = length_prefixed(2, max_size=max_size)
    runs = [Run(Splitter(max_size=max_size), []) for _ in range(2)]
    for run in runs:
        run.parser = Parser(framing.grammar, run.splitter)
    always, told = runs
    data = b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
    turn = 0
    while data:
        size = sizes[turn % len(sizes)]
        always.splitter.receive_data(data[:size])
        take_all(always, "messages")
        if told.splitter.receive_data(data[:size]):
            take_all(told, "messages")
        assert told.seen == always.seen
        data = data[size:]
        turn += 1
