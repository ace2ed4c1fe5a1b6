"""Shows a run: as tables on the terminal."""

from __future__ import annotations

import sys

import pyperf
from rich.console import Console
from rich.table import Table as RichTable

from .results import Table, tables, unit


def print_tables(suite: pyperf.BenchmarkSuite) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    for workload, table in tables(suite).items():
        columns, rows = cells(table, unit(suite, workload))
        shown = RichTable("", title=workload)
        for column in columns:
            shown.add_column(column, justify="right")
        for candidate, row in rows:
            ours = "bold" if candidate.startswith("termsplit") else ""
            shown.add_row(candidate, *row, style=ours)
        console.print(shown)


def cells(table: Table, unit: str) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The columns, and each candidate's cells; times in ns, or in a larger unit if all are large."""
    candidates = dict.fromkeys(candidate for taken in table.values() for candidate in taken)
    smallest = min(seconds for taken in table.values() for seconds in taken.values())
    if unit == "byte":
        scale, name = 1.0, ""
    elif smallest > 1e-4:
        scale, name = 1e6, "us"
    else:
        scale, name = 1e9, "ns"
    columns = [f"{column}, {name}" if name else column for column in table]
    rows = []
    for candidate in candidates:
        cells = [taken.get(candidate) for taken in table.values()]
        rows.append(
            (candidate, ["" if cell is None else _three_digits(cell * scale) for cell in cells])
        )
    return columns, rows


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
