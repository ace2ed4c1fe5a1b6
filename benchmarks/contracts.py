"""The bare machine with the contracts: every question that they ask of a chunk or a record, in the shortest way.

What follows where the answer is not the usual one is left out, and takes no time where it doesn't come up. So what this machine
does not reach is out of reach with the contracts in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from termsplit import DataReceived, Event, TerminatorFound

from .bare import HeadsAndBodies, Lines
from .candidates import candidate
from .workloads import Collect, Stream

_NOTHING: Iterator[bytes] = iter(())
_LIMIT = 64 * 1024
_new = object.__new__


class _CarefulLines(Lines):
    __slots__ = ("_given", "_limit", "_received", "_room", "_streamed", "_untaken", "_wanted")

    def __init__(self, terminator: bytes) -> None:
        super().__init__(terminator)
        self._limit = self._room = _LIMIT
        self._received = 0
        self._untaken = _NOTHING
        self._given: DataReceived | None = None
        self._streamed = 0
        self._wanted = terminator

    def receive_data(self, data: bytes) -> None:
        """It is bytes, no record is too long, nor has the stream ended; the offset is known; all before was taken."""
        if type(data) is not bytes:
            raise NotImplementedError
        size = len(data)
        room = self._room - size
        if room <= 0 or self._untaken is not _NOTHING:
            raise NotImplementedError
        if self._last in data:
            records = (self._rest + data).split(self._terminator)
            self._rest = rest = records.pop()
            self._room = self._limit - len(rest)
            if records:
                self._untaken = iter(records)
        else:
            self._rest += data
            self._room = room
        self._received += size

    def _events(self) -> Iterator[Event]:
        """What was not taken can be put back; another face, another terminator, or more data, may come at any point."""
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
        """As above; and the grammar may ask for another terminator, come to its end, or fail."""
        untaken, wanted = self._untaken, self._wanted
        if self._terminator is not wanted or self._streamed or self._given:
            raise NotImplementedError
        for record in untaken:
            try:
                answer = send(record)
            except StopIteration:
                raise NotImplementedError from None
            if answer is not wanted:
                yield answer
        if self._untaken is untaken:
            self._untaken = _NOTHING


class _CarefulHeads(HeadsAndBodies):
    __slots__ = ("_alone", "_ended", "_given", "_position", "_received")

    def __init__(self, terminator: bytes | int) -> None:
        super().__init__(terminator)
        self._received = self._position = 0
        self._ended = False
        self._alone = False
        self._given: DataReceived | None = None

    def receive_data(self, data: bytes) -> None:
        if type(data) is not bytes or self._ended:
            raise NotImplementedError
        self._received += len(data)
        self._buffer = self._buffer[self._position :] + data
        self._position = 0

    def set_terminator(self, terminator: bytes | int) -> None:
        self._alone = False
        if type(terminator) is int:
            if terminator < 0:
                raise NotImplementedError
        elif type(terminator) is not bytes or not terminator:
            raise NotImplementedError
        if self._given is not None:
            raise NotImplementedError
        self._terminator = terminator

    def _events(self) -> Iterator[Event]:
        if self._given:
            raise NotImplementedError
        while True:
            terminator, buffer, start = self._terminator, self._buffer, self._position
            if type(terminator) is int:
                index = end = start + terminator
                if end > len(buffer):
                    break
            else:
                index = buffer.find(terminator, start)
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
            event = _new(TerminatorFound)
            event.terminator = terminator
            yield event
            if self._given:
                raise NotImplementedError

    def _run(self, send: Callable[[Any], Any]) -> Iterator[object]:
        buffer, terminator, start = self._buffer, self._terminator, self._position
        stop = min(len(buffer), start + _LIMIT)
        self._alone = True
        try:
            while self._alone:
                if type(terminator) is int:
                    index = end = start + terminator
                    if not start < end <= stop:
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
        yield from ()
