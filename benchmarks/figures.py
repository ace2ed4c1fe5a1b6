"""The figures that termsplit is held to, as ratios to another candidate in the same run, on CPython 3.11."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pyperf
from rich.console import Console
from rich.table import Table

from .ours import DROP_IN, EVENTS, GRAMMAR, LISTS, MESSAGES, RECORDS
from .results import tables

ASYNCHAT = "asynchat"
SPLIT = "bytes.split, whole"
FIND = "find + slice, whole"
STREAMS = "asyncio.StreamReader"
FACES = (RECORDS, GRAMMAR, EVENTS, DROP_IN)


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
        for face, factor in zip(FACES, factors, strict=True):
            yield Figure(workload, column, face, ASYNCHAT, factor)


def _figures() -> Iterator[Figure]:
    yield from _times_asynchat()
    yield Figure("20 B lines", "64 KiB", RECORDS, STREAMS, 8)
    yield Figure("20 B lines", "64 KiB", RECORDS, SPLIT, 1)
    yield Figure("64 KiB records", "64 KiB", RECORDS, SPLIT, 1 / 0.15)
    yield Figure("HTTP-like", "64 KiB", GRAMMAR, FIND, 1 / 1.3)
    yield Figure("4-byte length + 100 B", "64 KiB", GRAMMAR, STREAMS, 3)
    yield Figure("20 B lines", "64 KiB", MESSAGES, ASYNCHAT, 5)
    yield Figure("20 B lines", "64 KiB", LISTS, SPLIT, 1 / 0.75)
    yield Figure("100 B lines", "64 KiB", LISTS, SPLIT, 1 / 0.45)
    yield Figure("4-byte length + 100 B", "64 KiB", LISTS, ASYNCHAT, 10)
    receive = "loopback: receive 20 B lines", "one way"
    yield Figure(*receive, "termsplit, blocking", "recv + split", 1 / 1.6)
    yield Figure(*receive, "termsplit, trio", "recv + split", 1 / 1.6)
    yield Figure(*receive, "termsplit, asyncio", "asyncio streams", 5)
    yield Figure(*receive, DROP_IN, ASYNCHAT, 3.5)
    for backend in ("blocking", "asyncio", "trio", "anyio", "asyncore"):
        yield Figure("loopback: echo", "depth 64", f"termsplit, {backend}", "asyncio streams", 5)
    queue, join = "termsplit: ProducerQueue", "join + sendall, a sendall loop"
    yield Figure("output", "pushes", queue, join, 1 / 1.6)
    yield Figure("output", "pushes", queue, ASYNCHAT, 14)
    yield Figure("output", "a producer", queue, join, 1 / 1.6)
    yield Figure(
        "memory per idle connection",
        "bytes",
        "termsplit: Connection",
        "asyncio reader and writer",
        1,
    )
    yield Figure("import", "time", "termsplit", "h11", 1)


def reached(suite: pyperf.BenchmarkSuite) -> Iterator[tuple[Figure, float]]:
    """Every figure for which both were measured, with the factor that was."""
    found = tables(suite)
    for figure in _figures():
        for workload, columns in found.items():
            if not workload.startswith(figure.workload) or (
                figure.workload[0].isdigit() and workload != figure.workload
            ):
                continue
            for column, taken in columns.items():
                if figure.column in ("pushes", "a producer"):
                    if not re.search(figure.column, column):
                        continue
                elif column != figure.column:
                    continue
                if figure.candidate in taken and figure.reference in taken:
                    yield figure, taken[figure.reference] / taken[figure.candidate]


def print_figures(suite: pyperf.BenchmarkSuite) -> None:
    table = Table(
        "workload", "column", "candidate", "as fast as", "wanted", "measured", title="Figures"
    )
    for figure, factor in reached(suite):
        style = "green" if factor >= figure.factor else "bold red"
        table.add_row(
            figure.workload,
            figure.column,
            figure.candidate,
            figure.reference,
            f">= {figure.factor:.2f} x",
            f"[{style}]{factor:.2f}[/]",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
