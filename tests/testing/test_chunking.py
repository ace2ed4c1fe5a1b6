from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

import pytest
from hypothesis import given, strategies as st

from termsplit import Chat, IncompleteRecord, Limited, Parse, Parser, RecordTooLong, Splitter
from termsplit.testing import CLOSES, CutMatters, PushParser, check_chunking
from tests.testing import parsers


def line() -> Parse[bytes]:
    return (yield b"\r\n")


def netstring() -> Parse[bytes]:
    size = yield Limited(b":", 5)
    text = yield int(size)
    yield b","
    return text


class Echo(Chat):
    too_long = "skip"

    def __init__(self) -> None:
        super().__init__(Limited(b"\r\n", 8))
        self.line = b""

    def collect_incoming_data(self, data: bytes) -> None:
        self.line += data

    def found_terminator(self) -> None:
        if self.line == b"QUIT":
            self.close_when_done()
        else:
            self.push(self.line + b"\r\n")
        self.line = b""

    def record_skipped(self, size: int) -> None:
        self.push(b"%d?\r\n" % size)
        self.line = b""


def test_a_grammar_passes_and_its_outcome_is_returned() -> None:
    outcome = check_chunking(netstring, b"5:hello,0:,2:")
    assert outcome.messages == [b"hello", b""]
    assert [type(error) for error in outcome.errors] == [IncompleteRecord]
    assert outcome.leftovers == b""


def test_what_raises_no_error_may_be_left_over() -> None:
    outcome = check_chunking(line, b"one\r\ntw")
    assert outcome.messages == [b"one"]
    assert outcome.leftovers == b"tw"


def test_a_grammar_is_followed_beyond_its_errors() -> None:
    outcome = check_chunking(netstring, b"2:hi,x:x:1:a,")
    assert outcome.messages == [b"hi", b"a"]
    assert [str(error) for error in outcome.errors] == [
        "invalid literal for int() with base 10: b'x'"
    ] * 2


def test_a_parser_with_options_is_made_by_a_callable() -> None:
    data = b"short\r\nmuch too long\r\nshort\r\n"
    skips = check_chunking(lambda: Parser(line, Splitter(max_size=5), too_long="skip"), data)
    assert list(map(repr, skips.messages)) == ["b'short'", "RecordSkipped(13)", "b'short'"]
    raises = check_chunking(lambda: Parser(line, Splitter(max_size=5)), data)
    assert raises.messages == [b"short", b"short"]
    assert [error.args for error in raises.errors] == [RecordTooLong(5, 7).args]


def test_a_chat_gives_what_it_sends_and_where_it_closes() -> None:
    outcome = check_chunking(Echo, b"one\r\ntwo\r\nmuch too long\r\nthree\r\nQUIT\r\n")
    assert outcome.messages == [b"one\r\ntwo\r\n13?\r\nthree\r\n", CLOSES]


class Strict(Chat):
    def __init__(self) -> None:
        super().__init__(Limited(b"\r\n", 8))

    def collect_incoming_data(self, data: bytes) -> None:
        pass

    def found_terminator(self) -> None:
        self.push(b"ok\r\n")


def test_what_a_chat_sends_stands_before_and_behind_its_errors() -> None:
    outcome = check_chunking(Strict, b"one\r\ntwo\r\nmuch too long\r\nthree\r\n")
    assert outcome.messages == [b"ok\r\nok\r\n", b"ok\r\n", CLOSES]
    assert [type(error) for error in outcome.errors] == [RecordTooLong]


class TakesPiecesForRecords(Echo):
    def collect_incoming_data(self, data: bytes) -> None:
        self.line = data


def test_a_chat_that_takes_pieces_for_records_is_caught() -> None:
    with pytest.raises(CutMatters) as caught:
        check_chunking(TakesPiecesForRecords, b"one\r\n")
    assert caught.value.chunks == [b"o", b"ne\r\n"]
    assert caught.value.whole.messages == [b"one\r\n", CLOSES]
    assert caught.value.cut.messages == [b"ne\r\n", CLOSES]


