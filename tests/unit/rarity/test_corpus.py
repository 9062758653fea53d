import os

import pytest

from monitor.domain.errors import InvalidCorpus
from monitor.rarity.corpus import count_folder, source_files, source_text


def put(folder, name, text="sum(a)"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_files_are_found_by_extension_in_a_fixed_order(tmp_path):
    for name in ("b/two.rb", "b/one.py", "a.PY", "notes.txt"):
        put(tmp_path, name)
    found = [(file.path.name, file.language, file.project) for file in source_files(tmp_path)]
    assert found == [
        ("a.PY", "python", tmp_path.name),
        ("one.py", "python", "b"),
        ("two.rb", "ruby", "b"),
    ]


def test_hidden_folders_products_and_links_are_left_out(tmp_path):
    for name in (".venv/a.py", "node_modules/a.js", "x/__pycache__/a.py"):
        put(tmp_path, name)
    (tmp_path / "link.py").symlink_to(put(tmp_path.parent, f"{tmp_path.name}-outside.py"))
    assert list(source_files(tmp_path)) == []


def test_a_folder_becomes_a_table_of_its_own_features(tmp_path):
    put(tmp_path, "a.py")
    put(tmp_path, "b.py", "max(a)\nsum(a)")
    put(tmp_path, "broken.py", "def f(:")
    table = count_folder(tmp_path)
    assert table.name == tmp_path.name
    assert (table.documents, table.counts) == (2, {"sum": 2, "max": 1})


def test_what_is_no_regular_file_is_passed_over(tmp_path):
    put(tmp_path, "p/a.py")
    os.mkfifo(tmp_path / "p" / "pipe.py")
    assert count_folder(tmp_path).documents == 1


def test_utf_16_is_read_as_what_it_is(tmp_path):
    (tmp_path / "a.py").write_bytes("sum(a)\n".encode("utf-16"))
    assert count_folder(tmp_path).counts == {"sum": 1}


def test_bytes_that_are_no_text_do_not_stop_the_count(tmp_path):
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\nsum(a)\n")
    assert count_folder(tmp_path).counts == {"sum": 1}


def test_what_is_no_folder_or_holds_no_code_is_refused(tmp_path):
    with pytest.raises(InvalidCorpus, match="not a folder"):
        count_folder(tmp_path / "none")
    with pytest.raises(InvalidCorpus, match="no programs"):
        count_folder(tmp_path)
    with pytest.raises(InvalidCorpus, match="cannot be read"):
        source_text(tmp_path / "none.py")
