"""Conversations: each record has another terminator than the last one, such as a body as long as its head says.

Windows are of no use there. Between two such records (``_single_next`` is not None) `set_terminator` has nothing to do but to
note the new one, and the record that it ends (``_single_next`` is True) is cut by `_cut_single`. A grammar gets its records from
`_send_at_hand`, which needs no terminator set. Of one that is known to ask for nothing but lengths and strings,
`_messages_at_hand` cuts a window of messages, or one, or begins it.
"""

from __future__ import annotations

from operator import length_hint
from typing import TYPE_CHECKING, Any

from ._engine import _LONG_REST, _NO_LIMIT, _NOTHING, _SHORT_REST, _WIDE_WINDOW
from ._errors import MalformedRecord
from ._receiving import ReceivingEngine
from ._terminators import _SHORT, Limited, Terminator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._batched import LengthFirst

# Stands where no answer of a grammar is meant.
_NO_ANSWER: Any = object()


class ConversingEngine(ReceivingEngine):
    """An engine that cuts the records of a conversation in a few steps each."""

    __slots__ = ()

    def _cut_single(self) -> bytes | None:
        """Cut off the next record as _cut would, if its terminator was set for it alone.

        None if it is not at hand: then there is room for what is missing. Or if it may end further away than is searched
        here: then there is none, and it is for _cut.
        """
        buffer, start, count = self._buffer, self._position, self._count
        if count > 0:
            end = start + count
            if end <= len(buffer):
                self._single_next = False
                self._position = end
                return buffer[start:end]
        else:
            literal: Any = self._pattern_literal
            index = buffer.find(literal, start, start + _SHORT)
            if 0 <= index <= start + self._record_limit:
                self._single_next = False
                self._position = index + len(literal)
                return buffer[start:index]
        self._wait_for_single()
        return None

    def _wait_for_single(self) -> None:
        """Make room for what is missing of the next record, unless there is more to search, or nothing can come."""
        buffer, start, count = self._buffer, self._position, self._count
        size = len(buffer) - start
        if count > 0:
            most, room = _LONG_REST, count - size
        else:
            most, room = _SHORT, self._record_limit + 1 - size
        if size > most or self._incoming or self._input_ended_by:
            return
        if start:
            self._base += start
            self._buffer = buffer[start:]
            self._position = 0
        self._make_room(room)

    def _send_at_hand(self, send: Callable[[bytes], Any], answer: Any) -> object:
        """Cut the records that ``send`` answers for, and send them, while they are at hand.

        This is what set_terminator and _cut do, in one step, for a protocol of heads and bodies, where each record
        has another terminator than the one before: a count, or the byte string that was last in force, limited or not.
        It ends at the latest where a record may be above max_size, counted from the first.

        Returns:
            the first answer for which there was no record. If that is a count or string of which it is known that it is
            not at hand, it is the terminator already.
        """
        if self._room > 0 or self._data_given:
            return answer
        max_size = self._max_size
        literal: Any = self._pattern_literal or _NO_ANSWER
        if self._single_next is None:
            if self._streamed or self._pieces or self._passing_over:
                return answer
            if self._event_limit != _NO_LIMIT or self._record_limit != max_size:
                self._lift_limit(answer)
            self._terminators_ready = None
            self._window = self._at_once = 0
        buffer, base, start = self._buffer, self._base, self._position
        # What ends before it is surely no longer than max_size.
        stop = len(buffer)
        if stop - start > max_size:
            stop = start + max_size
        width = self._pattern.longest
        if self._single_next and answer is literal:
            # Below, _terminator is what ended the record before, and this was set for the next one. (To keep it in a variable
            # would cost more.)
            self._terminator = None
        self._undisturbed = True
        self._single_next = None
        try:
            while self._undisturbed:
                if type(answer) is int:
                    end = start + answer
                    if not start < end <= stop:
                        if len(buffer) < end < _NO_LIMIT and 0 < answer <= max_size:
                            self._await(answer, answer)
                        break
                    self._terminator = self._count = answer
                    self._position = end
                    answer = send(buffer[start:end])
                elif answer is literal and answer is not self._terminator:
                    # (The same byte string again is for _cut, and its windows.)
                    index = buffer.find(literal, start, stop)
                    if index < 0:
                        if stop == len(buffer):
                            self._await(answer, -1)
                        break
                    self._terminator = answer
                    self._count = -1
                    self._position = end = index + width
                    answer = send(buffer[start:index])
                elif type(answer) is Limited and answer is not self._terminator:
                    record = self._cut_limited(answer)
                    if record is None:
                        break
                    end = self._position
                    answer = send(record)
                    if self._undisturbed:
                        self._lift_limit(answer)
                else:
                    break
                start = end
        except MalformedRecord as error:
            if error.offset is None:
                error.offset = base + start + error.index
            raise
        finally:
            self._undisturbed = False
        return answer

    def _lift_limit(self, answer: Any) -> None:
        """Have the usual limits again, if ``answer`` is what will be waited for under these."""
        if (type(answer) is int and answer >= 0) or (
            answer is self._pattern_literal and answer is not None
        ):
            self._record_limit, self._event_limit = self._max_size, _NO_LIMIT

    def _cut_limited(self, limited: Limited) -> bytes | None:
        """Cut off the record that ends as ``limited`` says; None if it is not at hand."""
        bare: Any = limited.terminator
        limit = _NO_LIMIT if limited.max_size is None else limited.max_size
        buffer, start = self._buffer, self._position
        if type(bare) is int:
            index = end = start + bare
            if not start < end <= len(buffer) or bare > limit:
                return None
            self._count = bare
        elif type(bare) is bytes and bare is self._pattern_literal:
            index = buffer.find(bare, start, start + _SHORT)
            if not 0 <= index <= start + limit:
                return None
            end = index + len(bare)
            self._count = -1
        else:
            return None
        self._terminator = limited
        self._record_limit = self._event_limit = limit
        self._position = end
        return buffer[start:index]

    def _await(self, terminator: Terminator, count: int) -> None:
        """Set what ends the next record of a conversation, which is not at hand."""
        self._terminator, self._count = terminator, count
        self._single_next = True
        self._wait_for_single()

    def _open_window(self, size: int) -> None:
        """Have more than a record at a time cut from here on, if there is enough: they are of about this size."""
        if len(self._buffer) - self._position <= _SHORT_REST:
            return
        self._single_next = None
        self._window = max(4 * size, min(16 * size, _WIDE_WINDOW))

    def _messages_at_hand(self, grammar: LengthFirst) -> Iterable[bytes] | Limited | None:
        """Cut off the next whole messages of a grammar: many, ahead of who takes them, as _cut does with records; or one.

        Returns:
            the messages, which are none if not even a length is at hand. If the next one is not whole, its length is taken,
            and this is its body, which is waited for. None if the grammar itself has to look at what there is.
        """
        self._undisturbed = False
        self._single_next = None
        if self._ready is not _NOTHING:
            if self._ready_of is not grammar:
                self._put_back()
            elif length_hint(self._ready):
                return self._ready
            self._ready, self._ready_of = _NOTHING, None
        width = grammar.width
        if (
            self._streamed
            or self._pieces
            or self._data_given
            or self._passing_over
            or width > self._max_size
        ):
            return None
        if self._window > 0 and self._room <= 0:
            ahead = self._messages_ahead(grammar)
            if ahead is not None:
                return ahead
        if self._input_ended_by:
            return None
        if self._incoming and len(self._buffer) - self._position < width:
            self._join_incoming()
        buffer = self._buffer
        begin, size = self._position + width, len(buffer)
        if begin > size:
            self._data_end = size
            self._rest_searched()
            return ()
        count = grammar.size_at(buffer, begin - width)
        if not 0 <= count < _NO_LIMIT:
            return None
        end = begin + count
        if end <= size:
            self._position = end
            self._open_window(width + count)
            return (buffer[begin:end],)
        self._position = begin
        body = grammar.body(count)
        limit = _NO_LIMIT if body.max_size is None else body.max_size
        self._begin_record(body, count, limit, limit)
        if not self._incoming:
            self._data_end = size
            self._rest_searched()
        return body

    def _messages_ahead(self, grammar: LengthFirst) -> Iterator[bytes] | None:
        """Cut off the whole messages in the window; None if not even one is at hand."""
        buffer, start, window = self._buffer, self._position, self._window
        messages, end = grammar.cut(buffer, start, start + window)
        while not messages and start + window < len(buffer) and window < _WIDE_WINDOW:
            window *= 2
            messages, end = grammar.cut(buffer, start, start + window)
        if not messages:
            return None
        self._window = min(2 * window, _WIDE_WINDOW)
        self._position = end
        self._ready_of = grammar
        ready = self._ready = iter(messages)
        return ready

    def _take_body(self) -> bytes | None:
        """The body that was awaited; None if there is more to do than to cut it off."""
        end = self._position + self._count
        if self._pieces or end > len(self._buffer):
            return None
        self._position = end
        return self._buffer[end - self._count : end]

    def _await_length(self, grammar: LengthFirst, size: int) -> None:
        """Stand behind a message of so many bytes, of which only the body was taken last."""
        self._begin_record(grammar.width, grammar.width, self._max_size, _NO_LIMIT)
        self._open_window(grammar.width + size)

    def _stands_before(self, body: Limited) -> bool:
        """Whether nothing else has happened since ``body`` was set."""
        return self._terminator is body and not (
            self._streamed
            or self._data_given
            or self._input_ended_by
            or self._ready is not _NOTHING
        )
