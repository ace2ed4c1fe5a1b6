"""The law that what one end frames, the other end parses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar, cast

from termsplit.framing import Framing

from ._chunking import check_chunking
from ._outcome import End, parse_chunks, same
from ._picture import draw_cuts, draw_difference
from ._strategies import messages_of

if TYPE_CHECKING:
    import hypothesis.strategies

__all__ = ["RoundTripFailed", "check_round_trip"]

T = TypeVar("T")


class RoundTripFailed(AssertionError):
    """What came out of a framing is not what went in; the message shows both.

    Attributes:
        messages: what went in.
        data: what they were encoded as.
    """

    def __init__(self, messages: Sequence[object], data: bytes, picture: str) -> None:
        super().__init__(picture)
        self.messages = messages
        self.data = data


def check_round_trip(
    framing: Framing[T],
    messages: Iterable[T] | hypothesis.strategies.SearchStrategy[T] | None = None,
) -> None:
    """Check that a framing parses what it has encoded, however that is cut, and that nothing is left over.

    Args:
        framing: one of `termsplit.framing`, or your own.
        messages: the messages of one stream; or, with hypothesis, a strategy for one message; without it, as
            `messages_of` makes it. Messages that ``encode`` refuses by a ValueError are for the strategy
            to leave out.

    Raises:
        RoundTripFailed: other messages came out; with a strategy, the smallest found are shown.
        CutMatters: as `check_chunking` does.
        ValueError: as ``encode`` does, for given messages.
        TypeError: it is no framing.

    >>> from termsplit.framing import netstrings
    >>> check_round_trip(netstrings(), [b"", b"hello", b"1:2,"])
    """
    __tracebackhide__ = True
    if not isinstance(cast("object", framing), Framing):
        raise TypeError(f"expected a Framing, got {type(framing).__name__}")
    if isinstance(messages, Iterable):
        _check(framing, list(messages))
        return
    from hypothesis import find, settings, strategies as st
    from hypothesis.errors import NoSuchExample

    def fails(candidate: list[T]) -> bool:
        try:
            _check(framing, candidate)
        except AssertionError:
            return True
        return False

    one = messages_of(framing) if messages is None else messages
    try:
        found = find(
            st.lists(one, max_size=5),
            fails,
            settings=settings(database=None, deadline=None, derandomize=True, max_examples=100),
        )
    except NoSuchExample:
        return
    _check(framing, found)


def _check(framing: Framing[T], messages: list[T]) -> None:
    __tracebackhide__ = True
    encoded = [framing.encode(message) for message in messages]
    data = b"".join(encoded)
    expected: list[object] = [*messages, End("end of the stream", b"")]
    came_out = [
        x
        for x in parse_chunks(framing.grammar, [data]).came_out
        if not isinstance(x, End) or x.final
    ]
    if not same(came_out, expected):
        paragraphs = (
            "what came out is not what went in",
            f"{len(messages)} message{'s' * (len(messages) != 1)}, encoded:",
            draw_cuts(data, list(accumulate(map(len, encoded)))[:-1]),
            draw_difference(expected, came_out, same, ("in", "out")),
        )
        raise RoundTripFailed(messages, data, "\n\n".join(paragraphs))
    check_chunking(framing.grammar, data, cuts=20)
