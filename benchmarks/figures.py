"""The figures that termsplit is held to, as ratios to another candidate in the same run, on CPython 3.11."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable

from .bare import BARE
from .contracts import WITH_CONTRACTS
from .ours import (
    BLOCKING,
    DROP_IN,
    DROP_IN_DROPPING,
    EVENTS,
    FRAMING,
    GRAMMAR,
    LISTS,
    MESSAGES,
    QUEUE,
    RECORDS,
    TRIO,
)
from .peers import ASYNCHAT, ASYNCHAT_DROPPING
from .results import Table

SPLIT = "bytes.split, whole"
FIND = "find + slice, whole"
STREAMS = "asyncio.StreamReader"
FACES = (RECORDS, GRAMMAR, EVENTS, DROP_IN_DROPPING)
# Who makes records is compared with asynchat when it makes records; who hands over pieces, with asynchat when it does.
REFERENCES = (ASYNCHAT, ASYNCHAT, ASYNCHAT_DROPPING, ASYNCHAT_DROPPING)
BACKENDS = ("blocking", "asyncio", "trio", "anyio", "asyncore")
LIMITS = {SPLIT, FIND, *BARE.values(), *WITH_CONTRACTS.values()}
"""Who does less than a peer."""
FIXED = {"1 KiB": 1024.0, "25 ms": 0.025}
"""References that are not measured, in bytes or seconds."""
MACHINES = {"a bare machine": BARE, "one with the contracts": WITH_CONTRACTS}
"""What else could be measured in the place of termsplit."""
HOSTILE = "hostile: "
DOUBLING = 2.3
"""Twice a hostile input may take so many times as long."""


@dataclass(frozen=True)
class Figure:
    workload: str
    column: str
    candidate: str
    reference: str
    factor: float
    """So many times as fast as the reference; below 1, it may take 1 / factor of the time."""


def _times_asynchat() -> Iterator[Figure]:
    rows: list[tuple[str, str, tuple[float, float, float, float]]] = [
        ("20 B lines", "64 KiB", (12, 10, 4, 4)),
        ("20 B lines", "1460 B", (5, 5, 2.4, 2.4)),
        ("20 B lines", "64 B", (1.7, 2.6, 1.5, 1.6)),
        ("20 B lines", "16 B", (1.2, 1.9, 1.2, 1.2)),
        ("20 B lines", "1 B", (1.2, 1.4, 1.2, 1.1)),
        ("20 B lines", "1 MiB", (120, 100, 40, 40)),
        ("64 KiB records", "1460 B", (5, 5, 3, 4)),
        ("64 KiB records", "64 KiB", (10, 10, 8, 10)),
        ("HTTP-like", "64 KiB", (1.9, 2.6, 1.8, 1.7)),
        ("4-byte length + 100 B", "64 KiB", (3.3, 6.5, 3, 2.8)),
    ]
    for workload, column, factors in rows:
        for face, reference, factor in zip(FACES, REFERENCES, factors, strict=True):
            yield Figure(workload, column, face, reference, factor)


def _figures() -> Iterator[Figure]:
    yield from _times_asynchat()
    yield Figure("20 B lines", "64 KiB", RECORDS, STREAMS, 8)
    yield Figure("20 B lines", "64 KiB", RECORDS, SPLIT, 1)
    yield Figure("64 KiB records", "64 KiB", RECORDS, SPLIT, 1 / 0.15)
    yield Figure("HTTP-like", "64 KiB", GRAMMAR, FIND, 1 / 1.3)
    yield Figure("4-byte length + 100 B", "64 KiB", GRAMMAR, STREAMS, 3)
    yield Figure("20 B lines", "64 KiB", MESSAGES, ASYNCHAT, 5)
    for batches in (LISTS, FRAMING):
        yield Figure("20 B lines", "64 KiB", batches, SPLIT, 1 / 0.75)
        yield Figure("100 B lines", "64 KiB", batches, SPLIT, 1 / 0.45)
    yield Figure("4-byte length + 100 B", "64 KiB", FRAMING, ASYNCHAT, 10)
    receive = "loopback: receive 20 B lines", "one way"
    yield Figure(*receive, BLOCKING, "recv + split", 1 / 1.6)
    yield Figure(*receive, TRIO, "recv + split", 1 / 1.6)
    yield Figure(*receive, "termsplit, asyncio", "asyncio streams", 5)
    yield Figure(*receive, DROP_IN, ASYNCHAT, 3.5)
    for backend in BACKENDS:
        yield Figure("loopback: echo", "depth 64", f"termsplit, {backend}", "asyncio streams", 5)
    join = "join + sendall, a sendall loop"
    yield Figure("output", "a push", QUEUE, join, 1 / 1.6)
    yield Figure("output", "a push", QUEUE, ASYNCHAT, 14)
    yield Figure("output", "a MiB of a producer", QUEUE, join, 1 / 1.6)
    idle = "memory per idle connection", "bytes"
    yield Figure(*idle, "termsplit: Connection", "1 KiB", 1)
    for who in (": Connection", *[f", {backend}" for backend in BACKENDS]):
        yield Figure(*idle, f"termsplit{who}", "asyncio reader and writer", 1)
    yield Figure("import", "time", "termsplit", "25 ms", 1)
    yield Figure("import", "time", "termsplit", "h11", 1)


def reached(found: Mapping[str, Table]) -> Iterator[tuple[Figure, float]]:
    """Every figure for which both were measured, with the factor that was."""
    for figure in _figures():
        taken = found.get(figure.workload, {}).get(figure.column, {})
        reference = FIXED.get(figure.reference) or taken.get(figure.reference)
        if reference and figure.candidate in taken:
            yield figure, reference / taken[figure.candidate]


def reached_by(
    others: Mapping[str, str], found: Mapping[str, Table]
) -> Iterator[tuple[Figure, float]]:
    """The same for another machine in the place of termsplit: its name, by that of termsplit's face."""
    for figure, factor in reached(found):
        taken = found[figure.workload][figure.column]
        other = others.get(figure.candidate, "")
        if other in taken:
            yield figure, factor * taken[figure.candidate] / taken[other]


