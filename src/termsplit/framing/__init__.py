r"""Ready grammars with their encoders: what is framed by one is parsed by the other.

Each function makes a :class:`Framing` with its bounds. Its grammar raises :class:`termsplit.RecordTooLong` for a
message above ``max_size`` and :class:`termsplit.MalformedRecord` for bytes that break its rules; its encoder raises
ValueError for a message that can't be framed, and so can't be parsed back.

>>> from termsplit import Parser
>>> framing = netstrings(max_size=1000)
>>> framing.encode(b"hello")
b'5:hello,'
>>> list(Parser(framing.grammar).feed(b"5:hello,0:,3:wor"))
[b'hello', b'']

After an error the parser goes on behind the record at fault. Where the record says where the next one begins
(:func:`lines`, :func:`strict_lines`, :func:`cobs`, :func:`slip`, and a length above the limit that was announced)
it finds the next message; after a malformed length there is nothing left to go by, and the connection should be
closed. ``Parser(..., too_long="skip")`` fits the framings whose messages are one record: lines and packets. In the others
a grammar would not see that the body is gone, and take the next message for it.
"""

from __future__ import annotations

from ._chunked import ChunkedBody, chunked
from ._framing import Framing
from ._lengths import fixed_size, length_prefixed, netstrings, varint_prefixed
from ._lines import lines, strict_lines
from ._packets import cobs, slip

__all__ = [
    "ChunkedBody",
    "Framing",
    "chunked",
    "cobs",
    "fixed_size",
    "length_prefixed",
    "lines",
    "netstrings",
    "slip",
    "strict_lines",
    "varint_prefixed",
]
