from __future__ import annotations

from termsplit import Parse, Parser


def test_messages_that_keep_to_one_terminator_all_come() -> None:
    """Contract 5: records cut in one go, and not yet sent to the grammar when it returned, were lost."""

    def line() -> Parse[bytes]:
        return (yield b"\n")

    lines = [b"%d" % number for number in range(100)]
    assert list(Parser(line).feed(b"".join(one + b"\n" for one in lines))) == lines
