"""An SMTP sink on asyncio and two grammars: takes all mail for everyone, and puts it into a Maildir.

python smtp_sink_grammar.py 8025 /tmp/mail
"""

from __future__ import annotations

import asyncio
import contextlib
import mailbox
import re
import sys
from dataclasses import dataclass, field

from termsplit import Limited, Parse, RecordTooLong
from termsplit.backends.asyncio import ChatStream, serve

LINE = Limited(b"\r\n", 2_000)
LARGEST_MESSAGE = 10_000_000
SESSION_SECONDS = 300
PATH = re.compile(r"(?:FROM|TO):\s*<([^<>]*)>(?:\s.*)?", re.IGNORECASE)


class Refused(Exception):
    """What the client sent is answered with this reply."""


def line() -> Parse[bytes]:
    try:
        line = yield LINE
    except RecordTooLong:
        raise Refused("500 line too long") from None
    if b"\r" in line or b"\n" in line:
        # What some take for the end of a line, and others not, smuggles a second message into the first.
        raise Refused("554 bare CR or LF")
    return line


def command() -> Parse[tuple[str, str]]:
    verb, _, argument = (yield from line()).decode("utf-8", "replace").partition(" ")
    return verb.upper(), argument.strip()


def text() -> Parse[bytes]:
    """The text of a message; what is wrong with it is raised when all of it has come."""
    lines: list[bytes] = []
    size = 0
    refused: Refused | None = None
    while True:
        try:
            next_line = yield from line()
        except Refused as refusal:
            refused = refused or refusal
            continue
        if next_line == b".":
            break
        size += len(next_line)
        if size > LARGEST_MESSAGE:
            refused = refused or Refused("552 message too large")
            lines.clear()
        else:
            lines.append(next_line[1:] if next_line.startswith(b".") else next_line)
    if refused is not None:
        raise refused
    return b"\n".join([*lines, b""])


@dataclass
class Envelope:
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


def path(argument: str) -> str:
    match = PATH.fullmatch(argument)
    if match is None:
        raise Refused("501 expected FROM:<address> or TO:<address>")
    return match[1]


async def session(stream: ChatStream, maildir: mailbox.Maildir) -> None:
    def reply(answer: str) -> None:
        stream.push(answer.encode("ascii") + b"\r\n")

    greeted = False
    envelope = Envelope()
    commands = stream.messages(command)
    reply("220 sink ESMTP")
    while True:
        try:
            verb, argument = await anext(commands)
            if verb == "QUIT":
                reply("221 bye")
                return
            elif verb in {"HELO", "EHLO"}:
                greeted = True
                envelope = Envelope()
                if verb == "EHLO":
                    reply(f"250-sink\r\n250-SIZE {LARGEST_MESSAGE}\r\n250-8BITMIME")
                reply("250 PIPELINING" if verb == "EHLO" else "250 sink")
            elif verb == "MAIL" and greeted and envelope.sender is None:
                envelope.sender = path(argument)
                reply("250 ok")
            elif verb == "RCPT" and envelope.sender is not None:
                envelope.recipients.append(path(argument))
                reply("250 ok")
            elif verb == "DATA" and envelope.recipients:
                reply("354 go on, and end with a line that is a dot")
                addresses, envelope = envelope, Envelope()
                body = await anext(stream.messages(text))
                head = (
                    f"X-MailFrom: {addresses.sender}\nX-RcptTo: {', '.join(addresses.recipients)}\n"
                )
                maildir.add(head.encode() + body)
                reply("250 delivered")
            elif verb == "RSET":
                envelope = Envelope()
                reply("250 ok")
            elif verb == "NOOP":
                reply("250 ok")
            elif verb in {"MAIL", "RCPT", "DATA"}:
                reply("503 bad sequence of commands")
            else:
                reply("500 no such command")
        except Refused as refusal:
            reply(str(refusal))
        except StopAsyncIteration:
            return


async def main(port: int, directory: str) -> None:
    maildir = mailbox.Maildir(directory)

    async def handle(stream: ChatStream) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(session(stream, maildir), SESSION_SECONDS)

    async with await serve(handle, "127.0.0.1", port) as server:
        print("listening on port", server.addresses[0][1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
