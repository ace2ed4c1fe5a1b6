"""What a framing makes of a stream."""

from __future__ import annotations

from typing import Any

from termsplit import Parser, RemoteProtocolError
from termsplit.framing import Framing
from termsplit.testing import check_chunking


def outcome(framing: Framing[Any], *chunks: bytes) -> list[Any]:
    """The messages of a whole stream and, as text, the errors between them."""
    parser = Parser(framing.grammar)
    result: list[Any] = []

    def take() -> None:
        while True:
            try:
                result.extend(parser.messages())
            except RemoteProtocolError as error:
                result.append(f"{type(error).__name__}: {error}")
                if parser.splitter.eof_received:
                    return
            else:
                return

    for chunk in chunks:
        parser.receive_data(chunk)
        take()
    parser.receive_eof()
    take()
    return result


def whole_and_cut(framing: Framing[Any], stream: bytes) -> list[Any]:
    """The outcome for a stream, which must be the same however it is cut."""
    check_chunking(framing.grammar, stream, cuts=100)
    return outcome(framing, stream)
