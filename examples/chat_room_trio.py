"""A chat room as a grammar, on trio: the room of chat_room.py again.

    python chat_room_trio.py --port 8000        then, as often as you like:    nc 127.0.0.1 8000

The grammar says what a member may send, and knows no socket. Each member has a task, which reads like a conversation.
Nobody holds up the others. What is said is pushed to all, and never waited for; who falls too far behind in reading
is dropped. Only answers are sent with ``await``: so a member who does not read them is not read from either.
"""

from __future__ import annotations

import argparse
import functools
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

import trio

from termsplit import AnyOf, Limited, Parse, RecordTooLong
from termsplit.backends.trio import ChatStream, serve

LINE = Limited(AnyOf(b"\r\n", b"\n"), 400)
TOO_FAR_BEHIND = 256 * 1024  # bytes
AT_ONCE, A_SECOND = 20, 5  # lines


@dataclass
class Say:
    text: str


@dataclass
class Command:
    name: str


class TooLong:
    pass


Message: TypeAlias = Say | Command | TooLong


def message() -> Parse[Message]:
    try:
        line = yield LINE
    except RecordTooLong:
        return TooLong()
    # A terminal would obey what is not printable.
    text = "".join(filter(str.isprintable, line.decode(errors="replace")))
    return Command(text) if text.startswith("/") else Say(text)


class Allowance:
    """Each line costs a part of a second, and some may be had on credit."""

    def __init__(self) -> None:
        self.paid_until = 0.0

    def covers_a_line(self) -> bool:
        now = trio.current_time()
        paid_until = max(self.paid_until, now) + 1 / A_SECOND
        if paid_until > now + AT_ONCE / A_SECOND:
            return False
        self.paid_until = paid_until
        return True


class Room:
    def __init__(self) -> None:
        self.members: dict[str, ChatStream] = {}

    async def converse(self, stream: ChatStream) -> None:
        """Serve one member, from the first question to the end."""
        messages = stream.messages(message)
        name = await self.introduce(stream, messages)
        if not name:
            return
        self.say(f"* {name} is here")
        self.members[name] = stream
        try:
            await send(stream, f"* Welcome, {name}! There is /who, and /quit.")
            allowance = Allowance()
            async for said in messages:
                if not allowance.covers_a_line():
                    await send(stream, "* Not so fast! That was not sent.")
                    continue
                match said:
                    case Say(""):
                        pass
                    case Say(text):
                        self.say(f"{name}: {text}", but=name)
                    case Command("/who"):
                        await send(stream, f"* Here: {', '.join(sorted(self.members))}")
                    case Command("/quit"):
                        await send(stream, "* Bye!")
                        break
                    case Command():
                        await send(stream, "* There is /who, and /quit.")
                    case TooLong():
                        await send(stream, f"* That is too long; {LINE.max_size} bytes would do.")
        finally:
            self.leave(name, stream)

    async def introduce(self, stream: ChatStream, messages: AsyncIterator[Message]) -> str:
        """The name that the peer has chosen; empty if they left without one."""
        await send(stream, "* What is your name?")
        async for said in messages:
            if not (isinstance(said, Say) and re.fullmatch(r"\w{1,16}", said.text)):
                await send(stream, "* A name has 1 to 16 letters or digits. What is yours?")
            elif said.text in self.members:
                await send(stream, f"* There is a {said.text} already. What is your name?")
            else:
                return said.text
        return ""

    def leave(self, name: str, stream: ChatStream, how: str = "has left") -> None:
        if self.members.get(name) is stream:
            del self.members[name]
            self.say(f"* {name} {how}")

    def say(self, text: str, but: str = "") -> None:
        listeners = [(name, stream) for name, stream in self.members.items() if name != but]
        for _, stream in listeners:
            stream.push(text.encode() + b"\r\n")
        for name, stream in listeners:
            if stream.connection.buffered > TOO_FAR_BEHIND:
                stream.connection.abort()
                self.leave(name, stream, "was too slow")


async def send(stream: ChatStream, text: str) -> None:
    await stream.send(text.encode() + b"\r\n")


async def run(host: str, port: int) -> None:
    async with trio.open_nursery() as nursery:
        room = Room()
        addresses = await nursery.start(functools.partial(serve, room.converse, host, port))
        print(f"Listening on {addresses[0][0]}, port {addresses[0][1]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat room.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="0 for any that is free")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word.
    trio.run(run, options.host, options.port)


if __name__ == "__main__":
    main()
