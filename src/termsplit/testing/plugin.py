"""A plugin for pytest: the fixture `cut`, for tests to be run with the same bytes in several chunks.

pytest finds it where termsplit is installed. Tests that do not ask for the fixture are not changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest

from ._feeders import bytewise, halves, whole, with_empty
from ._picture import draw_cuts

if TYPE_CHECKING:
    from ._feeders import Cut

__all__ = ["cut"]

_fed = pytest.StashKey[list[list[bytes]]]()


def _at_random(seed: int) -> Cut:
    def chunks(data: bytes) -> Iterator[bytes]:
        source = random.Random(seed)
        begin = 0
        while begin < len(data):
            end = begin + source.randint(1, max(2, len(data) // 2))
            yield data[begin:end]
            begin = end

    return chunks


_CUTS: dict[str, Cut] = {
    "whole": whole,
    "byte by byte": bytewise,
    "halves": halves,
    "empty chunks between": lambda data: with_empty(halves(data)),
    "random 1": _at_random(1),
    "random 2": _at_random(2),
    "random 3": _at_random(3),
}


@pytest.fixture(params=_CUTS)
def cut(request: pytest.FixtureRequest) -> Callable[[bytes], list[bytes]]:
    """A function that cuts bytes into chunks; the test runs once for each of several ways to cut.

    If it fails, the report shows how the bytes were cut.
    """
    way = _CUTS[request.param]
    fed = request.node.stash.setdefault(_fed, [])

    def cut_up(data: bytes) -> list[bytes]:
        chunks = list(way(data))
        fed.append(chunks)
        return chunks

    return cut_up


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the picture of the cut to the report of a failure."""
    report = yield
    if report.failed and _fed in item.stash:
        for chunks in item.stash[_fed]:
            edges = list(accumulate(map(len, chunks)))[:-1]
            picture = draw_cuts(b"".join(chunks), edges)
            report.sections.append((f"{len(chunks)} chunks", picture))
    return report
