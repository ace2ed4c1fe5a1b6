"""A loopback connection with another process at its other end, and who can serve it."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Serve = Callable[[int], "int | None"]
"""Connects to a port of the loopback and serves until the end; one that receives says how many lines it got."""

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    name: str
    receive: Serve | None
    echo: Serve | None


class Remote:
    """The process at the other end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.remote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders = self._process.stdin
        self._answers = self._process.stdout
        self.port = int(self._answers.readline())

    def close(self) -> None:
        self._process.communicate()

    @contextlib.contextmanager
    def on_our_core(self) -> Iterator[None]:
        """Meanwhile both ends share one core, where the system has a say in that.

        They wait for each other: to wake another core, which slept meanwhile, may cost more than their work.
        """
        with contextlib.ExitStack() as restored:
            if hasattr(os, "sched_setaffinity"):
                core = min(os.sched_getaffinity(0))
                for process in (0, self._process.pid):
                    restored.callback(os.sched_setaffinity, process, os.sched_getaffinity(process))
                    os.sched_setaffinity(process, {core})
            yield

    def during(
        self, work: Callable[[int], object], order: str, *numbers: int
    ) -> tuple[object, int, float, float]:
        """What ``work`` returned, what the remote answered, the seconds of all of it, and those of the connection alone."""
        gc.collect()
        print(order, *numbers, file=self._orders, flush=True)
        started = time.perf_counter()
        done = work(self.port)
        seconds = time.perf_counter() - started
        answer, connected = self._answers.readline().split()
        return done, int(answer), seconds, float(connected)
