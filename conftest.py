"""Runs the examples of README.md, docs/ and the docstrings as tests, where Sybil is installed.

The examples of one page, and those of one module's docstrings, share one namespace, in reading
order. CONTRIBUTING.md says how an example is written.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from doctest import ELLIPSIS
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sybil import Document, Region

collect_ignore = ["docs/_build", "docs/conf.py"]

# Sybil knows these two spellings, and would silently pass over the others.
_EXECUTED = ("python", "{code-block} python")
_FENCE = re.compile(r"^[ >\t*+-]*(?:`{3,}|~{3,})(?P<info>.*)$", re.MULTILINE)
_PYTHON = re.compile(r"\b(?:py|py3|python|python3|pycon|doctest|testcode)\b(?!:)", re.IGNORECASE)


def refuse_unrun_python(document: Document) -> Iterable[Region]:
    """Fail on a page with Python that would not be executed."""
    for fence in _FENCE.finditer(document.text):
        info = fence["info"]
        if info not in _EXECUTED and _PYTHON.search(info):
            raise ValueError(
                f"{document.path}, {document.line_column(fence.start())}: a block tagged {info!r}"
                " would not be executed; tag it 'python', and put <!-- skip: next --> before it"
                " if it cannot run"
            )
    return ()


if importlib.util.find_spec("sybil"):
    from sybil import Sybil
    from sybil.parsers import myst, rest

    _pages = Sybil(
        parsers=[
            refuse_unrun_python,
            myst.PythonCodeBlockParser(doctest_optionflags=ELLIPSIS),
            myst.SkipParser(),
        ],
        patterns=["*.md"],
    )
    _docstrings = Sybil(
        parsers=[
            rest.DocTestParser(optionflags=ELLIPSIS),
            rest.PythonCodeBlockParser(),
            rest.SkipParser(),
        ],
        patterns=["src/termsplit/*.py", "src/termsplit/*/*.py"],
    )
    pytest_collect_file = (_pages + _docstrings).pytest()
