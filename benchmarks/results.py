"""Reads a run back: what each candidate took, by workload and column."""

from __future__ import annotations

import pyperf

_SOCKETS = ("loopback: ", "output")
Table = dict[str, dict[str, float]]
"""For each column, in order, each candidate's seconds (or bytes) for one record."""


def tables(suite: pyperf.BenchmarkSuite) -> dict[str, Table]:
    """By workload. The best of many passes is what disturbances of a shared machine change least.

    Where two processes take turns, a single pass may be lucky in how they happen to be scheduled: there it is the median.
    """
    found: dict[str, Table] = {}
    for benchmark in suite.get_benchmarks():
        workload, column, candidate = benchmark.get_name().split(" | ")
        taken = benchmark.median() if workload.startswith(_SOCKETS) else min(benchmark.get_values())
        found.setdefault(workload, {}).setdefault(column, {})[candidate] = taken
    return found


def unit(suite: pyperf.BenchmarkSuite, workload: str) -> str:
    for benchmark in suite.get_benchmarks():
        if benchmark.get_name().startswith(f"{workload} | "):
            return str(benchmark.get_unit())
    raise LookupError(workload)
