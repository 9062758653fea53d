"""The tree of errors, and what each of them tells."""

from __future__ import annotations

import errno
import inspect
import re
from collections.abc import Iterator

import pytest

from monitor.domain import errors
from monitor.domain.errors import DiskTrouble, InvalidInput, MonitorError, Trouble, disk_trouble
from monitor.domain.samples import Outcome

TREE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MonitorError)]


def drawn() -> Iterator[tuple[int, str]]:
    """Depth and name of each error in the docstring's tree."""
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ([│├└─ ]*)(\w+)", line):
            yield len(match[1]) // 4, match[2]


def test_the_tree_is_drawn_as_it_is():
    found, path = {}, []
    for depth, name in drawn():
        path[depth:] = [name]
        found[name] = path[depth - 1] if depth else "Exception"
    assert found == {kind.__name__: kind.__base__.__name__ for kind in TREE}


@pytest.mark.parametrize("kind", TREE)
def test_an_error_tells_what_happened_and_the_next_step(kind):
    assert str(kind("It broke.", next_step="Mend it.")) == "It broke. Mend it."


def test_what_the_reader_gave_us_and_what_broke_of_ours_are_never_one():
    assert not [kind for kind in TREE if issubclass(kind, InvalidInput) and issubclass(kind, Trouble)]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_file_that_did_not_fit(number):
    assert "/state/log" in str(disk_trouble(OSError(number, "full", "/state/log")))
    assert "df -h" in str(disk_trouble(OSError(number, "full")))


def test_what_was_not_about_a_disk_is_not_called_so():
    assert isinstance(disk_trouble(PermissionError(errno.EACCES, "denied", "/state")), DiskTrouble)
    assert disk_trouble(PermissionError(errno.EPERM, "setns")) is None
    assert disk_trouble(ConnectionResetError(errno.ECONNRESET, "reset")) is None


def test_only_a_pass_passes_and_what_was_not_scored_is_no_result():
    results = {outcome: outcome.passed for outcome in Outcome}
    assert [outcome for outcome, passed in results.items() if passed] == [Outcome.PASSED]
    assert [outcome for outcome, passed in results.items() if passed is None] == [Outcome.UNSCORED]


def test_an_error_holds_nothing_that_a_page_or_a_record_cannot_encode():
    error = errors.EngineTrouble("vLLM said \ud83d.\nIt ended.", next_step="Read its log.")
    assert str(error) == "vLLM said \\xed\\xa0\\xbd.\nIt ended. Read its log."
