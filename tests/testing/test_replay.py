from __future__ import annotations

import io
from typing import Any

import pytest

from termsplit import Chat, Connection, Limited, MalformedRecord, Parse, Parser, RemoteProtocolError
from termsplit.testing import ReplayDiffers, record, replay


def lines() -> Parse[bytes]:
    return (yield b"\n")


def recorded(parser: Parser[Any], *chunks: bytes, eof: bool = True) -> list[str]:
    """The recording of a parser that goes on after errors."""
    file = io.StringIO()
    record(parser.splitter, file)
    for chunk in chunks:
        parser.receive_data(chunk)
        take(parser)
    if eof:
        parser.receive_eof()
        take(parser)
    return file.getvalue().splitlines()


def take(parser: Parser[Any]) -> None:
    for _ in range(9):
        try:
            for _ in parser.messages():
                pass
        except RemoteProtocolError:
            continue
        return


def talked(chat: Chat, *chunks: bytes, eof: bool = True) -> list[str]:
    """The recording of a chat whose output is sent in pieces of three bytes."""
    file = io.StringIO()
    record(chat.connection, file)
    for chunk in chunks:
        chat.feed(chunk)
        while data := chat.connection.data_to_send(3):
            chat.connection.data_sent(len(data))
    if eof:
        chat.feed_eof()
    return file.getvalue().splitlines()


class Upper(Chat):
    """Says each line again, in capitals."""

    greeting = b"hello\n"
    terminator = b"\n"

    def __init__(self) -> None:
        super().__init__(self.terminator)
        self.line = b""
        self.push(self.greeting)

    def collect_incoming_data(self, data: bytes) -> None:
        self.line += data

    def found_terminator(self) -> None:
        self.push(self.line.upper() + b"\n")
        self.line = b""


def differs(parse: Any, recording: list[str]) -> str:
    with pytest.raises(ReplayDiffers) as caught:
        replay(parse, recording)
    first, *rest = str(caught.value).splitlines()
    assert first == f"the replay differs from line {caught.value.line} of the recording"
    return "\n".join(" ".join(line.split()) for line in rest)


@pytest.mark.parametrize("chunks", [[b"one\ntwo\n", b"\nthr"], [], [b"\n"]])
@pytest.mark.parametrize("eof", [True, False])
def test_the_same_grammar_does_the_same(chunks: list[bytes], eof: bool) -> None:
    replay(lines, recorded(Parser(lines), *chunks, eof=eof))
    replay(lambda: Parser(lines), recorded(Parser(lines), *chunks, eof=eof))


def test_the_same_chat_says_the_same() -> None:
    replay(Upper, talked(Upper(), b"one\ntwo\n", b"\nthr"))
    replay(Upper, talked(Upper(), b"one\ntwo\n", b"\nthr", eof=False))


def test_a_record_of_another_length_is_a_difference() -> None:
    def counted() -> Parse[bytes]:
        return (yield int((yield b":")))

    def wrongly_counted() -> Parse[bytes]:
        return (yield int((yield b":")) + 1)

    recording = recorded(Parser(counted), b"3:abc", b"2:", b"xy1:z")
    assert differs(wrongly_counted, recording) == (
        "recorded terminator 3 at offset 2\nreplayed terminator 4 at offset 2"
    )


def test_a_record_that_is_not_seen_any_more_is_a_difference() -> None:
    def crlf_lines() -> Parse[bytes]:
        return (yield b"\r\n")

    recording = recorded(Parser(lines, Connection(b"\n")), b"one\ntwo\n")
    assert differs(lambda: Parser(crlf_lines, Connection(b"\n")), recording) == (
        "recorded terminator b'\\n' at offset 0\nreplayed terminator b'\\r\\n' at offset 0"
    )


def test_a_message_refused_now_is_the_cause() -> None:
    def careless() -> Parse[bytes]:
        return (yield len((yield b"\n")))

    def careful() -> Parse[bytes]:
        line = yield b"\n"
        if line == b"two":
            raise MalformedRecord("another", line)
        return (yield len(line))

    recording = recorded(Parser(careless), b"one\n123", b"two\n123one\n123")
    with pytest.raises(ReplayDiffers) as caught:
        replay(careful, recording)
    assert str(caught.value).endswith(
        "recorded  terminator 3 at offset 11\n"
        "  replayed  a record of 6 bytes at offset 11, which ends at 18: b'123one'"
    )
    assert str(caught.value.__cause__) == "expected another, got b'two' at offset 7"


def test_less_than_was_recorded_is_a_difference_and_says_what_was_raised() -> None:
    def anything() -> Parse[None]:
        yield b"\n"
        yield b";"

    def no_two() -> Parse[None]:
        if (yield b"\n") == b"two":
            raise ZeroDivisionError("two")
        yield b";"

    assert differs(no_two, recorded(Parser(anything), b"one\n;two\n", b";", eof=False)) == (
        "recorded terminator b';' at offset 9\n"
        "replayed nothing more; it raised ZeroDivisionError('two')"
    )


def test_more_than_was_recorded_is_a_difference() -> None:
    recording = recorded(Parser(lines), b"one\n", eof=False)
    more = [*recording[:2], recording[1].replace("0", "4"), *recording[2:]]
    assert differs(lines, more) == (
        "recorded nothing more\nreplayed a record of 3 bytes at offset 4, which ends at 8: b'one'"
    )


def test_what_the_program_left_untaken_does_not_count() -> None:
    file = io.StringIO()
    parser = Parser(lines)
    record(parser.splitter, file)
    for message in parser.feed(b"one\nquit\nthree\n"):
        if message == b"quit":
            break
    replay(lines, file.getvalue().splitlines())


