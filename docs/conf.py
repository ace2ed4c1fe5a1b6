"""Sphinx configuration. The build needs no network and lets no reference dangle."""

from __future__ import annotations

import builtins
import inspect
import pkgutil
import re
import sys
from importlib import metadata
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging

import termsplit
import termsplit.testing

logger = logging.getLogger(__name__)

project = "termsplit"
author = "termsplit contributors"
project_copyright = author
release = metadata.version("termsplit")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist", "smartquotes"]
myst_heading_anchors = 3

# A docstring's `single backticks` refer to an object, or the build fails.
default_role = "py:obj"

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
# Our own aliases are shown by name, with a link, and not spelt out.
autodoc_type_aliases = {
    name: f"termsplit.{name}"
    for name in termsplit.__all__
    if not inspect.isclass(getattr(termsplit, name))
}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True

copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = "termsplit"


def _exists(name: str) -> bool:
    """Whether the dotted name is there to be imported, or is a builtin or in one."""
    for path in (name, f"builtins:{name}"):
        if "." in path:
            try:
                pkgutil.resolve_name(path)
            except (ImportError, AttributeError, ValueError):
                continue
            return True
    return hasattr(builtins, name)


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.Node | None:
    """Resolve what Sphinx could not: our names by their public path, others' to plain text.

    A signature names a class by the private module that defines it; the reference documents it
    as `termsplit.X`, or in the public module at hand. Other modules' docstrings say `Connection.push`.
    Names of the standard library and of other packages have no page here: they are checked to exist, and
    shown without a link; so is a type variable, a single capital letter. All else stays a warning.
    """
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"]
    path = [part for part in target.split(".") if part != "termsplit" and part[:1] != "_"]
    domain = env.get_domain("py")
    for module in ("termsplit", node.get("py:module")):
        name = ".".join([module or "", *path])
        reference = domain.resolve_xref(
            env, node["refdoc"], app.builder, "obj", name, node, contnode
        )
        if reference is not None:
            return reference
    is_type_variable = len(path[-1]) == 1 and path[-1].isupper()
    if is_type_variable or (not target.startswith("termsplit") and _exists(target)):
        return contnode
    return None


def spell_out(
    app: Sphinx, what: str, name: str, obj: object, options: object, args: str, returns: str
) -> tuple[str, str]:
    """Show in a signature what the alias stands for that has no page; no signature for what `serve` makes."""
    if what == "class" and name.endswith(".Server"):
        return "", ""
    if returns:
        # How Sphinx 9 shows an alias inside of another type.
        returns = re.sub(r"TypeAliasForwardRef\('termsplit\.(\w+)'\)", r"\1", returns)
    return args and re.sub(r"\bTooLong\b", "Literal['raise', 'skip']", args), returns


def hide_private_bases(
    app: Sphinx, name: str, obj: object, options: object, bases: list[Any]
) -> None:
    """Show no base class that has no page: one that only a private module has."""
    for base in bases.copy():
        private = "._" in f"{base.__module__}.{base.__name__}"
        if private and base.__name__ not in termsplit.__all__:
            bases.remove(base)
    if not bases:
        bases.append(object)


def require_every_public_name(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a public name that no page of the reference has."""
    documented = {name for name, *_ in env.get_domain("py").get_objects()}
    for name in termsplit.__all__:
        if f"termsplit.{name}" not in documented:
            logger.warning("termsplit.%s is public, and on no page of the reference", name)


def lend_attribute_docs(app: Sphinx) -> None:
    """Let autodoc find the docstrings of constants and aliases that the public modules re-export.

    It looks for them in the source of the module it documents, and there they are imports.
    """
    for package in (termsplit, termsplit.testing):
        public = ModuleAnalyzer.for_module(package.__name__)
        public.analyze()
        for module in [name for name in sys.modules if name.startswith(f"{package.__name__}._")]:
            private = ModuleAnalyzer.for_module(module)
            for (scope, name), doc in private.find_attr_docs().items():
                if scope == "" and name in package.__all__:
                    public.attr_docs["", name] = doc


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", lend_attribute_docs)
    app.connect("missing-reference", resolve)
    app.connect("autodoc-process-signature", spell_out)
    app.connect("autodoc-process-bases", hide_private_bases)
    app.connect("env-check-consistency", require_every_public_name)
