"""Keeps the cores from sleeping while two processes wait for each other; run as a program, it spins on one of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def cores_awake() -> Iterator[None]:
    """Meanwhile a process spins on each core that may be used, and gives way to any other; only on Linux."""
    with contextlib.ExitStack() as spinners:
        if sys.platform == "linux":
            for core in sorted(os.sched_getaffinity(0)):
                command = [sys.executable, "-m", "benchmarks.awake", str(core), str(os.getpid())]
                spinner = spinners.enter_context(subprocess.Popen(command))
                spinners.callback(spinner.kill)
        yield


def spin(core: int, parent: int) -> None:
    """Until it is killed, or left by a parent that was."""
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        os.sched_setaffinity(0, {core})
        while os.getppid() == parent:
            pass


if __name__ == "__main__":
    spin(*map(int, sys.argv[1:]))
