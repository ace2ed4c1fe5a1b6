"""The input machine: bytes in, records cut at terminators out.

Where a byte may stand, in the order of the stream::

    taken by the         cut off, not     unfinished     held back,   not looked at
    application          yet taken        record         or not cut   yet
    ────────────────────┬────────────────┬──────────────┬────────────┬──────────────
                        │ _ready         │ _partial     │ _buffer    │ _incoming
                        └ offset         └ cut up to here

There is one way to cut, `_cut`; the faces differ in how they hand over what it makes ready and in what they do
with the bytes of an unfinished record: the records face (and the grammars on it) accumulates them in
``_partial``, the events face (and the callbacks on it) gives them away at once.

Three things make it fast, and none of them shows; a splitter that does without them agrees on every program.

*Windows.* Cutting is speculative. While a terminator stays the same, `_cut` splits a whole window of the buffer in
one operation and leaves the records in the iterator ``_ready``. As soon as anything depends on where the
application stands (a new terminator, a look at the offset or at the unparsed bytes), `_put_back` takes what is
left in that iterator and moves the cursor back over it. So an application can't tell the machine from
one that cuts a record at a time. The window starts at one record and doubles, so what is cut in vain is never
more than what was taken before.

*Hope.* Once all that came in was looked at, `_give_up_hope` notes what a whole record still lacks: its last byte, or
so many bytes. A chunk that brings neither is put aside by `receive_data`, and not looked at before one does.

*Counts.* A grammar that answers a record with the length of the next one gets it from `_send_counted`, which needs
neither a search nor a window.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from operator import length_hint
from typing import TYPE_CHECKING, Literal, cast, overload

from ._bytes import as_bytes
from ._errors import IncompleteRecord, LocalProtocolError, RecordTooLong, UnexpectedData
from ._events import (
    NEED_DATA,
    DataReceived,
    EOFReceived,
    RecordSkipped,
    TerminatorFound,
)
from ._terminators import (
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

    from ._events import Event, NeedData, TooLong

__all__ = ["DEFAULT_MAX_SIZE", "Splitter"]

DEFAULT_MAX_SIZE = 64 * 1024
"""The longest record that accumulates unless told otherwise, in bytes; asyncio's streams take the same."""

# A window of this size stays in the processor's cache while it is split and handed out.
_WIDEST_WINDOW = 16 * 1024
# So many chunks may wait to be looked at: a chunk of a few bytes takes ten times its size.
_MANY = 2048
# The beginning of a record that is so short is looked at again when more comes in: cheaper than to put it aside.
_SHORT_REST = 64
_NOTHING: Iterator[bytes] = iter(())
_NO_LIMIT = sys.maxsize
_CLEAN_EOF = EOFReceived(True)
_UNCLEAN_EOF = EOFReceived(False)


