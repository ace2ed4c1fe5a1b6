"""A byte stream, cut into records: a pure state machine, and thin adapters for every event loop.

The names below are all there is at the top; backends are imported by name, so that importing termsplit imports
no event loop and no socket.
"""

from __future__ import annotations

from ._chat import Chat
from ._connection import Connection
from ._engine import DEFAULT_MAX_SIZE
from ._errors import (
    ConnectionLost,
    IncompleteRecord,
    LocalProtocolError,
    MalformedRecord,
    RecordTooLong,
    RemoteProtocolError,
    TermsplitError,
    UnexpectedData,
)
from ._events import (
    NEED_DATA,
    DataReceived,
    EOFReceived,
    Event,
    NeedData,
    RecordSkipped,
    TerminatorFound,
)
from ._parser import Parse, Parser
from ._producers import Producer, ProducerQueue
from ._splitter import Splitter
from ._terminators import AnyOf, Limited, Terminator

__all__ = [
    "DEFAULT_MAX_SIZE",
    "NEED_DATA",
    "AnyOf",
    "Chat",
    "Connection",
    "ConnectionLost",
    "DataReceived",
    "EOFReceived",
    "Event",
    "IncompleteRecord",
    "Limited",
    "LocalProtocolError",
    "MalformedRecord",
    "NeedData",
    "Parse",
    "Parser",
    "Producer",
    "ProducerQueue",
    "RecordSkipped",
    "RecordTooLong",
    "RemoteProtocolError",
    "Splitter",
    "Terminator",
    "TerminatorFound",
    "TermsplitError",
    "UnexpectedData",
]
