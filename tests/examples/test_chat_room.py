"""The chat rooms in examples/, each a process of its own, talked to over real sockets."""

from __future__ import annotations

import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ROOMS = {
    "asyncio": ["chat_room.py", "--loop", "asyncio"],
    "asyncore": ["chat_room.py", "--loop", "asyncore"],
    "trio": ["chat_room_trio.py"],
}


class Member:
    """A member's end; one that enters a room waits until they are in."""

    def __init__(self, address: tuple[str, int], name: str) -> None:
        self.socket = socket.create_connection(address, timeout=60)
        self.lines = self.socket.makefile("rb")
        assert self.hear() == "* What is your name?"
        self.say(name)
        assert self.hear() == f"* Welcome, {name}! There is /who, and /quit."

    def say(self, text: str) -> None:
        self.socket.sendall(text.encode() + b"\n")

    def hear(self) -> str:
        """The next line; empty at the end."""
        line = self.lines.readline()
        assert not line or line.endswith(b"\r\n")
        return line.decode().removesuffix("\r\n")

    def close(self) -> None:
        self.lines.close()
        self.socket.close()

    def vanish(self) -> None:
        """Reset the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()


class Room:
    """A running server, and who is in it."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command, "--port", "0"],
            cwd=EXAMPLES,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = re.fullmatch(r"Listening on (\S+), port (\d+)\n", line)
        assert match, line + self.process.communicate()[1]
        self.address = match[1], int(match[2])
        self.members: list[Member] = []

    def enter(self, name: str) -> Member:
        member = Member(self.address, name)
        for other in self.members:
            assert other.hear() == f"* {name} is here"
        self.members.append(member)
        return member

    def close(self) -> None:
        for member in self.members:
            member.close()
        self.process.send_signal(signal.SIGINT)
        _, complaints = self.process.communicate(timeout=60)
        assert complaints == ""


def running(command: list[str]) -> Iterator[Room]:
    room = Room(command)
    try:
        yield room
        room.close()
    finally:
        room.process.kill()
        room.process.communicate()


def import_or_skip(loop: str) -> None:
    if loop == "asyncore":
        pytest.importorskip("termsplit.backends.asyncore", exc_type=ImportError)
    else:
        pytest.importorskip(loop)


@pytest.fixture(params=ROOMS)
def room(request: pytest.FixtureRequest) -> Iterator[Room]:
    import_or_skip(request.param)
    yield from running(ROOMS[request.param])


@pytest.fixture(params=ROOMS)
def room_of_fast_talkers(request: pytest.FixtureRequest) -> Iterator[Room]:
    import_or_skip(request.param)
    script, *options = ROOMS[request.param]
    module = script.removesuffix(".py")
    code = f"import {module}; {module}.AT_ONCE = 1_000_000; {module}.main()"
    yield from running(["-c", code, *options])


def test_members_hear_each_other_and_not_themselves(room: Room) -> None:
    ann, bob, cid = room.enter("ann"), room.enter("bob"), room.enter("cid")
    ann.say("hello")
    assert bob.hear() == "ann: hello"
    bob.say("/shrug\nhi, \x1b[31mann\r")
    assert bob.hear() == "* There is /who, and /quit."
    assert ann.hear() == "bob: hi, [31mann"
    assert [cid.hear(), cid.hear()] == ["ann: hello", "bob: hi, [31mann"]


def test_a_name_is_letters_and_belongs_to_one(room: Room) -> None:
    room.enter("ann")
    with (
        socket.create_connection(room.address, timeout=60) as peer,
        peer.makefile("rb") as lines,
    ):
        peer.sendall(b"\n/quit\nann\nbob\n")
        for expected in (
            b"* What is your name?\r\n",
            b"* A name has 1 to 16 letters or digits. What is yours?\r\n",
            b"* A name has 1 to 16 letters or digits. What is yours?\r\n",
            b"* There is a ann already. What is your name?\r\n",
            b"* Welcome, bob! There is /who, and /quit.\r\n",
        ):
            assert lines.readline() == expected
        assert room.members[0].hear() == "* bob is here"


def test_a_member_who_quits_is_bidden_farewell_and_missed(room: Room) -> None:
    ann, bob = room.enter("ann"), room.enter("bob")
    ann.say("/who")
    assert ann.hear() == "* Here: ann, bob"
    ann.say("/quit\nand more")
    assert ann.hear() == "* Bye!"
    assert ann.hear() == ""
    assert bob.hear() == "* ann has left"
    bob.say("/who")
    assert bob.hear() == "* Here: bob"


def test_a_line_that_is_too_long_is_answered_and_the_next_one_heard(room: Room) -> None:
    ann, bob = room.enter("ann"), room.enter("bob")
    ann.say("x" * 400)
    assert bob.hear() == "ann: " + "x" * 400
    ann.say("x" * 100_000)
    assert ann.hear() == "* That is too long; 400 bytes would do."
    ann.say("short")
    assert bob.hear() == "ann: short"


@pytest.mark.parametrize("last_words", ["", "half a line"])
@pytest.mark.parametrize("how", [Member.vanish, Member.close])
def test_a_member_who_disconnects_is_missed(
    room: Room, how: Callable[[Member], None], last_words: str
) -> None:
    ann, bob = room.enter("ann"), room.enter("bob")
    ann.socket.sendall(last_words.encode())
    how(ann)
    assert bob.hear() == "* ann has left"
    bob.say("/who")
    assert bob.hear() == "* Here: bob"


def test_a_slow_reader_holds_up_nobody_and_is_dropped(room_of_fast_talkers: Room) -> None:
    room = room_of_fast_talkers
    slow, ann, bob = room.enter("slow"), room.enter("ann"), room.enter("bob")
    for _ in range(2000):
        ann.say("\n".join(["x" * 400] * 100))
        if "* slow was too slow" in [bob.hear() for _ in range(100)]:
            break
    else:
        pytest.fail("80 MB wait for a member who does not read")
    # It has taken the place of the last line of the hundred.
    assert bob.hear() == "ann: " + "x" * 400
    assert ann.hear() == "* slow was too slow"
    ann.say("/who")
    assert ann.hear() == "* Here: ann, bob"
    taken = 0
    try:
        while data := slow.socket.recv(65536):
            taken += len(data)
    except ConnectionResetError:
        pass
    assert taken > 0


def test_a_flooding_member_is_limited_and_holds_up_nobody(room: Room) -> None:
    flooder, ann, bob = room.enter("flooder"), room.enter("ann"), room.enter("bob")
    flooder.socket.setblocking(False)
    sent = 0
    try:
        while sent < 10_000_000:
            sent += flooder.socket.send(b"spam\n" * 10_000)
    except BlockingIOError:
        pass
    assert sent >= 100_000
    heard = [bob.hear()]
    assert heard == ["flooder: spam"]
    ann.say("hello")
    while "ann: hello" not in heard:
        heard.append(bob.hear())
    assert len(heard) < 1000
    flooder.socket.setblocking(True)
    assert "* Not so fast! That was not sent." in {flooder.hear() for _ in range(100)}
    flooder.vanish()
    while "* flooder has left" not in heard:
        heard.append(bob.hear())
    assert len(heard) < 1000
    bob.say("bye")
    while ann.hear() != "bob: bye":
        pass
