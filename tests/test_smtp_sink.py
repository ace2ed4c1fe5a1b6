"""The SMTP sinks in examples/, the same program at three steps of its way, spoken to over real sockets."""

from __future__ import annotations

import email
import importlib.util
import mailbox
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PROGRAMS = ["smtp_sink_asynchat", "smtp_sink_chat", "smtp_sink_grammar"]


class Sink:
    def __init__(self, program: str, directory: Path) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLES / f"{program}.py", "0", directory],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(" ")[2])

    def messages(self) -> list[bytes]:
        """What is in the Maildir, in any order."""
        maildir = mailbox.Maildir(self.directory, create=False)
        return sorted(maildir.get_bytes(key) for key in maildir.iterkeys())

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname="test", timeout=30)

    def talk(self, *pieces: bytes) -> list[bytes]:
        """Send the pieces, a packet each, and return the replies up to the end of the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                sock.sendall(piece)
            with sock.makefile("rb") as replies:
                return [line.rstrip(b"\r\n") for line in replies]


@pytest.fixture(scope="module", params=PROGRAMS)
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sink]:
    if request.param == "smtp_sink_asynchat" and importlib.util.find_spec("asyncore") is None:
        pytest.skip("needs asyncore")
    sink = Sink(request.param, tmp_path_factory.mktemp(request.param) / "mail")
    with sink.process:
        yield sink
        assert sink.process.poll() is None
        sink.process.terminate()


@pytest.fixture
def sink(running: Sink) -> Sink:
    mailbox.Maildir(running.directory, create=False).clear()
    return running


ENVELOPE = b"EHLO test\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
HEAD = b"X-MailFrom: a@example.org\nX-RcptTo: b@example.org\n"
QUIT = b"QUIT\r\n"


def test_smtplib_delivers(sink: Sink) -> None:
    message = EmailMessage()
    message["Subject"] = "dots"
    message["From"] = "a@example.org"
    message["To"] = "b@example.org, c@example.org"
    message.set_content(".\n..\n.leading\n\nin.side.\n.")
    with sink.smtp() as smtp:
        assert smtp.send_message(message) == {}
        assert smtp.has_extn("pipelining")
        smtp.send_message(message)
    first, second = sink.messages()
    assert first == second
    received = email.message_from_bytes(first)
    assert received["X-MailFrom"] == "a@example.org"
    assert received["X-RcptTo"] == "b@example.org, c@example.org"
    assert received["Subject"] == "dots"
    assert received.get_payload() == ".\n..\n.leading\n\nin.side.\n.\n"


def test_a_message_may_be_empty(sink: Sink) -> None:
    with sink.smtp() as smtp:
        smtp.sendmail("a@example.org", ["b@example.org"], b"")
    replies = sink.talk(ENVELOPE, b".\r\n" + QUIT)
    assert replies[-3:] == [
        b"354 go on, and end with a line that is a dot",
        b"250 delivered",
        b"221 bye",
    ]
    # smtplib ends even an empty text with a line end of its own.
    assert sink.messages() == [HEAD, HEAD + b"\n"]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_session_may_come_in_pieces_of_any_size(sink: Sink, size: int) -> None:
    session = ENVELOPE + b"Subject: x\r\n\r\n..\r\n.\r\nRSET\r\nNOOP\r\n" + QUIT
    replies = sink.talk(*(session[i : i + size] for i in range(0, len(session), size)))
    assert [reply[:3] for reply in replies] == [
        *([b"220"] + [b"250"] * 6 + [b"354"]),
        *(b"250", b"250", b"250", b"221"),
    ]
    assert sink.messages() == [HEAD + b"Subject: x\n\n.\n"]


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r.\r", b"\r\n.\n", b"\n.\r\n", b"\r\n.\r", b"\r.\r\n"]
)
def test_a_second_message_cannot_be_smuggled_into_the_first(sink: Sink, end: bytes) -> None:
    smuggled = b"MAIL FROM:<admin@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nhello"
    replies = sink.talk(ENVELOPE + b"text" + end + smuggled + b"\r\n.\r\n" + QUIT)
    assert replies[-2:] == [b"554 bare CR or LF", b"221 bye"]
    assert [reply[:3] for reply in replies].count(b"354") == 1
    assert sink.messages() == []


@pytest.mark.parametrize("command", [b"NOOP\nNOOP", b"NO\rOP", b"\nNOOP"])
def test_a_bare_cr_or_lf_in_a_command_is_refused(sink: Sink, command: bytes) -> None:
    assert sink.talk(command + b"\r\n" + QUIT)[1:] == [b"554 bare CR or LF", b"221 bye"]


def test_a_line_too_long_is_refused_and_the_session_goes_on(sink: Sink) -> None:
    long = b"x" * 2_001
    replies = sink.talk(long + b"\r\n" + ENVELOPE + long + b"\r\nshort\r\n.\r\n" + QUIT)
    assert replies[1] == b"500 line too long"
    assert replies[-2:] == [b"500 line too long", b"221 bye"]
    assert sink.messages() == []


def test_a_message_too_large_is_refused(sink: Sink) -> None:
    text = (b"x" * 1_998 + b"\r\n") * 5_010
    assert sink.talk(ENVELOPE, text, b".\r\n" + QUIT)[-2:] == [
        b"552 message too large",
        b"221 bye",
    ]
    assert sink.messages() == []


def test_commands_out_of_order_are_refused(sink: Sink) -> None:
    with sink.smtp() as smtp:
        assert smtp.docmd("MAIL", "FROM:<a@example.org>")[0] == 503
        assert smtp.docmd("RCPT", "TO:<b@example.org>")[0] == 503
        assert smtp.docmd("DATA")[0] == 503
        assert smtp.docmd("helo", "test")[0] == 250
        assert smtp.docmd("MAIL", "TO WHOM")[0] == 501
        assert smtp.docmd("mail", "from:<a@example.org> size=10")[0] == 250
        assert smtp.docmd("MAIL", "FROM:<a@example.org>")[0] == 503
        assert smtp.docmd("RCPT", "b@example.org")[0] == 501
        assert smtp.docmd("DATA")[0] == 503
        assert smtp.rset()[0] == 250
        assert smtp.docmd("RCPT", "TO:<b@example.org>")[0] == 503
        assert smtp.docmd("reset")[0] == 500
        assert smtp.noop()[0] == 250


def test_a_client_that_hangs_up_harms_nobody_else(sink: Sink) -> None:
    with sink.smtp() as smtp:
        for text in (b"MAIL", ENVELOPE + b"tex"):
            with socket.create_connection(("127.0.0.1", sink.port), timeout=30) as sock:
                sock.recv(100)
                sock.sendall(text)
        assert smtp.noop()[0] == 250
    assert sink.messages() == []