SOUND = (
    b"",
    b"one\r\n",
    b"one\r\ntwo\r\nthr",
    b"0123456789\r\n",
    b"0123456789x\r\nrest\r\n",
    b"\r\n\r\r\n",
)


@pytest.mark.parametrize("data", SOUND)
def test_a_sound_parser_passes(data: bytes) -> None:
    check_chunking(parsers.drive(parsers.Lines), data, errors=(ValueError, EOFError))


@pytest.mark.parametrize(
    ("parser", "data", "chunks"),
    [
        (parsers.SplitTerminator, b"one\r\ntwo\r\n", [b"one\r", b"\ntwo\r\n"]),
        (parsers.LimitByChunk, b"0123456789abc\r\n", [b"0123456789a", b"bc\r\n"]),
        (parsers.TailIsALine, b"0123456789abc\r\n", [b"0123456789a", b"bc\r\n"]),
        (parsers.ForgetsState, b"a: b\r\n\r\nbody\r\n", [b"a: b\r\n\r\n", b"body\r\n"]),
        (parsers.EofIsClean, b"one\r\ntw", [b"one\r\ntw", b""]),
    ],
)
def test_every_known_kind_of_bug_is_caught(
    parser: type[parsers.Lines], data: bytes, chunks: list[bytes]
) -> None:
    with pytest.raises(CutMatters) as caught:
        check_chunking(parsers.drive(parser), data, errors=(ValueError, EOFError))
    assert caught.value.chunks == chunks
    assert repr(chunks[0]) in str(caught.value)


def test_an_error_in_one_cut_only_is_shown_whatever_it_is() -> None:
    class Fragile:
        def feed(self, chunk: bytes) -> list[int]:
            return [chunk[0]]

    with pytest.raises(CutMatters, match=r"cut    raised IndexError\('index out of range'\)"):
        check_chunking(PushParser(Fragile, Fragile.feed), b"a")


def test_an_error_that_is_no_verdict_on_the_data_comes_out_as_it_is() -> None:
    class Broken:
        def feed(self, chunk: bytes) -> list[bytes]:
            raise KeyError(chunk)

    with pytest.raises(KeyError):
        check_chunking(PushParser(Broken, Broken.feed), b"a")
    outcome = check_chunking(
        PushParser(Broken, lambda parser, chunk: parser.feed(b"x")), b"a", errors=KeyError
    )
    assert [error.args for error in outcome.errors] == [(b"x",)]


def test_errors_of_one_type_with_other_fields_differ() -> None:
    class Offset:
        def feed(self, chunk: bytes) -> list[bytes]:
            if b"!" in chunk:
                raise ValueError("at", chunk.index(b"!"))
            return []

    with pytest.raises(CutMatters) as caught:
        check_chunking(PushParser(Offset, Offset.feed), b"ab!")
    assert "whole  raised ValueError('at', 2)\ncut    raised ValueError('at', 1)" in str(
        caught.value
    )


def test_leftovers_of_a_stopped_parser_include_what_it_was_not_fed() -> None:
    outcome = check_chunking(
        PushParser(parsers.Lines, parsers.Lines.feed, leftovers=lambda lines: lines.buffer),
        b"one\r\n0123456789xyz\r\ntwo",
    )
    assert outcome.messages == [b"one"]
    assert outcome.leftovers == b"0123456789xyz\r\ntwo"


def test_other_leftovers_are_caught() -> None:
    class Hoards:
        def __init__(self) -> None:
            self.kept = b""

        def feed(self, chunk: bytes) -> None:
            self.kept = chunk

    how = PushParser(Hoards, Hoards.feed, leftovers=lambda hoard: hoard.kept)
    with pytest.raises(CutMatters) as caught:
        check_chunking(how, b"ab")
    assert "whole  (end of the data; left over: b'ab')" in str(caught.value)


