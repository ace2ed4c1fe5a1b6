"""Draws the documentation's page from a run: a table and a plot for each workload, and the figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import pyperf
from matplotlib import pyplot as plt

from .figures import (
    DOUBLING,
    FACES,
    HOSTILE,
    MACHINES,
    Figure,
    ahead,
    doubled,
    reached,
    reached_by,
)
from .ladder import LADDER
from .report import cells
from .results import Table, tables, unit

mpl.use("svg")
# The same run gives the same file.
mpl.rcParams.update(
    {"svg.hashsalt": "termsplit", "svg.fonttype": "none", "font.size": 9, "savefig.bbox": "tight"}
)


def write(suite: pyperf.BenchmarkSuite, folder: Path) -> None:
    """Write ``tables.inc``, ``ahead.inc``, a file for each ladder, and an SVG file for each workload, for the page."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.svg"), *folder.glob("ladder-*.inc")):
        old.unlink()
    found = tables(suite)
    for workload in [name for name in found if name.startswith(LADDER)]:
        ladder = _ladder(workload.removeprefix(LADDER), found.pop(workload))
        (folder / f"{_slug(workload)}.inc").write_text(ladder)
    measured = dict(reached(found))
    machines = {f"by {name}": dict(reached_by(other, found)) for name, other in MACHINES.items()}
    parts = [
        _machine(suite),
        "## The figures it is held to\n",
        _missed(measured, list(machines.values())),
        _figures({"measured": measured, **machines}),
        _doubling(found),
    ]
    parts.append("## Every workload\n")
    for workload, table in found.items():
        if workload.startswith(HOSTILE):
            # Both sizes are in the table: what counts is that a byte costs the same in both.
            table = {f"{column} in all": taken for column, taken in table.items()}
        kind = unit(suite, workload)
        name = _slug(workload)
        _plot(workload, table, kind, folder / f"{name}.svg")
        columns, rows = cells(table, kind)
        parts.append(f"### {workload[0].upper()}{workload[1:]}\n")
        parts.append(f"![{workload}]({folder.name}/{name}.svg)\n")
        parts.append(_markdown(["", *columns], [[candidate, *row] for candidate, row in rows]))
    (folder / "tables.inc").write_text("\n".join(parts))
    (folder / "ahead.inc").write_text(_ahead(found))


def write_figures(suites: list[pyperf.BenchmarkSuite], folder: Path) -> None:
    """Write ``pythons.inc``: what became of the figures on several Pythons."""
    runs = {_python(suite): dict(reached(tables(suite))) for suite in suites}
    (folder / "pythons.inc").write_text(_figures(runs))


def _python(suite: pyperf.BenchmarkSuite) -> str:
    about = suite.get_benchmarks()[0].get_runs()[0].get_metadata()
    return str(about["python_version"]).split()[0]


def _machine(suite: pyperf.BenchmarkSuite) -> str:
    about = suite.get_metadata()
    about.update(suite.get_benchmarks()[0].get_runs()[0].get_metadata())
    versions = sorted(
        f"{name.removeprefix('version_')} {version}"
        for name, version in about.items()
        if name.startswith("version_")
    )
    return (
        f"Measured, by the {about['form']} form, on {about.get('cpu_model_name', 'an unnamed processor')}, {about['cpu_count']} processors, "
        f"{about['platform']}, {about['python_implementation']} {_python(suite)}, with "
        f"{', '.join(versions)}.\n"
    )


def _missed(measured: Mapping[Figure, float], machines: list[dict[Figure, float]]) -> str:
    missed = [figure for figure, factor in measured.items() if factor < figure.factor]
    beyond = [
        figure
        for figure in missed
        if any(machine.get(figure, figure.factor) < figure.factor for machine in machines)
    ]
    return (
        f"Of {len(measured)} figures {len(missed)} are missed, and {len(beyond)} of these by a bare machine too, "
        f"or by one with the contracts.\n"
    )


def _figures(runs: Mapping[str, Mapping[Figure, float]]) -> str:
    measured: dict[Figure, dict[str, str]] = {}
    for name, factors in runs.items():
        for figure, factor in factors.items():
            measured.setdefault(figure, {})[name] = _marked(factor, factor >= figure.factor)
    rows = []
    for figure, cells_of in measured.items():
        names = figure.workload, figure.column, figure.candidate, figure.reference
        rows.append([*names, f"{figure.factor:.2f}", *(cells_of.get(name, "") for name in runs)])
    heads = ["workload", "in", "candidate", "so many times as fast as", "wanted", *runs]
    return _markdown(heads, rows)


def _ahead(found: Mapping[str, Table]) -> str:
    rows = []
    for workload, column, face, peers in ahead(found):
        if workload.startswith(HOSTILE) and column != list(found[workload])[-1]:
            continue
        names = [f"{name} {factor:.2f}" for name, factor in peers.items()]
        rows.append([workload, column, face.removeprefix("termsplit: "), ", ".join(names)])
    return _markdown(["workload", "in", "the fastest face", "takes so many times as long as"], rows)


def _doubling(found: Mapping[str, Table]) -> str:
    """Of termsplit each face, of the others only the ones that are not linear."""
    rows = []
    for workload, factors in doubled(found).items():
        taken = [_marked(factors[face], factors[face] <= DOUBLING) for face in FACES]
        worse = [
            f"{name} {factor:.1f}"
            for name, factor in factors.items()
            if factor > DOUBLING and not name.startswith("termsplit")
        ]
        rows.append([workload.removeprefix(HOSTILE), *taken, ", ".join(worse)])
    return f"Doubling a hostile input may multiply the time by {DOUBLING} at most:\n\n" + _markdown(
        ["workload", *FACES, f"peers above {DOUBLING}"], rows
    )


def _slug(workload: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", workload.lower()).strip("-")


def _ladder(name: str, table: Table) -> str:
    columns, rows = cells(table, "second")
    return _markdown([name, *columns], [[rung, *row] for rung, row in rows])


def _marked(factor: float, good: bool) -> str:
    return f"{factor:.2f}" if good else f"**{factor:.2f}**"


def _markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _plot(workload: str, table: Table, kind: str, path: Path) -> None:
    candidates = list(dict.fromkeys(name for taken in table.values() for name in taken))
    if len(table) > 2:
        figure, axes = plt.subplots(figsize=(8, 4.5))
        for name in candidates:
            ours = name.startswith("termsplit")
            heights = [taken.get(name, float("nan")) * 1e9 for taken in table.values()]
            style = {"linewidth": 2.2} if ours else {"linewidth": 0.9, "linestyle": "--"}
            axes.plot(list(table), heights, marker=".", label=name, **style)
        axes.set_yscale("log")
        axes.set_xlabel("chunks of")
        axes.set_ylabel("ns a record")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    else:
        figure, axes = plt.subplots(figsize=(8, 0.7 + 0.28 * len(candidates) * len(table)))
        scale = 1 if kind == "byte" else 1e9
        width = 0.8 / len(table)
        for i, (column, taken) in enumerate(table.items()):
            places = [len(candidates) - place - i * width for place in range(len(candidates))]
            lengths = [taken.get(name, 0.0) * scale for name in candidates]
            axes.barh(places, lengths, width, label=column)
        middles = [len(candidates) - place - 0.4 + width / 2 for place in range(len(candidates))]
        axes.set_yticks(middles, candidates)
        axes.set_xscale("log")
        axes.set_xlabel(
            "bytes" if kind == "byte" else "ns a byte" if workload.startswith(HOSTILE) else "ns"
        )
        axes.legend(fontsize=8)
    axes.set_title(workload)
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
