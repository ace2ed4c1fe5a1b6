"""Over a loopback socket: receiving lines, and echoing them, by every loop that someone may run."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .measure import Entry, Group, WrongAnswer

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
        self.port = self._answer()

    def close(self) -> None:
        self._process.communicate()

    def during(
        self, work: Callable[[int], object], order: str, *numbers: int
    ) -> tuple[object, int, float]:
        """What ``work`` returned, what the remote answered, and the seconds that it took."""
        gc.collect()
        print(order, *numbers, file=self._orders, flush=True)
        started = time.perf_counter()
        done = work(self.port)
        seconds = time.perf_counter() - started
        return done, self._answer(), seconds

    def _answer(self) -> int:
        return int(self._answers.readline())


def loopback(*, quick: bool) -> Iterator[Group]:
    """The groups that need a remote, which is there as long as they are iterated over."""
    # The loops take long to import.
    from .backends import OURS
    from .servers import PEERS

    servers = PEERS + OURS

    with contextlib.closing(Remote()) as remote:
        count = 200_000 if quick else 1_000_000
        entries = [
            Entry(each.name, _pass(remote, each.name, each.receive, count, "pour", count))
            for each in servers
            if each.receive is not None
        ]
        yield Group("loopback: receive 20 B lines", "one way", "second", count, entries)
        for depth, count in ((1, 2_000), (64, 64 * 300)):
            if not quick:
                count *= 5
            entries = [
                Entry(each.name, _pass(remote, each.name, each.echo, count, "ask", count, depth))
                for each in servers
                if each.echo is not None
            ]
            yield Group("loopback: echo", f"depth {depth}", "second", count, entries)


def _pass(
    remote: Remote, name: str, serve: Serve, count: int, order: str, *numbers: int
) -> Callable[[], float]:
    def run() -> float:
        received, right, seconds = remote.during(serve, order, *numbers)
        if right != count or received not in (None, count):
            raise WrongAnswer(f"{name}, {order}: expected {count} lines, got {received}, {right}")
        return seconds

    return run