def test_a_message_that_waits_for_the_end_of_the_stream_is_late() -> None:
    class Late:
        def __init__(self) -> None:
            self.ready: list[bytes] = []

        def feed(self, chunk: bytes) -> list[bytes]:
            if len(chunk) == 3:
                return [chunk]
            self.ready += [chunk] if chunk else []
            return []

        def feed_eof(self) -> list[bytes]:
            return [b"".join(self.ready)] if self.ready else []

    with pytest.raises(CutMatters) as caught:
        check_chunking(PushParser(Late, Late.feed, Late.feed_eof), b"abc")
    assert caught.value.whole.messages == caught.value.cut.messages == [b"abc"]


def test_streamed_pieces_are_normalised() -> None:
    class Upper:
        def feed(self, chunk: bytes) -> list[bytes]:
            return [chunk.upper()]

    how = PushParser(Upper, Upper.feed)
    with pytest.raises(CutMatters):
        check_chunking(how, b"abc")
    assert check_chunking(how, b"abc", normalise=b"".join).messages == [b"ABC"]


def test_normalising_joins_what_an_empty_end_of_the_data_parts() -> None:
    class HoldsOneBack:
        def __init__(self) -> None:
            self.held = b""

        def feed(self, chunk: bytes) -> list[bytes]:
            data = self.held + chunk
            self.held = data[-1:]
            return [data[:-1]]

        def feed_eof(self) -> list[bytes]:
            return [self.held]

        def feed_last(self, chunk: bytes) -> list[bytes]:
            return [self.held + chunk]

    how = PushParser(HoldsOneBack, HoldsOneBack.feed, HoldsOneBack.feed_eof, HoldsOneBack.feed_last)
    check_chunking(how, b"abc", normalise=lambda pieces: [b"".join(pieces)])


def test_the_end_in_one_call_with_the_last_chunk_is_tried() -> None:
    class DropsTheLast:
        def feed(self, chunk: bytes) -> list[bytes]:
            return [chunk[i : i + 1] for i in range(len(chunk))]

        def feed_eof(self) -> None:
            pass

        def feed_last(self, chunk: bytes) -> None:
            pass

    how = PushParser(DropsTheLast, DropsTheLast.feed, DropsTheLast.feed_eof, DropsTheLast.feed_last)
    with pytest.raises(CutMatters) as caught:
        check_chunking(how, b"ab")
    assert caught.value.eof_with_data
    assert caught.value.chunks == [b"ab"]
    assert "2 bytes in 1 chunk, it in one call with the end of the stream:" in str(caught.value)


def test_empty_chunks_are_tried() -> None:
    class EmptyIsTheEnd:
        ended = False

        def feed(self, chunk: bytes) -> list[bytes]:
            self.ended = self.ended or not chunk
            return [] if self.ended else [bytes([byte]) for byte in chunk]

    with pytest.raises(CutMatters) as caught:
        check_chunking(PushParser(EmptyIsTheEnd, EmptyIsTheEnd.feed), b"ab")
    assert caught.value.chunks == [b"", b"ab"]


class Counts:
    """Goes wrong when it was fed a number of chunks of a certain size."""

    size, wrong_at = 2, 3

    def __init__(self) -> None:
        self.count = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        self.count += len(chunk) == self.size
        yield from chunk.decode()
        if self.count == self.wrong_at:
            yield "wrong"
            self.count = 0