class Splitter:
    r"""Cuts a stream of bytes into records, each ended by a terminator that may change as it goes.

    Args:
        terminator: what ends the first record, as for `set_terminator`.
        max_size: the longest record, in bytes, that `records` and `next_record` accumulate; None for no
            limit. `Limited` sets it for one terminator. Events accumulate nothing and heed only
            `Limited`.

    Raises:
        TypeError, ValueError: a bad terminator or ``max_size``.

    >>> splitter = Splitter(b"\r\n")
    >>> splitter.receive_data(b"HELO exam")
    >>> list(splitter.records())
    []
    >>> splitter.receive_data(b"ple\r\nQUIT\r\n")
    >>> list(splitter.records())
    [b'HELO example', b'QUIT']
    """

    __slots__ = (
        "__dict__",
        "_announced",
        "_bare",
        "_base",
        "_buffer",
        "_count",
        "_dry",
        "_event_limit",
        "_finished",
        "_found",
        "_hope",
        "_incoming",
        "_input_ended_by",
        "_known",
        "_max_size",
        "_missing",
        "_next_terminator",
        "_omen",
        "_partial",
        "_pattern",
        "_position",
        "_ready",
        "_record_limit",
        "_streamed",
        "_terminator",
        "_terminators_ready",
        "_too_long",
        "_window",
    )

    def __init__(
        self, terminator: Terminator = None, *, max_size: int | None = DEFAULT_MAX_SIZE
    ) -> None:
        check_max_size(max_size)
        self._max_size = _NO_LIMIT if max_size is None else max_size

        self._buffer = b""
        self._position: int = 0  # of the first byte in _buffer that is not cut off
        self._base: int = 0  # the stream offset of _buffer[0]
        self._incoming: list[bytes] = []
        self._input_ended_by = ""

        # What is known of these bytes, so that no work is done twice or in vain.
        self._dry = True  # _buffer is only what is held back
        self._bare = True  # no terminator begins in _buffer, but one may at its end
        self._hope = True  # _incoming may complete a record: unless ...
        self._missing: int = 0  # it is shorter than this,
        self._omen: int = -1  # and this byte, the last one of the terminator, is not in it

        self._ready = _NOTHING
        self._terminators_ready: list[TerminatorFound] | None = None  # of _ready, if they differ
        self._window: int = 0
        self._known: int = 0  # when _cut fails: the end, in _buffer, of what is surely data
        self._partial = bytearray()
        self._streamed: int = 0  # bytes of the unfinished record given away as events
        self._announced = b""  # data given away as an event whose terminator, found, is next
        self._too_long = False  # the unfinished record is, and is to be passed over
        self._next_terminator: tuple[Terminator] | None = None  # takes over after it
        self._finished = False  # the record that the end of the stream completes was taken

        self._terminator: Terminator = None
        self._pattern: Pattern | None = None
        self._count: int = _NO_LIMIT  # without a pattern
        self._found: TerminatorFound | None = None
        self._record_limit = self._max_size
        self._event_limit = _NO_LIMIT
        if terminator is not None:
            self.set_terminator(terminator)

    # What comes in.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes from the peer. Nothing is parsed before an event or record is asked for.

        Args:
            data: the bytes, in chunks of any size; ``b""`` is nothing at all, not the end.

        Raises:
            TypeError: ``data`` is not bytes-like.
            LocalProtocolError: after `receive_eof` or `detach`.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        if self._input_ended_by:
            raise LocalProtocolError(f"receive_data() after {self._input_ended_by}()")
        if not data:
            return
        self._incoming.append(data)
        if not self._hope:
            self._missing -= len(data)
            if (
                self._missing <= 0
                or (self._omen >= 0 and self._omen in data)
                or len(self._incoming) > _MANY
            ):
                self._hope = True

    def receive_eof(self) -> None:
        """Take the end of the stream; calling it again changes nothing."""
        if not self._input_ended_by:
            self._input_ended_by = "receive_eof"
            self._dry = self._bare = False
            self._hope = True

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Event]:
        """`receive_data`, then `events`."""
        self.receive_data(data)
        return self.events()

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
        if (
            terminator is self._terminator
            and not self._streamed
            and not self._announced
            and not self._too_long
        ):
            return
        pattern: Pattern | None = None
        count = _NO_LIMIT
        record_limit, event_limit = self._max_size, _NO_LIMIT
        bare: object = terminator
        if isinstance(terminator, Limited):
            bare = terminator.terminator
            limit = _NO_LIMIT if terminator.max_size is None else terminator.max_size
            record_limit = event_limit = limit
        if type(bare) is int and 0 <= bare < _NO_LIMIT:
            count = bare
        elif type(bare) is bytes:
            pattern = literal_pattern(bare)
        elif bare is not None:
            check_terminator(bare)
            if isinstance(bare, AnyOf):
                pattern = bare.pattern
            elif isinstance(bare, bytes):
                pattern = literal_pattern(bytes(bare))
            else:
                # No stream reaches _NO_LIMIT, but it must not pass for the terminator None.
                count = min(int(cast("int", bare)), _NO_LIMIT - 1)

        if self._too_long:
            self._next_terminator = (terminator,)
            return
        if (
            pattern is self._pattern
            and count == self._count
            and record_limit == self._record_limit
            and event_limit == self._event_limit
            and not self._streamed
            and not self._announced
        ):
            self._terminator = terminator
            return
        if self._announced or self._ready is not _NOTHING:
            self._put_back()
        if self._partial:
            self._base -= len(self._partial) - self._position
            self._buffer = bytes(self._partial) + self._buffer[self._position :]
            self._position = 0
            self._partial.clear()
        self._dry = self._bare = False
        self._hope = True
        self._streamed = 0
        self._window = 0
        self._terminator = terminator
        self._pattern = pattern
        self._count = count
        self._found = None if pattern is None else pattern.found
        self._record_limit = record_limit
        self._event_limit = event_limit

    def get_terminator(self) -> Terminator:
        """What ends the next record: what `set_terminator` was given, or None after a count of 0."""
        if self._next_terminator is not None:
            return self._next_terminator[0]
        return self._terminator

    # The records face.

    @overload
    def records(self, *, too_long: Literal["raise"] = "raise") -> Iterator[bytes]: ...
    @overload
    def records(self, *, too_long: Literal["skip"]) -> Iterator[bytes | RecordSkipped]: ...
    def records(self, *, too_long: TooLong = "raise") -> Iterator[bytes | RecordSkipped]:
        r"""Give the whole records that the received bytes make, without their terminators.

        Each is worked out when it is asked for: a terminator set between two of them holds from the very
        next byte. Under the terminator None the one record is complete at the end of the stream.

        Args:
            too_long: what to do about a record above its limit: ``"raise"`` RecordTooLong, or ``"skip"``
                it and give one `RecordSkipped` in its place.

        Returns:
            an iterator that ends when more data is needed, or the stream ended at a record's boundary.

        Raises:
            RecordTooLong: calling again passes over the record and goes on.
            IncompleteRecord: the stream ended in the middle of a record, which stays unparsed.
            LocalProtocolError: a part of the record in progress was taken as events.

        >>> splitter = Splitter(b"\n", max_size=5)
        >>> splitter.receive_data(b"short\nmuch too long\nagain\n")
        >>> list(splitter.records(too_long="skip"))
        [b'short', RecordSkipped(13), b'again']
        """
        return chain.from_iterable(self._batches(too_long))

    def next_record(self) -> bytes | Literal[NeedData.NEED_DATA]:
        """The next of `records`, or `NEED_DATA`.

        Raises:
            IncompleteRecord: as `records` does, and also when the stream ended at a record's boundary,
                with no partial record.
            RecordTooLong, LocalProtocolError: as `records` does.
        """
        for record in self.records():
            return record
        return self._nothing_next()

    def _nothing_next(self) -> Literal[NeedData.NEED_DATA]:
        """NEED_DATA, if data can still come."""
        if self.eof_received:
            raise IncompleteRecord(b"", self.get_terminator(), self.offset)
        if self._input_ended_by:
            raise LocalProtocolError(f"nothing can come after {self._input_ended_by}()")
        return NEED_DATA

    def _batches(self, too_long: TooLong) -> Iterator[Iterable[bytes | RecordSkipped]]:
        """The records in the groups in which they are cut; a RecordSkipped comes alone, in a tuple."""
        if not self._hope:
            return
        while True:
            if self._announced or (self._streamed and not self._too_long):
                raise LocalProtocolError(
                    "a part of this record was taken as events: take all of it, or set a new terminator"
                )
            ready = self._ready
            if ready is not _NOTHING:
                yield ready
                if self._ready is ready:
                    self._ready = _NOTHING
                continue
            if self._dry:
                if self._incoming:
                    self._refill()
                elif self._too_long or not self._record_limit < self._count < _NO_LIMIT:
                    break
            if self._too_long:
                skipped = self._skip()
                if skipped is not None and too_long == "skip":
                    yield (skipped,)
                continue
            batch = None if self._bare else self._cut(self._record_limit)
            if batch is not None:
                if batch is not self._ready:
                    yield batch
                continue
            rest = self._known - self._position
            if (rest > self._record_limit or self._partial or not self._pattern) and self._exceeds(
                self._record_limit
            ):
                self._refuse(self._record_limit, too_long)
            else:
                if rest > _SHORT_REST or self._partial or self._input_ended_by:
                    self._partial += self._buffer[self._position : self._known]
                    self._position = self._known
                self._dry = True
        if not self._input_ended_by:
            self._give_up_hope()
        if not self.eof_received or self._finished:
            return
        if self._pattern is None and self._count == _NO_LIMIT:
            self._finished = True
            if self._too_long:
                if too_long == "skip":
                    yield (RecordSkipped(self._streamed),)
            else:
                record = bytes(self._partial)
                self._partial.clear()
                yield (record,)
            # By now there may be a terminator that needs no data.
            yield from self._batches(too_long)
        elif self._partial or self._too_long:
            raise IncompleteRecord(bytes(self._partial), self._terminator, self.offset)

    def _taken_from(self, record: bytes) -> int:
        """The position in the stream of ``record``, which was taken last."""
        size = len(record)
        if self._pattern is None:
            if self._count < _NO_LIMIT:
                size = self._count
        else:
            found = self._found or self._terminator_at_hand()
            size += len(cast("bytes", found.terminator))
        return self.offset - size

    # The events face.

    def events(self, *, too_long: TooLong = "raise") -> Iterator[Event]:
        r"""Report what the received bytes mean, piece by piece, as long as they mean something.

        Each event is worked out when it is asked for: a terminator set between two of them holds from
        the very next byte. No byte waits that can't belong to the terminator.

        Args:
            too_long: what to do about a record above the limit that `Limited` set: ``"raise"``
                RecordTooLong, or ``"skip"`` the rest of it and report one `RecordSkipped`.

        Returns:
            an iterator that ends when more data is needed, or after `EOFReceived`.

        Raises:
            RecordTooLong: after the bytes up to the limit; calling again passes over the rest.

        >>> splitter = Splitter(b"\n\n")
        >>> for event in splitter.feed(b"Length: 5\n\nhel"):
        ...     print(event)
        ...     if event == TerminatorFound(b"\n\n"):
        ...         splitter.set_terminator(5)
        DataReceived(b'Length: 5')
        TerminatorFound(b'\n\n')
        DataReceived(b'hel')
        """
        new = object.__new__
        while True:
            if self._announced:
                self._announced = b""
                yield self._terminator_at_hand()
                continue
            batch: Iterable[bytes] = self._ready
            if batch is _NOTHING:
                if self._dry:
                    if self._incoming:
                        self._refill()
                    elif not self._partial and self._position >= self._known:
                        break
                if self._too_long:
                    skipped = self._skip()
                    if skipped is not None and too_long == "skip":
                        yield skipped
                    continue
                cut = None if self._bare else self._cut(self._event_limit)
                if cut is None:
                    data = self._take_known()
                    exceeded = self._event_limit < _NO_LIMIT and self._exceeds(self._event_limit)
                    self._dry = self._position == self._known and not exceeded
                    if data:
                        yield DataReceived(data)
                    elif exceeded:
                        self._refuse(self._event_limit, too_long)
                    continue
                batch = cut
            found = self._found
            for record in batch:
                if record:
                    self._announced = record
                    # What DataReceived(record) makes, in half the time.
                    event = new(DataReceived)
                    event.data = record  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                    yield event
                    if not self._announced:
                        break
                    self._announced = b""
                yield found or self._terminator_at_hand()
                if self._announced:
                    break
            else:
                if self._ready is batch:
                    self._ready = _NOTHING
        if self._input_ended_by == "receive_eof":
            clean = self._pattern is None and self._count == _NO_LIMIT
            if clean and self._too_long and not self._finished and too_long == "skip":
                self._finished = True
                yield RecordSkipped(self._streamed)
            self._finished = self._finished or clean
            yield _CLEAN_EOF if clean or not (self._streamed or self._too_long) else _UNCLEAN_EOF

    def next_event(self, *, too_long: TooLong = "raise") -> Event | Literal[NeedData.NEED_DATA]:
        """The next of `events`, or `NEED_DATA`; at the end of the stream `EOFReceived`, again and again.

        Raises:
            RecordTooLong: as `events` does.
            LocalProtocolError: after `detach`.
        """
        for event in self.events(too_long=too_long):
            return event
        return self._nothing_next()

    def _terminator_at_hand(self) -> TerminatorFound:
        """The event of the terminator behind the record taken last."""
        if self._terminators_ready is not None:
            return self._terminators_ready[-1 - length_hint(self._ready)]
        if self._found is None:
            self._found = TerminatorFound(self._count)
        return self._found

    def _take_known(self) -> bytes:
        """What may be given away of an unfinished record: no more of it than its limit."""
        if self._partial:
            data = bytes(self._partial)
            self._partial.clear()
        else:
            allowed = self._position + self._event_limit - self._streamed
            data = self._buffer[self._position : min(self._known, allowed)]
            self._position += len(data)
        self._streamed += len(data)
        self._hope = True
        return data

    # The one way to cut.

    def _cut(self, limit: int) -> Iterable[bytes] | None:
        """Cut off the next whole records; only when none are ready.

        Several stand in _ready, a single one does not: it is taken as soon as it is given, so there is nothing
        to put back.

        None if the bytes in _buffer complete no record within ``limit``: _known is then the end of those
        that can't belong to the terminator.
        """
        buffer, start, pattern = self._buffer, self._position, self._pattern
        taken = self._streamed + len(self._partial)
        if pattern is None:
            count = self._count
            if limit < count < _NO_LIMIT:
                self._known = start
                return None
            index = end = start + count - taken
            if end > len(buffer):
                self._known = len(buffer)
                return None
            self._terminators_ready = None
            if not count:
                self._terminators_ready = [TerminatorFound(0)]
                self._terminator, self._count = None, _NO_LIMIT
                self._record_limit, self._event_limit = self._max_size, _NO_LIMIT
        else:
            window = self._window
            if window:
                stop = start + window
                records, terminators, size = pattern.cut(buffer[start:stop])
                # Another face may take what this one leaves: so the smaller of their limits holds.
                longest = self._record_limit
                if records and (
                    taken + window <= longest
                    or (taken + len(records[0]) <= limit and max(map(len, records)) <= longest)
                ):
                    if taken:
                        records[0] = self._completed(records[0])
                    self._position = start = start + size
                    if stop >= len(buffer) and terminators is None and not self._input_ended_by:
                        self._bare = True
                        self._known = len(buffer) - pattern.held_back(buffer, start)
                    if window < _WIDEST_WINDOW:
                        self._window = 2 * window
                    self._terminators_ready = terminators
                    ready = self._ready = iter(records)
                    return ready
            final = self._input_ended_by != "" and not self._incoming
            stop = start + limit - taken + pattern.longest
            if stop > len(buffer):
                stop = len(buffer)
            match = pattern.search(buffer, start, stop, final)
            if match is None:
                if stop < len(buffer):
                    self._known = stop - pattern.longest + 1
                else:
                    self._known = stop if final else stop - pattern.held_back(buffer, start)
                return None
            index, end, found = match
            if index - start + taken > limit:
                self._known = index
                return None
            self._terminators_ready = None if pattern.found else [found]
            width = 4 * (end - start)
            self._window = width if width <= _WIDEST_WINDOW else 0
        record = buffer[start:index]
        if taken:
            record = self._completed(record)
        self._position = end
        return (record,)

    def _send_counted(self, send: Callable[[bytes], object], answer: object) -> object:
        """Cut the records of the counts that ``send`` answers with, and send them, while they are at hand.

        This is what set_terminator and _cut do, in one step, for a protocol of lengths and bodies, where each record
        has its own terminator.

        Returns:
            the first answer that was not followed.
        """
        if self._ready is not _NOTHING:
            self._put_back()
        if self._streamed or self._partial or self._announced or self._too_long:
            return answer
        buffer, end, limit = self._buffer, self._position, self._max_size
        while type(answer) is int and 0 < answer <= limit:
            start = end
            end += answer
            if end > len(buffer):
                break
            self._terminator = self._count = answer
            self._pattern = self._found = self._terminators_ready = None
            self._record_limit = limit
            self._event_limit = _NO_LIMIT
            self._window = 0
            self._bare = False
            self._position = end
            answer = send(buffer[start:end])
            if self._position != end or self._buffer is not buffer or self._streamed:
                # Other faces were used meanwhile.
                break
        return answer

    def _completed(self, rest: bytes) -> bytes:
        """What was not given away yet of the unfinished record, of which ``rest`` is the end."""
        self._streamed = 0
        if self._partial:
            self._partial += rest
            rest = bytes(self._partial)
            self._partial.clear()
        return rest

    def _put_back(self) -> None:
        """Move the cursor back over what was cut off and not taken."""
        untaken = list(self._ready)
        self._ready = _NOTHING
        terminators = len(untaken)
        if self._announced:
            # Of the whole record, more may have been given away before; only a count must know.
            self._streamed = len(self._announced) if self._pattern is not None else self._count
            self._announced = b""
            terminators += 1
        if not terminators:
            return
        self._position -= sum(map(len, untaken))
        if self._terminators_ready is not None:
            for found in self._terminators_ready[-terminators:]:
                self._position -= len(cast("bytes", found.terminator))
        elif self._pattern is not None:
            self._position -= terminators * self._pattern.longest
        self._dry = self._bare = False
        self._hope = True
        self._window = 0

    def _refill(self) -> None:
        """Go on with what came in since."""
        incoming, position = self._incoming, self._position
        self._base += position
        came = incoming[0] if len(incoming) == 1 else b"".join(incoming)
        if position < len(self._buffer):
            came = self._buffer[position:] + came
        self._buffer = came
        self._position = self._known = 0
        incoming.clear()
        self._dry = self._bare = False
        self._hope = True

    def _give_up_hope(self) -> None:
        """Say what must come in before looking for a whole record makes sense again.

        While neither the last byte of the terminator has come in nor so many bytes, no record is complete or too
        long: a chunk is put aside without being looked at twice.
        """
        position = self._position
        if position:
            self._base += position
            self._buffer = self._buffer[position:]
            self._known -= position
            self._position = 0
        unfinished = len(self._partial) + len(self._buffer)
        missing = self._record_limit + 1 - unfinished
        pattern = self._pattern
        if pattern is None:
            self._omen = -1
            if self._count <= self._record_limit:
                missing = self._count - unfinished
        else:
            self._omen = pattern.last
            if pattern.last < 0:
                missing = 0
        self._missing = missing
        self._hope = self._too_long

    # Records that are too long.

    def _exceeds(self, limit: int) -> bool:
        """Whether the unfinished record, as _cut left it, is known to be longer than ``limit``."""
        known = self._streamed + len(self._partial) + self._known - self._position
        return known > limit or limit < self._count < _NO_LIMIT

    def _refuse(self, limit: int, too_long: TooLong) -> None:
        self._too_long = True
        if too_long == "raise":
            raise RecordTooLong(limit, self.offset)

    def _skip(self) -> RecordSkipped | None:
        """Pass over the record in progress; None if its end has not come in yet."""
        self._streamed += len(self._partial)
        self._partial.clear()
        self._window = 0
        while True:
            if self._dry:
                if not self._incoming:
                    return None
                self._refill()
            size = self._streamed
            batch = self._cut(_NO_LIMIT)
            if batch is not None:
                self._too_long = False
                size += sum(map(len, batch))
                if self._next_terminator is not None:
                    (terminator,) = self._next_terminator
                    self._next_terminator = None
                    self.set_terminator(terminator)
                return RecordSkipped(size)
            self._streamed += self._known - self._position
            self._position = self._known
            self._dry = True

    # Handing over.

    @property
    def offset(self) -> int:
        """The position in the stream, in bytes, of the first byte that is not taken yet."""
        self._put_back()
        return self._base + self._position - len(self._partial)

    @property
    def eof_received(self) -> bool:
        """Whether `receive_eof` was called; received bytes may still wait to be taken."""
        return self._input_ended_by == "receive_eof"

    @property
    def detached(self) -> bool:
        """Whether `detach` ended this machine."""
        return self._input_ended_by == "detach"

    @property
    def trailing_data(self) -> bytes:
        """A copy of the received bytes that are not taken yet; they stay where they are."""
        self._put_back()
        return b"".join((self._partial, self._buffer[self._position :], *self._incoming))

    def detach(self) -> bytes:
        """End this machine and hand over the bytes that are not taken yet.

        For a switch of protocols: the bytes may belong to the next one (WebSocket, CONNECT).

        Returns:
            `trailing_data`, which is empty from now on.
        """
        data = self.trailing_data
        self._base = self.offset
        self._buffer, self._position = b"", 0
        self._partial.clear()
        self._incoming.clear()
        self._dry = self._hope = True
        self._input_ended_by = "detach"
        return data

    def detach_empty(self) -> None:
        """`detach`, for a switch that no byte may precede.

        Raises:
            UnexpectedData: as `refuse_trailing_data` does; nothing has changed.
        """
        self.refuse_trailing_data()
        self.detach()

    def refuse_trailing_data(self) -> None:
        """Make sure that no received byte waits to be taken: STARTTLS must not carry plaintext over.

        Raises:
            UnexpectedData: bytes were received and not taken; they stay where they are.
        """
        if data := self.trailing_data:
            raise UnexpectedData(data, self.offset)
