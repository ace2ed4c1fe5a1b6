"""Streams rich in what is nearly a terminator, and the terminators."""

from __future__ import annotations

from hypothesis import strategies as st

from termsplit import AnyOf, Limited, Terminator

# With borders, so that a false beginning may hide a true one; prefixes of each other; long in short.
LITERALS = [b"aab", b"abab", b"ab", b"a", b"\r\n\r\n", b"\r\n", b"\n", b"aaaab"]
ANY_OF = [
    AnyOf(b"a", b"aab"),
    AnyOf(b"\n", b"\r\n"),
    AnyOf(b"\r", b"\r\n"),
    AnyOf(b"abab", b"ba"),
    AnyOf(b"abcd", b"bc"),
    AnyOf(b"abab", b"ab", b"bb"),
    AnyOf(b"b", b"b"),
]
COUNTS = [1, 2, 3, 7, 0]

bare_terminators = st.one_of(
    st.sampled_from(LITERALS), st.sampled_from(ANY_OF), st.sampled_from(COUNTS), st.none()
)
limits = st.sampled_from([None, 0, 1, 2, 3, 5, 20])
terminators: st.SearchStrategy[Terminator] = st.one_of(
    bare_terminators, st.builds(Limited, bare_terminators, limits)
)
policies = st.sampled_from(["raise", "skip"])

_pieces = sorted(
    {literal[i:j] for literal in LITERALS for i in range(4) for j in range(i + 1, 6)}
    | {one for choice in ANY_OF for one in choice.alternatives}
    | {b"c", b"d", b"cccccc"}
)
chunks = st.lists(st.sampled_from(_pieces), max_size=12).map(b"".join)
# Repeated, a stream has enough records of one kind to be cut in batches.
streams = st.builds(lambda data, times: data * times, chunks, st.sampled_from([1, 1, 1, 2, 5, 20]))


@st.composite
def cut_streams(draw: st.DrawFn) -> list[bytes]:
    """A stream in chunks; empty ones among them."""
    data = draw(streams)
    sizes = draw(st.one_of(st.just([1]), st.lists(st.integers(0, 9), min_size=1, max_size=8)))
    if not any(sizes):
        return [b"", data, b""]
    chunks: list[bytes] = []
    begin = 0
    while begin < len(data):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[begin : begin + size])
        begin += size
    return chunks
