"""The table in docs/reference/backends.md is true."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("trio")
pytest.importorskip("anyio")
pytest.importorskip("trustme")
pytest.importorskip("asyncore")

from termsplit.testing import BackendHarness
from tests.backends import harnesses
from tests.backends.asyncore_harness import Asyncore

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "backends.md"
HARNESSES: dict[str, type[BackendHarness]] = {
    "asyncio": harnesses.Asyncio,
    "trio": harnesses.Trio,
    "anyio": harnesses.Anyio,
    "blocking": harnesses.Blocking,
    "asyncore": Asyncore,
}


def table() -> tuple[list[str], dict[str, list[str]]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return head[1:], {row[0]: row[1:] for row in rows}


def test_every_backend_has_a_column() -> None:
    folder = Path(inspect.getfile(import_module("termsplit.backends"))).parent
    modules = {path.stem for path in folder.glob("[!_]*.py")}
    assert set(table()[0]) == modules == set(HARNESSES)


def test_a_backend_has_what_its_column_claims() -> None:
    backends, rows = table()
    features = {
        found[1]: dict(zip(backends, cells, strict=True))
        for name, cells in rows.items()
        if (found := re.search(r'\("(.*)"\)', name))
    }
    for backend in backends:
        claimed = {name for name, cells in features.items() if cells[backend] == "yes"}
        assert set(features) - claimed == HARNESSES[backend].lacks
    assert set(rows["TCP, Unix sockets, TLS"] + rows["a `Chat` (`run`)"]) == {"yes"}


def test_a_backend_is_passed_what_its_column_says() -> None:
    backends, rows = table()
    common = {"host", "port", "ssl", "connection"}
    for backend, passed, server in zip(
        backends, rows["is passed"], rows["a server is"], strict=True
    ):
        module = import_module(f"termsplit.backends.{backend}")
        own = set(inspect.signature(module.connect).parameters) - common
        assert own == set(re.findall(r"`(.*?)`", passed))
        assert hasattr(module, "Server") == (server == "a `Server`")


def test_every_backend_has_the_same_words() -> None:
    words = {"ChatStream", "Handler", "connect", "connect_unix", "run", "serve", "serve_unix"}
    for backend in HARNESSES:
        module = import_module(f"termsplit.backends.{backend}")
        assert set(module.__all__) - {"Server"} == words
