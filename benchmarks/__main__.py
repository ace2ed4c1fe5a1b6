"""The command line: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from itertools import chain
from pathlib import Path

import pyperf

from . import figures, report, results
from .check import check
from .footprint import footprint
from .ladder import ladders
from .loopback import loopback
from .measure import Group, values
from .output import output
from .streams import doubled, in_memory

PEERS = [
    "anyio",
    "h11",
    "pyasynchat",
    "sansproto",
    "termsplit",
    "tornado",
    "trio",
    "twisted",
    "uvloop",
    "websockets",
]


def groups(*, quick: bool) -> Iterator[list[Group]]:
    """All there is to measure; what stands in one list is measured in turn."""
    scale = 0.5 if quick else 1.0
    for group in in_memory(scale):
        yield [group]
    yield from doubled(scale)
    for group in chain(
        ladders(scale), loopback(quick=quick), output(quick=quick), footprint(quick=quick)
    ):
        yield [group]


def worker(number: int, only: str, rounds: int, *, quick: bool) -> None:
    """Measure in this process, and print a line of JSON for each group."""
    for together in groups(quick=quick):
        wanted = [
            group
            for group in together
            if re.search(only, f"{group.workload} | {group.column}")
            and not (number and group.exact)
        ]
        for group in wanted:
            print(f"{group.workload}, {group.column}", file=sys.stderr)
        if wanted:
            for group, taken in zip(wanted, values(wanted, rounds), strict=True):
                about = group.workload, group.column, group.unit, group.count
                print(json.dumps([*about, taken]), flush=True)


def measure(only: str, rounds: int, processes: int, *, quick: bool) -> pyperf.BenchmarkSuite:
    # All runs have the same, those of every process: pyperf takes no others into one benchmark.
    common = pyperf.Run([1.0]).get_metadata()
    common |= {f"version_{name}": version for name in PEERS if (version := _version(name))}
    common["form"] = "quick" if quick else "full"
    benchmarks: dict[str, pyperf.Benchmark] = {}
    for number in range(processes):
        command = [
            sys.executable,
            "-W",
            "ignore::DeprecationWarning",
            "-m",
            "benchmarks",
            "--worker",
            str(number),
        ]
        command += ["--only", only, "--rounds", str(rounds), *["--quick"] * quick]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit("a candidate failed, as said above")
        for line in done.stdout.splitlines():
            workload, column, unit, count, taken = json.loads(line)
            for candidate, seconds in taken.items():
                name = f"{workload} | {column} | {candidate}"
                about = {**common, "name": name, "unit": unit, "inner_loops": count}
                run = pyperf.Run(seconds, metadata=about, collect_metadata=False)
                if name in benchmarks:
                    benchmarks[name].add_run(run)
                else:
                    benchmarks[name] = pyperf.Benchmark([run])
    if not benchmarks:
        sys.exit(f"no workload is named like {only!r}")
    return pyperf.BenchmarkSuite(list(benchmarks.values()))


def show(suite: pyperf.BenchmarkSuite) -> None:
    report.print_tables(suite)
    figures.print_figures(results.tables(suite))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="less of everything: within three minutes"
    )
    parser.add_argument(
        "--check", action="store_true", help="no times: right answers, and linear by count"
    )
    parser.add_argument(
        "--only", default="", metavar="REGEX", help="only workloads that are named so"
    )
    parser.add_argument(
        "--output", type=Path, help="the JSON file; by default build/bench/PYTHON.json"
    )
    parser.add_argument(
        "--show", type=Path, metavar="JSON", help="print the tables of an earlier run"
    )
    parser.add_argument(
        "--pythons",
        type=Path,
        metavar="JSON",
        nargs="+",
        help="with --page: runs of several Pythons",
    )
    parser.add_argument(
        "--page", type=Path, metavar="FOLDER", help="write tables and plots for the docs there"
    )
    parser.add_argument("--rounds", type=int, help="passes of each candidate in each process")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    rounds = asked.rounds or (3 if asked.quick else 4)
    if asked.check:
        check()
    elif asked.worker is not None:
        worker(asked.worker, asked.only, rounds, quick=asked.quick)
    elif asked.page:
        from . import page  # it takes a while to import

        if asked.show:
            page.write(pyperf.BenchmarkSuite.load(str(asked.show)), asked.page)
        if asked.pythons:
            suites = [pyperf.BenchmarkSuite.load(str(path)) for path in asked.pythons]
            page.write_figures(suites, asked.page)
    elif asked.show:
        show(pyperf.BenchmarkSuite.load(str(asked.show)))
    else:
        version = f"{platform.python_implementation().lower()}-{platform.python_version()}"
        path: Path = asked.output or Path("build", "bench", f"{version}.json")
        suite = measure(asked.only, rounds, 1 if asked.quick else 2, quick=asked.quick)
        path.parent.mkdir(parents=True, exist_ok=True)
        suite.dump(str(path), replace=True)
        show(suite)
        print(path)


if __name__ == "__main__":
    main()
