"""The least machine that has a face: it is lazy, takes chunks, and knows one way in which terminators follow each other.

There are no limits, no end of the stream, no offset, no other face, and nothing can be set back. A figure that it does not
reach is out of reach. Where it reaches one that termsplit does not, what lies between is the price of what it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from termsplit import DataReceived, Event, Parse, TerminatorFound

from .candidates import candidate
from .ours import BLOCKING, EVENTS, FRAMING, GRAMMAR, LISTS, MESSAGES, QUEUE, RECORDS, TRIO
from .readers import looping_grammar, message_grammar, read_events, read_records
from .workloads import Collect, Stream

BARE = {
    face: face.replace("termsplit", "bare machine")
    for face in (RECORDS, LISTS, GRAMMAR, MESSAGES, EVENTS, QUEUE, BLOCKING, TRIO)
}
"""Its name, by that of the same face of termsplit."""
BARE[FRAMING] = BARE[LISTS]
# Longer ones come in pieces.
_LONG = 2000


class Lines:
    """All records end alike."""

    __slots__ = ("_found", "_inner", "_last", "_ready", "_rest", "_terminator")

    def __init__(self, terminator: bytes) -> None:
        self._terminator = terminator
        self._inner, self._last = terminator[:-1], terminator[-1]
        self._found = TerminatorFound(terminator)
        self._ready: list[bytes] = []
        self._rest = b""

    def receive_data(self, data: bytes) -> bool:
        if self._last in data:
            self._ready = (self._rest + data).split(self._terminator)
            self._rest = self._ready.pop()
            return True
        self._ready = []
        self._rest += data
        return False

    def set_terminator(self, terminator: bytes | int) -> None:
        raise NotImplementedError

    def records(self) -> Iterator[bytes]:
        yield from self._ready

    def all_records(self) -> list[bytes]:
        return self._ready

    def feed(self, data: bytes) -> Iterator[Event]:
        self.receive_data(data)
        return self._events()

    def _events(self) -> Iterator[Event]:
        new, found = object.__new__, self._found
        for record in self._ready:
            if record:
                event = new(DataReceived)
                event.data = record  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
                yield event
            yield found
        rest = self._rest
        if rest and rest[-1] not in self._inner:
            self._rest = b""
            event = new(DataReceived)
            event.data = rest  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
            yield event

    def run(self, data: bytes, send: Callable[[Any], object]) -> Iterable[object]:
        return self._run(send) if self.receive_data(data) else ()

    def _run(self, send: Callable[[Any], object]) -> Iterator[object]:
        for record in self._ready:
            send(record)
        yield from ()

    def run_anew(self, data: bytes, send: Callable[[Any], Any]) -> Iterable[Any]:
        return self._run_anew(send) if self.receive_data(data) else ()

    def _run_anew(self, send: Callable[[Any], Any]) -> Iterator[Any]:
        for record in self._ready:
            send(None)
            yield send(record)


class LongLines(Lines):
    """They come in pieces, that are joined once; where one ends is seen by the terminator's last byte."""

    __slots__ = ("_pieces",)

    def __init__(self, terminator: bytes) -> None:
        super().__init__(terminator)
        self._pieces: list[bytes | memoryview] = []

    def receive_data(self, data: bytes) -> bool:
        index = data.find(self._last)
        if index < 0:
            self._pieces.append(data)
            self._ready = []
            return False
        pieces, self._ready = self._pieces, []
        view, inner, start = memoryview(data), len(self._inner), 0
        while index >= 0:
            if index - inner >= start:
                pieces.append(view[start : index - inner])
            elif start < inner:
                pieces[-1] = pieces[-1][: start - inner]
            self._ready.append(b"".join(pieces))
            pieces.clear()
            start = index + 1
            index = data.find(self._last, start)
        pieces.append(view[start:])
        return True

    def feed(self, data: bytes) -> Iterator[Event]:
        if self._rest:
            data = self._rest + data
            self._rest = b""
        return self._pass_on(data)

    def _pass_on(self, data: bytes) -> Iterator[Event]:
        new, inner, start = object.__new__, len(self._inner), 0
        index = data.find(self._last)
        while index >= 0:
            event = new(DataReceived)
            event.data = data[start : index - inner]  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
            yield event
            yield self._found
            start = index + 1
            index = data.find(self._last, start)
        if start:
            data = data[start:]
        if data and data[-1] in self._inner:
            data, self._rest = data[:-inner], data[-inner:]
        if data:
            event = new(DataReceived)
            event.data = data  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
            yield event


