"""Property tests for protocol parsers: those built on termsplit, and any other.

Nothing here needs pytest, and only the strategies need hypothesis: it is imported when one of them is made.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._chunking import CutMatters, check_chunking
from ._feeders import Cut, bytewise, halves, whole, with_empty
from ._outcome import Outcome, parse_chunks
from ._push_parser import CLOSES, Parseable, PushParser
from ._recording import record
from ._replay import ReplayDiffers, replay
from ._round_trip import RoundTripFailed, check_round_trip
from ._script import NotAsScripted, Script
from ._strategies import chunkings, messages_of, near_misses

if TYPE_CHECKING:
    from ._backend import BackendFailed, BackendHarness, backend_scenarios, check_backend
    from ._dialogue import Dialogue
    from ._memory_sockets import MemorySocket, memory_sockets
    from ._memory_streams import MemoryStream, memory_streams
    from ._memory_transports import MemoryTransport, memory_transports

__all__ = [
    "CLOSES",
    "BackendFailed",
    "BackendHarness",
    "Cut",
    "CutMatters",
    "Dialogue",
    "MemorySocket",
    "MemoryStream",
    "MemoryTransport",
    "NotAsScripted",
    "Outcome",
    "Parseable",
    "PushParser",
    "ReplayDiffers",
    "RoundTripFailed",
    "Script",
    "backend_scenarios",
    "bytewise",
    "check_backend",
    "check_chunking",
    "check_round_trip",
    "chunkings",
    "halves",
    "memory_sockets",
    "memory_streams",
    "memory_transports",
    "messages_of",
    "near_misses",
    "parse_chunks",
    "record",
    "replay",
    "whole",
    "with_empty",
]


# What needs a loop, threads or a package that may not be there is imported when it is first asked for.
_LATE = {
    "BackendFailed": "_backend",
    "BackendHarness": "_backend",
    "backend_scenarios": "_backend",
    "check_backend": "_backend",
    "Dialogue": "_dialogue",
    "MemorySocket": "_memory_sockets",
    "MemoryStream": "_memory_streams",
    "MemoryTransport": "_memory_transports",
    "memory_sockets": "_memory_sockets",
    "memory_streams": "_memory_streams",
    "memory_transports": "_memory_transports",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATE})


def __getattr__(name: str) -> object:
    if name in _LATE:
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
