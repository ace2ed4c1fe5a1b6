"""Strategies for hypothesis, which is imported when the first of them is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["chunkings", "edges_in"]


def chunkings(data: bytes) -> SearchStrategy[list[bytes]]:
    r"""All ways to cut ``data`` into chunks, empty ones among them; shrinks to the whole in one chunk.

    >>> from hypothesis import given
    >>> @given(chunkings(b"one\r\ntwo\r\n"))
    ... def test_nothing_is_lost(chunks):
    ...     assert b"".join(chunks) == b"one\r\ntwo\r\n"
    >>> test_nothing_is_lost()
    """
    return edges_in(len(data)).map(
        lambda edges: [data[i:j] for i, j in zip((0, *edges), (*edges, len(data)), strict=True)]
    )


def edges_in(size: int) -> SearchStrategy[tuple[int, ...]]:
    """Places at which so many bytes may be cut, in ascending order; shrinks to none."""
    from hypothesis import strategies as st

    place = st.integers(0, size)
    some = st.lists(place, max_size=8).map(lambda edges: tuple(sorted(edges)))
    # A list hardly ever grows as long as it takes to cut everything into small chunks.
    many = st.builds(range, place, st.just(size), st.integers(1, 9)).map(tuple)
    return some | many