class HeadsAndBodies:
    """Each record ends in its own way; how is told three times, since a call would be part of what is measured."""

    __slots__ = ("_buffer", "_terminator")

    def __init__(self, terminator: bytes | int) -> None:
        self._terminator = terminator
        self._buffer = b""

    def receive_data(self, data: bytes) -> bool:
        self._buffer += data
        return True

    def set_terminator(self, terminator: bytes | int) -> None:
        self._terminator = terminator

    def records(self) -> Iterator[bytes]:
        buffer, start = self._buffer, 0
        while True:
            terminator = self._terminator
            if isinstance(terminator, int):
                index = end = start + terminator
                if end > len(buffer):
                    break
            else:
                index = buffer.find(terminator, start)
                if index < 0:
                    break
                end = index + len(terminator)
            yield buffer[start:index]
            start = end
        self._buffer = buffer[start:]

    def feed(self, data: bytes) -> Iterator[Event]:
        self.receive_data(data)
        return self._events()

    def _events(self) -> Iterator[Event]:
        new, buffer, start = object.__new__, self._buffer, 0
        while True:
            terminator = self._terminator
            if isinstance(terminator, int):
                index = end = start + terminator
                if end > len(buffer):
                    break
            else:
                index = buffer.find(terminator, start)
                if index < 0:
                    break
                end = index + len(terminator)
            event = new(DataReceived)
            event.data = buffer[start:index]  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
            yield event
            yield TerminatorFound(terminator)
            start = end
        self._buffer = buffer[start:]

    def run(self, data: bytes, send: Callable[[Any], object]) -> Iterable[object]:
        return self._run(send) if self.receive_data(data) else ()

    def _run(self, send: Callable[[Any], Any]) -> Iterator[object]:
        buffer, terminator, start = self._buffer, self._terminator, 0
        while True:
            if isinstance(terminator, int):
                index = end = start + terminator
                if end > len(buffer):
                    break
            else:
                index = buffer.find(terminator, start)
                if index < 0:
                    break
                end = index + len(terminator)
            terminator = send(buffer[start:index])
            start = end
        self._buffer, self._terminator = buffer[start:], terminator
        yield from ()


class Queue:
    """What is pushed by a call, and leaves joined."""

    __slots__ = ("_pushed",)

    def __init__(self) -> None:
        self._pushed: list[bytes] = []

    def push(self, data: bytes) -> None:
        self._pushed.append(data)

    def data_to_send(self) -> bytes:
        return b"".join(self._pushed)


def _lines(stream: Stream) -> Lines:
    if len(stream.expected[0]) <= _LONG:
        return Lines(stream.terminator)
    if stream.terminator[-1] in stream.expected[0]:
        raise LookupError("it takes a terminator's last byte for the whole of it in long records")
    return LongLines(stream.terminator)


def _machine(stream: Stream) -> Lines | HeadsAndBodies:
    if stream.framing == "lines":
        return _lines(stream)
    return HeadsAndBodies(4 if stream.framing == "length" else stream.terminator)


@candidate(BARE[RECORDS], "lines", "http", "length", limit=True)
def records(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    read_records(_machine(stream), stream, chunks, collect)


@candidate(BARE[LISTS], "lines", limit=True)
def lists(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    machine = _lines(stream)
    for chunk in chunks:
        if machine.receive_data(chunk):
            for record in machine.all_records():
                if collect:
                    collect(record)


@candidate(BARE[GRAMMAR], "lines", "http", "length", limit=True)
def grammar(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    machine, parse = _machine(stream), looping_grammar(stream, collect)()
    next(parse)
    send = parse.send
    for chunk in chunks:
        for _ in machine.run(chunk, send):
            pass


@candidate(BARE[MESSAGES], "lines", limit=True)
def messages(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    machine, send = _lines(stream), _runs(message_grammar(stream, collect)).send
    for chunk in chunks:
        for message in machine.run_anew(chunk, send):
            if collect:
                collect(message)


def _runs(grammar: Callable[[], Parse[bytes]]) -> Generator[object, bytes, None]:
    while True:
        yield (yield from grammar())


@candidate(BARE[EVENTS], "lines", "http", "length", limit=True)
def events(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    read_events(_machine(stream), stream, chunks, collect)
