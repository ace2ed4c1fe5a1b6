from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from termsplit import LocalProtocolError, ProducerQueue


class Refused(Exception):
    """What the producers below raise."""


class Scripted:
    """A producer that gives one answer after the other, and notes that it was closed."""

    def __init__(self, *answers: object, fails_to_close: bool = False) -> None:
        self.answers = list(answers)
        self.closed = 0
        self.fails_to_close = fails_to_close

    def more(self) -> Any:
        answer = self.answers.pop(0) if self.answers else b""
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        self.closed += 1
        if self.fails_to_close:
            raise OSError(f"can't close, with {len(self.answers)} answers left")


def drain(queue: ProducerQueue, max_bytes: int = 64 * 1024) -> Iterator[bytes]:
    while data := queue.data_to_send(max_bytes):
        yield bytes(data)
        queue.data_sent(len(data))


class TestPush:
    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_bytes_like_data(self, kind: Callable[[bytes], bytes]) -> None:
        queue = ProducerQueue()
        queue.push(kind(b"abc"))
        assert list(drain(queue)) == [b"abc"]

    def test_data_is_copied_if_it_can_change(self) -> None:
        queue = ProducerQueue()
        for size in (1, 5000):
            data = bytearray(b"a" * size)
            queue.push(data)
            data[0] = ord("b")
        assert b"".join(drain(queue)) == b"a" * 5001

    @pytest.mark.parametrize("data", ["a", None, 3, [97]])
    def test_anything_else_is_refused(self, data: Any) -> None:
        queue = ProducerQueue()
        with pytest.raises(TypeError, match=f"expected bytes-like data, got {type(data).__name__}"):
            queue.push(data)
        assert not queue.output_pending

    def test_no_bytes_are_nothing(self) -> None:
        queue = ProducerQueue()
        queue.push(b"")
        assert (queue.output_pending, queue.buffered, queue.data_to_send()) == (False, 0, b"")

    def test_small_ones_come_joined_and_in_order(self) -> None:
        queue = ProducerQueue()
        large = b"L" * 5000
        for data in (b"a", b"b", large, b"c", b"d", large, large, b"e"):
            queue.push(data)
        assert list(drain(queue)) == [b"ab", large, b"cd", large, large, b"e"]

    def test_many_small_ones_come_in_slices_that_stay_as_they_are(self) -> None:
        queue = ProducerQueue()
        for number in range(10_000):
            queue.push(b"%09d\n" % number)
        expected = b"".join(b"%09d\n" % number for number in range(10_000))
        slices: list[bytes | memoryview] = []
        while data := queue.data_to_send():
            queue.push(b"more")
            queue.data_sent(len(data))
            slices.append(data)
            if len(slices) == 3:
                queue.discard_buffers()
        assert [len(data) for data in slices] == [65_536, 34_464, 8]
        assert b"".join(slices) == expected + b"more" * 2

    def test_many_small_ones_come_before_a_large_one(self) -> None:
        queue = ProducerQueue()
        for _ in range(10_000):
            queue.push(b"0123456789")
        queue.push(b"L" * 5000)
        assert queue.buffered == 105_000
        assert list(drain(queue, 2**20)) == [b"0123456789" * 10_000, b"L" * 5000]

    def test_a_large_one_comes_in_slices_of_itself(self) -> None:
        """Nothing is copied: the slices are views of the bytes that were pushed."""
        data = bytes(range(256)) * 1000
        queue = ProducerQueue()
        queue.push(data)
        sent = b""
        for slice_ in iter(lambda: queue.data_to_send(10_000), b""):
            assert isinstance(slice_, memoryview)
            assert slice_.obj is data
            sent += slice_
            queue.data_sent(len(slice_))
        assert sent == data

    def test_one_that_goes_whole_is_not_wrapped(self) -> None:
        data = b"x" * 5000
        queue = ProducerQueue()
        queue.push(data)
        assert queue.data_to_send(5000) is data

    @pytest.mark.parametrize(
        "push", [lambda queue: queue.push(b"x"), lambda queue: queue.push_producer([])]
    )
    def test_after_close_when_done_it_is_refused(
        self, push: Callable[[ProducerQueue], object]
    ) -> None:
        queue = ProducerQueue()
        queue.push(b"a")
        queue.close_when_done()
        with pytest.raises(LocalProtocolError, match=r"push(_producer)?\(\) after close_when_done"):
            push(queue)
        assert list(drain(queue)) == [b"a"]

    def test_a_small_one_behind_others_is_looked_at_as_closely(self) -> None:
        queue = ProducerQueue(high_water=2)
        queue.push(b"a")
        with pytest.raises(TypeError, match="expected bytes-like data, got str"):
            queue.push("b")  # type: ignore[arg-type]
        mutable = bytearray(b"b")
        queue.push(mutable)
        mutable[0] = ord("x")
        before = queue.congested
        queue.push(b"")
        queue.push(b"c")
        assert (queue.buffered, before, queue.congested) == (3, False, True)
        queue.close_when_done()
        with pytest.raises(LocalProtocolError, match="after close_when_done"):
            queue.push(b"d")
        assert list(drain(queue)) == [b"abc"]


