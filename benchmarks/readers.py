"""The programs that read a stream: the same for termsplit and for the bare machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Protocol

from termsplit import (
    NEED_DATA,
    AnyOf,
    DataReceived,
    Event,
    Parse,
    Splitter,
    Terminator,
    TerminatorFound,
)

from .workloads import Collect, Stream, body_size


class Machine(Protocol):
    """What the programs need of a splitter."""

    def receive_data(self, data: bytes, /) -> bool: ...
    def set_terminator(self, terminator: bytes | int, /) -> None: ...
    def records(self) -> Iterator[bytes]: ...
    def feed(self, data: bytes, /) -> Iterator[Event]: ...


def terminator_of(stream: Stream) -> Terminator:
    """What ends a line, or a head."""
    return AnyOf(*stream.alternatives) if stream.alternatives else stream.terminator


def read_records(machine: Machine, stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    """A loop over the records, where there may be one, that says what ends the next one where that changes."""
    if stream.framing == "lines":
        for chunk in chunks:
            if machine.receive_data(chunk):
                for record in machine.records():
                    if collect:
                        collect(record)
        return
    in_body = False
    if stream.framing == "http":
        for chunk in chunks:
            if machine.receive_data(chunk):
                for record in machine.records():
                    if in_body:
                        machine.set_terminator(stream.terminator)
                    else:
                        machine.set_terminator(body_size(record))
                    in_body = not in_body
                    if collect:
                        collect(record)
        return
    machine.set_terminator(4)
    for chunk in chunks:
        if machine.receive_data(chunk):
            for record in machine.records():
                if in_body:
                    machine.set_terminator(4)
                    if collect:
                        collect(record)
                else:
                    machine.set_terminator(int.from_bytes(record, "big"))
                in_body = not in_body


def read_one_by_one(
    splitter: Splitter, stream: Stream, chunks: list[bytes], collect: Collect
) -> None:
    """The same, asking for one record after the other."""
    if stream.framing == "lines":
        for chunk in chunks:
            if splitter.receive_data(chunk):
                while (record := splitter.next_record()) is not NEED_DATA:
                    if collect:
                        collect(record)
        return
    in_body = False
    if stream.framing == "http":
        for chunk in chunks:
            if splitter.receive_data(chunk):
                while (record := splitter.next_record()) is not NEED_DATA:
                    if in_body:
                        splitter.set_terminator(stream.terminator)
                    else:
                        splitter.set_terminator(body_size(record))
                    in_body = not in_body
                    if collect:
                        collect(record)
        return
    splitter.set_terminator(4)
    for chunk in chunks:
        if splitter.receive_data(chunk):
            while (record := splitter.next_record()) is not NEED_DATA:
                if in_body:
                    splitter.set_terminator(4)
                    if collect:
                        collect(record)
                else:
                    splitter.set_terminator(int.from_bytes(record, "big"))
                in_body = not in_body


def read_events(machine: Machine, stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    """A loop over the events, that joins pieces where it needs the whole of them."""
    pieces: list[bytes] = []
    if stream.framing == "lines":
        for chunk in chunks:
            for event in machine.feed(chunk):
                if collect:
                    collect_line(event, pieces, collect)
        return
    prefix = 4 if stream.framing == "length" else stream.terminator
    machine.set_terminator(prefix)
    in_body = False
    for chunk in chunks:
        for event in machine.feed(chunk):
            if isinstance(event, DataReceived):
                if collect or not in_body:
                    pieces.append(event.data)
            elif isinstance(event, TerminatorFound):
                if in_body:
                    machine.set_terminator(prefix)
                    if collect:
                        collect(b"".join(pieces))
                        pieces.clear()
                else:
                    head = b"".join(pieces)
                    pieces.clear()
                    if prefix == 4:
                        machine.set_terminator(int.from_bytes(head, "big"))
                    else:
                        machine.set_terminator(body_size(head))
                        if collect:
                            collect(head)
                in_body = not in_body


def collect_line(event: object, pieces: list[bytes], collect: Callable[[bytes], object]) -> None:
    """Join the pieces of a line when it ends."""
    if isinstance(event, DataReceived):
        pieces.append(event.data)
    else:
        collect(b"".join(pieces))
        pieces.clear()


def looping_grammar(stream: Stream, collect: Collect) -> Callable[[], Parse[None]]:
    """One that never returns, and deals with its records itself."""
    terminator = terminator_of(stream)

    def lines() -> Parse[None]:
        while True:
            record = yield terminator
            if collect:
                collect(record)

    def http() -> Parse[None]:
        while True:
            head = yield terminator
            body = yield body_size(head)
            if collect:
                collect(head)
                collect(body)

    def length() -> Parse[None]:
        while True:
            body = yield int.from_bytes((yield 4), "big")
            if collect:
                collect(body)

    return {"lines": lines, "http": http, "length": length}[stream.framing]


def message_grammar(
    stream: Stream, collect: Collect
) -> Callable[[], Generator[Terminator, bytes, bytes]]:
    """One that returns each message."""
    terminator = terminator_of(stream)

    def line() -> Parse[bytes]:
        return (yield terminator)

    def request() -> Generator[Terminator, bytes, bytes]:
        head = yield terminator
        body = yield body_size(head)
        if collect:
            collect(head)
        return body

    def string() -> Parse[bytes]:
        return (yield int.from_bytes((yield 4), "big"))

    return {"lines": line, "http": request, "length": string}[stream.framing]
