"""The bare machine with the contracts: it asks every question that they ask of a chunk or a record, in as few steps as it takes.

It still knows one way in which terminators follow each other, and has one face. Where the answer to a question is not the usual
one, it gives up: what would follow takes no time where it doesn't come up. So a figure that it does not reach is out of reach
with the contracts in force. Where it reaches one that termsplit does not, what lies between is the price of one machine for all
terminators and all faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from termsplit import DataReceived, Event, TerminatorFound

from .bare import HeadsAndBodies, Lines, LongLines
from .candidates import candidate
from .ours import BLOCKING, EVENTS, FRAMING, GRAMMAR, LISTS, QUEUE, RECORDS, TRIO
from .readers import looping_grammar, read_events, read_records
from .workloads import KIB, Collect, Stream

WITH_CONTRACTS = {
    face: face.replace("termsplit", "bare machine with contracts")
    for face in (RECORDS, LISTS, GRAMMAR, EVENTS, QUEUE, BLOCKING, TRIO)
}
"""Its name, by that of the same face of termsplit."""
# It is known that its grammar asks for records alone.
WITH_CONTRACTS[FRAMING] = WITH_CONTRACTS[RECORDS]
_LIMIT = 64 * KIB
# So much may be cut ahead, or searched once more.
_WINDOW = 16 * KIB
_NEAR = 512
# So many bytes may be copied lest they are sent by themselves.
_SMALL = 4 * KIB
_NOTHING: Iterator[bytes] = iter(())
_new = object.__new__


class _Lines(Lines):
    __slots__ = ("_given", "_received", "_room", "_streamed", "_untaken", "_wanted", "_window")

    def __init__(self, terminator: bytes) -> None:
        super().__init__(terminator)
        self._wanted = terminator
        self._room = _LIMIT  # none at the end of the stream
        self._window = _WINDOW
        self._received = self._streamed = 0
        self._untaken = _NOTHING
        self._given: DataReceived | None = None

    def receive_data(self, data: bytes) -> bool:
        """Is it bytes? Too much for one record? Was all before it taken? And where does the stream stand?"""
        if type(data) is not bytes:
            raise NotImplementedError
        size = len(data)
        room = self._room - size
        if room <= 0 or self._untaken is not _NOTHING:
            raise NotImplementedError
        if self._last in data:
            data = self._rest + data
            if len(data) > self._window:
                raise NotImplementedError
            records = data.split(self._terminator)
            self._rest = rest = records.pop()
            self._room = _LIMIT - len(rest)
            if records:
                self._untaken = iter(records)
        else:
            self._rest += data
            self._room = room
        self._received += size
        return self._untaken is not _NOTHING

    def _events(self) -> Iterator[Event]:
        """After each: has another face, another terminator or more data come between?"""
        if self._given:
            raise NotImplementedError
        found, untaken = self._found, self._untaken
        if untaken is not _NOTHING:
            for record in untaken:
                if record:
                    event = _new(DataReceived)
                    event.data = record  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                    self._given = event
                    yield event
                    if self._given is not event:
                        raise NotImplementedError
                    self._given = None
                self._streamed = 0
                yield found
                if self._given:
                    raise NotImplementedError
            if self._untaken is untaken:
                self._untaken = _NOTHING
        rest = self._rest
        if rest and self._room > 0 and self._untaken is _NOTHING and rest[-1] not in self._inner:
            self._rest = b""
            self._streamed += len(rest)
            event = _new(DataReceived)
            event.data = rest  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
            yield event
            if self._rest:
                raise NotImplementedError

    def _run(self, send: Callable[[Any], object]) -> Iterator[object]:
        return _run(self, send)


class LinesInWindows(_Lines):
    """Of a large chunk no more is split in vain than is cut ahead, and no record in a window can be too long."""

    __slots__ = ()

    def receive_data(self, data: bytes) -> bool:
        if type(data) is not bytes or self._room <= 0 or self._untaken is not _NOTHING:
            raise NotImplementedError
        self._rest += data
        self._received += len(data)
        return True

    def records(self) -> Iterator[bytes]:
        return chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[Iterator[bytes]]:
        """Was the record begun as events? And after each window: was all of it taken, and does the terminator stand?"""
        if self._streamed or self._given:
            raise NotImplementedError
        wanted, start = self._wanted, 0
        while True:
            window = self._rest[start : start + _WINDOW]
            records = window.split(wanted)
            rest = records.pop()
            if not records and len(window) == _WINDOW:
                raise NotImplementedError
            self._untaken = untaken = iter(records)
            yield untaken
            if self._untaken is not untaken or self._terminator is not wanted:
                raise NotImplementedError
            self._untaken = _NOTHING
            start += len(window) - len(rest)
            if len(window) < _WINDOW:
                break
        self._rest = rest

    def _run(self, send: Callable[[Any], object]) -> Iterator[object]:
        wanted = self._wanted
        for untaken in self._batches():
            for record in untaken:
                try:
                    answer = send(record)
                except StopIteration:
                    raise NotImplementedError from None
                if answer is not wanted:
                    yield answer


class _LongLines(LongLines):
    __slots__ = ("_given", "_received", "_room", "_streamed", "_untaken", "_wanted")

    def __init__(self, terminator: bytes) -> None:
        super().__init__(terminator)
        self._wanted = terminator
        self._room = _LIMIT + len(self._inner)
        self._received = self._streamed = 0
        self._untaken = _NOTHING
        self._given: DataReceived | None = None

    def receive_data(self, data: bytes) -> bool:
        """As above: and a piece is no longer than what is left of the limit."""
        if type(data) is not bytes:
            raise NotImplementedError
        room = self._room - len(data)
        if self._last not in data:
            if room < 0 or self._untaken is not _NOTHING:
                raise NotImplementedError
            self._pieces.append(data)
            self._room = room
        else:
            super().receive_data(data)
            self._pieces[-1] = bytes(self._pieces[-1])
            self._untaken = iter(self._ready)
            self._room = _LIMIT + len(self._inner) - len(self._pieces[-1])
        self._received += len(data)
        return self._untaken is not _NOTHING

    def records(self) -> Iterator[bytes]:
        """An iterator that gives many at no cost for each, or one that is cheap to make."""
        if self._untaken is _NOTHING:
            return self._records_later()
        return chain.from_iterable(self._batches())

    def _records_later(self) -> Iterator[bytes]:
        if self._streamed or self._given or self._untaken is not _NOTHING:
            yield from chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[Iterator[bytes]]:
        if self._streamed or self._given:
            raise NotImplementedError
        untaken = self._untaken
        yield untaken
        if self._untaken is untaken:
            self._untaken = _NOTHING

    def feed(self, data: bytes) -> Iterator[Event]:
        self.receive_data(data)
        return self._events()

    def _events(self) -> Iterator[Event]:
        if self._given:
            raise NotImplementedError
        found, untaken = self._found, self._untaken
        if untaken is not _NOTHING:
            for record in untaken:
                event = _new(DataReceived)
                event.data = record  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                self._given = event
                yield event
                if self._given is not event:
                    raise NotImplementedError
                self._given = None
                self._streamed = 0
                yield found
                if self._given:
                    raise NotImplementedError
            if self._untaken is untaken:
                self._untaken = _NOTHING
        pieces = self._pieces
        if pieces and self._room > 0:
            if len(pieces) == 1:
                data: Any = pieces.pop()
            else:
                data = b"".join(pieces)
                pieces.clear()
            if data:
                if data[-1] in self._inner:
                    data, rest = data[:-1], data[-1:]
                    pieces.append(rest)
                self._streamed += len(data)
                event = _new(DataReceived)
                event.data = data  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                yield event
                if self._untaken is not _NOTHING or len(pieces) > 1:
                    raise NotImplementedError

    def _run(self, send: Callable[[Any], object]) -> Iterator[object]:
        return _run(self, send)


class _HeadsAndBodies(HeadsAndBodies):
    __slots__ = ("_alone", "_ended", "_given", "_position", "_received")

    def __init__(self, terminator: bytes | int) -> None:
        super().__init__(terminator)
        self._received = self._position = 0
        self._alone = self._ended = False
        self._given: DataReceived | None = None

    def receive_data(self, data: bytes) -> bool:
        if type(data) is not bytes or self._ended:
            raise NotImplementedError
        self._received += len(data)
        self._buffer = self._buffer[self._position :] + data
        self._position = 0
        return True

    def set_terminator(self, terminator: bytes | int) -> None:
        """Is it one? And is there nothing to put back?"""
        self._alone = False
        if isinstance(terminator, int):
            if terminator < 0:
                raise NotImplementedError
        elif not terminator:
            raise NotImplementedError
        if self._given is not None:
            raise NotImplementedError
        self._terminator = terminator

    def _events(self) -> Iterator[Event]:
        """Before each: where does the stream stand, and under which terminator? After it: did anything come between?"""
        if self._given:
            raise NotImplementedError
        while True:
            terminator, buffer, start = self._terminator, self._buffer, self._position
            if isinstance(terminator, int):
                index = end = start + terminator
                if end > len(buffer):
                    break
            else:
                index = buffer.find(terminator, start, start + _NEAR)
                if index < 0:
                    break
                end = index + len(terminator)
            self._position = end
            if index > start:
                event = _new(DataReceived)
                event.data = buffer[start:index]  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                self._given = event
                yield event
                if self._given is not event:
                    raise NotImplementedError
                self._given = None
            found = _new(TerminatorFound)
            found.terminator = terminator  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
            yield found
            if self._given:
                raise NotImplementedError

    def _run(self, send: Callable[[Any], Any]) -> Iterator[object]:
        """For each: is it within the limit, where does the stream stand, and did the grammar leave the machine alone?"""
        buffer, terminator = self._buffer, self._terminator
        start = begin = self._position
        stop = min(len(buffer), start + _LIMIT)
        self._alone = True
        try:
            while self._alone:
                if isinstance(terminator, int):
                    index = end = start + terminator
                    if end > stop or terminator < 0:
                        break
                else:
                    index = buffer.find(terminator, start, stop)
                    if index < 0:
                        break
                    end = index + len(terminator)
                self._position = end
                self._terminator = terminator
                terminator = send(buffer[start:index])
                start = end
        except StopIteration:
            raise NotImplementedError from None
        self._terminator = terminator
        if stop < len(buffer) and start > begin:
            yield from self._run(send)


class Queue:
    __slots__ = ("_buffered", "_pushed", "_watched")

    def __init__(self) -> None:
        self._pushed: list[bytes] = []
        # Neither closed, nor broken, nor idle, so that somebody would have to be told.
        self._watched = True
        self._buffered = 0

    def push(self, data: bytes) -> None:
        """Is it bytes? And is there anything to be done but to keep it?"""
        if type(data) is not bytes or not self._watched:
            raise NotImplementedError
        self._pushed.append(data)

    def data_to_send(self) -> bytes:
        """How many bytes are there? And is one of them too large to be copied?"""
        self._buffered += sum(map(len, self._pushed))
        if self._buffered > _SMALL * len(self._pushed):
            raise NotImplementedError
        return b"".join(self._pushed)


def _run(machine: _Lines | _LongLines, send: Callable[[Any], object]) -> Iterator[object]:
    """Is the terminator the one that is waited for? Was the record begun as events? Does the grammar go on as before?"""
    untaken, wanted = machine._untaken, machine._wanted
    if machine._terminator is not wanted or machine._streamed or machine._given:
        raise NotImplementedError
    for record in untaken:
        try:
            answer = send(record)
        except StopIteration:
            raise NotImplementedError from None
        if answer is not wanted:
            yield answer
    if machine._untaken is untaken:
        machine._untaken = _NOTHING


def _machine(stream: Stream, chunks: list[bytes]) -> Lines | HeadsAndBodies:
    if stream.framing != "lines":
        return _HeadsAndBodies(4 if stream.framing == "length" else stream.terminator)
    if stream.messages == 1 or len(chunks[0]) > _WINDOW:
        raise LookupError("it knows no hostile streams, and windows for records alone")
    return (_LongLines if len(stream.expected[0]) > _WINDOW else _Lines)(stream.terminator)


def _machine_for_records(stream: Stream, chunks: list[bytes]) -> Lines:
    if stream.messages > 1 and len(stream.expected[0]) > _WINDOW >= len(chunks[0]):
        return _LongLines(stream.terminator)
    if stream.messages > 1 and len(stream.expected[0]) <= _WINDOW < len(chunks[0]):
        return LinesInWindows(stream.terminator)
    raise LookupError("no figure asks for it")


@candidate(WITH_CONTRACTS[RECORDS], "lines", limit=True)
def records(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    read_records(_machine_for_records(stream, chunks), stream, chunks, collect)


@candidate(WITH_CONTRACTS[LISTS], "lines", limit=True)
def lists(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    machine = _machine_for_records(stream, chunks)
    for chunk in chunks:
        if machine.receive_data(chunk):
            for record in list(machine.records()):
                if collect:
                    collect(record)


@candidate(WITH_CONTRACTS[GRAMMAR], "lines", "http", "length", limit=True)
def grammar(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    machine = _machine(stream, chunks)
    parse = looping_grammar(stream, collect)()
    next(parse)
    send = parse.send
    for chunk in chunks:
        for _ in machine.run(chunk, send):
            pass


@candidate(WITH_CONTRACTS[EVENTS], "lines", "http", "length", limit=True)
def events(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    read_events(_machine(stream, chunks), stream, chunks, collect)