def ahead(found: Mapping[str, Table]) -> Iterator[tuple[str, str, str, dict[str, float]]]:
    """For each stream, in each size of chunks: the fastest face, and by how much peers that take less time are ahead of it."""
    for workload, columns in found.items():
        for column, taken in columns.items():
            faces = [name for name in taken if name.startswith("termsplit")]
            if RECORDS not in faces:
                continue
            best = min(faces, key=taken.__getitem__)
            peers = {
                name: taken[best] / seconds
                for name, seconds in taken.items()
                if seconds < taken[best] and name not in LIMITS
            }
            if peers:
                yield workload, column, best, peers


def unmeasured(found: Mapping[str, Table]) -> set[Figure]:
    """The figures of which nothing can be said."""
    return set(_figures()) - {figure for figure, _ in reached(found)}


def doubled(found: Mapping[str, Table]) -> dict[str, dict[str, float]]:
    """For each hostile workload, by how much doubling the input multiplies each candidate's time."""
    factors: dict[str, dict[str, float]] = {}
    for workload, columns in found.items():
        if workload.startswith(HOSTILE) and len(columns) == 2:
            once, twice = columns.values()
            factors[workload] = {
                name: 2 * twice[name] / once[name] for name in once if name in twice
            }
    return factors


def print_figures(found: Mapping[str, Table]) -> None:
    table = RichTable(
        *("workload", "column", "candidate", "as fast as", "wanted", "measured", *MACHINES),
        title="Figures",
    )
    machines = [dict(reached_by(others, found)) for others in MACHINES.values()]
    for figure, factor in reached(found):
        table.add_row(
            figure.workload,
            figure.column,
            figure.candidate,
            figure.reference,
            f">= {figure.factor:.2f} x",
            _styled(factor, factor >= figure.factor),
            *(f"{machine[figure]:.2f}" if figure in machine else "" for machine in machines),
        )
    hostile = RichTable("workload", *FACES, title="Doubling the input multiplies the time by")
    for workload, factors in doubled(found).items():
        taken = [factors[face] for face in FACES]
        hostile.add_row(workload, *[_styled(factor, factor <= DOUBLING) for factor in taken])
    console = Console(width=None if sys.stdout.isatty() else 160)
    for shown in (table, hostile):
        if shown.row_count:
            console.print(shown)


def _styled(factor: float, good: bool) -> str:
    return f"[{'green' if good else 'bold red'}]{factor:.2f}[/]"
