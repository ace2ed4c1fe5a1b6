"""An SMTP sink on asyncore and asynchat: takes all mail for everyone, and puts it into a Maildir.

    python smtp_sink_asynchat.py 8025 /tmp/mail

Only the import of asynchat has changed since Python 3.11.
"""

from __future__ import annotations

import asyncore
import mailbox
import re
import socket
import sys
import time
import traceback
from typing import Any

from termsplit import asynchat

LONGEST_LINE = 2_000
LARGEST_MESSAGE = 10_000_000
SESSION_SECONDS = 300
PATH = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>(?:\s.*)?", re.IGNORECASE)


class Session(asynchat.async_chat):
    def __init__(
        self, sock: socket.socket, channels: dict[int, Any], maildir: mailbox.Maildir
    ) -> None:
        super().__init__(sock, channels)
        self.maildir = maildir
        self.deadline = time.monotonic() + SESSION_SECONDS
        self.line_size = 0
        self.greeted = False
        self.reset()
        self.set_terminator(b"\r\n")
        self.reply("220 sink ESMTP")

    def reset(self) -> None:
        self.sender: str | None = None
        self.recipients: list[str] = []
        self.text: list[bytes] | None = None  # the lines of the message, while they come
        self.text_size = 0
        self.refusal = ""

    def reply(self, text: str) -> None:
        self.push(text.encode("ascii") + b"\r\n")

    def collect_incoming_data(self, data: bytes) -> None:
        self.line_size += len(data)
        if self.line_size <= LONGEST_LINE:
            self._collect_incoming_data(data)

    def found_terminator(self) -> None:
        line, size = self._get_data(), self.line_size
        self.line_size = 0
        if size > LONGEST_LINE:
            flaw = "500 line too long"
        elif b"\r" in line or b"\n" in line:
            # What some take for the end of a line, and others not, smuggles a second message into the first.
            flaw = "554 bare CR or LF"
        else:
            flaw = ""
        if self.text is not None:
            self.take_text(self.text, line, flaw)
        elif flaw:
            self.reply(flaw)
        else:
            self.obey(line)

    def take_text(self, text: list[bytes], line: bytes, flaw: str) -> None:
        # Line by line, and not up to b"\r\n.\r\n", which does not see the end of an empty message: the first
        # line end of that belongs to the DATA command.
        if line == b"." and not flaw:
            refusal = self.refusal
            if not refusal:
                self.deliver(text)
            self.reset()
            self.reply(refusal or "250 delivered")
            return
        self.text_size += len(line)
        if self.text_size > LARGEST_MESSAGE:
            flaw = "552 message too large"
        self.refusal = self.refusal or flaw
        if self.refusal:
            text.clear()
        else:
            text.append(line[1:] if line.startswith(b".") else line)

    def deliver(self, text: list[bytes]) -> None:
        envelope = [f"X-MailFrom: {self.sender}", f"X-RcptTo: {', '.join(self.recipients)}"]
        self.maildir.add(b"\n".join([*(line.encode() for line in envelope), *text, b""]))

    def obey(self, line: bytes) -> None:
        verb, _, argument = line.decode("utf-8", "replace").partition(" ")
        command = getattr(self, "smtp_" + verb.lower(), None)
        if command is None:
            self.reply("500 no such command")
        else:
            command(argument.strip())

    def smtp_helo(self, name: str) -> None:
        self.greeted = True
        self.reset()
        self.reply("250 sink")

    def smtp_ehlo(self, name: str) -> None:
        self.greeted = True
        self.reset()
        for line in ("250-sink", f"250-SIZE {LARGEST_MESSAGE}", "250-8BITMIME"):
            self.reply(line)
        self.reply("250 PIPELINING")

    def smtp_mail(self, argument: str) -> None:
        path = PATH.fullmatch(argument)
        if not self.greeted or self.sender is not None:
            self.reply("503 bad sequence of commands")
        elif path is None:
            self.reply("501 expected MAIL FROM:<address>")
        else:
            self.sender = path[1]
            self.reply("250 ok")

    def smtp_rcpt(self, argument: str) -> None:
        path = PATH.fullmatch(argument)
        if self.sender is None:
            self.reply("503 bad sequence of commands")
        elif path is None:
            self.reply("501 expected RCPT TO:<address>")
        else:
            self.recipients.append(path[1])
            self.reply("250 ok")

    def smtp_data(self, argument: str) -> None:
        if not self.recipients:
            self.reply("503 bad sequence of commands")
        else:
            self.text = []
            self.reply("354 go on, and end with a line that is a dot")

    def smtp_rset(self, argument: str) -> None:
        self.reset()
        self.reply("250 ok")

    def smtp_noop(self, argument: str) -> None:
        self.reply("250 ok")

    def smtp_quit(self, argument: str) -> None:
        self.reply("221 bye")
        self.close_when_done()

    def handle_error(self) -> None:
        traceback.print_exc()
        self.close()


class Listener(asyncore.dispatcher):
    def __init__(self, port: int, maildir: mailbox.Maildir, channels: dict[int, Any]) -> None:
        super().__init__(map=channels)
        self.channels = channels
        self.maildir = maildir
        self.create_socket()
        assert self.socket is not None
        self.set_reuse_addr()
        self.bind(("127.0.0.1", port))
        self.listen(100)
        self.port = self.socket.getsockname()[1]

    def handle_accepted(self, sock: socket.socket, addr: Any) -> None:
        Session(sock, self.channels, self.maildir)


def main(port: int, directory: str) -> None:
    channels: dict[int, Any] = {}
    listener = Listener(port, mailbox.Maildir(directory), channels)
    print("listening on port", listener.port, flush=True)
    while True:
        asyncore.loop(timeout=1, use_poll=True, map=channels, count=1)
        now = time.monotonic()
        for channel in list(channels.values()):
            if isinstance(channel, Session) and channel.deadline < now:
                channel.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
