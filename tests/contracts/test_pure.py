"""Contract 4: no I/O, no clock, no loop in the core."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each would make an event loop, a socket, a thread or a clock a part of the core, or cost more
# to import than all of it.
UNWANTED = [
    "anyio",
    "asynchat",
    "asyncio",
    "asyncore",
    "dataclasses",
    "hypothesis",
    "inspect",
    "logging",
    "rich",
    "select",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "trio",
    "typing_extensions",
]

BEFORE_AND_AFTER = """
import sys
before = set(sys.modules)
import {module}
print(*sorted(set(sys.modules) - before))
"""


def brought_in_by(module: str) -> set[str]:
    # -S: what site brings in, such as the hooks of a coverage tool, is not ours.
    path = f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}"
    done = subprocess.run(
        [sys.executable, "-S", "-W", "error", "-c", path + BEFORE_AND_AFTER.format(module=module)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


@pytest.fixture(scope="module")
def core() -> set[str]:
    return brought_in_by("termsplit")


@pytest.mark.parametrize("module", UNWANTED)
def test_importing_termsplit_does_not_bring_in(core: set[str], module: str) -> None:
    assert module not in core


def test_it_brings_in_the_core_and_no_other_part_of_termsplit(core: set[str]) -> None:
    ours = {module for module in core if module.partition(".")[0] == "termsplit"}
    assert "termsplit._splitter" in ours
    assert not [module for module in ours if module.count(".") > 1]
    assert all(module == "termsplit" or module.startswith("termsplit._") for module in ours)
    assert "termsplit.__main__" not in ours


def test_the_check_can_fail() -> None:
    assert {"asyncio", "socket", "selectors"} <= brought_in_by("asyncio")
