"""What the reader is told when a SQLite file cannot be used, and what is left in it."""

from __future__ import annotations

import itertools
import sqlite3

import pytest
from sqlalchemy import event

from monitor.domain.errors import InvalidConfig, StoreTrouble
from monitor.store import open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation

EVALUATION_ID = an_evaluation().key.evaluation_id


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tailwatch.db"


def record_without_end(store):
    for task in itertools.count():
        store.record(EVALUATION_ID, [a_sample(f"t{task}", index) for index in range(1, 200)])


def test_a_store_locked_by_another_connection_is_trouble_and_stores_nothing(path):
    store = open_store(f"sqlite:///{path}", patience_s=0.1)
    store.save(an_evaluation())
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreTrouble, match="is locked by another process") as caught:
        store.record(EVALUATION_ID, [a_sample()])
    assert caught.value.retryable
    assert store.samples(EVALUATION_ID) == (), "readers do not wait for the writer"
    holder.close()
    assert store.record(EVALUATION_ID, [a_sample()]) == 1
    store.close()


def test_an_up_to_date_store_opens_while_another_connection_writes(path):
    open_store(f"sqlite:///{path}").close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    open_store(f"sqlite:///{path}", patience_s=0.1).close()
    holder.close()


def test_a_full_disk_is_trouble_and_leaves_neither_a_half_batch_nor_wrong_aggregates(path):
    store = open_store(f"sqlite:///{path}")
    store.save(an_evaluation())
    store.record(EVALUATION_ID, [a_sample()])

    def fill(connection, _record):
        connection.execute("PRAGMA max_page_count = 60")

    event.listen(store._database._engine, "connect", fill)
    store._database._engine.dispose()
    with pytest.raises(StoreTrouble, match="no space left") as caught:
        record_without_end(store)
    assert "Free some space" in caught.value.next_step
    stored = store.samples(EVALUATION_ID)
    assert len(stored) % 199 == 1
    assert store.verify() == ()
    event.remove(store._database._engine, "connect", fill)
    store._database._engine.dispose()
    assert store.record(EVALUATION_ID, [a_sample("after", 0)]) == 1
    store.close()


@pytest.mark.parametrize(("content", "said"), [(b"word " * 300, "is not a database"), (b"", "")])
def test_a_file_that_is_not_a_database_is_left_as_it_is(path, content, said):
    path.write_bytes(content)
    if not said:
        open_store(f"sqlite:///{path}").close()
        return
    with pytest.raises(StoreTrouble, match=said) as caught:
        open_store(f"sqlite:///{path}")
    assert str(path) in caught.value.message
    assert path.read_bytes() == content


def test_a_damaged_file_is_told_as_damaged(path):
    store = open_store(f"sqlite:///{path}")
    store.save(an_evaluation())
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreTrouble, match="is damaged"):
        open_store(f"sqlite:///{path}").evaluations("acme")


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(StoreTrouble, match="cannot be opened") as caught:
        open_store(f"sqlite:///{tmp_path}/missing/tailwatch.db")
    assert "folder exists" in caught.value.next_step


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/db", "not a url"])
def test_a_url_of_another_kind_is_a_mistake_in_the_configuration(url):
    with pytest.raises(InvalidConfig) as caught:
        open_store(url)
    assert "sqlite:///tailwatch.db" in caught.value.next_step


def test_a_url_of_another_kind_is_told_without_its_password():
    with pytest.raises(InvalidConfig) as caught:
        open_store("mysql://me:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_block_of_texts_that_is_damaged_is_told(path):
    store = open_store(f"sqlite:///{path}")
    store.save(an_evaluation())
    store.record(EVALUATION_ID, [a_sample()])
    other = sqlite3.connect(path)
    other.execute("UPDATE text_blocks SET body = x'00'")
    other.commit()
    other.close()
    with pytest.raises(StoreTrouble, match="block of stored texts is damaged"):
        store.samples(EVALUATION_ID)
    assert len(store.observations(EVALUATION_ID)) == 1, "evidence needs no texts"
    store.close()
