"""``termsplit trace``, as its user sees it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from termsplit import Chat, Connection, Limited, RecordTooLong
from termsplit.__main__ import main
from termsplit._cli.painter import MARKS, Painter, Row
from termsplit._cli.trace import trace_capture, trace_recording
from termsplit.testing import record
from termsplit.testing._entries import Entry, read_recording

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """The recording of a chat with two kinds of terminators, cut where it hurts."""

    class Server(Chat):
        too_long = "skip"

        def __init__(self) -> None:
            super().__init__(Limited(b"\r\n", 9))
            self.line = b""

        def collect_incoming_data(self, data: bytes) -> None:
            self.line += data

        def record_skipped(self, size: int) -> None:
            self.line = b""

        def found_terminator(self) -> None:
            self.push(b"> " + self.line + b"\n")
            self.set_terminator(3 if self.line == b"GET 3" else Limited(b"\r\n", 9))
            self.line = b""

    path = tmp_path / "session.jsonl"
    server = Server()
    with path.open("w") as file:
        record(server.connection, file)
        for chunk in (b"HELO\r", b"\nGET", b" 3\r\n", b"a\x00\xff", b"much too ", b"long\r\nQ"):
            server.feed(chunk)
            if chunk != b"\nGET":
                while data := server.connection.data_to_send():
                    server.connection.data_sent(len(data))
        server.feed_eof()
    return path


PICTURE = """\
--            terminator Limited(b'\\r\\n', 9)
in         0  HELO⟨\\r│\\n⟩
in         6  GET│ 3⟨\\r\\n⟩
--            terminator 3
out        0  > HELO\\n> GET 3\\n
in        13  │a\\x00\\xff⟨3 bytes⟩
--            terminator Limited(b'\\r\\n', 9)
out       15  > a\\x00\\xff\\n
in        16  │much too │long\\r\\n
!!            a record of 13 bytes was passed over
in        31  Q
--            end of the stream, within a record
--            to be closed when all is sent
"""


def test_a_recording_is_drawn(session: Path, capsys: Capture) -> None:
    assert main(["trace", str(session)]) == 0
    assert capsys.readouterr() == (PICTURE, "")


def test_a_capture_is_drawn(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "capture"
    path.write_bytes(b"one\r\ntwo\n\nthree")
    assert main(["trace", str(path), "--terminator", r"\r\n", "--terminator", r"\n"]) == 0
    assert capsys.readouterr().out == (
        "       0  one⟨\\r\\n⟩\n"
        "       5  two⟨\\n⟩\n"
        "       9  ⟨\\n⟩\n"
        "      10  three\n"
        "          15 bytes: 3 records, and the beginning of another\n"
    )


def test_a_terminator_is_written_with_escapes(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "capture"
    path.write_bytes("a\x00b\xfe".encode("latin-1") + "cü".encode())
    assert main(["trace", str(path), "--terminator", r"\xfe"]) == 0
    assert capsys.readouterr().out.startswith("       0  a\\x00b⟨\\xfe⟩\n")
    assert main(["trace", str(path), "--terminator", "ü"]) == 0
    assert capsys.readouterr().out.startswith("       0  a\\x00b\\xfec⟨\\xc3\\xbc⟩\n")


@pytest.mark.parametrize("terminator", ["", "\\", r"\q", r"\u1234"])
def test_a_bad_terminator_is_refused(terminator: str, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["trace", "capture", "--terminator", terminator])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("termsplit trace: argument --terminator: expected ")


def test_a_file_that_can_not_be_read_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    missing = tmp_path / "missing"
    assert main(["trace", str(missing)]) == 2
    assert capsys.readouterr().err == f"termsplit trace: {missing}: No such file or directory\n"
    assert main(["trace", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"termsplit trace: {tmp_path}: Is a directory\n"


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n", b"\xff\xfe", b'{"what": "sent"}\n'])
def test_what_is_no_recording_wants_a_terminator(
    data: bytes, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "capture"
    path.write_bytes(data)
    assert main(["trace", str(path)]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    (line,) = error.splitlines()
    assert line.startswith(f"termsplit trace: {path}: ")
    assert line.endswith("; of other bytes, give a --terminator")


def test_a_recording_cut_off_is_drawn_as_far_as_it_goes(session: Path, capsys: Capture) -> None:
    session.write_bytes(session.read_bytes()[:-5])
    assert main(["trace", str(session)]) == 2
    out, error = capsys.readouterr()
    assert PICTURE.startswith(out)
    assert len(out) > 300
    assert "expected JSON, got" in error


def test_an_encoding_without_the_marks_gets_others(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", file)
    assert main(["trace", str(session)]) == 0
    file.seek(0)
    assert "in         0  HELO<\\r|\\n>\n" in file.read()


def test_a_reader_that_has_seen_enough_is_no_error(session: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "termsplit", "trace", str(session)],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that shows colours, whatever the tests run in."""
    pytest.importorskip("rich")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.usefixtures("terminal")
def test_a_terminal_gets_colours_and_a_progress_bar(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["trace", str(session)]) == 0
    shown = screen.getvalue()
    assert "HELO\x1b[1;36m⟨\x1b[0m\x1b[1;36m\\r\x1b[0m\x1b[1;33m│\x1b[0m" in shown
    assert "100%" in shown


