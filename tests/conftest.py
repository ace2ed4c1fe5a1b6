"""The hypothesis profiles: `quick`, or the one that HYPOTHESIS_PROFILE names."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadlines: a busy machine is no fault. In CI the same commit always runs the same examples,
# so that a failure there is a failure everywhere; the search for new ones is `thorough`'s.
settings.register_profile(
    "quick",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
)
settings.register_profile(
    "thorough",
    deadline=None,
    derandomize=False,
    max_examples=5_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "quick")
