"""Made-up authors who do not change: their programs differ, and the free signs are counted as warned."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.collapse.unchanged import TASKS, VARIANTS, Author, against_itself, as_markdown, variants
from monitor.drift.shapes import shape_of
from monitor.suites.loading import load_suite


@pytest.fixture(scope="module")
def author() -> Author:
    return Author(load_suite("lab"), np.random.default_rng(1))


def test_every_variant_of_a_task_is_a_program_of_its_own(author: Author) -> None:
    assert len(author.tasks) == 3 * TASKS
    for task in author.tasks[::40]:
        assert len({shape_of(text, "python").form for text in variants(task)}) == VARIANTS


def test_two_draws_differ_and_every_sign_is_counted_in_every_stratum(author: Author) -> None:
    rng = np.random.default_rng(1)
    one, other = (author.draw(author.tasks, 4, rng) for _ in range(2))
    assert len(one) == len(other) == 4 * len(author.tasks)
    assert [each.completion.text for each in one] != [each.completion.text for each in other]
    found = {each["indicator"]: each for each in against_itself(author, 1, 1)}
    assert set(found) == {"tail-mass", "participation-ratio", "displacement"}
    assert {each["tests"] for each in found.values()} == {3}


def test_the_table_says_what_was_promised() -> None:
    row = {
        "indicator": "tail-mass",
        "depth": 1,
        "resamplings": 200,
        "tests": 600,
        "warned": 1,
        "below_nominal": 27,
        "error": 0.0013,
    }
    assert "| `tail-mass` | 1 | 200 | 600 | 1 | 0.6 ± 0.8 | 0.045 |" in as_markdown([row])