@pytest.mark.usefixtures("terminal")
def test_beside_a_pipe_the_progress_bar_goes_to_the_terminal(
    session: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    assert main(["trace", str(session)]) == 0
    assert capsys.readouterr().out == PICTURE
    assert "100%" in screen.getvalue()
    assert "HELO" not in screen.getvalue()


@pytest.mark.parametrize("why", ["asked for", "no rich"])
def test_plain_text_on_a_terminal(why: str, session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "100")
    arguments = ["trace", str(session)]
    if why == "asked for":
        arguments.append("--plain")
    else:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    assert main(arguments) == 0
    assert screen.getvalue() == PICTURE


class Rows:
    """What a painter has written."""

    def __init__(self, width: int = 20) -> None:
        self.rows: list[Row] = []
        self.painter = Painter(self.rows.append, width, MARKS)

    def text(self) -> list[str]:
        return [
            " ".join((row.side, str(row.offset), "".join(run.text for run in row.runs)))
            for row in self.rows
        ]


def test_long_records_take_rows_with_offsets_of_their_own() -> None:
    drawn = Rows(10)
    trace_capture([b"0123456789abc\x00\xff\r\n;;" + 9 * b"x" + b";"], b";", drawn.painter)
    assert drawn.text() == [
        "in 0 0123456789",
        "in 10 abc\\x00",
        "in 14 \\xff\\r\\n⟨;⟩",
        "in 18 ⟨;⟩",
        "in 19 xxxxxxxxx⟨;⟩",
        "-- None 29 bytes: 3 records",
    ]


def test_a_terminator_is_not_torn() -> None:
    drawn = Rows(10)
    trace_capture([b"01234567\r\n\r\n"], b"\r\n\r\n", drawn.painter)
    assert drawn.text()[:2] == ["in 0 01234567", "in 8 ⟨\\r\\n\\r\\n⟩"]


def test_the_least_width_has_room_for_any_byte() -> None:
    drawn = Rows(-5)
    trace_capture([b"a\x00;"], b";", drawn.painter)
    assert drawn.text()[:3] == ["in 0 a", "in 1 \\x00", "in 2 ⟨;⟩"]


def test_the_reading_of_a_capture_is_no_cut() -> None:
    drawn = Rows()
    trace_capture([b"on", b"e;t", b"wo"], b";", drawn.painter)
    assert drawn.text() == [
        "in 0 one⟨;⟩",
        "in 4 two",
        "-- None 7 bytes: 1 record, and the beginning of another",
    ]


def recorded(*entries: Entry) -> list[str]:
    drawn = Rows()
    header = {"what": "recording", "offset": 0, "terminator": "\n", "max_size": None}
    trace_recording([header, *entries], drawn.painter)
    assert drawn.text()[0] == "-- None terminator b'\\n'"
    return drawn.text()[1:]


def test_what_was_not_taken_is_drawn_at_the_end() -> None:
    assert recorded({"what": "received", "offset": 0, "data": "ab"}) == ["in 0 ab"]
    assert recorded(
        {"what": "received", "offset": 0, "data": "ab"}, {"what": "eof", "offset": 2}
    ) == ["in 0 ab", "-- None end of the stream"]


def test_a_record_that_the_end_of_the_stream_completes() -> None:
    assert recorded(
        {"what": "terminator", "offset": 0, "terminator": None},
        {"what": "received", "offset": 0, "data": "ab"},
        {"what": "eof", "offset": 2},
        {"what": "record", "offset": 0, "size": 2, "end": 2},
    ) == ["-- None terminator None", "in 0 ab⟨end⟩", "-- None end of the stream"]


def test_other_things_that_happen() -> None:
    assert recorded(
        {"what": "received", "offset": 0, "data": "abcd"},
        {"what": "error", "offset": 0, "error": "E", "message": "too\x1b[31m long"},
        {"what": "record", "offset": 1, "size": 1, "end": 3},
        {"what": "detached", "offset": 3, "size": 1},
        {"what": "pushed", "size": 3},
        {"what": "failed", "offset": 0, "error": "OSError", "message": "gone"},
        {"what": "discarded"},
        {"what": "waiting", "offset": 4},
    ) == [
        "!! None E: too\\x1b[31m long",
        "in 0 ab⟨c⟩",
        "in 3 d",
        "-- None 1 bytes were handed over",
        "!! None OSError: gone",
        "-- None what was queued was dropped",
    ]


def test_a_long_record_is_drawn_before_it_is_complete() -> None:
    """Memory is bounded: a record of any length is drawn while it comes in."""
    drawn = Rows(1000)
    size = 50_000

    def entries() -> Iterator[Entry]:
        yield {"what": "recording", "offset": 0, "terminator": "\r\n", "max_size": None}
        for number in range(20):
            yield {"what": "received", "offset": number * size, "data": size * "x"}
            assert (
                sum(len(run.text) for row in drawn.rows for run in row.runs) > (number - 2) * size
            )
        yield {"what": "received", "offset": 20 * size, "data": "\r\n"}
        yield {"what": "record", "offset": 0, "size": 20 * size, "end": 20 * size + 2}

    trace_recording(entries(), drawn.painter)
    assert drawn.text()[-1] == "in 1000000 ⟨│\\r\\n⟩"


def test_an_error_is_drawn_where_it_was_raised() -> None:
    connection = Connection(b";", max_size=3)
    file = io.StringIO()
    record(connection, file)
    connection.receive_data(b"ok;too long;ok;")
    with pytest.raises(RecordTooLong):
        list(connection.records())
    assert list(connection.records()) == [b"ok"]
    drawn = Rows(40)
    trace_recording(read_recording(file.getvalue().splitlines()), drawn.painter)
    assert drawn.text() == [
        "-- None terminator b';'",
        "in 0 ok⟨;⟩",
        "!! None RecordTooLong: expected a record of at most 3 bytes, got a longer one at offset 3",
        "in 3 too long;ok⟨;⟩",
    ]
    kinds = [run.kind for run in drawn.rows[-1].runs]
    assert kinds == ["passed", "data", "terminator", "terminator", "terminator"]
