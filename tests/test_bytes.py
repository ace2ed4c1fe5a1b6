from __future__ import annotations

import array

import pytest

from termsplit._bytes import as_bytes


class Tagged(bytes):
    """Its own class, which must not get through to the application."""


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x02",
        Tagged(b"\x01\x02"),
        bytearray(b"\x01\x02"),
        memoryview(b"\x00\x01\x02")[1:],
        memoryview(b"\x01\x00\x02")[::2],
        memoryview(array.array("B", [1, 2])),
    ],
)
def test_bytes_like_data_becomes_bytes(data: bytes | bytearray | memoryview) -> None:
    assert as_bytes(data) == b"\x01\x02"
    assert type(as_bytes(data)) is bytes


@pytest.mark.parametrize("data", ["ab", None, 2, [1, 2], array.array("B", [1, 2])])
def test_anything_else_is_a_type_error_that_says_what_was_expected(data: object) -> None:
    got = type(data).__name__
    with pytest.raises(TypeError, match=f"^expected bytes-like data, got {got}$"):
        as_bytes(data)
    with pytest.raises(TypeError, match=f"^expected something of mine, got {got}$"):
        as_bytes(data, "something of mine")
