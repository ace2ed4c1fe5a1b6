"""Strategies for hypothesis, which is imported when the first of them is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

from termsplit import AnyOf, Limited, Terminator
from termsplit.framing import Framing

if TYPE_CHECKING:
    import hypothesis.strategies

__all__ = ["chunkings", "edges_in", "messages_of", "near_misses"]

T = TypeVar("T")
_MOST_SIZES = 257


def chunkings(data: bytes) -> hypothesis.strategies.SearchStrategy[list[bytes]]:
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


def edges_in(size: int) -> hypothesis.strategies.SearchStrategy[tuple[int, ...]]:
    """Places at which so many bytes may be cut, in ascending order; shrinks to none."""
    from hypothesis import strategies as st

    place = st.integers(0, size)
    some = st.lists(place, max_size=8).map(lambda edges: tuple(sorted(edges)))
    # A list hardly ever grows as long as it takes to cut everything into small chunks.
    many = st.builds(range, place, st.just(size), st.integers(1, 9)).map(tuple)
    return some | many


def near_misses(terminators: Iterable[Terminator]) -> hypothesis.strategies.SearchStrategy[bytes]:
    r"""Data rich in terminators, in parts of them, and in parts that overlap; shrinks to none.

    Args:
        terminators: those made of bytes count; counts and None do not.

    Raises:
        TypeError: it is one terminator, and not an iterable of them.
        ValueError: none of them is made of bytes.

    >>> from hypothesis import given
    >>> from termsplit.testing import check_chunking
    >>> def line():
    ...     return (yield b"\r\n")
    >>> @given(near_misses([b"\r\n"]))
    ... def test_lines(data):
    ...     check_chunking(line, data)
    >>> test_lines()
    """
    from hypothesis import strategies as st

    if isinstance(terminators, bytes):
        raise TypeError(f"expected an iterable of terminators, got {terminators!r}")
    literals = [literal for terminator in terminators for literal in _literals(terminator)]
    if not literals:
        raise ValueError("expected a terminator made of bytes, got none")
    parts = {literal[i:j] for literal in literals for i, j in _spans(len(literal))}
    special = set(b"".join(literals))
    filler = next((byte for byte in (*b"a", *range(256)) if byte not in special), 0)
    piece = st.sampled_from([bytes([filler]), *literals, *sorted(parts, key=lambda x: (len(x), x))])
    return st.lists(piece | st.binary(max_size=3)).map(b"".join)


def _literals(terminator: Terminator) -> tuple[bytes, ...]:
    if isinstance(terminator, Limited):
        return _literals(terminator.terminator)
    if isinstance(terminator, AnyOf):
        return terminator.alternatives
    return (terminator,) if isinstance(terminator, bytes) else ()


def _spans(size: int) -> list[tuple[int, int]]:
    """The proper beginnings and ends of so many bytes."""
    return [(0, i) for i in range(1, size)] + [(i, size) for i in range(1, size)]


def messages_of(
    framing: Framing[T], candidates: hypothesis.strategies.SearchStrategy[T] | None = None
) -> hypothesis.strategies.SearchStrategy[T]:
    """Messages that a framing can encode.

    Args:
        framing: one of `termsplit.framing`, or your own.
        candidates: what to choose from; those for which ``encode`` raises ValueError are left out. Without it, what the
            annotation of ``encode`` says; for bytes, of the sizes up to 256 bytes that it takes, and rich in
            those that it adds.

    >>> from termsplit.framing import netstrings
    >>> from hypothesis import given
    >>> @given(messages_of(netstrings()))
    ... def test_the_end_is_marked(message):
    ...     assert netstrings().encode(message).endswith(b",")
    >>> test_the_end_is_marked()
    """
    from hypothesis import strategies as st

    def encodable(message: Any) -> bool:
        try:
            framing.encode(message)
        except ValueError:
            return False
        return True

    source: Any = candidates
    if source is None:
        hints = get_type_hints(framing.encode)
        hints.pop("return", None)
        kind: Any = next(iter(hints.values()), bytes)
        plain = kind is bytes or kind is Any
        source = _payloads(framing, encodable) if plain else st.from_type(kind)
    return cast("hypothesis.strategies.SearchStrategy[T]", source.filter(encodable))


def _payloads(
    framing: Framing[Any], encodable: Callable[[bytes], bool]
) -> hypothesis.strategies.SearchStrategy[Any]:
    from hypothesis import strategies as st

    sizes = [size for size in range(_MOST_SIZES) if encodable(b"a" * size)]
    if not sizes:
        return st.binary()
    if len(sizes) == _MOST_SIZES:
        payloads = st.binary()
    else:
        payloads = st.sampled_from(sizes).flatmap(lambda n: st.binary(min_size=n, max_size=n))
    return payloads | near_misses([framing.encode(b"a" * sizes[0])])
