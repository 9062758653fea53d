"""What a test does when the real component it needs is not on this machine."""

from __future__ import annotations

import os
from typing import Final

import pytest

VARIABLE: Final = "TAILWATCH_REQUIRE"


def require(component: str, available: bool, how: str) -> None:
    """Skip the test when a component is missing, or fail it where everything has to be there.

    Args:
        component: what the test needs, for example ``PostgreSQL``.
        available: whether it is here.
        how: how to get it, as an imperative sentence.
    """
    if available:
        return
    message = f"{component} is not available. {how}"
    if os.environ.get(VARIABLE) == "all":
        pytest.fail(f"{message} ({VARIABLE}=all forbids skipping.)", pytrace=False)
    pytest.skip(message)
