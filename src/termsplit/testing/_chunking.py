"""The law that the cut does not matter, checked for any parser."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import combinations, groupby
from typing import TYPE_CHECKING, Any, cast

from termsplit import RemoteProtocolError
from termsplit._bytes import as_bytes

from ._outcome import End, Outcome, Raised, joined, parse_chunks, same
from ._picture import draw_cuts, draw_difference
from ._push_parser import PushParser, push_parser

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._push_parser import Parseable

__all__ = ["CutMatters", "check_chunking"]

# Where a stream is cut, ascending; a place that stands twice makes an empty chunk.
_Edges: TypeAlias = tuple[int, ...]

_MOST_RANDOM = 100
_MOST_SHRINKS = 1000
# So many chunks of so many bytes are spelt out.
_MOST_SPELT = 4
_LONGEST_SPELT = 60


class CutMatters(AssertionError):
    """A parser gave another result for a stream in chunks than for the whole; the message shows where.

    Attributes:
        data: the whole stream.
        chunks: the smallest cut that was found to make a difference.
        eof_with_data: whether the end of the stream came in one call with the last chunk.
        whole: what the whole gave.
        cut: what the chunks gave.
    """

    def __init__(
        self,
        data: bytes,
        chunks: list[bytes],
        eof_with_data: bool,
        whole: Outcome,
        cut: Outcome,
        picture: str,
    ) -> None:
        super().__init__(picture)
        self.data = data
        self.chunks = chunks
        self.eof_with_data = eof_with_data
        self.whole = whole
        self.cut = cut


def check_chunking(
    parse: Parseable,
    data: bytes | bytearray | memoryview,
    *,
    normalise: Callable[[list[Any]], object] | None = None,
    errors: type[Exception] | tuple[type[Exception], ...] = (RemoteProtocolError, ValueError),
    cuts: int = 500,
) -> Outcome:
    r"""Check that a parser's results don't depend on how the bytes were cut.

    Tries the whole, every two-way cut, byte by byte, chunks of several sizes, empty chunks, and the end of the
    stream together with the last chunk and apart from it; every way to cut, where there are no more than
    ``cuts``; else, where hypothesis is installed, some of its random cuts. (Not in a test of hypothesis's own, where
    the data is random.) The same call always tries the same cuts.

    Messages, errors and leftovers must be the same, and come in the same order: those that the data
    completes before its end is announced. Objects without an ``==`` of their own are the same if
    their types and states are; errors among them.

    Args:
        parse: a grammar, a `Chat` class, something that makes a `Chat` or a `Parser`, or, for any other
            parser, a `PushParser`.
        data: the whole stream.
        normalise: for a parser that promises less: what to make of the messages, a list, before they are compared.
            It is applied to those before the end of the data and to those after it, between errors.
        errors: what the parser may raise to say that the data is at fault. Anything else that the whole data
            makes it raise is raised here.
        cuts: at most so many two-way cuts are tried, of longer data a sample.

    Returns:
        what the whole gave.

    Raises:
        CutMatters: a cut makes a difference.
        TypeError: ``parse`` is none of these, or ``data`` is not bytes-like.
        ValueError: ``cuts`` is below 1.
        Exception: what the parser raised that is none of ``errors``.

    >>> def netstring():
    ...     size = yield b":"
    ...     text = yield int(size)
    ...     yield b","
    ...     return text
    >>> check_chunking(netstring, b"5:hello,0:,2:hi,").messages
    [b'hello', b'', b'hi']

    >>> import re
    >>> class AnyLines:
    ...     tail = b""
    ...
    ...     def feed(self, chunk):
    ...         *lines, self.tail = re.split(b"\r\n|\n|\r", self.tail + chunk)
    ...         return lines
    >>> check_chunking(PushParser(AnyLines, AnyLines.feed), b"one\r\ntwo\n")
    Traceback (most recent call last):
    ...
    termsplit.testing._chunking.CutMatters: the result depends on how the bytes are cut
    <BLANKLINE>
    9 bytes in 2 chunks, b'one\r' and b'\ntwo\n':
    <BLANKLINE>
      0  one\r│\ntwo\n
              4
    <BLANKLINE>
    both   b'one'
    whole  (nothing)
    cut    b''
    both   b'two'
    both   (end of the data)
    """
    __tracebackhide__ = True  # the picture is all that a report of pytest's should show of this
    if cuts < 1:
        raise ValueError(f"expected cuts to be 1 or more, got {cuts}")
    trial = _Trial(push_parser(parse), as_bytes(data), normalise)
    for error in trial.whole.errors:
        if not isinstance(error, errors):
            raise error
    for edges in _certain_cuts(len(data), cuts):
        for eof_with_data in trial.ways:
            if trial.differs(edges, eof_with_data):
                raise trial.failure(*_smallest(trial, edges, eof_with_data))
    if (found := _random_cut(trial, cuts)) is not None:
        raise trial.failure(*_smallest(trial, *found))
    return trial.whole


class _Trial:
    """A parser, a stream, and what must come out however it is cut."""

    def __init__(
        self, how: PushParser[Any], data: bytes, normalise: Callable[[list[Any]], object] | None
    ) -> None:
        self.data = data
        self.ways = (False,) if how.feed_last is None else (False, True)
        self.whole = parse_chunks(how, [data])
        self._how = how
        self._normalise = normalise
        self._expected = {way: self._comparable(self.whole, way) for way in self.ways}

    def differs(self, edges: _Edges, eof_with_data: bool) -> bool:
        came_out = self._comparable(self._run(edges, eof_with_data), eof_with_data)
        return not same(came_out, self._expected[eof_with_data])

    def failure(self, edges: _Edges, eof_with_data: bool) -> CutMatters:
        chunks = self._chunks(edges)
        cut = self._run(edges, eof_with_data)
        what = f"{len(self.data)} bytes in {len(chunks)} chunk{'s' * (len(chunks) > 1)}"
        if 1 < len(chunks) <= _MOST_SPELT and len(self.data) <= _LONGEST_SPELT:
            what += ", " + " and ".join(map(repr, chunks))
        if eof_with_data:
            what += f", {'the last' if edges else 'it'} in one call with the end of the stream"
        came_out = self._comparable(cut, eof_with_data)
        paragraphs = (
            "the result depends on how the bytes are cut",
            what + ":",
            draw_cuts(self.data, edges),
            draw_difference(self._expected[eof_with_data], came_out, same),
        )
        picture = "\n\n".join(paragraphs)
        return CutMatters(self.data, chunks, eof_with_data, self.whole, cut, picture)

    def _chunks(self, edges: _Edges) -> list[bytes]:
        places = zip((0, *edges), (*edges, len(self.data)), strict=True)
        return [self.data[begin:end] for begin, end in places]

    def _run(self, edges: _Edges, eof_with_data: bool) -> Outcome:
        chunks = self._chunks(edges)
        return parse_chunks(self._how, chunks, eof="with data" if eof_with_data else "apart")

    def _comparable(self, outcome: Outcome, eof_with_data: bool) -> list[object]:
        """What came out, normalised; without the end of the data where that is not seen."""
        came_out = outcome.came_out
        if eof_with_data:
            came_out = joined(x for x in came_out if not isinstance(x, End) or x.final)
        if self._normalise is None:
            return came_out
        comparable: list[object] = []
        for apart, run in groupby(came_out, lambda item: isinstance(item, (Raised, End))):
            items = list(run)
            normal = items if apart else self._normalise(items)
            comparable += cast("list[object]", normal) if isinstance(normal, list) else [normal]
        return comparable


def _certain_cuts(size: int, cuts: int) -> Iterator[_Edges]:
    """Ways to cut so many bytes, those with the fewest chunks first."""
    yield ()
    places: Sequence[int] = range(size + 1)
    if len(places) > cuts:
        places = sorted(random.Random(size).sample(places, cuts))
    for place in places:
        yield (place,)
    if _few_ways(size, cuts):
        for count in range(2, size):
            yield from combinations(range(1, size), count)
    step, next_step = 1, 2
    while step < size:
        yield tuple(range(step, size, step))
        step, next_step = next_step, step + next_step
    yield tuple(place for place in range(size + 1) for _ in range(2))


def _few_ways(size: int, cuts: int) -> bool:
    """Whether so many bytes can be tried in all ways to cut them."""
    return size <= cuts.bit_length()


def _random_cut(trial: _Trial, cuts: int) -> tuple[_Edges, bool] | None:
    """A cut that makes a difference, as hypothesis finds one; None if it doesn't, or isn't there."""
    if find_spec("hypothesis") is None or _few_ways(len(trial.data), cuts):
        return None
    import hypothesis
    from hypothesis import strategies as st
    from hypothesis.errors import NoSuchExample

    from ._strategies import edges_in

    if hypothesis.currently_in_test_context():
        return None
    try:
        return hypothesis.find(
            st.tuples(edges_in(len(trial.data)), st.sampled_from(trial.ways)),
            lambda cut: trial.differs(*cut),
            settings=hypothesis.settings(
                database=None,
                deadline=None,
                derandomize=True,
                max_examples=min(cuts, _MOST_RANDOM),
            ),
        )
    except NoSuchExample:
        return None


def _smallest(trial: _Trial, edges: _Edges, eof_with_data: bool) -> tuple[_Edges, bool]:
    """The smallest cut found by leaving out edges of one that makes a difference."""
    if eof_with_data and trial.differs(edges, False):
        eof_with_data = False
    shrinks = _MOST_SHRINKS
    size = len(edges)
    while size and shrinks:
        begin = 0
        while begin < len(edges) and shrinks:
            shrinks -= 1
            fewer = edges[:begin] + edges[begin + size :]
            if trial.differs(fewer, eof_with_data):
                edges = fewer
            else:
                begin += size
        size //= 2
    return edges, eof_with_data
