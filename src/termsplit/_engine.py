"""The input machine: bytes in, records cut at terminators out.

Where a byte may stand, in the order of the stream::

    taken by the         cut off, not     put aside of   in the      came in since:
    application          yet taken        a long record  buffer      see _room
    ────────────────────┬────────────────┬──────────────┬───────────┬──────────────
                        │ _ready         │ _pieces      │ _buffer   │ _incoming
                        └ offset                        └ _position

A chunk that is cut as it comes in leaves only its rest in the buffer, so that what is ready is before _buffer[0] then.

`_cut` is the way to cut, and the shortcuts do what it would do. The faces differ in how they hand over what is ready, and
in what they do with the bytes of an unfinished record: the records face (and the grammars on it) accumulates them in
``_pieces``, the events face (and the callbacks on it) gives them away at once.

Three things make it fast, and none of them shows; a splitter that does without them agrees on every program.

*Windows.* Cutting is speculative. While a terminator stays the same, a whole window of the buffer is
split in one operation, and the records are left in the iterator ``_ready``. As soon as anything depends on where the
application stands (a new terminator, a look at the offset or at the unparsed bytes), `_put_back` takes what is
left in that iterator and moves the cursor back over it. So an application can't tell the machine from
one that cuts a record at a time. The window starts at one record and doubles, so what is cut in vain is never
more than what was taken before.

*Chunks that need no face.* When all that came was searched, `receive_data` knows how much ``_room`` there is: so many
bytes may come in before there is anything to look at, as long as the terminator's last byte is not among them. Such a
chunk only waits, in ``_buffer`` if that is empty and else in ``_incoming``. One with that byte in it, which fits into
the window together with the rest, is split at once. Like every window it is cut ahead, and can be put back.

*Conversations.* Where each record has another terminator than the last one, such as a body that is as long as its head
says, windows are of no use. Between two such records (``_conversing``) `set_terminator` has nothing to do but to note
the new one, and the record that it ends (``_single_next``) is cut by `_cut_single`. A grammar gets its records from
`_send_at_hand`, which needs no terminator set. Of one that is known to ask for nothing but lengths and strings,
`_messages_at_hand` cuts a window of messages, and `_take_message` one, or begins it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from operator import length_hint
from typing import TYPE_CHECKING, Any, Literal, cast

from ._bytes import as_bytes
from ._errors import LocalProtocolError, MalformedRecord
from ._events import NEED_DATA, TerminatorFound
from ._terminators import (
    _SHORT,
    AnyOf,
    Limited,
    Pattern,
    Terminator,
    check_max_size,
    check_terminator,
    literal_pattern,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._batched import LengthFirst
    from ._events import DataReceived, NeedData

__all__ = ["DEFAULT_MAX_SIZE"]

DEFAULT_MAX_SIZE = 64 * 1024
"""The longest record that accumulates unless told otherwise, in bytes; asyncio's streams take the same."""

# A window of this size stays in the processor's cache while it is split and handed out.
_WIDEST_WINDOW = 16 * 1024
# The beginning of a record that is so short is copied and searched again with what comes in: cheaper than to put it aside.
_SHORT_REST = 128
# The split of bytes is the fastest, on any number of them, where a record and its terminator have less on the average.
_DENSE = 36
# To copy so many bytes once takes no longer than to do without.
_LONG_REST = 4 * 1024
# So much may come in, with what Python keeps for each chunk, before it is joined or put aside.
_MOST_KEPT = 64 * 1024
_CHUNK_OBJECT = 33
# As single bytes, so few are not more.
_FEW = _MOST_KEPT // _CHUNK_OBJECT
_NOTHING: Iterator[bytes] = iter(())
_NO_LIMIT = sys.maxsize
# In place of records: the next one is above its limit.
_TOO_LONG: list[bytes] = []
# Stands where no answer of a grammar is meant.
_NO_ANSWER: Any = object()
# Stands where no byte string has been a terminator yet.
_NO_PATTERN = literal_pattern(b"\n")


