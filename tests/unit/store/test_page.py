"""What docs/store.md says about the tables is so."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from monitor.domain.samples import Outcome
from monitor.store import open_store
from monitor.store.schema import metadata
from tests.unit.contracts.store_nouns import a_checkpoint, a_sample, an_evaluation

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "store.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_every_table_is_on_the_page(table):
    assert f"`{table}`" in PAGE


def test_the_query_on_the_page_gives_pass_ratios(tmp_path):
    path = tmp_path / "tailwatch.db"
    store = open_store(f"sqlite:///{path}")
    store.save(an_evaluation())
    outcomes = [Outcome.PASSED, Outcome.FAILED, Outcome.UNSCORED]
    batch = [a_sample("t1", index, outcome=outcome) for index, outcome in enumerate(outcomes)]
    store.record(an_evaluation().key.evaluation_id, batch)
    store.close()
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    connection = sqlite3.connect(path)
    assert connection.execute(query).fetchall() == [("acme", a_checkpoint().digest, "tail", 0.5)]
    connection.close()
