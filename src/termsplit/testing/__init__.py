"""Property tests for protocol parsers: those built on termsplit, and any other.

Nothing here needs pytest, and only the strategies need hypothesis: it is imported when one of them is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._chunking import CutMatters, check_chunking
from ._feeders import Cut, bytewise, halves, whole, with_empty
from ._outcome import Outcome, parse_chunks
from ._push_parser import CLOSES, PushParser
from ._recording import record
from ._replay import ReplayDiffers, replay
from ._round_trip import RoundTripFailed, check_round_trip
from ._strategies import chunkings, messages_of, near_misses

if TYPE_CHECKING:
    from ._dialogue import Dialogue

__all__ = [
    "CLOSES",
    "Cut",
    "CutMatters",
    "Dialogue",
    "Outcome",
    "PushParser",
    "ReplayDiffers",
    "RoundTripFailed",
    "bytewise",
    "check_chunking",
    "check_round_trip",
    "chunkings",
    "halves",
    "messages_of",
    "near_misses",
    "parse_chunks",
    "record",
    "replay",
    "whole",
    "with_empty",
]


def __getattr__(name: str) -> object:
    # It has a class of hypothesis's as its base.
    if name == "Dialogue":
        from ._dialogue import Dialogue

        return Dialogue
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
