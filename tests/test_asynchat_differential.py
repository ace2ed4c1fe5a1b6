"""Random programs on the original asynchat and on ours: what they can see is the same.

The plain way of cutting, in which ``ac_in_buffer`` belongs to the program, is held against the original too, and
so against the fast one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings, strategies as st

pytest.importorskip("asyncore")
original = pytest.importorskip("asynchat")

from termsplit import asynchat  # noqa: E402 - only with asyncore
from termsplit._terminators import LiteralPattern  # noqa: E402
from tests.wired import Wired, wired  # noqa: E402

# What comes in.


class Reader(Wired):
    """At the callbacks whose numbers are in ``actions`` does what stands there, and logs all that it can see."""

    actions: dict[int, tuple[Any, ...]]
    chat: Any

    def collect_incoming_data(self, data: Any) -> None:
        self.note("data", type(data), data)

    def found_terminator(self) -> None:
        self.note("found")

    def handle_close(self) -> None:
        self.note("closed")
        self.connected = False

    def note(self: Any, *what: Any) -> None:
        number = len(self.log)
        self.log.append((*what, self.get_terminator(), self.sent, list(self.producer_fifo)))
        action, *arguments = self.actions.get(number, ("nothing",))
        within_a_count = what[0] == "data" and isinstance(self.terminator, int)
        if within_a_count and arguments and isinstance(arguments[0], int):
            # The original makes a negative count of it, and then cuts at random.
            action = "nothing"
        if action == "set":
            self.set_terminator(*arguments)
        elif action == "assign":
            self.terminator = arguments[0]
        elif action == "look":
            self.log.append((self.ac_in_buffer, self.get_terminator()))
        elif action == "replace":
            self.ac_in_buffer = arguments[0]
        elif action == "prepend":
            self.ac_in_buffer = arguments[0] + self.ac_in_buffer
        elif action == "rewind":
            self.ac_in_buffer = self.seen
        elif action == "remember":
            self.seen = self.ac_in_buffer
        elif action == "push":
            self.push(*arguments)
        elif action == "read":
            self.wire.append(arguments[0])
            self.handle_read()
        elif action == "try to read":
            self.wire.append(arguments[0])
            try:
                self.handle_read()
            except RuntimeError:
                self.log.append("caught")
        elif action == "swap":
            self.found_terminator = lambda: self.note("found by another")
        elif action == "raise":
            raise RuntimeError
        elif action != "nothing":
            getattr(self, action)()

    seen = b""


TERMINATORS = [b"\n", b"\r\n", b"aab", b"abab", b"", None, 0, 1, 3, 70, True, bytearray(b"ab")]
terminators = st.sampled_from(TERMINATORS)
# Rich in terminators and in beginnings of them.
data = st.lists(
    st.builds(
        bytes.__mul__,
        st.sampled_from(
            [b"x\n", b"\r\n", b"xyz\r\n", b"\r", b"aab", b"ab", b"a", b"x", b"aaab.\n"]
        ),
        st.sampled_from([1, 1, 1, 2, 3, 40]),
    ),
    max_size=6,
).map(b"".join)
actions = st.one_of(
    st.tuples(st.just("set"), terminators),
    st.tuples(st.just("assign"), terminators),
    st.tuples(st.sampled_from(["replace", "prepend", "read", "try to read"]), data),
    st.tuples(st.just("push"), st.sampled_from([b"reply", bytearray(b"r"), bytes(90)])),
    st.tuples(
        st.sampled_from(
            ["look", "remember", "rewind", "swap", "raise", "discard_buffers", "close_when_done"]
        )
    ),
)
reading = {
    "terminator": terminators,
    "chunks": st.lists(data, min_size=1, max_size=6),
    "actions": st.dictionaries(st.integers(0, 90), actions, max_size=6),
}


def what_a_reader_sees(
    module: Any, terminator: Any, chunks: list[bytes], actions: dict[int, Any], **more: Any
) -> list[Any]:
    chat = type("Chat", (Reader, module.async_chat), {"actions": actions, **more})()
    chat.set_terminator(terminator)
    for chunk in chunks:
        chat.wire.append(chunk)
        try:
            chat.handle_read()
        except (RuntimeError, TypeError) as error:
            # The original can't take bytes in the place of a count in collect_incoming_data.
            chat.log.append(type(error))
        chat.log.append((chat.ac_in_buffer, chat.get_terminator(), list(chat.producer_fifo)))
        if len(chat.log) > 2_000:
            break
    log: list[Any] = chat.log
    return log


def check_reader(**program: Any) -> None:
    assert what_a_reader_sees(asynchat, **program) == what_a_reader_sees(original, **program)


@given(**reading)
def test_a_reader_sees_the_same(**program: Any) -> None:
    check_reader(**program)


@given(**reading)
def test_a_reader_with_its_own_ac_in_buffer_sees_the_same(**program: Any) -> None:
    seen = what_a_reader_sees(asynchat, **program, ac_in_buffer=b"")
    assert seen == what_a_reader_sees(original, **program)


# What goes out.


class Told:
    """A producer that tells the chat when it is asked, and how much was sent by then."""

    def __init__(self, chat: Any, pieces: list[bytes]) -> None:
        self.chat = chat
        self.pieces = pieces[::-1]

    def more(self) -> bytes:
        self.chat.log.append(("asked", len(self.chat.sent), len(self.pieces)))
        return self.pieces.pop() if self.pieces else b""


pieces = st.sampled_from([b"a", b"bc", b"def", b"0123456789", bytes(range(100)), bytes(300)])
writing = {
    "steps": st.lists(
        st.one_of(
            st.tuples(
                st.just("push"),
                pieces | pieces.map(bytearray) | pieces.map(lambda piece: memoryview(piece)),
            ),
            st.tuples(st.just("produce"), st.lists(pieces, max_size=3) | pieces),
            st.tuples(st.just("room"), st.sampled_from([0, 1, 2, 50, 1000, OSError()])),
            st.tuples(st.just("write"), st.none()),
        ),
        max_size=30,
    ),
    "size": st.sampled_from([1, 7, 64, 65536]),
}


def what_is_sent(module: Any, steps: list[tuple[str, Any]], size: int) -> list[Any]:
    closed: list[Any] = []
    chat = wired(module, ac_out_buffer_size=size)
    chat.handle_close = lambda: closed.append((chat.sent, list(chat.producer_fifo)))
    chat.handle_error = lambda: None
    for step, what in steps:
        if step == "push":
            chat.push(what)
        elif step == "produce":
            chat.push_with_producer(Told(chat, what) if isinstance(what, list) else what)
        elif step == "room":
            chat.room = what
        else:
            chat.handle_write()
    chat.close_when_done()
    chat.room = 1_000_000
    for _ in range(100_000):
        if not chat.writable():
            break
        chat.handle_write()
    assert not chat.producer_fifo
    assert max(map(len, chat.sends), default=0) <= size
    return [*chat.log, *closed]


def check_writer(**program: Any) -> None:
    assert what_is_sent(asynchat, **program) == what_is_sent(original, **program)


@given(**writing)
def test_the_same_is_sent_in_the_same_order(**program: Any) -> None:
    check_writer(**program)


# A broken copy fails.


def stand_still(unread: Any) -> None:
    unread.ready = asynchat._NOTHING


def drop_too_much(chat: Any, data: Any, sent: int) -> None:
    chat.producer_fifo[0] = chat.producer_fifo[0][sent + 1 :]


def joined_in_reverse(chat: Any, size: int) -> bytes:
    return b"".join(x for x in reversed(chat.producer_fifo) if isinstance(x, bytes))[:size]


def close_at_once(chat: Any) -> None:
    chat.handle_close()


READER = given(**reading), check_reader
WRITER = given(**writing), check_writer


@pytest.mark.parametrize(
    ("programs", "owner", "name", "fault"),
    [
        (READER, LiteralPattern, "held_back", lambda pattern, buffer, start: 0),
        (READER, asynchat._Unread, "settle", stand_still),
        (READER, asynchat.async_chat, "discard_buffers", lambda chat: None),
        (READER, asynchat.async_chat, "close_when_done", close_at_once),
        (WRITER, asynchat.async_chat, "_drop", drop_too_much),
        (WRITER, asynchat.async_chat, "_joined", joined_in_reverse),
        (WRITER, asynchat.async_chat, "handle_write", lambda chat: chat.producer_fifo.clear()),
    ],
)
def test_a_broken_copy_fails(
    monkeypatch: pytest.MonkeyPatch,
    programs: tuple[Callable[..., Any], Callable[..., None]],
    owner: type,
    name: str,
    fault: Callable[..., Any],
) -> None:
    monkeypatch.setattr(owner, name, fault)
    given_programs, check = programs

    @settings(
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        max_examples=2_000,
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given_programs
    def run(**program: Any) -> None:
        check(**program)

    with pytest.raises((AssertionError, IndexError)):
        run()
