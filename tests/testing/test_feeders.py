from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from termsplit.testing import Cut, bytewise, halves, whole, with_empty


@pytest.mark.parametrize("cut", [whole, bytewise, halves, lambda data: with_empty(halves(data))])
@given(data=st.binary())
def test_chunks_make_up_the_data(cut: Cut, data: bytes) -> None:
    assert b"".join(cut(data)) == data


def test_how_they_cut() -> None:
    assert list(whole(b"abc")) == [b"abc"]
    assert list(bytewise(b"abc")) == [b"a", b"b", b"c"]
    assert list(halves(b"abcdefg")) == [b"abc", b"de", b"f", b"g"]
    assert list(with_empty([b"ab", b"c"])) == [b"", b"ab", b"", b"c", b""]


@pytest.mark.parametrize("cut", [whole, bytewise, halves])
def test_nothing_makes_no_chunk(cut: Cut) -> None:
    assert list(cut(b"")) == []