def test_errors_are_compared() -> None:
    def short_lines() -> Parse[bytes]:
        return (yield Limited(b"\n", 4))

    recording = recorded(Parser(short_lines), b"ok\nmuch too long", b"\nok\nok")
    replay(short_lines, recording)
    longer = [line.replace('"max_size": 4', '"max_size": 5') for line in recording]
    assert differs(short_lines, longer).startswith("recorded terminator Limited(b'\\n', 5)")
    elsewhere = [line.replace('"error", "offset": 3', '"error", "offset": 2') for line in recording]
    assert differs(short_lines, elsewhere) == (
        "recorded RecordTooLong: expected a record of at most 4 bytes, got a longer one at offset 3\n"
        "replayed RecordTooLong: expected a record of at most 4 bytes, got a longer one at offset 3"
    )


def test_records_passed_over_are_compared() -> None:
    def parser() -> Parser[Any]:
        return Parser(lines, Connection(max_size=3), too_long="skip")

    recording = recorded(parser(), b"one\nthree\nsix\n")
    replay(parser, recording)
    other = [line.replace('"skipped", "size": 5', '"skipped", "size": 4') for line in recording]
    assert differs(parser, other) == (
        "recorded a record of 4 bytes passed over, up to offset 10\n"
        "replayed a record of 5 bytes passed over, up to offset 10"
    )


def test_the_limit_of_the_recorded_connection_is_that_of_the_replay() -> None:
    replay(lines, recorded(Parser(lines, Connection(max_size=2)), b"ab\nabc\nd\n"))


def test_a_recording_that_began_in_the_middle_keeps_its_offsets() -> None:
    connection = Connection(b"\n")
    connection.receive_data(b"head\none\n")
    connection.next_record()
    recording = recorded(Parser(lines, connection), b"two\n")
    replay(lines, recording)
    with pytest.raises(ReplayDiffers, match="at offset 5"):
        replay(lines, [line.replace("one", "oneone") for line in recording])


def test_other_output_is_a_difference() -> None:
    class Lower(Upper):
        def found_terminator(self) -> None:
            self.push(self.line.lower() + b"\n")
            self.line = b""

    assert differs(Lower, talked(Upper(), b"123abc\n")) == (
        "recorded sent b'ABC' at offset 9\nreplayed sent b'abc' at offset 9"
    )


def test_no_output_is_a_difference() -> None:
    class Silent(Upper):
        def found_terminator(self) -> None:
            self.line = b""

    assert differs(Silent, talked(Upper(), b"abc\n")) == (
        "recorded sent b'ABC' at offset 6\nreplayed nothing sent at offset 6"
    )


def test_more_output_is_a_difference() -> None:
    class Talkative(Upper):
        def found_terminator(self) -> None:
            super().found_terminator()
            if self.connection.offset == 8:
                self.push(b"more")

    assert differs(Talkative, talked(Upper(), b"abc\nabc\n")) == (
        "recorded 8 bytes pushed in all\nreplayed 12 bytes pushed in all"
    )


def test_output_that_was_not_sent_yet_does_not_count() -> None:
    chat = Upper()
    file = io.StringIO()
    record(chat.connection, file)
    chat.feed(b"abc\n")
    replay(Upper, file.getvalue().splitlines())


def test_another_first_terminator_is_a_difference() -> None:
    class Crlf(Upper):
        terminator = b"\r\n"

    assert differs(Crlf, talked(Upper(), b"abc\r\n")).startswith("recorded terminator b'\\n' at ")


def test_a_chat_that_hangs_up_earlier_is_a_difference() -> None:
    class Impatient(Upper):
        def eof_received(self, clean: bool) -> None:
            pass

    assert (
        differs(Impatient, talked(Upper(), b"abc"))
        == "recorded close_when_done()\nreplayed nothing more"
    )
    assert (
        differs(Upper, talked(Impatient(), b"abc"))
        == "recorded nothing more\nreplayed close_when_done()"
    )


def test_the_end_is_compared() -> None:
    recording = talked(Upper(), b"abc")
    other = [line.replace('"clean": false', '"clean": true') for line in recording]
    assert differs(Upper, other) == (
        "recorded the end of the stream, clean\nreplayed the end of the stream, in a record"
    )


def test_what_a_callback_raises_is_the_cause() -> None:
    class Broken(Upper):
        def found_terminator(self) -> None:
            raise ZeroDivisionError("broken")

    recording = talked(Upper(), b"abc\n")
    with pytest.raises(ReplayDiffers) as caught:
        replay(Broken, recording)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_producer_that_fails_now_is_the_cause() -> None:
    class Producing(Upper):
        def found_terminator(self) -> None:
            self.push_producer(1 // 0 for _ in "x")  # type: ignore[misc]

    with pytest.raises(ReplayDiffers, match="nothing sent at offset 6") as caught:
        replay(Producing, talked(Upper(), b"abc\n", eof=False))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_long_data_is_shown_in_part() -> None:
    recording = recorded(Parser(lines), 100 * b"x" + b"\n")
    other = [line.replace('"size": 100', '"size": 99') for line in recording]
    assert f"{40 * b'x'!r} and more" in differs(lines, other)


def test_what_can_not_be_replayed_is_refused() -> None:
    recording = recorded(Parser(lines))
    with pytest.raises(TypeError, match=r"makes a Chat or a Parser, got .* int"):
        replay(int, recording)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="line 1: expected JSON"):
        replay(lines, ["GET / HTTP/1.1"])
