"""Missing components skip a test, except where everything is required."""

from __future__ import annotations

import pytest

from tests.requirements import VARIABLE, require


def test_an_available_component_lets_the_test_run():
    require("PostgreSQL", True, "Install it.")


def test_a_missing_component_skips_the_test_and_tells_how_to_get_it(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"PostgreSQL is not available. Install it."):
        require("PostgreSQL", False, "Install it.")


def test_a_missing_component_fails_the_test_where_all_are_required(monkeypatch):
    monkeypatch.setenv(VARIABLE, "all")
    with pytest.raises(pytest.fail.Exception, match="forbids skipping"):
        require("PostgreSQL", False, "Install it.")
