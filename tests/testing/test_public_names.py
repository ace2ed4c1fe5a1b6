from __future__ import annotations

import pytest

from termsplit import testing


def test_every_public_name_is_there() -> None:
    pytest.importorskip("anyio")
    for name in testing.__all__:
        assert hasattr(testing, name), name
    assert set(testing.__all__) <= set(dir(testing))


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match=r"^module 'termsplit\.testing' has no attribute 'x'$"):
        getattr(testing, "x")  # noqa: B009 - the name is no slip