class Engine:
    """What makes records of the bytes that come in. How they are handed over is for its faces, in `Splitter`."""

    # With __dict__, for a recorder to stand before single methods of one machine.
    __slots__ = (
        "__dict__",
        "_at_hand",
        "_at_once",
        "_base",
        "_buffer",
        "_chunk_cost",
        "_conversing",
        "_count",
        "_data_end",
        "_data_given",
        "_dense",
        "_event_limit",
        "_finished",
        "_held_back",
        "_incoming",
        "_input_ended_by",
        "_last_byte",
        "_lent_to_records",
        "_max_size",
        "_next_terminator",
        "_passing_over",
        "_pattern",
        "_pattern_literal",
        "_pieces",
        "_pieces_size",
        "_position",
        "_ready",
        "_ready_of",
        "_record_limit",
        "_room",
        "_single_next",
        "_streamed",
        "_terminator",
        "_terminators_ready",
        "_window",
    )

    def __init__(
        self, terminator: Terminator = None, *, max_size: int | None = DEFAULT_MAX_SIZE
    ) -> None:
        check_max_size(max_size)
        self._max_size = _NO_LIMIT if max_size is None else max_size

        self._buffer: bytes = b""
        self._position: int = 0  # of the first byte in _buffer that is not cut off
        self._base: int = 0  # the stream offset of _buffer[0]
        self._incoming: list[bytes] = []
        self._input_ended_by = ""

        self._at_hand = (
            False  # the grammar is sent what it asks for, as long as it leaves the splitter alone
        )
        # A count or byte string was set where a record begins, and all records since were cut one by one: there is no window,
        # nothing is ready, put aside, passed over, or given in part (but for _data_given), and the limits are the usual ones.
        self._conversing = False
        # So it is, _data_given is None, and what ends the next record was set for that one alone.
        self._single_next = False
        self._ready: Iterator[bytes] = _NOTHING
        self._ready_of: LengthFirst | None = (
            None  # the grammar whose messages these are; None if they are records
        )
        self._lent_to_records: Iterator[bytes] = _NOTHING  # as a record iterator holds it
        # Of what was cut last, if they differ, or if it was a count of 0; set_terminator clears it.
        self._terminators_ready: list[TerminatorFound] | None = None
        self._window: int = 0  # so many bytes may be cut ahead; below 0 if the last record was long

        # Above 0, all that came in was searched: behind what is ready, no record is complete, nor known to be too long,
        # and _position is 0. It stays so for chunks without the terminator's last byte, as long as there is room for them,
        # and for those that are split at once.
        self._room: int = 0
        self._chunk_cost: int = 0  # so much of it a chunk takes up besides its bytes
        self._at_once: int = (
            0  # the unfinished record and a chunk are split at once if together they are no longer
        )
        self._dense = False  # the records of the last large chunk that was split at once were short

        # The unfinished record.
        self._pieces: list[bytes | memoryview] = []
        self._pieces_size: int = 0
        # When all of _buffer was searched: the end, in it, of what is surely data.
        self._data_end: int = 0
        self._streamed: int = 0  # bytes given away as events
        self._held_back: bytes = (
            b""  # may begin the pattern as a whole: the same again in _buffer is no data yet
        )
        self._data_given: DataReceived | None = None  # the event whose terminator is next
        self._passing_over = False  # it is too long
        self._next_terminator: tuple[Terminator] | None = None  # takes over after it
        self._finished = False  # what the end of the stream completes was taken, or reported

        self._terminator: Terminator = None
        self._count: int = _NO_LIMIT  # below 0: the pattern is in force
        self._pattern: Pattern = _NO_PATTERN  # outlasts a count
        self._pattern_literal: bytes | None = None  # its own, if it is one byte string
        self._last_byte: int = _NO_PATTERN.last_byte  # the pattern's
        self._record_limit: int = self._max_size
        self._event_limit: int = _NO_LIMIT
        if terminator is not None:
            self.set_terminator(terminator)
            # So that the first chunk need no face either.
            self._rest_searched()

    # What comes in.

    def receive_data(self, data: bytes | bytearray | memoryview) -> bool:
        """Take the next bytes from the peer; what they mean waits until an event or record is asked for.

        Args:
            data: the bytes, in chunks of any size; ``b""`` is nothing at all, not the end.

        Returns:
            whether a record may be complete now, or too long. False is sure under the terminator in force. Who
            asked for records, or messages, until nothing was given or raised need not ask again yet; who reads
            events should, and so should everybody after `receive_eof`.

        Raises:
            TypeError: ``data`` is not bytes-like.
            LocalProtocolError: after `receive_eof` or `detach`.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        room = self._room - self._chunk_cost - len(data)
        if room <= 0:
            return self._receive_for_a_face(data, room)
        if self._count >= 0 or self._last_byte not in data:
            # It completes no record.
            if data:
                self._room = room
                if self._buffer:
                    self._incoming.append(data)
                else:
                    self._buffer = data
            return False
        # It may complete some.
        if self._at_once > 0 and self._ready is _NOTHING:
            if self._incoming:
                self._buffer = b"".join((self._buffer, *self._incoming))
                self._incoming.clear()
            buffer = self._buffer + data
            size = len(buffer)
            if size <= self._at_once - self._streamed:
                if size < _SHORT:
                    records = buffer.split(self._pattern_literal)
                else:
                    records = self._split(buffer)
                self._buffer = rest = records.pop()
                self._room = room
                if records:
                    self._base += size - len(rest)
                    self._ready = iter(records)
                    if room < size:
                        # There is more of it than was counted, now that records are gone.
                        self._make_room(self._record_limit - len(rest) + 1)
                    return True
                if size > _SHORT_REST:
                    # Too long to be searched once more.
                    self._at_once = 0
                return False
        return self._receive_for_a_face(data, room)

    def _receive_for_a_face(self, data: bytes, room: int) -> bool:
        """Have a face look at it, unless it only seems to need that."""
        if self._room > 0 and data and self._ready is _NOTHING:
            if room > 0 and self._at_once <= 0 and self._ends_nothing(data):
                self._room = room
                if self._buffer:
                    self._incoming.append(data)
                else:
                    self._buffer = data
                return False
            if (
                self._incoming
                and room <= 0 < room + self._chunk_cost * len(self._incoming)
                and (self._count >= 0 or self._last_byte not in data)
            ):
                # There would be room for it, if not for what Python keeps for each chunk.
                self._join_searched(_SHORT_REST)
                self._rest_searched()
                # Not through a method that stands before this one: that has had the chunk.
                return Engine.receive_data(self, data)
            if self._at_once > 0 and len(data) < self._window and self._split_several(data):
                return True
            self._room = 0
            # Of a count, it is known that no more than the record's end need be joined with what there is.
            most = 0 if self._count >= 0 and len(data) > _LONG_REST else _LONG_REST
            if self._incoming or len(self._buffer) > most:
                self._join_searched(most)
            self._buffer = self._buffer + data
            return True
        if self._input_ended_by:
            raise LocalProtocolError(f"receive_data() after {self._input_ended_by}()")
        if not data:
            return False
        self._room = 0
        self._incoming.append(data)
        return True

    def _ends_nothing(self, data: bytes) -> bool:
        """Whether a byte string that is the pattern does not end in it, though its last byte is there.

        False also if it is too long for what is before ``data`` to be looked at with each chunk.
        """
        literal, most = self._pattern_literal, self._pattern.longest - 1
        if literal is None or not 0 < most < _SHORT:
            return False
        if len(data) > _SHORT_REST and not self._pieces and self._streamed <= _SHORT:
            # It is a record that is not long, and likely to end.
            return False
        incoming = self._incoming
        last = incoming[-1] if incoming else self._buffer
        if len(last) < most and incoming:
            before = b""
            while incoming and len(before) + len(incoming[-1]) <= most:
                # They stay joined, so there are never many.
                before = incoming.pop() + before
            last = incoming[-1] if incoming else self._buffer
            incoming.append(before)
            last = last[-most:] + before
        end = last[-most:] + data
        if len(end) < _SHORT:
            return literal not in end
        return self._pattern.search(end, 0, len(end), False) is None

    def _split(self, buffer: bytes) -> list[bytes]:
        """Split at the byte string that is the pattern, in the way that would have been the faster one the last time."""
        if self._dense:
            records = buffer.split(self._pattern_literal)
        else:
            pattern: Any = self._pattern
            records = pattern.split(buffer)
        self._dense = len(buffer) < _DENSE * len(records)
        return records

    def _split_several(self, data: bytes) -> bool:
        """Split at once what is longer than a record may be; unless one in it is too long, or none is complete."""
        if self._incoming:
            data = b"".join((*self._incoming, data))
        buffer = self._buffer + data
        if len(buffer) > self._window:
            return False
        records = self._split(buffer)
        rest, limit = records.pop(), self._record_limit
        if not records or len(rest) > limit or self._streamed + max(map(len, records)) > limit:
            return False
        self._incoming.clear()
        self._buffer = rest
        self._base += len(buffer) - len(rest)
        self._ready = iter(records)
        self._make_room(limit - len(rest) + 1)
        return True

    def _join_searched(self, most: int) -> None:
        """Join what came in of the unfinished record and was searched, or put it aside if these are more bytes.

        All but what may be the beginning of the terminator; and not as chunks so short that Python keeps more for
        them than their bytes.
        """
        # The first of them is in the buffer.
        searched, self._incoming = [self._buffer, *self._incoming], []
        self._buffer = b""
        self._data_end = 0
        size = sum(map(len, searched))
        if size <= most:
            self._buffer = b"".join(searched)
            return
        self._single_next = self._conversing = False
        pattern = self._pattern
        if size < _SHORT * len(searched) or len(searched[-1]) < pattern.longest:
            searched = [b"".join(searched)]
        last = searched[-1]
        if self._count < 0 and last[-1] in pattern.inner_bytes:
            known = len(last) - pattern.held_back(last, 0)
            searched[-1], self._buffer = last[:known], last[known:]
            size -= len(self._buffer)
        self._pieces += searched
        self._pieces_size += size
        self._base += size

    def receive_eof(self) -> None:
        """Take the end of the stream; calling it again changes nothing."""
        if not self._input_ended_by:
            self._input_ended_by = "receive_eof"
            self._room = 0

    # What ends a record.

    def set_terminator(self, terminator: Terminator) -> None:
        """Choose what ends the record that begins at the next byte, and those after it.

        Args:
            terminator: `bytes`: this byte string, never part of the record; `int`: a record of just so
                many bytes; None: everything up to the end of the stream; `AnyOf`: the first of several;
                `Limited`: one of these with its own limit. All stay in force but 0, which gives one
                empty record, at once, and then stands at None.

        Raises:
            TypeError: it is none of these; bool and str among others.
            ValueError: an empty byte string or a negative count.
        """
        if self._conversing and self._data_given is None:
            # Whatever waits, there is nothing else to see to.
            if type(terminator) is int:
                if 0 < terminator < self._max_size:
                    self._terminator = self._count = terminator
                    self._single_next = True
                    self._room = 0
                    return
            elif terminator is self._pattern_literal and terminator is not None:
                self._terminator = terminator
                self._count = -1
                self._single_next = True
                self._room = 0
                return
        if terminator is self._terminator and not (
            self._streamed or self._data_given or self._passing_over
        ):
            return
        self._at_hand = False
        count, pattern, literal = -1, self._pattern, self._pattern_literal
        record_limit, event_limit = self._max_size, _NO_LIMIT
        bare: object = terminator
        if type(terminator) is not int and isinstance(terminator, Limited):
            bare = terminator.terminator
            limit = _NO_LIMIT if terminator.max_size is None else terminator.max_size
            record_limit = event_limit = limit
        if type(bare) is int and 0 <= bare < _NO_LIMIT:
            count = bare
        elif type(bare) is bytes:
            if bare is not literal:
                pattern, literal = literal_pattern(bare), bare
        elif bare is None:
            count = _NO_LIMIT
        else:
            check_terminator(bare)
            if isinstance(bare, AnyOf):
                pattern, literal = bare.pattern, None
            elif isinstance(bare, bytes):
                literal = bytes(bare)
                pattern = literal_pattern(literal)
            else:
                # No stream reaches _NO_LIMIT, but it must not pass for the terminator None.
                count = min(int(cast("int", bare)), _NO_LIMIT - 1)

        if self._passing_over:
            self._next_terminator = (terminator,)
            return
        if (
            count == self._count
            and (pattern is self._pattern or count >= 0)
            and record_limit == self._record_limit
            and event_limit == self._event_limit
            and not (self._streamed or self._data_given)
        ):
            self._terminator = terminator
            return
        if self._data_given or self._ready is not _NOTHING:
            self._put_back()
        if self._pieces:
            self._base -= self._pieces_size - self._position
            self._buffer = b"".join((*self._pieces, self._buffer[self._position :]))
            self._position = self._pieces_size = 0
            self._pieces.clear()
        self._streamed = 0
        self._begin_record(terminator, count, record_limit, event_limit)
        if pattern is not self._pattern:
            self._pattern = pattern
            self._last_byte = pattern.last_byte
            self._held_back = b""
        self._pattern_literal = literal
        self._single_next = self._conversing = (
            event_limit == _NO_LIMIT
            and record_limit == self._max_size
            and (literal is not None if count < 0 else 0 < count < record_limit)
        )

    def _begin_record(
        self, terminator: Terminator, count: int, record_limit: int, event_limit: int
    ) -> None:
        """Set what ends the record that begins, where nothing is ready, put aside, passed over, or given in part."""
        self._terminators_ready = None
        self._room = self._window = self._at_once = 0
        self._terminator, self._count = terminator, count
        self._record_limit, self._event_limit = record_limit, event_limit

    def get_terminator(self) -> Terminator:
        """What ends the next record: what `set_terminator` was given, or None after a count of 0."""
        if self._next_terminator is not None:
            return self._next_terminator[0]
        return self._terminator

    # Cutting.

    def _cut(self, limit: int) -> Iterable[bytes] | None:
        """Cut off the next whole records; only when none are ready.

        Several stand in _ready, a single one does not: it is taken as soon as it is given, so there is nothing
        to put back.

        None if the bytes in _buffer complete no record, _TOO_LONG if it is known to be longer than ``limit``: _data_end
        is then the end of those that can't belong to the terminator; or the position, if a count is too long.
        """
        self._at_hand = False
        self._single_next = self._conversing = False
        buffer, start, count = self._buffer, self._position, self._count
        taken = self._streamed + self._pieces_size
        if count >= 0:
            index = end = start + count - taken
            if limit < count < _NO_LIMIT:
                self._data_end = start
                return _TOO_LONG
            if end > len(buffer):
                self._data_end = len(buffer)
                return _TOO_LONG if taken + len(buffer) - start > limit else None
            self._terminators_ready = None
            if not count:
                self._terminators_ready = [TerminatorFound(0)]
                self._terminator, self._count = None, _NO_LIMIT
                self._record_limit, self._event_limit = self._max_size, _NO_LIMIT
        else:
            pattern, window, index = self._pattern, self._window, -1
            if window > 0 and not self._pieces_size:
                records, terminators, size = pattern.cut(buffer[start : start + window])
                # Another face may take what this one leaves: so the smaller of their limits holds.
                longest = self._record_limit
                if records and (
                    taken + window <= longest
                    or (taken + len(records[0]) <= limit and max(map(len, records)) <= longest)
                ):
                    self._position = start + size
                    if window < _WIDEST_WINDOW:
                        self._window = 2 * window
                    self._terminators_ready = terminators
                    ready = self._ready = iter(records)
                    return ready
            literal, last = self._pattern_literal, start
            if literal is not None:
                if window >= 0:
                    index = buffer.find(literal, start, start + _SHORT)
                else:
                    # It is likely to be far away, where one byte is found sooner than several.
                    last = buffer.find(self._last_byte, start)
                    begin = last + 1 - pattern.longest
                    if begin >= start and buffer.startswith(literal, begin):
                        index = begin
            if index >= 0:
                end = index + pattern.longest
            else:
                final = not (self._incoming or not self._input_ended_by)
                size = len(buffer)
                stop = start + limit - taken + pattern.longest
                if stop > size:
                    stop = size
                match = pattern.search(buffer, start, stop, final) if last >= 0 else None
                if match is None:
                    known = stop
                    if stop < size:
                        known -= pattern.longest - 1
                    elif not final and stop > start and buffer[-1] in pattern.inner_bytes:
                        known -= pattern.held_back(buffer, start)
                    self._data_end = known
                    return _TOO_LONG if known - start + taken > limit else None
                index, end, found = match
                self._terminators_ready = None if pattern.found else [found]
            if index - start + taken > limit:
                self._data_end = index
                return _TOO_LONG
            width = 4 * (taken + end - start)
            self._window = width if width <= _WIDEST_WINDOW else -1
        if self._pieces:
            record = self._completed(
                (memoryview(buffer) if index - start > _LONG_REST else buffer)[start:index]
            )
        else:
            record = buffer[start:index]
        self._position = end
        return (record,)

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
        if room < _FEW:
            self._room = room
            self._chunk_cost = 0
        else:
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
        if not self._conversing:
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
            # It was set for this record, and not for one before: below, it must not count as the same again.
            self._terminator = None
        self._at_hand = True
        self._single_next = self._conversing = False
        try:
            while self._at_hand:
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
                    if self._at_hand:
                        self._lift_limit(answer)
                else:
                    break
                start = end
        except MalformedRecord as error:
            if error.offset is None:
                error.offset = base + start + error.index
            raise
        finally:
            self._at_hand = False
        return answer

    def _lift_limit(self, answer: Any) -> None:
        """Have the usual limits again, if ``answer`` is what will be waited for under these."""
        if (type(answer) is int and answer >= 0) or (
            answer is self._pattern_literal and answer is not None
        ):
            self._terminator = None
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
        self._single_next = self._conversing = True
        self._wait_for_single()

    def _open_window(self, size: int) -> None:
        """Have more than a record at a time cut from here on, if there is enough: they are of about this size."""
        if len(self._buffer) - self._position <= _SHORT_REST:
            return
        self._single_next = self._conversing = False
        self._window = max(4 * size, min(16 * size, _WIDEST_WINDOW))

    def _messages_at_hand(self, grammar: LengthFirst) -> Iterator[bytes] | None:
        """Cut off the next whole messages of a grammar, ahead of who takes them, as _cut does with records.

        None if there are none at hand.
        """
        self._at_hand = False
        self._single_next = self._conversing = False
        if self._ready is not _NOTHING:
            if self._ready_of is not grammar:
                self._put_back()
            elif length_hint(self._ready):
                return self._ready
            self._ready, self._ready_of = _NOTHING, None
        buffer, start, window = self._buffer, self._position, self._window
        if (
            window <= 0
            or grammar.width > self._max_size
            or self._room > 0
            or self._streamed
            or self._pieces
            or self._data_given
            or self._passing_over
        ):
            return None
        messages, end = grammar.cut(buffer, start, start + window)
        while not messages and start + window < len(buffer) and window < _WIDEST_WINDOW:
            window *= 2
            messages, end = grammar.cut(buffer, start, start + window)
        if not messages:
            return None
        self._window = min(2 * window, _WIDEST_WINDOW)
        self._position = end
        self._ready_of = grammar
        ready = self._ready = iter(messages)
        return ready

    def _take_message(
        self, grammar: LengthFirst
    ) -> bytes | Limited | Literal[NeedData.NEED_DATA] | None:
        """Take the next message of a grammar; or, if it is not whole, its length, and wait for the body so announced.

        NEED_DATA if not even the length is at hand. None if the grammar itself has to look at what there is.
        """
        width = grammar.width
        if (
            self._streamed
            or self._pieces
            or self._data_given
            or self._passing_over
            or self._input_ended_by
            or width > self._max_size
        ):
            return None
        if self._incoming and len(self._buffer) - self._position < width:
            self._join_incoming()
        buffer = self._buffer
        begin, size = self._position + width, len(buffer)
        if begin > size:
            self._data_end = size
            self._rest_searched()
            return NEED_DATA
        count = grammar.size_at(buffer, begin - width)
        if not 0 <= count < _NO_LIMIT:
            return None
        end = begin + count
        if end <= size:
            self._position = end
            self._open_window(width + count)
            return buffer[begin:end]
        self._position = begin
        body = grammar.body(count)
        limit = _NO_LIMIT if body.max_size is None else body.max_size
        self._begin_record(body, count, limit, limit)
        if not self._incoming:
            self._data_end = size
            self._rest_searched()
        return body

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
            or self._passing_over
            or self._input_ended_by
            or self._ready is not _NOTHING
        )

    def _completed(self, rest: bytes | memoryview) -> bytes:
        """The pieces of the unfinished record and the ``rest`` of it."""
        self._pieces.append(rest)
        record = b"".join(self._pieces)
        self._pieces.clear()
        self._pieces_size = 0
        return record

    def _put_back(self) -> None:
        """Move the cursor back over what was cut off and not taken."""
        untaken, grammar = list(self._ready), self._ready_of
        self._ready, self._ready_of = _NOTHING, None
        terminators = len(untaken)
        if self._data_given:
            self._streamed += len(self._data_given.data)
            self._data_given = None
            self._single_next = self._conversing = False
            terminators += 1
        if not terminators:
            return
        size = sum(map(len, untaken))
        if grammar is not None:
            size += terminators * grammar.width
        elif self._terminators_ready is not None:
            for found in self._terminators_ready[-terminators:]:
                size += len(cast("bytes", found.terminator))
            # The last one left is that of the record taken last.
            if terminators < len(self._terminators_ready):
                del self._terminators_ready[-terminators:]
        elif self._count < 0:
            size += terminators * self._pattern.longest
        if size <= self._position:
            self._position -= size
        else:
            # The window was a whole chunk, of which only the rest was kept.
            if terminators > len(untaken):
                untaken.insert(0, b"")
            untaken.append(self._buffer)
            self._buffer = cast("bytes", self._pattern_literal).join(untaken)
            self._base -= size
        self._room = 0
        self._window = 0

    # What is left when there is nothing more to cut.

    def _refill(self) -> None:
        """Go on with what came in since, when _cut has found nothing."""
        if self._data_end - self._position > _SHORT_REST:
            self._set_aside()
        self._join_incoming()

    def _join_incoming(self) -> None:
        incoming = self._incoming
        came = incoming[0] if len(incoming) == 1 else b"".join(incoming)
        incoming.clear()
        self._base += self._position
        self._buffer = self._buffer[self._position :] + came
        self._position = 0

    def _rest_searched(self) -> None:
        """Note that there is no more to cut before more comes in, when _cut has found nothing."""
        size = self._data_end - self._position
        if size > _SHORT_REST and (not self._position or size > _LONG_REST):
            self._set_aside()
        elif self._position:
            self._base += self._position
            self._buffer = self._buffer[self._position :]
            self._position = 0
        if self._passing_over:
            return
        count, most, size = self._count, self._record_limit, len(self._buffer) + self._pieces_size
        self._at_once = 0
        if 0 <= count < _NO_LIMIT:
            if count > most and not self._streamed:
                # The records face refuses it at once.
                return
            room = count - self._streamed - size
        else:
            if self._event_limit < _NO_LIMIT:
                most -= self._streamed
            room = most - size + 1
            if count < 0:
                if self._last_byte < 0:
                    return
                if self._window > 0 and not self._pieces and self._pattern_literal is not None:
                    self._at_once = min(self._window, most)
        self._make_room(room)

    def _make_room(self, room: int) -> None:
        """Let so many bytes come in before there is anything to look at; or fewer, lest too much is kept."""
        if room < _FEW:
            self._chunk_cost = 0
            self._room = room
        else:
            self._chunk_cost = _CHUNK_OBJECT
            self._room = min(room, _MOST_KEPT)

    def _look_behind(self, record: bytes) -> None:
        """Behind a long ``record``, note at once if none can end in the rest of the buffer."""
        buffer, start = self._buffer, self._position
        size = len(buffer) - start
        if (
            size >= len(record)
            or (size > _LONG_REST and start > size)
            or self._last_byte < 0
            or self._incoming
            or self._input_ended_by
            or (size and buffer[-1] in self._pattern.inner_bytes)
            or buffer.find(self._last_byte, start) >= 0
        ):
            return
        if size > _LONG_REST:
            self._pieces.append(memoryview(buffer)[start:])
            self._pieces_size = size
            self._base += len(buffer)
            self._buffer = b""
        else:
            self._base += start
            self._buffer = buffer[start:]
        self._position = self._at_once = 0
        # A record that is too long already leaves none.
        self._make_room(self._record_limit - size + 1)

    def _set_aside(self) -> None:
        """Take what _cut has found to be surely data out of the buffer."""
        buffer, start, known = self._buffer, self._position, self._data_end
        size = known - start
        # No copy, unless it would keep much more in memory than it is itself.
        whole = 2 * size >= len(buffer)
        self._pieces.append((memoryview(buffer) if start and whole else buffer)[start:known])
        self._pieces_size += size
        self._base += known
        self._buffer = buffer[known:]
        self._position = self._data_end = 0
