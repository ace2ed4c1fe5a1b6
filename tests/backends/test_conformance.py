"""Every backend passes the suite that other people's adapters are held to."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

pytest.importorskip("anyio")
pytest.importorskip("trio")
pytest.importorskip("trustme")

from termsplit.testing import BackendHarness, backend_scenarios, check_backend
from tests.backends import harnesses

HARNESSES = {
    "blocking": harnesses.Blocking(),
    "asyncio": harnesses.Asyncio(),
    "asyncio in debug mode": harnesses.Asyncio(debug=True),
    "trio": harnesses.Trio(),
    "trio in memory": harnesses.TrioInMemory(),
    "anyio on asyncio": harnesses.Anyio("asyncio"),
    "anyio on asyncio, in memory": harnesses.AnyioInMemory("asyncio"),
    "anyio on trio": harnesses.Anyio("trio"),
    "anyio on trio, in memory": harnesses.AnyioInMemory("trio"),
}
if importlib.util.find_spec("asyncore"):
    from tests.backends.asyncore_harness import Asyncore

    HARNESSES["asyncore"] = Asyncore()
    HARNESSES["asyncore with poll"] = Asyncore(use_poll=True)
if importlib.util.find_spec("uvloop"):
    # It is no dependency; where it is there, it is another loop.
    uvloop = importlib.import_module("uvloop")
    HARNESSES["asyncio on uvloop"] = harnesses.Asyncio(loop_factory=uvloop.new_event_loop)


@pytest.mark.parametrize(
    ("harness", "scenario"),
    [
        pytest.param(harness, scenario, id=f"{backend}: {scenario}")
        for backend, harness in HARNESSES.items()
        for scenario in backend_scenarios(harness)
    ],
)
def test_a_backend(harness: BackendHarness, scenario: str) -> None:
    check_backend(harness, scenario)
