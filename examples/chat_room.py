"""A chat room as callbacks, run by asyncio or by asyncore.

    python chat_room.py --port 8000        then, as often as you like:    nc 127.0.0.1 8000

Nobody holds up the others. What is said waits for each member in a queue of their own; who falls too far behind in
reading is dropped. Who talks too fast is told so instead of being heard; and who does not even read that, is not
read from until they do: callbacks wait while the output is congested.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import time
from typing import Any

from termsplit import AnyOf, Chat, Limited

LINE = Limited(AnyOf(b"\r\n", b"\n"), 400)
TOO_FAR_BEHIND = 256 * 1024  # bytes
AT_ONCE, A_SECOND = 20, 5  # lines


class Room:
    def __init__(self) -> None:
        self.members: dict[str, Member] = {}

    def enter(self, member: Member) -> None:
        self.say(f"* {member.name} is here")
        self.members[member.name] = member

    def leave(self, member: Member, how: str = "has left") -> None:
        if self.members.get(member.name) is member:
            del self.members[member.name]
            self.say(f"* {member.name} {how}")

    def say(self, text: str, speaker: Member | None = None) -> None:
        listeners = [member for member in self.members.values() if member is not speaker]
        for member in listeners:
            member.tell(text)
        for member in listeners:
            if member.connection.buffered > TOO_FAR_BEHIND:
                member.abort()
                self.leave(member, "was too slow")


class Allowance:
    """Each line costs a part of a second, and some may be had on credit."""

    def __init__(self) -> None:
        self.paid_until = 0.0

    def covers_a_line(self) -> bool:
        now = time.monotonic()
        paid_until = max(self.paid_until, now) + 1 / A_SECOND
        if paid_until > now + AT_ONCE / A_SECOND:
            return False
        self.paid_until = paid_until
        return True


class Member(Chat):
    too_long = "skip"

    def __init__(self, room: Room) -> None:
        super().__init__(LINE)
        self.room = room
        self.name = ""
        self.pieces: list[bytes] = []
        self.allowance = Allowance()
        self.tell("* What is your name?")

    def tell(self, text: str) -> None:
        self.push(text.encode() + b"\r\n")

    # Called by whatever loop it is run by.

    def collect_incoming_data(self, data: bytes) -> None:
        self.pieces.append(data)

    def found_terminator(self) -> None:
        line = b"".join(self.pieces).decode(errors="replace")
        self.pieces.clear()
        # A terminal would obey what is not printable.
        text = "".join(filter(str.isprintable, line))
        if not self.allowance.covers_a_line():
            self.tell("* Not so fast! That was not sent.")
        elif not self.name:
            self.introduce(text)
        elif text.startswith("/"):
            self.obey(text)
        elif text:
            self.room.say(f"{self.name}: {text}", self)

    def record_skipped(self, size: int) -> None:
        self.pieces.clear()
        self.tell(f"* That is too long; {LINE.max_size} bytes would do.")

    def eof_received(self, clean: bool) -> None:
        self.room.leave(self)
        super().eof_received(clean)

    def connection_lost(self, error: Exception | None) -> None:
        self.room.leave(self)

    # What they are called for.

    def introduce(self, name: str) -> None:
        if not re.fullmatch(r"\w{1,16}", name):
            self.tell("* A name has 1 to 16 letters or digits. What is yours?")
        elif name in self.room.members:
            self.tell(f"* There is a {name} already. What is your name?")
        else:
            self.name = name
            self.room.enter(self)
            self.tell(f"* Welcome, {name}! There is /who, and /quit.")

    def obey(self, command: str) -> None:
        match command:
            case "/who":
                self.tell(f"* Here: {', '.join(sorted(self.room.members))}")
            case "/quit":
                self.room.leave(self)
                self.tell("* Bye!")
                self.close_when_done()
            case _:
                self.tell("* There is /who, and /quit.")


async def on_asyncio(host: str, port: int) -> None:
    from termsplit.backends.asyncio import run, serve

    room = Room()
    async with await serve(lambda stream: run(Member(room), stream), host, port) as server:
        announce(server.addresses[0])
        await server.serve_forever()


def on_asyncore(host: str, port: int) -> None:
    from termsplit.backends.asyncore import run, serve

    room = Room()
    with serve(lambda stream: run(Member(room), stream), host, port) as server:
        announce(server.addresses[0])
        server.serve_forever()


def announce(address: Any) -> None:
    print(f"Listening on {address[0]}, port {address[1]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat room.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=8000, help="0 for any that is free")
    parser.add_argument("--loop", choices=["asyncio", "asyncore"], default="asyncio")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word.
    if options.loop == "asyncore":
        on_asyncore(options.host, options.port)
    else:
        asyncio.run(on_asyncio(options.host, options.port))


if __name__ == "__main__":
    main()
