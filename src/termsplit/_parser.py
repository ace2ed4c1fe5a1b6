"""The grammars' face: runs a generator of terminators over the records of a splitter.

The generator's answer to a record is the terminator it waits for next, so one call delivers a record and
learns what follows. After each message the generator that wraps the grammar stands still until the next message
is asked for: the grammar begins its next run no sooner, and may look at what the message has changed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator
from types import FunctionType, GeneratorType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload

from ._batched import BatchedGrammar
from ._conversing import _NO_ANSWER
from ._engine import _NOTHING
from ._errors import IncompleteRecord, LocalProtocolError, MalformedRecord, RecordTooLong
from ._events import NEED_DATA, RecordSkipped, check_too_long
from ._splitter import Splitter, _flatten
from ._terminators import Limited, Terminator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from ._events import NeedData, TooLong

__all__ = ["Parse", "Parser"]

T = TypeVar("T")
S = TypeVar("S")

Parse: TypeAlias = Generator[Terminator, bytes, T]
"""What a grammar function returns, a generator that yields terminators, is sent records, and returns a message."""


class _Stage(enum.Enum):
    BETWEEN = "between two messages"
    BEGUN = "waits for the first record of a message"
    UNDER_WAY = "waits for another"
    RETURNED = "has a message to be handed over"


_BETWEEN, _BEGUN, _UNDER_WAY, _RETURNED = _Stage
# Of the code of a generator function; as in inspect, which takes long to import.
_CO_GENERATOR = 0x20
# A run in which a conversation has gone on so many times is taken to be a long one.
_LONG_RUN = 3


class _Outcome:
    """Where the runner leaves the message of a run, and what it yields then."""

    __slots__ = ("message",)

    def __init__(self) -> None:
        self.message: Any = None


class Parser(Generic[T]):
    r"""Runs a grammar again and again, for every message in a stream.

    A grammar is a generator function: it yields the `Terminator` it waits for, is sent the record, and
    returns a message. Grammars compose with ``yield from``.

    At its ``yield`` a grammar may get `RecordTooLong` (caught, it goes on with the record after that
    one), or `IncompleteRecord` where the stream ended after the message had begun.

    Args:
        grammar: the generator function.
        splitter: the machine to take records from, a `Splitter` or `Connection`; a new one if left out.
            Between two messages it may be used through its other faces.
        too_long: what to do about a record above its limit: ``"raise"`` RecordTooLong, at the
            grammar's ``yield``; or ``"skip"`` it, unseen by the grammar, and give one `RecordSkipped` among
            the messages.

    Raises:
        TypeError: the grammar is not callable, or the splitter none; that a grammar returns no generator shows when
            it is first run.
        ValueError: ``too_long`` is neither.

    >>> def request():
    ...     head = yield b"\r\n\r\n"
    ...     body = yield int(head.rpartition(b" ")[2])
    ...     return head, body
    >>> parser = Parser(request)
    >>> list(parser.feed(b"Content-Length: 5\r\n\r\nhello" + b"Content-Length: 2"))
    [(b'Content-Length: 5', b'hello')]
    >>> list(parser.feed(b"\r\n\r\nok"))
    [(b'Content-Length: 2', b'ok')]
    """

    @overload
    def __init__(
        self,
        grammar: Callable[[], Parse[T]],
        splitter: Splitter | None = None,
        *,
        too_long: Literal["raise"] = "raise",
    ) -> None: ...
    @overload
    def __init__(
        self: Parser[S | RecordSkipped],
        grammar: Callable[[], Parse[S]],
        splitter: Splitter | None = None,
        *,
        too_long: Literal["skip"],
    ) -> None: ...
    def __init__(
        self: Parser[Any],
        grammar: Callable[[], Parse[Any]],
        splitter: Splitter | None = None,
        *,
        too_long: TooLong = "raise",
    ) -> None:
        if not callable(grammar):
            raise TypeError(f"expected a generator function, got {no_grammar(grammar)}")
        if not (splitter is None or isinstance(splitter, Splitter)):
            raise TypeError(f"expected a Splitter or Connection, got {type(splitter).__name__}")
        check_too_long(too_long)
        self.splitter = Splitter() if splitter is None else splitter
        """The machine that the records come from."""
        # What the grammar will wait for may end where nothing was to be found.
        self.splitter._room = 0
        self._grammar = _checked(grammar)
        self._batched = grammar if isinstance(grammar, BatchedGrammar) else None
        self._too_long: TooLong = too_long
        self._outcome = _Outcome()
        self._renew()
        self._stage = _BETWEEN
        self._begun = 0  # so many times an iterator has begun to run the grammar
        self._resumed = 0  # so many times a conversation went on in this run
        self._wanted: Terminator = None
        # What is waited for of a message of which the grammar does not know, since it was not run for it.
        self._body: Limited | None = None
        self._eof_caught_at = -1  # the offset at which the grammar caught the end of the stream

    def receive_data(self, data: bytes | bytearray | memoryview) -> bool:
        """As `Splitter.receive_data`; its answer is for the parser, or the face, that was asked last."""
        return self.splitter.receive_data(data)

    def receive_eof(self) -> None:
        """As `Splitter.receive_eof`: it may complete a message, or cut one off, when `messages` is next used."""
        self.splitter.receive_eof()

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[T]:
        """`receive_data`, then `messages`."""
        self.splitter.receive_data(data)
        return (
            self._run_grammar() if self._batched is None else self._batched_messages(self._batched)
        )

    def messages(self) -> Iterator[T]:
        """Give the messages that the received bytes make.

        Each is parsed when it is asked for, and nothing behind it. When anything is raised, the
        messages before it were given, the bytes behind it are still there, and calling again goes on.

        Returns:
            an iterator that ends when more data is needed, or the stream ended between two messages.

        Raises:
            RecordTooLong, IncompleteRecord: unless the grammar catches it.
            MalformedRecord: if the grammar raises it; with its offset set.
            TypeError, ValueError: the grammar yielded something that is no terminator; raised at its ``yield``.
            LocalProtocolError: the grammar returned without yielding; or a part of the record it waits for was
                taken as events.
            Exception: whatever the grammar raises; its next run begins at the next record.
        """
        return (
            self._run_grammar() if self._batched is None else self._batched_messages(self._batched)
        )

    def _batched_messages(self, grammar: BatchedGrammar) -> Iterator[Any]:
        """The messages of a grammar that need not be run."""
        if self.splitter._room > 0 and self.splitter._ready is _NOTHING:
            return self._messages_later(grammar)
        return _flatten(grammar.batches(self))

    def _messages_later(self, grammar: BatchedGrammar) -> Iterator[Any]:
        """When there are none: unless something comes in before they are asked for."""
        if not self._waits:
            yield from _flatten(grammar.batches(self))

    @property
    def _waits(self) -> bool:
        """Whether nothing that came in is for the grammar."""
        splitter = self.splitter
        return (
            splitter._room > 0
            and splitter._ready is _NOTHING
            and splitter._terminator is self._wanted
            and self._wanted is not None
            and not splitter._streamed
        )

    def _run_grammar(self) -> Iterator[Any]:
        """The messages of a grammar that has to be run."""
        splitter = self.splitter
        while True:
            stage, wanted = self._stage, self._wanted
            if stage is _UNDER_WAY or stage is _BEGUN:
                # _waits, inlined; here None is what the grammar waits for.
                if (
                    splitter._ready is _NOTHING
                    and splitter._room > 0
                    and splitter._terminator is wanted
                    and not splitter._streamed
                ):
                    return
            elif stage is _BETWEEN:
                self._follow(self._begin())
                continue
            else:
                self._stage = _BETWEEN
                message, self._outcome.message = self._outcome.message, None
                yield message
                continue
            if splitter._terminator is not wanted or splitter._passing_over:
                self._stand_at(wanted)
            batch: Iterable[Any] = splitter._ready
            begun_as_events = splitter._streamed or splitter._data_given
            if batch is _NOTHING or begun_as_events or splitter._ready_of is not None:
                waits_for_one = splitter._count >= 0 or splitter._single_next
                if waits_for_one and self._converse(wanted):
                    continue
                try:
                    cut = splitter._next_batch(self._too_long)
                    if cut is None:
                        if self._stage is _BEGUN or not splitter.eof_received:
                            return
                        raise IncompleteRecord(b"", self._wanted, splitter.offset)
                except (RecordTooLong, IncompleteRecord) as error:
                    if self._stage is _BEGUN and self._was_told(error):
                        # The message before was made of what the stream had left.
                        return
                    self._throw(error)
                    continue
                if (
                    self._too_long == "skip"
                    and isinstance(cut, tuple)
                    and type(cut[0]) is RecordSkipped
                ):
                    # The overloads of __init__ make RecordSkipped a part of T where it can come.
                    yield cast("T", cut[0])
                    continue
                batch = cut
            else:
                splitter._lent_to_records = splitter._ready
            # The answer that changes nothing; a count of 0 fires once, so the same answer again is a new one.
            if splitter._terminator is not wanted:
                wanted = _NO_ANSWER
            send, outcome, begun = self._send, self._outcome, self._begun
            answer: Any = _NO_ANSWER
            if not self._direct:
                # As it is whenever a message is given from here.
                self._stage = _BETWEEN
            for record in batch:
                try:
                    answer = send(record)
                except StopIteration as end:
                    answer = self._returned(end.value)
                    send = self._send
                except BaseException as error:
                    self._fail(error, record)
                    raise
                if answer is wanted:
                    continue
                if answer is not outcome:
                    self._stage = _UNDER_WAY
                    self._follow(answer)
                    break
                yield outcome.message
                # (Each count is another object, and to ask for that takes less than to compare the two.)
                if self._begun is not begun:
                    # Another iterator was used meanwhile: all is looked at anew.
                    break
                try:
                    first = send(None)
                except BaseException as error:
                    self._fail(error)
                    raise
                if first is not wanted:
                    self._stage = _BEGUN
                    self._resumed = 0
                    self._follow(self._first(first))
                    break
            else:
                if splitter._ready is batch:
                    splitter._ready = _NOTHING
                if answer is wanted:
                    self._stage = _UNDER_WAY
                    if not self._direct:
                        self._send_directly()
                elif answer is outcome:
                    self._stage = _BEGUN
                    self._resumed = 0
                    outcome.message = None
                else:
                    # There was none in it any more.
                    self._stage = stage
                # _waits, inlined: as at the beginning of the loop, without a turn.
                if (
                    splitter._room > 0
                    and splitter._ready is _NOTHING
                    and splitter._terminator is wanted
                    and not splitter._streamed
                ):
                    return

    def next_message(self) -> T | Literal[NeedData.NEED_DATA]:
        """The next of `messages`, or `NEED_DATA`.

        Raises:
            IncompleteRecord: as `messages` does, and also when the stream ended between two messages, with
                no partial record.
            Exception: as `messages` does.
        """
        # Without an iterator, where it takes none.
        if self._batched is not None:
            message = self._batched.next_message(self)
            if message is not None:
                return cast("T", message)
        stage = self._stage
        if self._waits and (stage is _UNDER_WAY or stage is _BEGUN or self._batched):
            return NEED_DATA
        return self.splitter._next_of(self.messages())

    @property
    def _between_messages(self) -> bool:
        """Whether the next record is the first of a message."""
        return self._stage is _BETWEEN or self._stage is _BEGUN

    def _await_body(self, body: Limited) -> None:
        """Wait for a message's body without a run of the grammar."""
        self._body = self._wanted = body
        self._stage = _UNDER_WAY

    def _body_taken(self, next_wanted: Terminator) -> None:
        """Stand behind the message."""
        self._body = None
        self._wanted = next_wanted
        self._stage = _BEGUN if self._grammar_waits else _BETWEEN

    def _run_to_body(self, body: Limited, length: bytes) -> None:
        """Have the grammar run after all, and wait for the body."""
        self._body = None
        if not self._grammar_waits:
            self._begin()
        self._resume(self._send, length)
        self._stage = _UNDER_WAY
        self._wanted = body

    @property
    def _grammar_waits(self) -> bool:
        """Whether the grammar waits for something."""
        return self._runner.gi_yieldfrom is not None

    def _renew(self) -> None:
        """Have the next run of the grammar be a new one, whatever became of this."""
        self._runner = cast("GeneratorType[Any, Any, Any]", _run(self._grammar, self._outcome))
        self._send: Callable[[Any], object] = self._runner.send
        self._direct = False  # what the grammar is sent no longer passes through the runner

    def _send_directly(self) -> None:
        """Send the grammar the records of this run itself.

        It is one of many records, and the way through the runner costs each of them a little.
        """
        self._direct = True
        self._send = cast("GeneratorType[Any, Any, Any]", self._runner.gi_yieldfrom).send

    def _returned(self, message: T) -> _Outcome:
        """Go on after a grammar that was sent its records directly, and so has returned directly."""
        self._renew()
        self._stage = _BETWEEN
        self._outcome.message = message
        return self._outcome

    def _begin(self) -> object:
        """Start a run of the grammar: what it waits for first."""
        if self._direct:
            self._direct = False
            self._send = self._runner.send
        self._begun += 1
        self._resumed = 0
        try:
            answer = next(self._runner)
        except BaseException as error:
            self._fail(error)
            raise
        self._stage = _BEGUN
        return answer if answer is not self._outcome else self._first(answer)

    def _first(self, answer: object) -> object:
        """Make sure that a grammar waits for something before it returns."""
        if answer is self._outcome:
            self._stage = _BETWEEN
            self._outcome.message = None
            raise LocalProtocolError("the grammar returned a message without yielding a terminator")
        return answer

    def _converse(self, answer: object) -> bool:
        """Send the grammar what it asks for while it is at hand, then wait for what is not; whether any was sent."""
        splitter = self.splitter
        if splitter._ready is not _NOTHING:
            splitter._put_back()
        if self._stage is _UNDER_WAY and not self._direct:
            self._resumed += 1
            if self._resumed > _LONG_RUN:
                self._send_directly()
        start, stood_at = splitter._base + splitter._position, splitter._terminator
        try:
            answer = splitter._send_at_hand(self._send, answer)
        except StopIteration as end:
            answer = self._returned(end.value)
        except BaseException as error:
            # What ended the record on which the grammar has raised.
            self._wanted = splitter._terminator
            self._fail(error)
            raise
        sent = splitter._base + splitter._position > start
        if sent:
            self._stage = _UNDER_WAY
            self._wanted = splitter._terminator
        elif splitter._room > 0 and stood_at is not splitter._terminator is answer:
            # It was set already, when it turned out not to be at hand.
            self._wanted = splitter._terminator
        if answer is not self._wanted or answer is not splitter._terminator:
            self._wait_for(answer)
        return sent

    def _stand_at(self, wanted: Terminator) -> None:
        """Have the splitter wait for it, whatever another face has set meanwhile."""
        if self.splitter.get_terminator() is not wanted:
            self.splitter.set_terminator(wanted)

    def _follow(self, answer: object) -> None:
        """Do as the grammar said: wait for a terminator, or, after a message, for the next run."""
        if answer is self._outcome:
            self._stage = _RETURNED
        elif answer is not self._wanted or answer is not self.splitter.get_terminator():
            self._converse(answer)

    def _wait_for(self, answer: Any) -> None:
        """Have the splitter wait for what is not at hand."""
        while answer is not self._outcome:
            if answer is self._wanted and answer is self.splitter.get_terminator():
                return
            try:
                self.splitter.set_terminator(answer)
            except (TypeError, ValueError) as error:
                answer = self._resume(self._runner.throw, error)
            else:
                self._wanted = answer
                return
        self._stage = _RETURNED

    def _throw(self, error: RecordTooLong | IncompleteRecord) -> None:
        if self._was_told(error):
            # It has asked for more than the stream has again.
            self._eof_caught_at = -1
            self._runner.close()
            self._fail(error)
            raise error
        answer = self._resume(self._runner.throw, error)
        if isinstance(error, IncompleteRecord):
            self._eof_caught_at = error.offset
            self._stage = _UNDER_WAY
        self._follow(answer)

    def _resume(self, call: Callable[[Any], object], argument: object) -> object:
        try:
            return call(argument)
        except BaseException as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException, record: bytes | None = None) -> None:
        """The grammar has raised, on ``record`` if it was sent one: its next run is a new one."""
        if isinstance(error, MalformedRecord) and error.offset is None:
            splitter = self.splitter
            if record is None:
                error.offset = splitter.offset + error.index
            elif splitter._terminator is self._wanted or splitter._terminator is None:
                error.offset = splitter._taken_from(record) + error.index
            # Else the grammar has set another, so it is not known how wide the one behind the record was.
        self._renew()
        self._stage = _BETWEEN
        # It need not wait for what this one has waited for.
        self.splitter._room = 0

    def _was_told(self, error: RecordTooLong | IncompleteRecord) -> bool:
        """Whether the grammar has caught this end of the stream once."""
        return isinstance(error, IncompleteRecord) and error.offset == self._eof_caught_at


def _run(
    grammar: Callable[[], Parse[T]], outcome: _Outcome
) -> Generator[Terminator | _Outcome, bytes, None]:
    while True:
        outcome.message = yield from grammar()
        yield outcome


def no_grammar(got: object) -> str:
    """What to say of an object that can't be called, and how a grammar may be had from it."""
    kind = type(got).__name__
    if isinstance(got, Generator):
        return f"{kind}: it has been called already"
    return f"{kind}: its grammar is `.grammar`" if hasattr(got, "grammar") else kind


def _checked(grammar: Callable[[], Parse[T]]) -> Callable[[], Parse[T]]:
    """The same, for ``yield from``, which takes any iterable: making sure that each run is a generator."""
    if type(grammar) is FunctionType and grammar.__code__.co_flags & _CO_GENERATOR:
        return grammar

    def run() -> Parse[T]:
        parse: object = grammar()
        if not isinstance(parse, Generator):
            got = type(parse).__name__
            raise TypeError(f"expected the grammar to return a generator, got {got}")
        return parse

    return run
