"""termsplit, through each of its faces."""

from __future__ import annotations

from collections.abc import Generator

from termsplit import (
    AnyOf,
    Chat,
    DataReceived,
    Parse,
    Parser,
    Splitter,
    Terminator,
    TerminatorFound,
    asynchat,
    framing,
)

from .callbacks import drive, program
from .candidates import candidate
from .workloads import Collect, Stream, body_size

# The faces, by name, in the order of the tables.
RECORDS = "termsplit: records"
LISTS = "termsplit: lists of records"
GRAMMAR = "termsplit: grammar, looping"
MESSAGES = "termsplit: grammar, a message each"
FRAMING = "termsplit: framing's own grammar"
EVENTS = "termsplit: events"
CALLBACKS = "termsplit: Chat callbacks"
DROP_IN = "termsplit.asynchat"
DROP_IN_DROPPING = "termsplit.asynchat, pieces dropped"


def _terminator(stream: Stream) -> Terminator:
    return AnyOf(*stream.alternatives) if stream.alternatives else stream.terminator


@candidate(RECORDS, "lines", "http", "length", any_of=True)
def records(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(_terminator(stream), max_size=stream.max_size)
    if stream.framing == "lines":
        for chunk in chunks:
            splitter.receive_data(chunk)
            for record in splitter.records():
                if collect:
                    collect(record)
        return
    in_body = False
    if stream.framing == "http":
        for chunk in chunks:
            splitter.receive_data(chunk)
            for record in splitter.records():
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
        splitter.receive_data(chunk)
        for record in splitter.records():
            if in_body:
                splitter.set_terminator(4)
                if collect:
                    collect(record)
            else:
                splitter.set_terminator(int.from_bytes(record, "big"))
            in_body = not in_body


@candidate(LISTS, "lines", any_of=True)
def lists(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(_terminator(stream), max_size=stream.max_size)
    for chunk in chunks:
        splitter.receive_data(chunk)
        for record in list(splitter.records()):
            if collect:
                collect(record)


@candidate(GRAMMAR, "lines", "http", "length", any_of=True)
def grammar(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    terminator = _terminator(stream)

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

    reading = {"lines": lines, "http": http, "length": length}[stream.framing]
    parser = Parser(reading, Splitter(max_size=stream.max_size))
    for chunk in chunks:
        for _ in parser.feed(chunk):
            pass


@candidate(MESSAGES, "lines", "http", "length", any_of=True)
def messages(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    terminator = _terminator(stream)

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

    reading = {"lines": line, "http": request, "length": string}[stream.framing]
    parser = Parser(reading, Splitter(max_size=stream.max_size))
    for chunk in chunks:
        for message in parser.feed(chunk):
            if collect:
                collect(message)


@candidate(FRAMING, "lines", "length", any_of=True)
def ready_made(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    if stream.framing == "lines":
        ready = framing.lines(
            AnyOf(*stream.alternatives) if stream.alternatives else stream.terminator,
            max_size=stream.max_size,
        )
    else:
        ready = framing.length_prefixed(4, max_size=stream.max_size)
    parser = Parser(ready.grammar)
    for chunk in chunks:
        for message in parser.feed(chunk):
            if collect:
                collect(message)


@candidate(EVENTS, "lines", "http", "length", any_of=True)
def events(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(_terminator(stream))
    pieces: list[bytes] = []
    if stream.framing == "lines":
        for chunk in chunks:
            for event in splitter.feed(chunk):
                if collect:
                    if isinstance(event, DataReceived):
                        pieces.append(event.data)
                    else:
                        collect(b"".join(pieces))
                        pieces.clear()
        return
    prefix = 4 if stream.framing == "length" else stream.terminator
    splitter.set_terminator(prefix)
    in_body = False
    for chunk in chunks:
        for event in splitter.feed(chunk):
            if isinstance(event, DataReceived):
                if collect or not in_body:
                    pieces.append(event.data)
            elif isinstance(event, TerminatorFound):
                if in_body:
                    splitter.set_terminator(prefix)
                    if collect:
                        collect(b"".join(pieces))
                        pieces.clear()
                else:
                    head = b"".join(pieces)
                    pieces.clear()
                    if prefix == 4:
                        splitter.set_terminator(int.from_bytes(head, "big"))
                    else:
                        splitter.set_terminator(body_size(head))
                        if collect:
                            collect(head)
                in_body = not in_body


@candidate(CALLBACKS, "lines", "http", "length", any_of=True)
def callbacks(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    chat = program(Chat, stream, collect, drop=True)()
    chat.pieces = []
    chat.set_terminator(4 if stream.framing == "length" else _terminator(stream))
    feed = chat.feed
    for chunk in chunks:
        feed(chunk)


@candidate(DROP_IN, "lines", "http", "length")
def drop_in(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    drive(asynchat.async_chat, stream, chunks, collect)


@candidate(DROP_IN_DROPPING, "lines", "http", "length")
def drop_in_dropping(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    drive(asynchat.async_chat, stream, chunks, collect, drop=True)
