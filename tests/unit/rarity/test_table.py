import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import InvalidCorpus
from monitor.rarity.table import RarityTable, find_table, load_table, write_table

COUNTS = {"sum": 90, "zip": 40, "math.lcm": 1}


def table(**changes):
    given = {
        "name": "ours",
        "documents": 100,
        "counts": COUNTS,
        "language_shares": {"python": 0.5, "ruby": 0.125},
        "unlisted_share": 0.0625,
        "ordinary_bits": 4.0,
        "provenance": {"files": 100},
    }
    return RarityTable(**(given | changes))


def test_what_fewer_documents_have_is_rarer():
    bits = [table().rarity_bits(feature) for feature in ("sum", "zip", "math.lcm", "never.seen")]
    assert bits == sorted(bits)
    assert bits[0] > 0


@given(st.integers(min_value=0, max_value=10**7), st.text())
def test_bits_are_bounded_by_the_size_of_the_corpus(documents, feature):
    bits = table(documents=documents, counts={}).rarity_bits(feature)
    assert 0 < bits <= 1 + (documents + 1).bit_length()


def test_a_languages_bits_follow_from_its_share():
    assert table().language_bits("python") == 1.0
    assert table().language_bits("ruby") == 3.0


def test_an_unlisted_language_has_the_share_that_the_table_states():
    assert table().language_bits("awk") == 4.0


def test_a_written_table_reads_back_as_it_was(tmp_path):
    write_table(table(), tmp_path / "table.json")
    assert load_table(tmp_path / "table.json") == table()


def test_each_feature_has_a_line_of_its_own(tmp_path):
    write_table(table(), tmp_path / "table.json")
    assert '"zip": 40\n' in (tmp_path / "table.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "change", [{"documents": 101}, {"counts": {"sum": 1}}, {"ordinary_bits": 4.1}, {"language_shares": {}}]
)
def test_whatever_decides_a_score_changes_the_digest(change):
    assert table(**change).digest != table().digest


def test_provenance_does_not_change_the_digest():
    assert table(provenance={}).digest == table().digest
    assert table().reference == f"ours@{table().digest[:12]}"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "tailwatch-rarity-1"}'])
def test_a_file_that_is_no_table_is_named(tmp_path, text):
    path = tmp_path / "table.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidCorpus, match=r"table\.json is not a rarity table"):
        load_table(path)


def test_a_table_of_another_format_is_refused(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"format": "tailwatch-rarity-0"}), encoding="utf-8")
    with pytest.raises(InvalidCorpus, match="tailwatch-rarity-0"):
        load_table(path)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InvalidCorpus, match="cannot be read"):
        load_table(tmp_path / "none.json")
    with pytest.raises(InvalidCorpus, match="no rarity table"):
        find_table([tmp_path])


def test_the_first_shelf_that_has_a_table_wins(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_table(table(), tmp_path / name / "table.json")
    assert find_table([tmp_path / "none", tmp_path / "a", tmp_path / "b"]) == tmp_path / "a" / "table.json"
