"""Sphinx configuration. The build needs no network and lets no reference dangle."""

from __future__ import annotations

import builtins
import inspect
import pkgutil
import sys
from importlib import metadata

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer

import termsplit

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

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
# Our own aliases are shown by name, with a link, and not spelt out.
autodoc_type_aliases = {
    name: f"termsplit.{name}"
    for name in termsplit.__all__
    if not inspect.isclass(getattr(termsplit, name))
}
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True

copybutton_exclude = ".linenos, .gp, .go"

html_theme = "furo"
html_title = "termsplit"


def _exists(name: str) -> bool:
    """Whether the dotted name is there to be imported, or is a builtin."""
    if hasattr(builtins, name):
        return True
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError):
        return False
    return "." in name


def resolve(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.Node | None:
    """Resolve what Sphinx could not: our names by their public path, others' to plain text.

    A signature names a class by the private module that defines it; the reference documents it
    as `termsplit.X`. Names of the standard library and of other packages have no page here: they
    are checked to exist, and shown without a link. All else stays a warning.
    """
    if node.get("refdomain") != "py":
        return None
    target: str = node["reftarget"]
    name = target.rpartition(".")[2]
    ours = target == name or target.startswith("termsplit.")
    if ours and name in termsplit.__all__:
        domain = env.get_domain("py")
        return domain.resolve_xref(
            env, node["refdoc"], app.builder, "obj", f"termsplit.{name}", node, contnode
        )
    if not target.startswith("termsplit") and _exists(target):
        return contnode
    return None


def lend_attribute_docs(app: Sphinx) -> None:
    """Let autodoc find the `#:` comments of constants and aliases that `termsplit` re-exports.

    It looks for them in the source of the module it documents, and there they are imports.
    """
    public = ModuleAnalyzer.for_module("termsplit")
    public.analyze()
    for module in [name for name in sys.modules if name.startswith("termsplit._")]:
        private = ModuleAnalyzer.for_module(module)
        for (scope, name), doc in private.find_attr_docs().items():
            if scope == "" and name in termsplit.__all__:
                public.attr_docs["", name] = doc


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", lend_attribute_docs)
    app.connect("missing-reference", resolve)
