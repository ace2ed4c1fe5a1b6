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

Cutting is speculative. While a terminator stays the same, `_cut` splits a whole window of the buffer in one
operation and leaves the records in the iterator ``_ready``. As soon as anything depends on where the
application stands (a new terminator, a look at the offset or at the unparsed bytes), `_put_back` takes what is
left in that iterator and moves the cursor back over it. So an application can't tell the machine from
one that cuts a record at a time. The window starts at one record and doubles, so what is cut in vain is never
more than what was taken before.
"""

from __future__ import annotations

import sys
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
    from collections.abc import Iterable, Iterator

    from ._events import Event, NeedData, TooLong

__all__ = ["DEFAULT_MAX_SIZE", "Splitter"]

DEFAULT_MAX_SIZE = 64 * 1024
"""The longest record that accumulates unless told otherwise, in bytes; asyncio's streams take the same."""

# A window of this size stays in the processor's cache while it is split and handed out.
_WIDEST_WINDOW = 16 * 1024
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

    def __init__(
        self, terminator: Terminator = None, *, max_size: int | None = DEFAULT_MAX_SIZE
    ) -> None:
        check_max_size(max_size)
        self._max_size = _NO_LIMIT if max_size is None else max_size

        self._buffer = b""
        self._position: int = 0  # of the first byte in _buffer that is not cut off
        self._base: int = 0  # the stream offset of _buffer[0]
        self._incoming: list[bytes] = []
        self._dry = True  # only more input can make _cut succeed; _buffer is what is held back
        self._input_ended_by = ""

        self._ready: Iterator[bytes] = iter(())
        self._terminators_ready: list[TerminatorFound] | None = None  # of _ready, if they differ
        self._window: int = 0
        self._known: int = 0  # when _cut fails: the end, in _buffer, of what is surely data
        self._partial = bytearray()
        self._streamed: int = 0  # bytes of the unfinished record given away as events
        self._announced = b""  # data given away as an event whose terminator, found, is next
        self._too_long = False  # the unfinished record is, and is to be passed over
        self._skipped = 0  # bytes of it passed over so far
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
        if self._dry:
            self._buffer += data
            self._dry = False
        else:
            self._incoming.append(data)

    def receive_eof(self) -> None:
        """Take the end of the stream; calling it again changes nothing."""
        if not self._input_ended_by:
            self._input_ended_by = "receive_eof"
            self._dry = False

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
        limit: int | None = None
        bare: bytes | int | AnyOf | None
        if isinstance(terminator, Limited):
            bare = terminator.terminator
            limit = _NO_LIMIT if terminator.max_size is None else terminator.max_size
        else:
            bare = terminator
        pattern: Pattern | None = None
        count = _NO_LIMIT
        if type(bare) is bytes:
            pattern = literal_pattern(bare)
        elif type(bare) is int and bare >= 0:
            count = bare
        elif bare is not None:
            check_terminator(bare)
            if isinstance(bare, AnyOf):
                pattern = bare.pattern
            elif isinstance(bare, bytes):
                pattern = literal_pattern(bytes(bare))
            else:
                count = int(bare)
        if count >= _NO_LIMIT and pattern is None and bare is not None:
            # No stream reaches it, but it must not pass for the terminator None.
            count = _NO_LIMIT - 1

        if limit is None:
            record_limit, event_limit = self._max_size, _NO_LIMIT
        else:
            record_limit = event_limit = limit

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
        self._put_back()
        if self._partial:
            self._base -= len(self._partial) - self._position
            self._buffer = bytes(self._partial) + self._buffer[self._position :]
            self._position = 0
            self._partial.clear()
        self._dry = False
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
        while True:
            if self._announced or (self._streamed and not self._too_long):
                raise LocalProtocolError(
                    "a part of this record was taken as events: take all of it, or set a new terminator"
                )
            ready = self._ready
            yield ready
            if ready is not self._ready or length_hint(ready):
                continue
            if self._dry and (self._too_long or not self._record_limit < self._count < _NO_LIMIT):
                break
            if self._too_long:
                skipped = self._skip()
                if skipped is not None and too_long == "skip":
                    yield (skipped,)
            elif not self._cut(self._record_limit):
                if self._exceeds(self._record_limit):
                    self._refuse(self._record_limit, too_long)
                else:
                    self._partial += self._buffer[self._position : self._known]
                    self._position = self._known
                    self._refill()
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
        if self._pattern is not None:
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
        while True:
            if self._announced:
                self._announced = b""
                yield self._terminator_at_hand()
                continue
            ready = self._ready
            for record in ready:
                if record:
                    self._announced = record
                    yield DataReceived(record)
                    if not self._announced:
                        break
                    self._announced = b""
                yield self._found or self._terminator_at_hand()
                if self._announced:
                    break
            else:
                if ready is not self._ready:
                    continue
                if self._dry and not self._partial:
                    break
                if self._too_long:
                    skipped = self._skip()
                    if skipped is not None and too_long == "skip":
                        yield skipped
                elif not self._cut(self._event_limit):
                    data = self._take_known()
                    if data:
                        yield DataReceived(data)
                    elif self._exceeds(self._event_limit):
                        self._refuse(self._event_limit, too_long)
                    else:
                        self._refill()
        if self.eof_received:
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
        return data

    # The one way to cut.

    def _cut(self, limit: int) -> bool:
        """Cut off the next whole records and make them ready; only when none are.

        False if the bytes in _buffer complete no record within ``limit``: _known is then the end of those
        that can't belong to the terminator.
        """
        buffer, start, pattern = self._buffer, self._position, self._pattern
        taken = self._streamed + len(self._partial)
        if pattern is None:
            index = end = start + self._count - taken
            if limit < self._count < _NO_LIMIT:
                self._known = start
                return False
            if end > len(buffer):
                self._known = len(buffer)
                return False
            self._terminators_ready = None
            if not self._count:
                self._terminators_ready = [TerminatorFound(0)]
                self._terminator, self._count = None, _NO_LIMIT
                self._record_limit, self._event_limit = self._max_size, _NO_LIMIT
        else:
            if self._window and not taken:
                window = buffer[start : start + self._window]
                records, terminators, length = pattern.cut(window)
                limit_holds = self._window <= self._record_limit
                if records and (limit_holds or max(map(len, records)) <= self._record_limit):
                    self._position = start + length
                    self._ready = iter(records)
                    self._terminators_ready = terminators
                    self._window = min(2 * self._window, _WIDEST_WINDOW)
                    return True
            stop = min(len(buffer), start + limit - taken + pattern.longest)
            final = self.eof_received and not self._incoming
            match = pattern.search(buffer, start, stop, final)
            if match is None:
                self._window = 0
                if stop < len(buffer):
                    self._known = stop - pattern.longest + 1
                else:
                    self._known = stop if final else stop - pattern.held_back(buffer, start)
                return False
            index, end, found = match
            if index - start + taken > limit:
                self._known = index
                return False
            self._terminators_ready = None if pattern.found else [found]
            width = 4 * (end - start)
            self._window = width if width <= _WIDEST_WINDOW else 0
        record = buffer[start:index]
        if self._partial:
            self._partial += record
            record = bytes(self._partial)
            self._partial.clear()
        self._position = end
        self._streamed = 0
        self._ready = iter((record,))
        return True

    def _put_back(self) -> None:
        """Move the cursor back over what was cut off and not taken."""
        untaken = list(self._ready)
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
        self._window = 0

    def _refill(self) -> None:
        """Drop what is cut off, and go on with what came in since; with nothing, run dry."""
        self._base += self._position
        self._buffer = self._buffer[self._position :]
        self._position = 0
        if self._incoming:
            self._buffer += b"".join(self._incoming)
            self._incoming.clear()
        else:
            self._dry = True

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
        while not self._dry:
            size = self._streamed
            if self._cut(_NO_LIMIT):
                self._too_long = False
                size += sum(map(len, self._ready))
                if self._next_terminator is not None:
                    (terminator,) = self._next_terminator
                    self._next_terminator = None
                    self.set_terminator(terminator)
                return RecordSkipped(size)
            self._streamed += self._known - self._position
            self._position = self._known
            self._refill()
        return None

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
        self._dry = True
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
