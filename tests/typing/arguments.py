"""What type checkers let pass as terminators, data and producers. Checked, never run."""

from __future__ import annotations

import io
from typing import BinaryIO

from termsplit import AnyOf, Chat, Connection, Limited, Terminator


def terminators(connection: Connection) -> list[Terminator]:
    connection.set_terminator("\n")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connection.set_terminator(1.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AnyOf(b"\n", 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Limited(Limited(b"\n", 3), 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return [b"\n", 5, 0, None, AnyOf(b"\r\n", b"\n"), Limited(AnyOf(b"\n"), None), Limited(None, 5)]


class HasMore:
    def more(self) -> bytes:
        return b""


class HasMoreText:
    def more(self) -> str:
        return ""


def producers(connection: Connection, file: BinaryIO, text: io.StringIO) -> None:
    connection.push_producer(HasMoreText())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connection.push_producer(["text"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    connection.push_producer(text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connection.push_producer(HasMore())
    connection.push_producer(file)
    connection.push_producer(io.BytesIO())
    connection.push_producer([b"a"])
    connection.push_producer(part for part in (b"a", b"b"))


def data(connection: Connection) -> None:
    for good in (b"a", bytearray(b"a"), memoryview(b"a")):
        connection.receive_data(good)
        connection.push(good)
    connection.push("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connection.receive_data("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class Skipping(Chat):
    too_long = "skip"


class Wrong(Chat):
    too_long = "ignore"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
