"""What a parser makes of a stream that comes in certain chunks, in a form that can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from ._push_parser import Sent, push_parser

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._push_parser import Parseable, PushParser

__all__ = ["End", "Outcome", "Raised", "joined", "parse_chunks", "same"]

_Step: TypeAlias = Callable[[], "Iterable[object] | None"]


class Raised:
    """An error, in its place among the messages."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __repr__(self) -> str:
        error = self.error
        arguments = [] if error.args == tuple(vars(error).values()) else [*map(repr, error.args)]
        arguments += [f"{name}={value!r}" for name, value in vars(error).items()]
        return f"raised {type(error).__name__}({', '.join(arguments)})"


class End:
    """The end of the data or of the stream, and what was left over then."""

    __slots__ = ("final", "leftovers", "what")

    def __init__(self, what: str, leftovers: object, *, final: bool = True) -> None:
        self.what = what
        self.leftovers = leftovers
        self.final = final

    def __repr__(self) -> str:
        left = "" if self.leftovers is None else f"; left over: {self.leftovers!r}"
        return f"({self.what}{left})"


class Outcome:
    """What a parser made of a stream.

    Attributes:
        messages: what came out, in order. What a `Chat` pushed stands here joined, however it was pushed.
        errors: what was raised, in order.
        leftovers: what the parser had not used at the end; None if it can't say.
        came_out: messages, errors and the ends of the data and of the stream, all in one order; to look at.
    """

    def __init__(self, came_out: list[object]) -> None:
        self.came_out = joined(came_out)
        self.messages: list[Any] = [x for x in self.came_out if not isinstance(x, (Raised, End))]
        self.errors = [x.error for x in came_out if isinstance(x, Raised)]
        self.leftovers: Any = cast("End", came_out[-1]).leftovers

    def __repr__(self) -> str:
        return f"<Outcome: {', '.join(map(repr, self.came_out))}>"


def joined(came_out: Iterable[object]) -> list[object]:
    """The same with output that a `Chat` sent without anything between made one."""
    result: list[object] = []
    for item in came_out:
        if isinstance(item, Sent) and result and isinstance(result[-1], Sent):
            result[-1] = Sent(result[-1] + item)
        else:
            result.append(item)
    return result


def parse_chunks(
    parse: Parseable,
    chunks: Iterable[bytes],
    *,
    eof: Literal["apart", "with data", "none"] = "apart",
) -> Outcome:
    r"""Feed chunks to a parser, and say what came out of it.

    Args:
        parse: a grammar, a `Chat` class, something that makes a `Chat` or a `Parser`, or a
            `PushParser`.
        chunks: the stream, in chunks; empty ones are fed too.
        eof: how the stream ends: ``"apart"``, by a call of its own, if the parser has one; ``"with data"``,
            together with the last chunk; or ``"none"``, not at all.

    Returns:
        the outcome; what the parser raises stands in it.

    Raises:
        TypeError: ``parse`` is none of these, or the stream was not in chunks.
        ValueError: ``eof`` is none of these, or the parser can't be told of the end with the last chunk.

    >>> def lines():
    ...     return (yield b"\n")
    >>> outcome = parse_chunks(lines, [b"on", b"e\nt"])
    >>> outcome.messages, outcome.leftovers
    ([b'one'], b't')
    >>> outcome.errors
    [IncompleteRecord(b't', b'\n', 4)]
    """
    how = push_parser(parse)
    if eof not in ("apart", "with data", "none"):
        raise ValueError(f"expected eof to be 'apart', 'with data' or 'none', got {eof!r}")
    if eof == "with data" and how.feed_last is None:
        raise ValueError(f"expected a parser with feed_last for eof='with data', got {how!r}")
    if isinstance(chunks, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected an iterable of chunks, got {type(chunks).__name__}")
    run = _Run(how)
    run.feed_all(list(chunks), eof)
    return Outcome(run.came_out)


class _Run:
    """One parser, on its way through one stream."""

    def __init__(self, how: PushParser[Any]) -> None:
        self.came_out: list[object] = []
        self._how = how
        self._parser = how.make()

    def feed_all(self, chunks: list[bytes], eof: str) -> None:
        how, parser = self._how, self._parser
        last = (chunks.pop() if chunks else b"") if eof == "with data" else b""
        go_on: _Step = partial(how.feed, parser, b"")
        for index, chunk in enumerate(chunks):
            if not self._advance(partial(how.feed, parser, chunk), go_on):
                self._end("fed no more after the error", b"".join((*chunks[index + 1 :], last)))
                return
        if how.feed_eof is not None:
            go_on = partial(how.feed_eof, parser)
        end = go_on
        if eof == "with data" and how.feed_last is not None:
            end = partial(how.feed_last, parser, last)
        else:
            self._end("end of the data", final=False)
            if eof == "none" or how.feed_eof is None:
                return
        going = self._advance(end, go_on)
        self._end("end of the stream" if going else "fed no more after the error")

    def _advance(self, step: _Step, go_on: _Step) -> bool:
        """Take a step, and go on after errors while that leads anywhere; whether more can be fed."""
        error = self._take(step)
        while error is not None:
            if not self._how.goes_on:
                return False
            so_far, leftovers = len(self.came_out), self._leftovers()
            again = self._take(go_on)
            stuck = len(self.came_out) == so_far + 1 and same(leftovers, self._leftovers())
            if again is not None and stuck and same(again, error):
                self.came_out.pop()
                return True
            error = again
        return True

    def _take(self, step: _Step) -> Exception | None:
        try:
            for message in step() or ():
                self.came_out.append(message)
        except Exception as error:  # noqa: BLE001 - it is reported among the messages
            self.came_out.append(Raised(error))
            return error
        return None

    def _leftovers(self) -> object:
        return None if self._how.leftovers is None else self._how.leftovers(self._parser)

    def _end(self, what: str, not_fed: bytes = b"", *, final: bool = True) -> None:
        leftovers = self._leftovers()
        if isinstance(leftovers, bytes):
            leftovers += not_fed
        self.came_out.append(End(what, leftovers, final=final))


def same(one: object, other: object, _seen: frozenset[tuple[int, int]] = frozenset()) -> bool:
    """Whether two results are equal: those without an ``==`` of their own, also in dataclasses, by type and state."""
    if type(one) is not type(other):
        return bool(one == other)
    if isinstance(one, (list, tuple)):
        items, others = cast("list[object]", one), cast("list[object]", other)
        return len(items) == len(others) and all(
            same(x, y, _seen) for x, y in zip(items, others, strict=True)
        )
    if isinstance(one, dict):
        mine, theirs = cast("dict[object, object]", one), cast("dict[object, object]", other)
        return mine.keys() == theirs.keys() and all(same(mine[k], theirs[k], _seen) for k in mine)
    if type(one).__eq__ is not object.__eq__:
        if one == other:
            return True
        if is_dataclass(one):
            names = [field.name for field in fields(one) if field.compare]
            return bool(names) and all(
                same(getattr(one, name), getattr(other, name), _seen) for name in names
            )
        # What is not equal to itself, as NaN is not, is the same if it looks so.
        return bool(one != one) and repr(one) == repr(other)
    pair = (id(one), id(other))
    if one is other or pair in _seen:
        return True
    if type(one) is object:
        return False
    try:
        states = one.__reduce_ex__(4), other.__reduce_ex__(4)
    except TypeError:
        return False
    return same(*states, _seen | {pair})
