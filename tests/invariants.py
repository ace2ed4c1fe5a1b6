"""What holds of an engine's state whenever the application has the word: between two calls, and between two items."""

from __future__ import annotations

from termsplit import Limited, Splitter
from termsplit._engine import _NO_LIMIT, _NOTHING
from termsplit._terminators import LiteralPattern


def check_state(splitter: Splitter) -> None:
    ready = splitter._ready is not _NOTHING
    given = splitter._data_given is not None
    usual_limits = (
        splitter._event_limit == _NO_LIMIT and splitter._record_limit == splitter._max_size
    )

    assert usual_limits or splitter._event_limit == splitter._record_limit
    assert usual_limits or isinstance(splitter._terminator, Limited)
    assert splitter._last_byte == splitter._pattern.last_byte
    if splitter._pattern_literal is not None:
        assert isinstance(splitter._pattern, LiteralPattern)
        assert splitter._pattern.literal == splitter._pattern_literal
    assert splitter._pieces_size == sum(map(len, splitter._pieces))
    assert 0 <= splitter._position <= len(splitter._buffer)

    if splitter._room > 0:
        assert splitter._position == 0
    if splitter._at_once > 0:
        assert splitter._pattern_literal is not None
        assert splitter._count < 0
    if splitter._ready_of is not None:
        assert ready
    if given:
        assert not splitter._pieces
    if splitter._passing_over:
        assert splitter._room <= 0
        assert not ready
        assert not given
    if splitter._next_terminator is not None:
        assert splitter._passing_over

    if splitter._single_next is not None:
        assert usual_limits
        assert not ready
        assert not splitter._pieces
        assert not splitter._streamed
        assert not splitter._passing_over
        assert splitter._window == splitter._at_once == 0
        assert splitter._terminators_ready is None
    if splitter._single_next:
        assert not given
