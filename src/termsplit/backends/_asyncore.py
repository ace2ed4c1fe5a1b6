"""asyncore, wherever it comes from: the standard library up to Python 3.11, pyasyncore from 3.12 on."""

from __future__ import annotations

import warnings

__all__ = ["asyncore"]

try:
    with warnings.catch_warnings():
        # The standard library's announces its end; who uses termsplit has an answer to that.
        warnings.filterwarnings("ignore", "The asyncore module is deprecated", DeprecationWarning)
        import asyncore
except ModuleNotFoundError as error:
    if error.name != "asyncore":
        raise
    raise ImportError(
        "asyncore left the standard library in Python 3.12; it comes back with: "
        "pip install 'termsplit[asyncore]'",
        name="asyncore",
    ) from None