class TestSending:
    def test_what_is_shown_stays_until_it_is_sent(self) -> None:
        queue = ProducerQueue()
        queue.push(b"abcdef")
        for _ in range(2):
            assert queue.data_to_send(4) == b"abcd"
        assert queue.data_to_send() == b"abcdef"
        queue.data_sent(1)
        queue.data_sent(0)
        queue.push(b"gh")
        assert queue.data_to_send(4) == b"bcde"
        queue.data_sent(2)
        queue.data_sent(2)
        assert queue.data_to_send(4) == b"f"
        queue.data_sent(1)
        assert list(drain(queue)) == [b"gh"]

    @pytest.mark.parametrize("count", [-1, 4, 100])
    def test_more_than_was_shown_can_not_be_sent(self, count: int) -> None:
        queue = ProducerQueue()
        queue.push(b"abcdef")
        with pytest.raises(ValueError, match=f"expected 0 to 0 bytes sent, got {count}"):
            queue.data_sent(count)
        queue.data_to_send(3)
        with pytest.raises(ValueError, match=f"expected 0 to 3 bytes sent, got {count}"):
            queue.data_sent(count)
        queue.data_sent(1)
        with pytest.raises(ValueError, match="expected 0 to 2 bytes sent, got 3"):
            queue.data_sent(3)
        assert list(drain(queue)) == [b"bcdef"]

    @pytest.mark.parametrize("max_bytes", [0, -1])
    def test_at_least_one_byte_must_be_asked_for(self, max_bytes: int) -> None:
        queue = ProducerQueue()
        queue.push(b"a")
        with pytest.raises(ValueError, match=f"max_bytes to be 1 or more, got {max_bytes}"):
            queue.data_to_send(max_bytes)


