"""What the application and the transport may hand in as bytes, and what is kept of it."""

from __future__ import annotations

from typing import cast


def as_bytes(data: object, expected: str = "bytes-like data") -> bytes:
    """The immutable copy of bytes-like ``data``; a TypeError that says what was expected, otherwise."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected {expected}, got {type(data).__name__}")
    return bytes(cast("bytes", data))
