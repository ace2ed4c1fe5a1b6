"""termsplit, through each of its faces."""

from __future__ import annotations

from termsplit import (
    NEED_DATA,
    AnyOf,
    Chat,
    Parser,
    Splitter,
    asynchat,
    framing,
)

from .callbacks import drive, program
from .candidates import candidate
from .readers import (
    collect_line,
    looping_grammar,
    message_grammar,
    read_events,
    read_one_by_one,
    read_records,
    terminator_of,
)
from .workloads import Collect, Stream

# The faces, by name, in the order of the tables.
RECORDS = "termsplit: records"
NEXT_RECORD = "termsplit: next_record"
LISTS = "termsplit: lists of records"
GRAMMAR = "termsplit: grammar, looping"
MESSAGES = "termsplit: grammar, a message each"
FRAMING = "termsplit: framing's own grammar"
EVENTS = "termsplit: events"
NEXT_EVENT = "termsplit: next_event"
CALLBACKS = "termsplit: Chat callbacks"
DROP_IN = "termsplit.asynchat"
DROP_IN_DROPPING = "termsplit.asynchat, pieces dropped"
QUEUE = "termsplit: ProducerQueue"
BLOCKING = "termsplit, blocking"
TRIO = "termsplit, trio"


@candidate(RECORDS, "lines", "http", "length", any_of=True)
def records(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    read_records(Splitter(terminator_of(stream), max_size=stream.max_size), stream, chunks, collect)


@candidate(NEXT_RECORD, "lines", "http", "length", any_of=True)
def next_record(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(terminator_of(stream), max_size=stream.max_size)
    read_one_by_one(splitter, stream, chunks, collect)


@candidate(LISTS, "lines", any_of=True)
def lists(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(terminator_of(stream), max_size=stream.max_size)
    for chunk in chunks:
        if splitter.receive_data(chunk):
            for record in list(splitter.records()):
                if collect:
                    collect(record)


@candidate(GRAMMAR, "lines", "http", "length", any_of=True)
def grammar(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(max_size=stream.max_size)
    parser = Parser(looping_grammar(stream, collect), splitter)
    for chunk in chunks:
        if splitter.receive_data(chunk):
            for _ in parser.messages():
                pass


@candidate(MESSAGES, "lines", "http", "length", any_of=True)
def messages(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter = Splitter(max_size=stream.max_size)
    _collect_messages(Parser(message_grammar(stream, collect), splitter), chunks, collect)


@candidate(FRAMING, "lines", "length", any_of=True)
def ready_made(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    if stream.framing == "lines":
        terminator = AnyOf(*stream.alternatives) if stream.alternatives else stream.terminator
        ready = framing.lines(terminator, max_size=stream.max_size)
    else:
        ready = framing.length_prefixed(4, max_size=stream.max_size)
    _collect_messages(Parser(ready.grammar), chunks, collect)


def _collect_messages(parser: Parser[bytes], chunks: list[bytes], collect: Collect) -> None:
    splitter = parser.splitter
    for chunk in chunks:
        if splitter.receive_data(chunk):
            for message in parser.messages():
                if collect:
                    collect(message)


@candidate(EVENTS, "lines", "http", "length", any_of=True)
def events(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    read_events(Splitter(terminator_of(stream)), stream, chunks, collect)


@candidate(NEXT_EVENT, "lines", any_of=True)
def next_event(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    splitter, pieces = Splitter(terminator_of(stream)), list[bytes]()
    for chunk in chunks:
        splitter.receive_data(chunk)
        while (event := splitter.next_event()) is not NEED_DATA:
            if collect:
                collect_line(event, pieces, collect)


@candidate(CALLBACKS, "lines", "http", "length", any_of=True)
def callbacks(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    chat = program(Chat, stream, collect, drop=True)()
    chat.pieces = []
    chat.set_terminator(4 if stream.framing == "length" else terminator_of(stream))
    feed = chat.feed
    for chunk in chunks:
        feed(chunk)


@candidate(DROP_IN, "lines", "http", "length")
def drop_in(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    drive(asynchat.async_chat, stream, chunks, collect)


@candidate(DROP_IN_DROPPING, "lines", "http", "length")
def drop_in_dropping(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    drive(asynchat.async_chat, stream, chunks, collect, drop=True)
