from __future__ import annotations

import sys

import pytest

from termsplit import IncompleteRecord, Limited, RecordTooLong, Splitter

ENDLESS = [sys.maxsize - 1, sys.maxsize, sys.maxsize + 1, 2**64]


@pytest.mark.parametrize("count", ENDLESS)
def test_a_count_that_no_stream_reaches_is_above_any_limit(count: int) -> None:
    splitter = Splitter(Limited(count, 10))
    splitter.receive_data(b"x")
    with pytest.raises(RecordTooLong):
        splitter.next_record()


@pytest.mark.parametrize("count", ENDLESS)
def test_a_count_that_no_stream_reaches_is_not_complete_at_its_end(count: int) -> None:
    splitter = Splitter(Limited(count, None))
    splitter.receive_data(b"x")
    splitter.receive_eof()
    with pytest.raises(IncompleteRecord):
        splitter.next_record()
