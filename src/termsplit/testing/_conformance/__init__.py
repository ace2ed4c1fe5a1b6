"""What every backend promises, a scenario for each promise: a coroutine, named after what must be true.

`_backend` runs them.
"""

from __future__ import annotations

from . import _failing, _handing_over, _receiving, _sending, _waiting
from ._scenario import scenarios_of

__all__ = ["SCENARIOS"]

SCENARIOS = scenarios_of(_receiving, _sending, _waiting, _failing, _handing_over)
"""The scenarios, and what each needs of an adapter."""
