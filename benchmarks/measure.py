"""Takes the times: candidates interleaved, each checked before its time is believed."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from dataclasses import dataclass

# A pass longer than this is not repeated: it is slow, and will be so again.
_SLOW = 0.4


class WrongAnswer(Exception):
    """A candidate handed over something else than what the stream contains."""


@dataclass(frozen=True)
class Entry:
    """One candidate in one group."""

    candidate: str
    run: Callable[[], float]
    """Makes one pass and returns its seconds, or bytes."""
    check: Callable[[], object] = lambda: None
    """Raises WrongAnswer, or LookupError if it can't do this at all; for what ``run`` does not check itself."""


@dataclass(frozen=True)
class Group:
    """What is compared: the same work, done by several candidates in turn."""

    workload: str
    column: str
    unit: str
    """``second`` or ``byte``: what ``run`` returns."""
    count: int
    """How many records, or other things, a pass is about: what is reported is for one of them."""
    entries: list[Entry]
    exact: bool = False
    """Another pass would give the same."""
    passes: int = 1
    """How many to make in each round: more where they are short and the best comes seldom."""


def values(groups: list[Group], rounds: int) -> list[dict[str, list[float]]]:
    """What each pass took for one record, by candidate, for each group.

    The candidates take turns, each time in another order: who comes first loads the input into the processor's cache
    for all others, and what came before leaves its marks there.
    """
    order = random.Random(0)
    able = [checked(group) for group in groups]
    taken: list[dict[str, list[float]]] = [
        {entry.candidate: [] for entry in entries} for entries in able
    ]
    gc.collect()
    for _ in range(rounds * max(group.passes for group in groups)):
        for group, entries, found in zip(groups, able, taken, strict=True):
            for entry in order.sample(entries, len(entries)):
                earlier = found[entry.candidate]
                if earlier and (group.exact or earlier[-1] * group.count > _SLOW):
                    continue
                earlier.append(entry.run() / group.count)
    return taken


def checked(group: Group) -> list[Entry]:
    """The entries that can do it, each found to do it right."""
    able: list[Entry] = []
    for entry in group.entries:
        try:
            entry.check()
        except LookupError:
            continue
        able.append(entry)
    return able


def size_name(size: int) -> str:
    if size >= 1 << 20:
        return "whole" if size >= 1 << 24 else f"{size >> 20} MiB"
    return f"{size >> 10} KiB" if size >= 1 << 10 and size % (1 << 10) == 0 else f"{size} B"
