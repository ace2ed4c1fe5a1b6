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

Three things make the machine fast, and none of them shows; a splitter that does without them agrees on every program. Two
have a file of their own: chunks that need no face, in `_receiving.py`, and conversations, in `_conversing.py`. The third is
here:

*Windows.* Cutting is speculative. While a terminator stays the same, a whole window of the buffer is
split in one operation, and the records are left in the iterator ``_ready``. As soon as anything depends on where the
application stands (a new terminator, a look at the offset or at the unparsed bytes), `_put_back` takes what is
left in that iterator and moves the cursor back over it. So an application can't tell the machine from
one that cuts a record at a time. The window starts at a few records and doubles, so what is cut in vain is never
more than in proportion to what was taken before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from ._events import TerminatorFound
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
    from collections.abc import Iterable

    from ._batched import LengthFirst
    from ._events import DataReceived

__all__ = ["DEFAULT_MAX_SIZE"]

DEFAULT_MAX_SIZE = 64 * 1024
"""The longest record that accumulates unless told otherwise, in bytes; asyncio's streams take the same."""

# A window of this size is not doubled any more: even one of nearly twice as much stays in the processor's cache while it is
# split and handed out.
_WIDE_WINDOW = 16 * 1024
# The beginning of a record that is so short is copied and searched again with what comes in: cheaper than to put it aside.
_SHORT_REST = 128
# To copy so many bytes once takes no longer than to do without.
_LONG_REST = 4 * 1024
_NOTHING: Iterator[bytes] = iter(())
_NO_LIMIT = sys.maxsize
# In place of records: the next one is above its limit.
_TOO_LONG: list[bytes] = []
# Stands where no byte string has been a terminator yet.
_NO_PATTERN = literal_pattern(b"\n")


class Engine:
    """What makes records of the bytes that come in. How they are handed over is for its faces, in `Splitter`.

    What holds of its attributes together is written down in ``tests/invariants.py``, and asserted in random programs.
    """

    # With __dict__, for a recorder to stand before single methods of one machine.
    __slots__ = (
        "__dict__",
        "_at_once",
        "_base",
        "_buffer",
        "_chunk_cost",
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
        "_undisturbed",
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

        # While _send_at_hand sends: neither the grammar nor whoever it calls has done anything here.
        self._undisturbed = False
        # Not None in a conversation: a count or byte string was set where a record begins, and all records since were cut one
        # by one. There is no window, nothing is ready, put aside, passed over, or given in part (but for _data_given), and the
        # limits are the usual ones. True: _data_given is None too, and what ends the next record was set for that one alone.
        self._single_next: bool | None = None
        # What was cut ahead. Who finds nothing left in it leaves _NOTHING here.
        self._ready: Iterator[bytes] = _NOTHING
        # The grammar whose messages these are; None if they are records.
        self._ready_of: LengthFirst | None = None
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
        # What _hold_back left in _buffer, under this pattern: as long as it is there, it need not be looked at again.
        self._held_back: bytes = b""
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

    # What comes in.

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
        if self._single_next is not None and self._data_given is None:
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
        self._undisturbed = False
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
            and pattern is self._pattern
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
        usual = event_limit == _NO_LIMIT and record_limit == self._max_size
        single = literal is not None if count < 0 else 0 < count < record_limit
        self._single_next = True if usual and single else None

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
        self._undisturbed = False
        self._single_next = None
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
            if not count:
                self._terminators_ready = [TerminatorFound(0)]
                self._terminator, self._count = None, _NO_LIMIT
                self._record_limit, self._event_limit = self._max_size, _NO_LIMIT
        else:
            pattern, window, index = self._pattern, self._window, -1
            if window > 0 and not self._pieces_size:
                records, terminators, cut_off = pattern.cut(buffer[start : start + window])
                # Another face may take what this one leaves: so the smaller of their limits holds.
                longest = self._record_limit
                if records and (
                    taken + window <= longest
                    or (taken + len(records[0]) <= limit and max(map(len, records)) <= longest)
                ):
                    self._position = start + cut_off
                    if window < _WIDE_WINDOW:
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
                final = self._input_ended_by != "" and not self._incoming
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
            self._window = width if width <= _WIDE_WINDOW else -1
        if self._pieces:
            view = memoryview(buffer) if index - start > _LONG_REST else buffer
            record = self._completed(view[start:index])
        else:
            record = buffer[start:index]
        self._position = end
        return (record,)

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
            self._single_next = None
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
