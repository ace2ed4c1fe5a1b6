"""An `async_chat` without a network, of either module: the original asynchat or ours."""

from __future__ import annotations

import sys
from typing import Any


class Wired:
    """Receives what is on ``wire``, sends while there is ``room``, and logs what happens to it."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.wire: list[Any] = []  # what recv gives, one item a call; an exception is raised
        self.room: Any = sys.maxsize  # so many bytes will be taken by send; an exception is raised
        self.sends: list[bytes] = []
        super().__init__(map={})  # type: ignore[call-arg]
        self.connected = True

    @property
    def sent(self) -> bytes:
        return b"".join(self.sends)

    def read(self, *chunks: Any) -> list[Any]:
        """Call handle_read for each chunk; what was logged meanwhile."""
        before = len(self.log)
        for chunk in chunks:
            self.wire.append(chunk)
            self.handle_read()  # type: ignore[attr-defined]
        return self.log[before:]

    def recv(self, buffer_size: int) -> Any:
        item = self.wire.pop(0)
        if isinstance(item, BaseException):
            raise item
        return item

    def send(self, data: Any) -> int:
        if isinstance(self.room, BaseException):
            raise self.room
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        if taken:
            self.sends.append(taken)
        return len(taken)

    def collect_incoming_data(self, data: Any) -> None:
        self.log.append(data)

    def found_terminator(self) -> None:
        self.log.append("found")

    def handle_close(self) -> None:
        self.log.append("closed")

    def handle_error(self) -> None:
        self.log.append(sys.exc_info()[0])


def wired(module: Any, terminator: Any = b"\r\n", **attributes: Any) -> Any:
    """A chat of a new class: `Wired`, then ``module.async_chat``, with further class attributes."""
    chat = type("Chat", (Wired, module.async_chat), attributes)()
    chat.set_terminator(terminator)
    return chat
