"""Reads a run back: what each candidate took, best of all passes, by workload and column."""

from __future__ import annotations

import pyperf

Table = dict[str, dict[str, float]]
"""For each column, in order, each candidate's seconds (or bytes) for one record."""


def tables(suite: pyperf.BenchmarkSuite) -> dict[str, Table]:
    """By workload. The best of many passes is what disturbances of a shared machine change least."""
    found: dict[str, Table] = {}
    for benchmark in suite.get_benchmarks():
        workload, column, candidate = benchmark.get_name().split(" | ")
        best = min(benchmark.get_values())
        found.setdefault(workload, {}).setdefault(column, {})[candidate] = best
    return found


def unit(suite: pyperf.BenchmarkSuite, workload: str) -> str:
    for benchmark in suite.get_benchmarks():
        if benchmark.get_name().startswith(f"{workload} | "):
            return str(benchmark.get_unit())
    raise LookupError(workload)
