"""An SMTP sink on asyncio and a Chat: takes all mail for everyone, and puts it into a Maildir.

    python smtp_sink_chat.py 8025 /tmp/mail

The commands are those of smtp_sink_asynchat.py; the constructor, what is too long, the server and its clock are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import mailbox
import re
import sys

from termsplit import Chat, Limited
from termsplit.backends.asyncio import ChatStream, run, serve

LONGEST_LINE = 2_000
LARGEST_MESSAGE = 10_000_000
SESSION_SECONDS = 300
PATH = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>(?:\s.*)?", re.IGNORECASE)


class Session(Chat):
    too_long = "skip"

    def __init__(self, maildir: mailbox.Maildir) -> None:
        super().__init__(Limited(b"\r\n", LONGEST_LINE))
        self.maildir = maildir
        self.line: list[bytes] = []
        self.greeted = False
        self.reset()
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
        self.line.append(data)

    def found_terminator(self) -> None:
        line = b"".join(self.line)
        self.line.clear()
        # What some take for the end of a line, and others not, smuggles a second message into the first.
        self.take(line, "554 bare CR or LF" if b"\r" in line or b"\n" in line else "")

    def record_skipped(self, size: int) -> None:
        self.line.clear()
        self.take(b"", "500 line too long")

    def take(self, line: bytes, flaw: str) -> None:
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


async def main(port: int, directory: str) -> None:
    maildir = mailbox.Maildir(directory)

    async def handle(stream: ChatStream) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(run(Session(maildir), stream), SESSION_SECONDS)

    async with await serve(handle, "127.0.0.1", port) as server:
        print("listening on port", server.addresses[0][1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
