"""The public surface: what is there is listed, documented and typed."""

from __future__ import annotations

import ast
import importlib
import importlib.resources
import inspect
import pkgutil
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import termsplit

CORE = [
    importlib.import_module(f"termsplit.{module.name}")
    for module in pkgutil.iter_modules(termsplit.__path__)
    if module.name.startswith("_") and not module.name.startswith("__") and not module.ispkg
]
LISTED = {
    name: module for module in CORE for name in getattr(module, "__all__", [])
}  # fmt: skip


def test_all_lists_what_is_there() -> None:
    there = {
        name
        for name, value in vars(termsplit).items()
        if not name.startswith("_")
        and not isinstance(value, types.ModuleType)
        and name != "annotations"
    }
    assert set(termsplit.__all__) == there


def test_all_lists_what_the_modules_list() -> None:
    assert set(termsplit.__all__) == set(LISTED)
    for name, module in LISTED.items():
        assert getattr(termsplit, name) is getattr(module, name)


def test_all_is_sorted_constants_first() -> None:
    assert termsplit.__all__ == sorted(
        termsplit.__all__, key=lambda name: (not name.isupper(), name)
    )


def test_a_star_brings_in_all() -> None:
    namespace: dict[str, object] = {}
    exec("from termsplit import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(termsplit.__all__)


def is_class(value: object) -> bool:
    # Python 3.10 takes an alias such as list[int] for one.
    return isinstance(value, type) and not isinstance(value, types.GenericAlias)


def described_constants(module: types.ModuleType) -> set[str]:
    """The names assigned to at the top that a string follows, or a comment that begins with ``#:`` precedes."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    lines = source.splitlines()
    body = ast.parse(source).body
    described: set[str] = set()
    for statement, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        else:
            continue
        said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        if said or lines[statement.lineno - 2].startswith("#:"):
            described |= {target.id for target in targets if isinstance(target, ast.Name)}
    return described


@pytest.mark.parametrize("name", termsplit.__all__)
def test_every_name_has_a_docstring(name: str) -> None:
    value = getattr(termsplit, name)
    if is_class(value):
        assert value.__doc__
    else:
        assert name in described_constants(LISTED[name])


def public_functions() -> Iterator[tuple[str, types.FunctionType]]:
    for name in termsplit.__all__:
        cls = getattr(termsplit, name)
        if not is_class(cls):
            continue
        for attribute, value in vars(cls).items():
            function = value.fget if isinstance(value, property) else value
            if isinstance(function, types.FunctionType) and (
                attribute == "__init__" or not attribute.startswith("_")
            ):
                yield f"{name}.{attribute}", function


@pytest.mark.parametrize(
    "function", [pytest.param(function, id=name) for name, function in public_functions()]
)
class TestMethods:
    def test_every_one_has_a_docstring(self, function: types.FunctionType) -> None:
        assert function.__name__ == "__init__" or function.__doc__

    def test_every_one_is_typed(self, function: types.FunctionType) -> None:
        _, *parameters = inspect.signature(function).parameters
        assert set(inspect.get_annotations(function)) >= {*parameters, "return"}


def test_the_package_says_that_it_is_typed() -> None:
    assert importlib.resources.files(termsplit).joinpath("py.typed").is_file()
