"""Contract 2: work is proportional to bytes and events, for every chunking and every terminator.

Counted are the bytes that are searched, the bytes that are copied from one buffer into the next, and the calls; never
the time. Twice the input may cost twice as much.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable

import pytest

import termsplit._engine
import termsplit._receiving
from termsplit import (
    AnyOf,
    Chat,
    Limited,
    Parse,
    Parser,
    ProducerQueue,
    RecordSkipped,
    Splitter,
    Terminator,
    TerminatorFound,
)
from termsplit._terminators import LiteralPattern, Pattern, literal_pattern
from termsplit.framing import length_prefixed


class Cost:
    """What one run took: bytes searched, bytes copied, calls made."""

    def __init__(self) -> None:
        self.searched = 0
        self.copied = 0
        self.calls = 0

    def count_call(self, frame: object, event: str, argument: object) -> None:
        if event in ("call", "c_call"):
            self.calls += 1


class CountingPattern:
    """A pattern that counts how many bytes it looks at."""

    def __init__(self, pattern: Pattern, cost: Cost) -> None:
        self.pattern = pattern
        self.cost = cost
        self.longest = pattern.longest
        self.found = pattern.found
        self.last_byte = pattern.last_byte
        self.inner_bytes = pattern.inner_bytes

    def search(
        self, buffer: bytes, start: int, stop: int, final: bool
    ) -> tuple[int, int, TerminatorFound] | None:
        match = self.pattern.search(buffer, start, stop, final)
        self.cost.searched += (stop if match is None else match[1]) - start
        return match

    def held_back(self, buffer: bytes, start: int) -> int:
        self.cost.searched += min(self.longest, len(buffer) - start)
        return self.pattern.held_back(buffer, start)

    def cut(self, window: bytes) -> tuple[list[bytes], list[TerminatorFound] | None, int]:
        self.cost.searched += len(window)
        self.cost.copied += len(window)
        return self.pattern.cut(window)

    def split(self, data: bytes) -> list[bytes]:
        self.cost.searched += len(data)
        assert isinstance(self.pattern, LiteralPattern)
        return self.pattern.split(data)


class CountingSplitter(Splitter):
    """Counts the bytes of every buffer that is made: they were copied there, and may have been split before."""

    def __init__(self, cost: Cost, terminator: Terminator) -> None:
        self.cost = cost
        self._counted = b""
        super().__init__(terminator, max_size=None)

    @property
    def _buffer(self) -> bytes:
        return self._counted

    @_buffer.setter
    def _buffer(self, data: bytes) -> None:
        if data is not self._counted:
            self.cost.copied += len(data)
            self.cost.searched += len(data)
        self._counted = data


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Callable[[Scenario, int], Cost]:
    def measure(scenario: Scenario, size: int) -> Cost:
        cost = Cost()
        patterns: dict[bytes, CountingPattern] = {}

        def counting(literal: bytes) -> CountingPattern:
            return patterns.setdefault(literal, CountingPattern(literal_pattern(literal), cost))

        monkeypatch.setattr(termsplit._engine, "literal_pattern", counting)
        # What waits to be joined is joined a few times within a short scenario, as it is many times within a long one.
        monkeypatch.setattr(termsplit._receiving, "_MOST_KEPT", 1024)
        monkeypatch.setattr(
            termsplit._receiving, "_FEW", 1024 // termsplit._receiving._CHUNK_OBJECT
        )
        for any_of in (LINES, LAZY):
            monkeypatch.setattr(
                any_of, "pattern", CountingPattern(AnyOf(*any_of.alternatives).pattern, cost)
            )
        sys.setprofile(cost.count_call)
        try:
            scenario(cost, size)
        finally:
            sys.setprofile(None)
        return cost

    return measure


Scenario = Callable[[Cost, int], object]
LINES = AnyOf(b"\r\n", b"\n")
LAZY = AnyOf(b"a", b"aaaaaaab")


def outgrown(measure: Callable[[Scenario, int], Cost], scenario: Scenario, size: int) -> set[str]:
    """The costs that more than double when the input does.

    What waits to be looked at may be looked at once, whenever that is: so less than one for each byte is as good as one.
    """
    measure(scenario, 16)  # what is made once, such as compiled expressions
    once, twice = vars(measure(scenario, size)), vars(measure(scenario, 2 * size))
    assert once["calls"] >= 10
    return {what for what in once if twice[what] > 2.2 * max(once[what], size)}


def is_linear(measure: Callable[[Scenario, int], Cost], scenario: Scenario, size: int) -> None:
    assert not outgrown(measure, scenario, size)


def one_byte_each(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def whole(data: bytes) -> list[bytes]:
    return [data]


def take_events(splitter: Splitter, chunk: bytes) -> None:
    for _ in splitter.feed(chunk):
        pass


def take_records(splitter: Splitter, chunk: bytes) -> None:
    splitter.receive_data(chunk)
    for _ in splitter.records():
        pass


def take_and_look(splitter: Splitter, chunk: bytes) -> None:
    splitter.receive_data(chunk)
    for _ in splitter.records():
        assert splitter.offset


STREAMS = {
    "nothing like a terminator": b"x",
    "half a terminator after another": b"\r\n\ra",
    "false beginnings": b"aaaaaaa",
    "terminators alone": b"\r\n",
    "short records": b"a record\r\n",
    "records of some length": b"x" * 198 + b"\r\n",
}


@pytest.mark.parametrize("take", [take_events, take_records, take_and_look])
@pytest.mark.parametrize(("cut", "size"), [(one_byte_each, 1600), (whole, 20_000)])
@pytest.mark.parametrize(
    "terminator", [b"\r\n", b"\r\n\r\n", b"aaaaaaab", b"x", LINES, LAZY, 7, None], ids=repr
)
@pytest.mark.parametrize("data", STREAMS.values(), ids=STREAMS)
def test_receiving(
    measure: Callable[[Scenario, int], Cost],
    take: Callable[[Splitter, bytes], None],
    cut: Callable[[bytes], list[bytes]],
    size: int,
    terminator: Terminator,
    data: bytes,
) -> None:
    if take is take_and_look and cut is whole:
        size //= 4  # each look at a record costs some calls, and there are many

    def scenario(cost: Cost, size: int) -> None:
        splitter = CountingSplitter(cost, terminator)
        for chunk in cut((data * size)[:size]):
            take(splitter, chunk)

    # The first record costs less than others, or more: so there must be several.
    is_linear(measure, scenario, max(size, 8 * len(data)))


@pytest.mark.parametrize("cut", [one_byte_each, whole])
@pytest.mark.parametrize("face", ["events", "records", "messages", "callbacks"])
@pytest.mark.parametrize("steady", [1, 2, 5, 17])
@pytest.mark.parametrize("terminator", [b"\r\n", LINES], ids=repr)
def test_many_records_with_the_terminator_changed_among_them(
    measure: Callable[[Scenario, int], Cost],
    cut: Callable[[bytes], list[bytes]],
    face: str,
    steady: int,
    terminator: bytes | AnyOf,
) -> None:
    """However many records the machine has cut ahead, in vain, when the terminator changes."""

    def scenario(cost: Cost, size: int) -> None:
        splitter = CountingSplitter(cost, terminator)
        data = (b"%s" % (b"head\r\n" * steady + b"body")) * size

        if face == "callbacks":
            chat = Switching(splitter)
            for chunk in cut(data):
                splitter.receive_data(chunk)
                chat.dispatch()
        elif face == "messages":
            parser = Parser(grammar, splitter)
            for chunk in cut(data):
                for _ in parser.feed(chunk):
                    pass
        else:
            taken = 0
            for chunk in cut(data):
                splitter.receive_data(chunk)
                for fact in splitter.events() if face == "events" else splitter.records():
                    if isinstance(fact, (bytes, TerminatorFound)):
                        taken += 1
                        splitter.set_terminator(after(taken))

    def after(taken: int) -> Terminator:
        return 4 if taken % (steady + 1) == steady else terminator

    def grammar() -> Parse[None]:
        for _ in range(steady):
            yield terminator
        yield 4

    class Switching(Chat):
        def __init__(self, splitter: Splitter) -> None:
            super().__init__()
            self.taken = 0
            # Only the input side of a connection is used.
            self.connection.events = splitter.events  # type: ignore[method-assign]
            self.splitter = splitter

        def collect_incoming_data(self, data: bytes) -> None:
            pass

        def found_terminator(self) -> None:
            self.taken += 1
            self.splitter.set_terminator(after(self.taken))

    is_linear(measure, scenario, 30 if cut is one_byte_each else 300)


def test_messages_taken_one_by_one_while_more_comes_in(
    measure: Callable[[Scenario, int], Cost],
) -> None:
    framing = length_prefixed(2)

    def scenario(cost: Cost, size: int) -> None:
        splitter = CountingSplitter(cost, None)
        parser = Parser(framing.grammar, splitter)
        parser.receive_data(framing.encode(b"x" * 98) * size)
        for _ in range(size):
            parser.receive_data(b"\0")
            assert parser.next_message() == b"x" * 98

    is_linear(measure, scenario, 300)


def test_a_string_far_away_in_a_conversation(measure: Callable[[Scenario, int], Cost]) -> None:
    """Each of many chunks is of no use without it, and is not searched again with the next."""

    def grammar() -> Parse[None]:
        while True:
            yield b"\n"
            yield 4

    def scenario(cost: Cost, size: int) -> None:
        splitter = CountingSplitter(cost, None)
        parser = Parser(grammar, splitter)
        for chunk in (b"head\nbody", *[b"a long head" * 100] * size, b"\nbody"):
            for _ in parser.feed(chunk):
                pass

    is_linear(measure, scenario, 300)


@pytest.mark.parametrize(("cut", "size"), [(one_byte_each, 1600), (whole, 20_000)])
@pytest.mark.parametrize("record", [b"x" * 40 + b"\r\n", b"x" * 1000 + b"\r\n", b"x"])
def test_records_that_are_too_long(
    measure: Callable[[Scenario, int], Cost],
    cut: Callable[[bytes], list[bytes]],
    size: int,
    record: bytes,
) -> None:
    def scenario(cost: Cost, size: int) -> None:
        splitter = CountingSplitter(cost, Limited(b"\r\n", 20))
        for chunk in cut((record * size)[:size]):
            splitter.receive_data(chunk)
            assert all(isinstance(one, RecordSkipped) for one in splitter.records(too_long="skip"))

    is_linear(measure, scenario, size)


@pytest.mark.parametrize("take", [take_events, take_records])
def test_a_long_record_after_short_ones(
    measure: Callable[[Scenario, int], Cost], take: Callable[[Splitter, bytes], None]
) -> None:
    """Each of its chunks might end it, and all of it fits into the window that the short ones have earned."""

    def scenario(cost: Cost, size: int) -> None:
        splitter = CountingSplitter(cost, b"\r\n")
        for _ in range(10):
            take(splitter, b"a record\r\n" * 200)
        before = cost.copied
        for _ in range(size):
            take(splitter, b"\n")
        assert cost.copied - before < 128 * size

    is_linear(measure, scenario, 1_000)


def test_chunks_that_wait_are_joined_once(measure: Callable[[Scenario, int], Cost]) -> None:
    def scenario(cost: Cost, size: int) -> None:
        splitter = CountingSplitter(cost, b"\n")
        for _ in range(size):
            splitter.receive_data(b"abc\n")
        take_records(splitter, b"")

    is_linear(measure, scenario, 2_000)


class CountingQueue(ProducerQueue):
    """Counts the bytes of every chunk that was not there before: they were copied into it."""

    def __init__(self, cost: Cost, pushed: list[bytes]) -> None:
        self.cost = cost
        self.pushed = set(map(id, pushed))
        super().__init__()

    @property
    def _chunk(self) -> bytes:
        return self._counted

    @_chunk.setter
    def _chunk(self, data: bytes) -> None:
        if id(data) not in self.pushed:
            self.cost.copied += len(data)
        self._counted = data


@pytest.mark.parametrize("send", [1, 100, 70_000])
@pytest.mark.parametrize("piece", [b"x", b"x" * 100, b"x" * 5000])
def test_many_pushes(measure: Callable[[Scenario, int], Cost], send: int, piece: bytes) -> None:
    def scenario(cost: Cost, size: int) -> None:
        queue = CountingQueue(cost, [piece])
        for _ in range(size // len(piece) + 1):
            queue.push(piece)
        while data := queue.data_to_send(send):
            queue.data_sent(len(data))

    is_linear(measure, scenario, 20_000 if send > 1 else 5_000)


def test_a_large_push_in_small_sends_is_not_copied(
    measure: Callable[[Scenario, int], Cost],
) -> None:
    def scenario(cost: Cost, size: int) -> None:
        data = b"x" * (1000 * size)
        queue = CountingQueue(cost, [data])
        queue.push(data)
        while part := queue.data_to_send(1000):
            queue.data_sent(len(part))
        assert cost.copied == 0

    is_linear(measure, scenario, 1_000)


def test_pushes_and_sends_in_turn(measure: Callable[[Scenario, int], Cost]) -> None:
    """The queue never empties, and what is pushed onto it costs the same each time."""

    def scenario(cost: Cost, size: int) -> None:
        queue = CountingQueue(cost, [])
        queue.push(b"x" * 100)
        for _ in range(size):
            queue.push(b"y" * 10)
            queue.data_sent(len(queue.data_to_send(10)))

    is_linear(measure, scenario, 2_000)


@pytest.mark.parametrize("terminator", [b"\r\n", AnyOf(b"\r\n", b"\n"), 10**6, None], ids=repr)
def test_streaming_keeps_nothing(terminator: Terminator) -> None:
    """The memory it takes is that of the chunk in hand."""
    splitter = Splitter(terminator)
    chunk = b"x" * 1000
    take_events(splitter, chunk)

    def peak() -> int:
        tracemalloc.start()
        try:
            for _ in range(2000):
                take_events(splitter, chunk)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Now and then, who traces the test takes some too.
    assert min(peak() for _ in range(3)) < 20 * len(chunk)


@pytest.mark.parametrize("chunk_size", [2, 3, 16, 60])
@pytest.mark.parametrize("terminator", [b"\r\n", AnyOf(b"\r\n", b"\n"), 10**6, None], ids=repr)
@pytest.mark.parametrize("read", [True, False])
def test_a_record_in_tiny_chunks_takes_little_more_than_its_bytes(
    terminator: Terminator, chunk_size: int, read: bool
) -> None:
    """Not what Python keeps for each chunk, which is many times as much."""
    size = 240_000
    splitter = Splitter(terminator, max_size=None)
    tracemalloc.start()
    try:
        for number in range(size // chunk_size):
            chunk = (number % 256**chunk_size).to_bytes(chunk_size, "big")
            splitter.receive_data(chunk.replace(b"\n", b"x"))
            if read or number == 0:
                assert list(splitter.records()) == []
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(splitter.trailing_data) == size
    assert kept < 1.5 * size


def test_the_rest_behind_long_records_does_not_keep_them() -> None:
    def kept() -> int:
        splitter = Splitter(b"\r\n")
        tracemalloc.start()
        try:
            splitter.receive_data((b"x" * 9000 + b"\r\n") * 100 + b"y" * 8000)
            assert len(list(splitter.records())) == 100
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    # Now and then, who traces the test takes some too.
    assert min(kept() for _ in range(3)) < 2 * 8000


def test_the_count_can_fail(measure: Callable[[Scenario, int], Cost]) -> None:
    """A machine that begins anew with every chunk, as one does that forgets how far it has searched."""

    def scenario(cost: Cost, size: int) -> None:
        chunks: list[bytes] = []
        for _ in range(size):
            chunks.append(b"x")
            splitter = CountingSplitter(cost, b"\n")
            for chunk in chunks:
                splitter.receive_data(chunk)
            take_records(splitter, b"")

    assert outgrown(measure, scenario, 100) == {"searched", "copied", "calls"}


def test_the_count_of_what_is_sent_can_fail(measure: Callable[[Scenario, int], Cost]) -> None:
    """A queue that joins all that it holds for every send."""

    def scenario(cost: Cost, size: int) -> None:
        waiting = b"x" * size
        while waiting:
            queue = CountingQueue(cost, [])
            for i in range(0, len(waiting), 10):
                queue.push(waiting[i : i + 10])
            queue.data_sent(len(queue.data_to_send(10)))
            waiting = waiting[10:]

    assert outgrown(measure, scenario, 1_000) == {"copied", "calls"}
