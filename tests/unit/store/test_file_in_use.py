"""The file of a SQLite store that others change, move or delete while it is open."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from monitor.domain.errors import StoreTrouble
from monitor.store import open_store
from tests.unit.contracts.store_nouns import NOON, a_checkpoint, an_evaluation
from tests.unit.repository.documents import ROOT

WRITER = """
import sys
from monitor.store import open_store
from tests.unit.contracts.store_nouns import a_checkpoint, NOON
store = open_store(sys.argv[1])
store.remember("acme", a_checkpoint("theirs"), now=NOON)
store.close()
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tailwatch.db"


@pytest.fixture
def store(file):
    store = open_store(f"sqlite:///{file}", patience_s=1)
    store.remember("acme", a_checkpoint("ours"), now=NOON)
    yield store
    store.close()


def test_what_another_process_stores_is_another_revision(store, file):
    before = store.revision()
    assert store.revision() == before
    subprocess.run([sys.executable, "-c", WRITER, f"sqlite:///{file}"], cwd=ROOT, check=True, timeout=60)
    assert store.revision() != before


def test_a_file_that_was_deleted_is_trouble_for_every_reader_and_writer_and_is_not_made_again(store, file):
    for each in file.parent.glob("tailwatch.db*"):
        each.unlink()
    for ask in (
        lambda: store.checkpoints("acme"),
        lambda: store.save(an_evaluation()),
        store.revision,
        store.try_writing,
    ):
        with pytest.raises(StoreTrouble, match="was deleted while it was in use"):
            ask()
    assert not file.exists()


def test_a_file_that_was_put_back_is_the_store_again(store, file):
    aside = file.with_name("aside.db")
    file.rename(aside)
    with pytest.raises(StoreTrouble, match="was deleted"):
        store.checkpoints("acme")
    aside.rename(file)
    assert store.checkpoints("acme") == (a_checkpoint("ours"),)


def test_another_file_in_its_place_is_told_and_not_written(store, file, tmp_path):
    backup = tmp_path / "backup.db"
    open_store(f"sqlite:///{backup}").close()
    before = backup.read_bytes()
    shutil.move(backup, file)
    with pytest.raises(StoreTrouble, match="was replaced by another file"):
        store.save(an_evaluation())
    assert file.read_bytes() == before


def test_a_file_that_was_emptied_is_trouble_and_no_mistake_of_ours(file):
    store = open_store(f"sqlite:///{file}", patience_s=1)
    store.close()
    for log in ("-wal", "-shm"):
        file.with_name(file.name + log).unlink(missing_ok=True)
    file.write_bytes(b"")
    with pytest.raises(StoreTrouble):
        store.checkpoints("acme")
