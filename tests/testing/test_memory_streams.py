from __future__ import annotations

import pytest

anyio = pytest.importorskip("anyio")

from termsplit.testing import memory_streams  # noqa: E402 - it needs anyio


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_bytes_go_both_ways_in_chunks(loop: str) -> None:
    if loop == "trio":
        pytest.importorskip("trio")

    async def main() -> None:
        one, other = memory_streams(chunk_size=2)
        async with one, other:
            await one.send(b"hello")
            await one.send(b"")
            await one.send_eof()
            await other.send(b"x")
            assert [await other.receive(), await other.receive(1), await other.receive()] == [
                b"he",
                b"l",
                b"lo",
            ]
            with pytest.raises(anyio.EndOfStream):
                await other.receive()
            assert await one.receive() == b"x"
            with pytest.raises(anyio.ClosedResourceError):
                await one.send(b"more")

    anyio.run(main, backend=loop)


def test_a_peer_that_has_closed_takes_nothing() -> None:
    async def main() -> None:
        one, other = memory_streams()
        await other.aclose()
        with pytest.raises(anyio.BrokenResourceError):
            await one.send(b"x")
        await one.aclose()

    anyio.run(main)


def test_a_chunk_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^expected a chunk_size of 1 or more, got 0$"):
        memory_streams(chunk_size=0)
