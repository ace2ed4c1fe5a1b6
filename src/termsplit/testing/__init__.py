"""Property tests for protocol parsers: those built on termsplit, and any other.

Nothing here needs pytest, and only the strategies need hypothesis: it is imported when one of them is made.
"""

from __future__ import annotations

from ._chunking import CutMatters, check_chunking
from ._outcome import Outcome, parse_chunks
from ._push_parser import CLOSES, PushParser
from ._strategies import chunkings

__all__ = [
    "CLOSES",
    "CutMatters",
    "Outcome",
    "PushParser",
    "check_chunking",
    "chunkings",
    "parse_chunks",
]
