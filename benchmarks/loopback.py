"""Over a loopback socket: receiving lines, and echoing them, by every loop that someone may run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from .backends import OURS
from .measure import Entry, Group, WrongAnswer
from .servers import PEERS
from .sockets import Remote, Serve


def loopback(*, quick: bool) -> Iterator[Group]:
    """The groups that need a remote, which is there as long as they are iterated over."""
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
            yield Group("loopback: echo", f"depth {depth}", "second", count, entries, passes=3)


def _pass(
    remote: Remote, name: str, serve: Serve, count: int, order: str, *numbers: int
) -> Callable[[], float]:
    def run() -> float:
        with remote.on_our_core() if order == "ask" else contextlib.nullcontext():
            received, right, _, seconds = remote.during(serve, order, *numbers)
        if right != count or received not in (None, count):
            raise WrongAnswer(f"{name}, {order}: expected {count} lines, got {received}, {right}")
        return seconds

    return run