class TestProducers:
    @pytest.mark.parametrize(
        "make",
        [
            lambda: Scripted(b"one", bytearray(b"two"), memoryview(b"three")),
            lambda: [b"one", b"", b"two", b"three"],
            lambda: iter([b"one", b"two", b"", b"", b"three"]),
            lambda: (part for part in (b"one", b"two", b"three", b"")),
        ],
    )
    def test_each_kind(self, make: Callable[[], Iterable[bytes]]) -> None:
        queue = ProducerQueue()
        queue.push(b"before")
        queue.push_producer(make())
        queue.push(b"after")
        assert list(drain(queue)) == [b"before", b"one", b"two", b"three", b"after"]

    def test_a_binary_file_is_read_in_pieces_and_closed(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_bytes(bytes(range(256)) * 600)
        file = path.open("rb")
        queue = ProducerQueue()
        queue.push_producer(file)
        pieces = list(drain(queue, 2**20))
        assert [len(piece) for piece in pieces] == [65536, 65536, 22528]
        assert b"".join(pieces) == path.read_bytes()
        assert file.closed

    @pytest.mark.parametrize(
        "producer",
        [b"bytes", bytearray(), memoryview(b""), "str", io.StringIO("text"), None, 3, object()],
    )
    def test_anything_else_is_refused(self, producer: Any) -> None:
        queue = ProducerQueue()
        expected = (
            "expected a producer: an object with more.., a binary file or an iterable of bytes, "
            f"got {type(producer).__name__}"
        )
        with pytest.raises(TypeError, match=expected):
            queue.push_producer(producer)
        assert not queue.output_pending

    def test_one_is_asked_when_all_before_it_was_sent(self) -> None:
        producer = Scripted(b"made", b"more")
        queue = ProducerQueue()
        queue.push(b"abc")
        queue.push_producer(producer)
        queue.data_to_send()
        queue.data_sent(2)
        queue.data_to_send()
        assert len(producer.answers) == 2
        queue.data_sent(1)
        assert queue.buffered == 0
        assert queue.output_pending
        assert queue.data_to_send() == b"made"
        assert queue.buffered == 4
        queue.data_sent(3)
        assert queue.data_to_send() == b"e"
        assert len(producer.answers) == 1

    def test_an_exhausted_one_is_closed_once(self) -> None:
        producer = Scripted(b"a")
        queue = ProducerQueue()
        queue.push_producer(producer)
        assert list(drain(queue)) == [b"a"]
        assert list(drain(queue)) == []
        assert producer.closed == 1

    def test_a_generator_is_closed_when_discarded(self) -> None:
        closed: list[bool] = []

        def parts() -> Iterator[bytes]:
            try:
                yield b"a"
                yield b"b"
            finally:
                closed.append(True)

        queue = ProducerQueue()
        queue.push_producer(parts())
        assert queue.data_to_send() == b"a"
        queue.discard_buffers()
        assert closed == [True]


class TestBroken:
    @pytest.mark.parametrize(
        ("answer", "error", "message"),
        [
            (Refused("no"), Refused, "no"),
            (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
            ("text", TypeError, "expected bytes from .*Scripted.*, got str"),
            ("", TypeError, "expected bytes from .*Scripted.*, got str"),
            (None, TypeError, "expected bytes from .*Scripted.*, got NoneType"),
        ],
    )
    def test_a_producer_that_fails(
        self, answer: object, error: type[BaseException], message: str
    ) -> None:
        """Contract 5: what was before it is sent, nothing behind it is, and the queue says so."""
        failing, behind = Scripted(b"made", answer, b"never"), Scripted(b"behind")
        queue = ProducerQueue()
        queue.push(b"before")
        queue.push_producer(failing)
        queue.push(b"pushed behind")
        queue.push_producer(behind)
        sent: list[bytes] = []
        with pytest.raises(error, match=message) as raised:
            sent.extend(drain(queue))
        assert sent == [b"before", b"made"]
        assert queue.broken is raised.value
        assert (failing.closed, behind.closed) == (1, 0)
        for call in (
            queue.data_to_send,
            lambda: queue.push(b"x"),
            lambda: queue.push_producer([b"x"]),
        ):
            with pytest.raises(LocalProtocolError, match="after a producer failed") as refused:
                call()
            assert refused.value.__cause__ is raised.value
        queue.discard_buffers()
        assert (failing.closed, behind.closed) == (1, 1)
        queue.push(b"again")
        assert list(drain(queue)) == [b"again"]

    def test_an_iterable_of_something_else(self) -> None:
        queue = ProducerQueue()
        queue.push_producer([b"a", None])  # type: ignore[list-item]
        with pytest.raises(TypeError, match="got NoneType"):
            list(drain(queue))

    def test_a_broken_queue_never_says_that_all_was_sent(self) -> None:
        queue = ProducerQueue()
        queue.push_producer(Scripted(Refused()))
        queue.close_when_done()
        with pytest.raises(Refused):
            queue.data_to_send()
        assert not queue.must_close

    def test_one_that_fails_and_then_to_close(self) -> None:
        failing = Scripted(Refused(), fails_to_close=True)
        queue = ProducerQueue()
        queue.push_producer(failing)
        with pytest.raises(OSError, match="can't close") as raised:
            queue.data_to_send()
        assert isinstance(raised.value.__context__, Refused)
        assert isinstance(queue.broken, Refused)

    def test_one_that_fails_to_close_when_exhausted_is_gone_nonetheless(self) -> None:
        queue = ProducerQueue()
        queue.push_producer(Scripted(fails_to_close=True))
        queue.push(b"behind")
        with pytest.raises(OSError, match="can't close"):
            queue.data_to_send()
        assert list(drain(queue)) == [b"behind"]


class TestDiscardBuffers:
    def test_all_is_dropped(self) -> None:
        queue = ProducerQueue(high_water=4)
        queue.push(b"abcdef")
        queue.push_producer([b"made"])
        queue.push(b"run")
        queue.close_when_done()
        queue.data_to_send()
        queue.data_sent(1)
        assert queue.congested
        queue.discard_buffers()
        assert (queue.buffered, queue.output_pending, queue.congested) == (0, False, False)
        assert (queue.closing, queue.must_close) == (False, False)
        with pytest.raises(ValueError, match="expected 0 to 0 bytes sent"):
            queue.data_sent(1)
        queue.push(b"next")
        assert list(drain(queue)) == [b"next"]

    def test_every_producer_is_closed_even_if_one_fails_to(self) -> None:
        producers = [Scripted(), Scripted(fails_to_close=True), Scripted()]
        queue = ProducerQueue()
        queue.push_producer(producers[0])
        assert queue.data_to_send() == b""
        for producer in producers[1:]:
            queue.push_producer(producer)
        queue.push_producer([b"has no close"])
        with pytest.raises(OSError, match="can't close"):
            queue.discard_buffers()
        assert [producer.closed for producer in producers] == [1, 1, 1]
        assert not queue.output_pending


class TestClosing:
    def test_must_close_when_all_was_sent(self) -> None:
        queue = ProducerQueue()
        queue.push(b"ab")
        states = [(queue.closing, queue.must_close)]
        for _ in range(2):
            queue.close_when_done()
            states.append((queue.closing, queue.must_close))
        queue.data_to_send()
        for _ in range(2):
            queue.data_sent(1)
            states.append((queue.closing, queue.must_close))
        assert states == [(False, False), *[(True, False)] * 3, (True, True)]

    def test_at_once_when_nothing_is_queued(self) -> None:
        queue = ProducerQueue()
        queue.close_when_done()
        assert queue.must_close

    def test_not_before_the_producers_are_exhausted(self) -> None:
        queue = ProducerQueue()
        queue.push_producer([])
        queue.close_when_done()
        before = queue.must_close
        assert queue.data_to_send() == b""
        assert (before, queue.must_close) == (False, True)


class TestWaterMarks:
    def test_congested_above_high_water_until_down_to_low_water(self) -> None:
        queue = ProducerQueue(high_water=10, low_water=3)
        states: list[tuple[int, bool]] = []

        def look() -> None:
            states.append((queue.buffered, queue.congested))

        queue.push(b"x" * 10)
        look()
        queue.push(b"x")
        look()
        for sent in (7, 1):
            queue.data_to_send()
            queue.data_sent(sent)
            look()
        queue.push(b"x" * 7)
        look()
        assert states == [(10, False), (11, True), (4, True), (3, False), (10, False)]

    def test_what_a_producer_made_counts(self) -> None:
        queue = ProducerQueue(high_water=2)
        queue.push_producer([b"abc"])
        before = queue.congested
        queue.data_to_send()
        assert (before, queue.congested) == (False, True)

    def test_low_water_is_a_quarter_of_high_water(self) -> None:
        queue = ProducerQueue(high_water=9)
        queue.push(b"x" * 10)
        queue.data_to_send()
        queue.data_sent(7)
        before = queue.congested
        queue.data_sent(1)
        assert (before, queue.congested) == (True, False)

    @pytest.mark.parametrize(("high", "low"), [(3, 4), (-1, None), (3, -1)])
    def test_bad_marks_are_refused(self, high: int, low: int | None) -> None:
        with pytest.raises(ValueError, match="expected 0 <= low_water <= high_water, got"):
            ProducerQueue(high_water=high, low_water=low)


class TestOnOutput:
    def test_it_is_called_when_there_is_something_new_to_do(self) -> None:
        queue = ProducerQueue()
        calls: list[str] = []
        step = "push"
        queue.on_output = lambda: calls.append(step)
        queue.push(b"")
        queue.push(b"a")
        queue.push(b"b")
        assert calls == ["push"]
        step = "push when all was sent"
        list(drain(queue))
        queue.push(b"c")
        step = "producer"
        queue.push_producer([b"d"])
        step = "close"
        queue.close_when_done()
        queue.close_when_done()
        assert calls == ["push", "push when all was sent", "producer", "close"]

    def test_what_was_pushed_can_be_sent_from_within(self) -> None:
        queue = ProducerQueue()
        sent: list[bytes] = []
        queue.on_output = lambda: sent.extend(drain(queue))
        queue.push(b"a")
        queue.push(b"b" * 5000)
        queue.push_producer([b"c", b"d"])
        queue.close_when_done()
        assert sent == [b"a", b"b" * 5000, b"c", b"d"]
        assert queue.must_close


class TestReentrance:
    """A producer that works on its own queue while it is asked."""

    class Acting:
        def __init__(self, act: Callable[[], object]) -> None:
            self.act = act
            self.answers = [b"made"]

        def more(self) -> bytes:
            self.act()
            return self.answers.pop() if self.answers else b""

    def test_what_it_pushes_comes_after_what_it_makes(self) -> None:
        queue = ProducerQueue()
        pushes = iter([b"pushed first", b"L" * 5000])
        queue.push_producer(self.Acting(lambda: queue.push(next(pushes))))
        queue.push(b"behind")
        assert list(drain(queue)) == [b"made", b"behindpushed first", b"L" * 5000]

    def test_it_may_discard_the_buffers_and_itself(self) -> None:
        def act() -> None:
            queue.discard_buffers()
            queue.push(b"instead")

        queue = ProducerQueue()
        queue.push_producer(self.Acting(act))
        queue.push(b"behind")
        assert list(drain(queue)) == [b"instead"]

    def test_it_may_fail_after_that(self) -> None:
        def act() -> None:
            queue.discard_buffers()
            queue.push(b"instead")
            raise Refused

        queue = ProducerQueue()
        queue.push_producer(self.Acting(act))
        with pytest.raises(Refused):
            queue.data_to_send()
        assert queue.broken is None
        assert list(drain(queue)) == [b"instead"]
