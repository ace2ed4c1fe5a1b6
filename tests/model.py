"""The input machine as it would be if nothing counted but being right.

It keeps every byte from the beginning of the stream and, at each step, looks at the record in progress from
its first byte on, trying every position. It knows of no chunk: what it says depends on the bytes so
far, and on whether the stream has ended.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from termsplit import (
    NEED_DATA,
    AnyOf,
    DataReceived,
    EOFReceived,
    Event,
    IncompleteRecord,
    Limited,
    LocalProtocolError,
    NeedData,
    Parse,
    RecordSkipped,
    RecordTooLong,
    RemoteProtocolError,
    Terminator,
    TerminatorFound,
)

TooLong: TypeAlias = Literal["raise", "skip"]
NeedsData: TypeAlias = Literal[NeedData.NEED_DATA]


def look(
    data: bytes, terminator: bytes | int | AnyOf | None, eof: bool
) -> tuple[int, bytes | int | None]:
    """How many bytes of ``data`` surely belong to the record it begins with; and what ends that, if that came."""
    if terminator is None:
        return len(data), None
    if isinstance(terminator, int):
        return (terminator, terminator) if len(data) >= terminator else (len(data), None)
    alternatives = terminator.alternatives if isinstance(terminator, AnyOf) else (terminator,)
    longest = max(map(len, alternatives))
    for size in range(len(data)):
        here = data[size : size + longest]
        if not eof and any(one != here and one.startswith(here) for one in alternatives):
            return size, None
        if found := [one for one in alternatives if here.startswith(one)]:
            return size, max(found, key=len)
    return len(data), None


@dataclass
class Model:
    terminator: Terminator = None
    max_size: int | None = None
    data: bytes = b""
    eof: bool = False
    position: int = 0  # of the first byte that is not taken
    begin: int = 0  # of the record in progress; before position if taken in part, as events
    passing_over: bool = False  # the record in progress is too long
    waiting: list[Terminator] = field(default_factory=list[Terminator])  # takes over after it
    finished: bool = False  # the record that the end of the stream completes was taken

    def set_terminator(self, terminator: Terminator) -> None:
        if self.passing_over:
            self.waiting = [terminator]
        else:
            self.terminator = terminator
            self.begin = self.position

    def get_terminator(self) -> Terminator:
        return self.waiting[0] if self.waiting else self.terminator

    @property
    def bare_terminator(self) -> bytes | int | AnyOf | None:
        if isinstance(self.terminator, Limited):
            return self.terminator.terminator
        return self.terminator

    def next_event(self, too_long: TooLong = "raise") -> Event | NeedsData:
        while True:
            if self.passing_over:
                skipped = self.pass_over()
                if skipped is None:
                    break
                if too_long == "skip":
                    return skipped
                continue
            size, found = look(self.data[self.begin :], self.bare_terminator, self.eof)
            limit, exceeded = self.judge(size, None)
            count = self.bare_terminator
            if not (isinstance(count, int) and count > limit):
                data = self.data[self.position : self.begin + min(size, int(min(limit, 1e9)))]
                if data:
                    self.position += len(data)
                    return DataReceived(data)
            if exceeded:
                self.refuse(limit, too_long)
            elif found is None:
                break
            else:
                self.end_record(size, found)
                return TerminatorFound(found)
        if not self.eof:
            return NEED_DATA
        if self.bare_terminator is not None:
            return EOFReceived(self.position == self.begin and not self.passing_over)
        if self.passing_over and not self.finished and too_long == "skip":
            self.finished = True
            return RecordSkipped(self.position - self.begin)
        self.finished = True
        return EOFReceived(True)

    def next_record(self, too_long: TooLong = "raise") -> bytes | RecordSkipped | NeedsData:
        while True:
            if self.passing_over:
                skipped = self.pass_over()
                if skipped is None:
                    break
                if too_long == "skip":
                    return skipped
                continue
            if self.position > self.begin:
                raise LocalProtocolError("a part of this record was taken as events")
            size, found = look(self.data[self.begin :], self.bare_terminator, self.eof)
            limit, exceeded = self.judge(size, self.max_size)
            if exceeded:
                self.refuse(limit, too_long)
            elif found is None:
                break
            else:
                record = self.data[self.begin : self.begin + size]
                self.end_record(size, found)
                return record
        if not self.eof or self.finished:
            return NEED_DATA
        partial = self.data[self.position :]
        if self.bare_terminator is not None:
            if partial or self.passing_over:
                raise IncompleteRecord(partial, self.terminator, self.position)
            return NEED_DATA
        self.finished = True
        if self.passing_over:
            return RecordSkipped(self.position - self.begin) if too_long == "skip" else NEED_DATA
        self.begin = self.position = len(self.data)
        return partial

    def judge(self, size: int, limit: float | None) -> tuple[float, bool]:
        """The limit in force, and whether the record in progress is known to be longer."""
        if isinstance(self.terminator, Limited):
            limit = self.terminator.max_size
        if limit is None:
            limit = math.inf
        count = self.bare_terminator
        return limit, size > limit or (isinstance(count, int) and count > limit)

    def refuse(self, limit: float, too_long: TooLong) -> None:
        self.passing_over = True
        if too_long == "raise":
            raise RecordTooLong(int(limit), self.position)

    def pass_over(self) -> RecordSkipped | None:
        size, found = look(self.data[self.begin :], self.bare_terminator, self.eof)
        self.position = self.begin + size
        if found is None:
            return None
        self.end_record(size, found)
        self.passing_over = False
        for terminator in self.waiting:
            self.set_terminator(terminator)
        self.waiting = []
        return RecordSkipped(size)

    def end_record(self, size: int, found: bytes | int) -> None:
        self.begin += size + (len(found) if isinstance(found, bytes) else 0)
        self.position = self.begin
        if found == 0:
            self.terminator = None


def parse(
    model: Model, grammar: Callable[[], Parse[Any]], too_long: TooLong, enough: int
) -> list[Any]:
    """The messages in the whole stream, and the errors, for a grammar that catches RecordTooLong at most."""
    given: list[Any] = []
    while len(given) < enough:
        run = grammar()
        fresh = True
        try:
            wanted = next(run)
            while True:
                model.set_terminator(wanted)
                try:
                    record = model.next_record(too_long)
                    if record is NEED_DATA:
                        if fresh:
                            return given
                        raise IncompleteRecord(b"", wanted, model.position)
                except RemoteProtocolError as error:
                    wanted = run.throw(error)
                else:
                    if isinstance(record, RecordSkipped):
                        given.append(record)
                    else:
                        fresh = False
                        wanted = run.send(record)
        except StopIteration as stopped:
            given.append(stopped.value)
        except RemoteProtocolError as error:
            given.append(error)
            if isinstance(error, IncompleteRecord):
                break
    return given