@pytest.mark.parametrize("size", [9, 400])
def test_a_cut_of_many_chunks_is_made_smaller(size: int) -> None:
    data = b"abcdefghi" * (size // 9)
    with pytest.raises(CutMatters) as caught:
        check_chunking(PushParser(Counts, Counts.feed), data)
    chunks = caught.value.chunks
    assert b"".join(chunks) == data
    assert sum(len(chunk) == Counts.size for chunk in chunks) == Counts.wrong_at
    assert len(chunks) <= 2 * Counts.wrong_at + 1


def test_random_cuts_find_what_regular_ones_do_not() -> None:
    class Irregular:
        def __init__(self) -> None:
            self.sizes: list[int] = []

        def feed(self, chunk: bytes) -> str:
            self.sizes.append(len(chunk))
            unequal = sum(a != b for a, b in itertools.pairwise(self.sizes[-4:]))
            return chunk.decode() + "wrong" * (unequal == 3 and len(chunk) > 1)

    with pytest.raises(CutMatters):
        check_chunking(PushParser(Irregular, Irregular.feed), b"x" * 40)


def test_the_same_cuts_are_tried_every_time() -> None:
    tried: list[list[bytes]] = []

    def make() -> list[bytes]:
        tried.append([])
        return tried[-1]

    data = bytes(range(40))
    check_chunking(PushParser(make, list[bytes].append), data, cuts=20)
    first = list(tried)
    tried.clear()
    check_chunking(PushParser(make, list[bytes].append), data, cuts=20)
    assert tried == first
    assert [data] in tried
    assert [bytes([byte]) for byte in data] in tried
    assert sum(len(chunks) == 2 for chunks in tried) >= 20


def test_every_way_is_tried_of_few_bytes() -> None:
    tried: list[list[bytes]] = []

    def make() -> list[bytes]:
        tried.append([])
        return tried[-1]

    check_chunking(PushParser(make, list[bytes].append), b"abcdef")
    assert len({tuple(chunks) for chunks in tried if all(chunks)}) == 2**5


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"0123456789"]), max_size=8))
def test_it_works_inside_of_a_property(pieces: list[bytes]) -> None:
    check_chunking(parsers.drive(parsers.Lines), b"".join(pieces), errors=(ValueError, EOFError))


def test_messages_without_equality_are_compared_by_their_fields() -> None:
    class Message:
        def __init__(self, text: bytes) -> None:
            self.text = text
            self.again = self

    class Gives:
        def feed(self, chunk: bytes) -> list[Message]:
            return [Message(chunk[i : i + 1]) for i in range(len(chunk))]

    class GivesChunks:
        def feed(self, chunk: bytes) -> list[Message]:
            return [Message(chunk[i : i + 1] + chunk[:1]) for i in range(len(chunk))]

    check_chunking(PushParser(Gives, Gives.feed), b"abc")
    with pytest.raises(CutMatters):
        check_chunking(PushParser(GivesChunks, GivesChunks.feed), b"abc")


def test_errors_inside_of_messages_are_compared_by_their_fields() -> None:
    @dataclass
    class Message:
        error: ValueError
        number: float = nan

    class Gives:
        def feed(self, chunk: bytes) -> list[Message]:
            return [Message(ValueError(byte)) for byte in chunk]

    class GivesChunks:
        def feed(self, chunk: bytes) -> list[Message]:
            return [Message(ValueError(len(chunk)))]

    check_chunking(PushParser(Gives, Gives.feed), b"abc")
    with pytest.raises(CutMatters):
        check_chunking(PushParser(GivesChunks, GivesChunks.feed), b"abc")


def test_not_a_number_is_the_same_as_itself() -> None:
    class Floats:
        def feed(self, chunk: bytes) -> list[float]:
            return [float("nan") for _ in chunk]

    check_chunking(PushParser(Floats, Floats.feed), b"abc")


@pytest.mark.parametrize(
    ("parse", "got"), [(b"x", "bytes"), (list, "a callable that makes list"), (None, "NoneType")]
)
def test_what_is_no_parser_is_refused(parse: object, got: str) -> None:
    with pytest.raises(TypeError, match=rf"^expected a grammar, a Chat class, .*, got {got}$"):
        check_chunking(parse, b"")  # type: ignore[arg-type]


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^expected cuts to be 1 or more, got 0$"):
        check_chunking(line, b"", cuts=0)
    with pytest.raises(TypeError, match=r"^expected bytes-like data, got str$"):
        check_chunking(line, "text")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^expected leftovers"):
        PushParser(list, list.append, goes_on=True)
    with pytest.raises(ValueError, match=r"^expected feed_eof"):
        PushParser(list, list.append, feed_last=list.append)


def test_the_kit_imports_neither_hypothesis_nor_pytest_nor_a_loop() -> None:
    code = (
        "import sys, termsplit.testing\n"
        "def line(): return (yield b'\\n')\n"
        "termsplit.testing.check_chunking(line, b'a\\nb\\n')\n"
        "print(*sorted({'hypothesis', 'pytest', 'asyncio', 'socket', 'threading'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
