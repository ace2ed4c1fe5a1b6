"""The input machine's faces: records and events; and what is taken back from it or handed over."""

from __future__ import annotations

from itertools import chain
from operator import length_hint
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from ._conversing import ConversingEngine
from ._engine import _NO_LIMIT, _NOTHING, _TOO_LONG
from ._errors import IncompleteRecord, LocalProtocolError, RecordTooLong, UnexpectedData
from ._events import (
    NEED_DATA,
    DataReceived,
    EOFReceived,
    RecordSkipped,
    TerminatorFound,
    check_too_long,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ._events import Event, NeedData, TooLong

__all__ = ["Splitter"]

T = TypeVar("T")

_flatten = chain.from_iterable
_new = object.__new__
_CLEAN_EOF = EOFReceived(True)
_UNCLEAN_EOF = EOFReceived(False)


class Splitter(ConversingEngine):
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
    False
    >>> list(splitter.records())
    []
    >>> splitter.receive_data(b"ple\r\nQUIT\r\n")
    True
    >>> list(splitter.records())
    [b'HELO example', b'QUIT']
    """

    __slots__ = ()

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
            ValueError: ``too_long`` is neither; raised at once.

        >>> splitter = Splitter(b"\n", max_size=5)
        >>> splitter.receive_data(b"short\nmuch too long\nagain\n")
        True
        >>> list(splitter.records(too_long="skip"))
        [b'short', RecordSkipped(13), b'again']
        """
        if too_long != "raise":
            check_too_long(too_long)
        if self._room > 0 and self._ready is _NOTHING:
            return self._records_later(too_long)
        return _flatten(self._batches(too_long))

    def _records_later(self, too_long: TooLong) -> Iterator[bytes | RecordSkipped]:
        """`records`, when there are none: unless something comes in before they are asked for."""
        if self._room <= 0 or self._ready is not _NOTHING or self._streamed:
            yield from _flatten(self._batches(too_long))

    def next_record(self) -> bytes | Literal[NeedData.NEED_DATA]:
        """The next of `records`, or `NEED_DATA`.

        Raises:
            IncompleteRecord: as `records` does, and also when the stream ended at a record's boundary,
                with no partial record.
            RecordTooLong, LocalProtocolError: as `records` does.
        """
        # Without an iterator, where it takes none.
        if self._single_next:
            single = self._cut_single() if self._room <= 0 else None
            if single is not None:
                return single
            if self._room > 0:
                return NEED_DATA
        elif not (self._data_given or self._streamed or self._ready_of is not None):
            for record in self._ready:
                return record
            self._ready = _NOTHING
            if self._room > 0:
                return NEED_DATA
        return self._next_of(self.records())

    # For grammars, which take the machine's own also where a subclass has another.
    _next_record = next_record

    def _next_of(self, items: Iterator[T]) -> T | Literal[NeedData.NEED_DATA]:
        """The first of them; or NEED_DATA, if data can still come."""
        for item in items:
            return item
        if self.eof_received:
            raise IncompleteRecord(b"", self.get_terminator(), self.offset)
        if self._input_ended_by:
            raise LocalProtocolError(f"nothing can come after {self._input_ended_by}()")
        return NEED_DATA

    def _batches(self, too_long: TooLong) -> Iterator[Iterable[bytes | RecordSkipped]]:
        """The records in the groups in which they are cut; a single one, or a RecordSkipped, in a tuple."""
        while True:
            if self._single_next:
                # _cut_single, inlined for a count that is at hand: the call takes a tenth of all that is done for it.
                if self._count > 0:
                    start = self._position
                    end = start + self._count
                    if end <= len(self._buffer):
                        self._single_next = False
                        self._position = end
                        yield (self._buffer[start:end],)
                        continue
                record = self._cut_single()
                if record is not None:
                    yield (record,)
                    continue
                if self._room > 0:
                    return
            batch: Iterable[bytes | RecordSkipped] = self._ready
            if (
                batch is _NOTHING
                or self._data_given
                or self._streamed
                or self._ready_of is not None
            ):
                cut = self._next_batch(too_long)
                if cut is None:
                    return
                batch = cut
            else:
                self._lent_to_records = self._ready
            yield batch
            if self._ready is batch:
                self._ready = _NOTHING
                if self._room > 0:
                    return

    def _next_batch(self, too_long: TooLong) -> Iterable[Any] | None:
        """The next of _batches, None when there is no more.

        Who has taken all that was in _ready leaves _NOTHING there.
        """
        while True:
            if self._data_given or (self._streamed and not self._passing_over):
                raise LocalProtocolError(
                    "a part of this record was taken as events: take all of it, or set a new terminator"
                )
            if self._ready_of is not None:
                self._put_back()
            ready = self._ready
            if ready is not _NOTHING:
                self._lent_to_records = ready
                return ready
            if self._room > 0:
                return None
            if self._passing_over:
                skipped = self._skip()
                if skipped is None:
                    break
                if too_long == "skip":
                    return (skipped,)
                continue
            batch = self._cut(self._record_limit)
            if batch is _TOO_LONG:
                self._refuse(self._record_limit, too_long)
            elif batch is not None:
                if batch is self._ready:
                    self._lent_to_records = self._ready
                elif self._window < 0:
                    (record,) = batch
                    self._look_behind(record)
                return batch
            elif self._incoming:
                self._refill()
            else:
                break
        if not self._input_ended_by:
            self._rest_searched()
        elif self._input_ended_by == "receive_eof" and not self._finished:
            if self._count == _NO_LIMIT:
                # Asked again, by then there may be a terminator that needs no data.
                self._finished = True
                if not self._passing_over:
                    record = self._take_known()
                    self._streamed = 0
                    return (record,)
                if too_long == "skip":
                    return (RecordSkipped(self._streamed),)
            elif self._passing_over or self._data_end > self._position or self._pieces:
                raise IncompleteRecord(self.trailing_data, self._terminator, self.offset)
        return None

    def _taken_from(self, record: bytes) -> int:
        """The position in the stream of ``record``, which was taken last."""
        size = self._count
        if size < 0:
            size = len(record) + len(cast("bytes", self._terminator_at_hand().terminator))
        elif size == _NO_LIMIT:
            size = len(record)
        return self.offset - size

    # The events face.

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Event]:
        """`receive_data`, then `events`."""
        self.receive_data(data)
        return self._events("raise")

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
            ValueError: ``too_long`` is neither; raised at once.

        >>> splitter = Splitter(b"\n\n")
        >>> for event in splitter.feed(b"Length: 5\n\nhel"):
        ...     print(event)
        ...     if event == TerminatorFound(b"\n\n"):
        ...         splitter.set_terminator(5)
        DataReceived(b'Length: 5')
        TerminatorFound(b'\n\n')
        DataReceived(b'hel')
        """
        if too_long != "raise":
            check_too_long(too_long)
        return self._events(too_long)

    def _events(self, too_long: TooLong) -> Iterator[Event]:
        while True:
            if self._data_given:
                self._data_given = None
                self._streamed = 0
                yield self._terminator_at_hand()
                continue
            batch: Iterable[bytes] = self._ready
            if batch is _NOTHING:
                if self._room > 0:
                    event = self._unfinished_piece()
                    if event is None:
                        return
                    yield event
                    if (
                        self._room > 0
                        and self._ready is _NOTHING
                        and not self._buffer
                        and not self._pieces
                    ):
                        return
                    continue
                if self._passing_over:
                    skipped = self._skip()
                    if skipped is None:
                        break
                    if too_long == "skip":
                        yield skipped
                    continue
                if self._single_next:
                    record = self._cut_single()
                    if record:
                        self._data_given = event = _new(DataReceived)
                        event.data = record  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                        yield event
                        continue
                    if record is not None:
                        yield self._terminator_at_hand()
                        continue
                    if self._room > 0:
                        # What there is of it is data.
                        continue
                cut = self._cut(self._event_limit)
                if cut is None or cut is _TOO_LONG:
                    data = self._take_known()
                    if data:
                        if cut is None and not self._incoming and not self._input_ended_by:
                            self._rest_searched()
                        yield DataReceived(data)
                    elif cut is _TOO_LONG:
                        self._refuse(self._event_limit, too_long)
                    elif self._incoming:
                        self._refill()
                    else:
                        break
                    continue
                batch = cut
            elif self._ready_of is not None:
                self._put_back()
                continue
            elif batch is self._lent_to_records:
                # Who iterates over records must not take any while only the data of one was given here.
                batch = self._ready = iter(list(self._ready))
            found = self._pattern.found
            if self._terminators_ready is not None:
                found = None
            elif self._count >= 0:
                found = _new(TerminatorFound)
                found.terminator = self._count  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
            for record in batch:
                if record:
                    # What DataReceived(record) makes, in half the time.
                    event = _new(DataReceived)
                    event.data = record  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                    self._data_given = event
                    yield event
                    if self._data_given is not event:
                        break
                    self._data_given = None
                self._streamed = 0
                yield found or self._terminator_at_hand()
                if self._data_given or batch is self._lent_to_records:
                    break
            else:
                if self._ready is batch:
                    self._ready = _NOTHING
        if not self._input_ended_by:
            self._rest_searched()
        if self._input_ended_by == "receive_eof":
            clean = self._count == _NO_LIMIT
            if clean and self._passing_over and not self._finished and too_long == "skip":
                self._finished = True
                yield RecordSkipped(self._streamed)
            self._finished = self._finished or clean
            yield (
                _CLEAN_EOF if clean or not (self._streamed or self._passing_over) else _UNCLEAN_EOF
            )

    def next_event(self, *, too_long: TooLong = "raise") -> Event | Literal[NeedData.NEED_DATA]:
        """The next of `events`, or `NEED_DATA`; at the end of the stream `EOFReceived`, again and again.

        Raises:
            RecordTooLong, ValueError: as `events` does.
            LocalProtocolError: after `detach`.
        """
        if too_long != "raise":
            check_too_long(too_long)
        # Without an iterator, where it takes none.
        if self._data_given:
            self._data_given = None
            self._streamed = 0
            return self._terminator_at_hand()
        ready = self._ready
        if self._ready_of is None and ready is not self._lent_to_records:
            for record in ready:
                if record:
                    return self._give(record)
                self._streamed = 0
                return self._terminator_at_hand()
            self._ready = ready = _NOTHING
        if ready is _NOTHING and self._room > 0:
            return self._unfinished_piece() or NEED_DATA
        return self._next_of(self._events(too_long))

    def _give(self, record: bytes) -> DataReceived:
        """The event of the rest of a record, which ends here: its terminator is next."""
        # What DataReceived(record) makes, in half the time.
        event = _new(DataReceived)
        event.data = record  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
        self._data_given = event
        return event

    def _terminator_at_hand(self) -> TerminatorFound:
        """The event of the terminator behind the record taken last."""
        if self._terminators_ready is not None:
            return self._terminators_ready[-1 - length_hint(self._ready)]
        found = self._pattern.found
        if self._count >= 0:
            found = _new(TerminatorFound)
            found.terminator = self._count  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
        assert found is not None
        return found

    def _unfinished_piece(self) -> DataReceived | None:
        """What came in of an unfinished record, when all of it was searched; None if that may begin the terminator."""
        data = self._buffer
        if self._incoming or self._pieces:
            data = self._joined()
        elif not data or (data is self._held_back and self._count < 0):
            return None
        else:
            self._buffer = b""
        if data[-1] in self._pattern.inner_bytes and self._count < 0:
            data = self._hold_back(data)
            if not data:
                return None
        size = len(data)
        self._base += size
        self._streamed += size
        self._single_next = None
        event = _new(DataReceived)
        event.data = data  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
        return event

    def _joined(self) -> bytes:
        """All that there is of an unfinished record, when all that came in was searched."""
        data = b"".join((*self._pieces, self._buffer, *self._incoming))
        self._base -= self._pieces_size
        self._buffer = b""
        self._pieces_size = 0
        self._pieces.clear()
        self._incoming.clear()
        return data

    def _hold_back(self, data: bytes) -> bytes:
        """Leave in the buffer what may be the beginning of the terminator; the rest of ``data``."""
        known = len(data) - self._pattern.held_back(data, 0)
        self._buffer = self._held_back = data[known:]
        return data[:known]

    def _take_known(self) -> bytes:
        """What may be given away of an unfinished record: no more of it than its limit."""
        start, end = self._position, self._data_end
        if self._event_limit < _NO_LIMIT:
            end = min(end, start + self._event_limit - self._streamed - self._pieces_size)
        data = self._buffer[start:end]
        self._position += len(data)
        if self._pieces:
            data = self._completed(data)
        self._streamed += len(data)
        return data

    # Records that are too long.

    def _refuse(self, limit: int, too_long: TooLong) -> None:
        self._passing_over = True
        if too_long == "raise":
            raise RecordTooLong(limit, self.offset)

    def _skip(self) -> RecordSkipped | None:
        """Pass over the record in progress; None if its end has not come in yet."""
        self._streamed += self._pieces_size
        self._pieces.clear()
        self._pieces_size = 0
        self._window = 0
        while True:
            batch = self._cut(_NO_LIMIT)
            if batch is not None:
                size = self._streamed + sum(map(len, batch))
                self._streamed = 0
                self._passing_over = False
                if self._next_terminator is not None:
                    (terminator,) = self._next_terminator
                    self._next_terminator = None
                    self.set_terminator(terminator)
                return RecordSkipped(size)
            self._streamed += self._data_end - self._position
            self._position = self._data_end
            if not self._incoming:
                return None
            self._refill()

    # Handing over.

    @property
    def offset(self) -> int:
        """The position in the stream, in bytes, of the first byte that is not taken yet."""
        self._put_back()
        return self._base + self._position - self._pieces_size

    @property
    def eof_received(self) -> bool:
        """Whether `receive_eof` was called; received bytes may still wait to be taken."""
        return self._input_ended_by == "receive_eof"

    @property
    def detached(self) -> bool:
        """Whether `detach` ended this machine."""
        return self._input_ended_by == "detach"

    @property
    def _nothing_at_hand(self) -> bool:
        """Whether surely no item can be given before more comes in."""
        return (
            self._position == len(self._buffer)
            and self._count != 0
            and not (
                self._incoming
                or self._pieces
                or self._data_given
                or self._input_ended_by
                or length_hint(self._ready)
            )
        )

    @property
    def trailing_data(self) -> bytes:
        """A copy of the received bytes that are not taken yet; they stay where they are."""
        self._put_back()
        return b"".join((*self._pieces, self._buffer[self._position :], *self._incoming))

    def detach(self) -> bytes:
        """End this machine and hand over the bytes that are not taken yet.

        For a switch of protocols: the bytes may belong to the next one (WebSocket, CONNECT).

        Returns:
            `trailing_data`, which is empty from now on.
        """
        data = self.trailing_data
        self._base = self.offset
        self._undisturbed = False
        self._buffer, self._position = b"", 0
        self._pieces.clear()
        self._pieces_size = 0
        self._incoming.clear()
        self._room = 0
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
