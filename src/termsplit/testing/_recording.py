"""Writes down what happens on a connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar, cast

from termsplit import (
    DataReceived,
    RecordSkipped,
    RemoteProtocolError,
    Splitter,
    TerminatorFound,
)
from termsplit._engine import _NO_LIMIT, _NOTHING

from ._entries import VERSION, text_of, value_of

if TYPE_CHECKING:
    from termsplit import Event, NeedData, Producer, Terminator
    from termsplit._batched import LengthFirst
    from termsplit._events import TooLong

    from ._entries import Entry

__all__ = ["Recorder", "record"]

T = TypeVar("T")


def record(connection: Splitter, file: IO[str]) -> None:
    r"""Write down, from now on, what comes in on a connection, what is decided about it, and what goes out.

    Each event is a line of JSON, written when it happens; `replay` and ``termsplit trace`` read them. What passed before
    is not in the recording, except input that still waits to be taken.

    Args:
        connection: a `Connection`, also that of a `Chat` or of a backend's stream; or the `Splitter` of a
            `Parser`. It is slower from now on.
        file: a text file, open for writing. It is for the caller to close, and to flush where the program may
            crash: ``open(path, "w", buffering=1)`` writes line by line.

    >>> import io
    >>> from termsplit import Connection
    >>> connection, file = Connection(b"\r\n"), io.StringIO()
    >>> record(connection, file)
    >>> connection.receive_data(b"QUIT\r\n")
    True
    >>> list(connection.records())
    [b'QUIT']
    >>> print(file.getvalue(), end="")
    {"what": "recording", "version": 1, "offset": 0, "max_size": 65536, "terminator": "\r\n"}
    {"what": "received", "offset": 0, "data": "QUIT\r\n"}
    {"what": "record", "offset": 0, "size": 4, "end": 6}
    {"what": "waiting", "offset": 6}
    """
    Recorder(connection, lambda entry: file.write(json.dumps(entry) + "\n"))


def _answer_unfollowed(send: Callable[[bytes], object], answer: object) -> object:
    return answer


def _none_at_hand(grammar: LengthFirst) -> None:
    pass


def _not_at_hand() -> None:
    pass


def _leave_the_rest(record: bytes) -> None:
    pass


class Recorder:
    """Stands before the methods of one connection, so that those that nobody records pay nothing.

    Args:
        connection: the one to record; of a `Splitter`, what comes in.
        write: is called with each entry.
    """

    def __init__(self, connection: Splitter, write: Callable[[Entry], object]) -> None:
        self._connection = connection
        self._write = write
        # The first that is set is written down in any case.
        self._terminator: object = self
        self._pieces = 0  # bytes of the record in progress that were taken as events
        self._ended = self._closes = False
        self._shown: bytes | memoryview = b""
        self._sent = 0
        limit = connection._max_size
        trailing = connection.trailing_data
        offset = connection.offset
        self._received = offset
        self._tell(
            "recording",
            version=VERSION,
            offset=offset,
            max_size=None if limit == _NO_LIMIT else limit,
            terminator=value_of(connection.get_terminator()),
        )
        if trailing:
            self._tell_received(trailing)
        for name in (
            *("receive_data", "receive_eof", "set_terminator", "_events", "_next_batch", "detach"),
            *("push", "push_producer", "close_when_done", "discard_buffers"),
            *("data_to_send", "data_sent"),
        ):
            if hasattr(connection, name):
                around = getattr(self, f"_{name.lstrip('_')}")
                setattr(connection, name, partial(around, getattr(connection, name)))
        # They would take what is at hand without an iterator.
        setattr(connection, "next_record", self._next_record)  # noqa: B010
        setattr(connection, "_next_record", self._next_record)  # noqa: B010
        setattr(connection, "next_event", self._next_event)  # noqa: B010
        # So that a grammar's counts are set like any terminator, every batch is asked for by _next_batch, and so is what
        # is not there any more.
        setattr(connection, "_send_at_hand", _answer_unfollowed)  # noqa: B010
        setattr(connection, "_batches", self._batches)  # noqa: B010
        setattr(connection, "_look_behind", _leave_the_rest)  # noqa: B010
        # Every grammar is run.
        setattr(connection, "_messages_at_hand", _none_at_hand)  # noqa: B010
        # But a body may be awaited already.
        setattr(connection, "_take_body", _not_at_hand)  # noqa: B010
        setattr(connection, "_await_length", self._await_length)  # noqa: B010

    def _tell(self, what: str, **fields: object) -> None:
        self._told = what
        self._write({"what": what, **fields})

    # What comes in.

    def _receive_data(
        self, original: Callable[[Any], bool], data: bytes | bytearray | memoryview
    ) -> bool:
        news = original(data)
        # So that nothing cut ahead is taken but by way of the methods that are recorded.
        self._connection._put_back()
        if data:
            self._tell_received(bytes(data))
        return news

    def _tell_received(self, data: bytes) -> None:
        self._tell("received", offset=self._received, data=text_of(data))
        self._received += len(data)

    def _receive_eof(self, original: Callable[[], None]) -> None:
        news = not self._connection.eof_received
        original()
        if news:
            self._tell("eof", offset=self._received)

    # What is decided.

    def _set_terminator(
        self, original: Callable[[Terminator], None], terminator: Terminator
    ) -> None:
        connection = self._connection
        original(terminator)
        if not connection._passing_over:
            self._pieces = 0
        if type(terminator) is not type(self._terminator) or terminator != self._terminator:
            self._terminator = terminator
            self._tell("terminator", offset=connection.offset, terminator=value_of(terminator))

    def _events(
        self, original: Callable[[TooLong], Iterator[Event]], too_long: TooLong
    ) -> Iterator[Event]:
        for event in self._watched(original(too_long)):
            end = self._connection.offset
            if isinstance(event, DataReceived):
                self._pieces += len(event.data)
                self._tell("data", offset=end - len(event.data), size=len(event.data))
            elif isinstance(event, TerminatorFound):
                found = event.terminator
                begin = end - self._pieces - (len(found) if isinstance(found, bytes) else 0)
                self._tell("record", offset=begin, size=self._pieces, end=end)
                self._pieces = 0
            elif isinstance(event, RecordSkipped):
                self._tell_skipped(event)
            elif not self._ended:
                self._ended = True
                self._tell("ended", offset=end, clean=event.clean)
            yield event

    def _next_event(self, *, too_long: TooLong = "raise") -> Event | Literal[NeedData.NEED_DATA]:
        return self._connection._next_of(self._connection.events(too_long=too_long))

    def _next_record(self) -> bytes | Literal[NeedData.NEED_DATA]:
        return self._connection._next_of(self._connection.records())

    def _next_batch(
        self,
        original: Callable[[TooLong], Iterable[bytes | RecordSkipped] | None],
        too_long: TooLong,
    ) -> Iterable[bytes | RecordSkipped] | None:
        try:
            batch = original(too_long)
        except RemoteProtocolError as error:
            self._tell_refused(error)
            raise
        if batch is None:
            self._tell_waiting()
        elif isinstance(batch, tuple) and isinstance(batch[0], RecordSkipped):
            self._tell_skipped(batch[0])
        else:
            return self._records(cast("Iterable[bytes]", batch))
        return batch

    def _await_length(self, grammar: LengthFirst, size: int) -> None:
        self._connection.set_terminator(grammar.width)

    def _batches(self, too_long: TooLong) -> Iterator[Iterable[bytes | RecordSkipped]]:
        while (batch := self._connection._next_batch(too_long)) is not None:
            yield batch

    def _records(self, batch: Iterable[bytes]) -> Iterator[bytes]:
        connection = self._connection
        for record in batch:
            begin = connection._taken_from(record)
            self._tell("record", offset=begin, size=len(record), end=connection.offset)
            yield record
        if connection._ready is batch:
            connection._ready = _NOTHING

    def _watched(self, items: Iterator[T]) -> Iterator[T]:
        """The same, with a word on how it ends."""
        try:
            yield from items
        except RemoteProtocolError as error:
            self._tell_refused(error)
            raise
        self._tell_waiting()

    def _tell_refused(self, error: Exception) -> None:
        self._pieces = 0
        self._tell_error("error", self._connection.offset, error)

    def _tell_waiting(self) -> None:
        if self._told != "waiting":
            self._tell("waiting", offset=self._connection.offset)

    def _tell_skipped(self, event: RecordSkipped) -> None:
        self._pieces = 0
        self._tell("skipped", size=event.size, end=self._connection.offset)

    def _tell_error(self, what: str, offset: int, error: Exception) -> None:
        self._tell(what, offset=offset, error=type(error).__name__, message=str(error))

    def _detach(self, original: Callable[[], bytes]) -> bytes:
        data = original()
        self._tell("detached", offset=self._connection.offset, size=len(data))
        return data

    # What goes out.

    def _push(self, original: Callable[[Any], None], data: bytes | bytearray | memoryview) -> None:
        original(data)
        self._tell("pushed", size=memoryview(data).nbytes)

    def _push_producer(self, original: Callable[[Producer], None], producer: Producer) -> None:
        original(producer)
        self._tell("pushed", size=None)

    def _close_when_done(self, original: Callable[[], None]) -> None:
        original()
        if not self._closes:
            self._closes = True
            self._tell("closes")

    def _discard_buffers(self, original: Callable[[], None]) -> None:
        original()
        self._closes = False
        self._tell("discarded")

    def _data_to_send(
        self, original: Callable[..., bytes | memoryview], max_bytes: int = 64 * 1024
    ) -> bytes | memoryview:
        try:
            self._shown = original(max_bytes)
        except Exception as error:
            self._tell_error("failed", self._sent, error)
            raise
        return self._shown

    def _data_sent(self, original: Callable[[int], None], count: int) -> None:
        original(count)
        if count:
            self._tell("sent", offset=self._sent, data=text_of(self._shown[:count]))
            self._shown = self._shown[count:]
            self._sent += count
