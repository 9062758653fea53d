from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from monitor.domain.errors import InvalidCorpus
from monitor.domain.tasks import Stratum, Suite
from monitor.drift.snippets import (
    Cut,
    Snippet,
    cut_snippets,
    digest_of,
    read_snippets,
    suite_snippets,
    write_snippets,
)
from tests.unit.suites.suite_files import a_task

COMMON = "def common_{n}(xs):\n    total = {n}\n    for x in xs:\n        total += x\n    return total\n"
RARE = "def rare_{n}(xs):\n    total = {n}\n    for x in xs:\n        heapq.heappush(xs, x)\n    return xs\n"
CUT = Cut(shortest=20, longest=400, per_project=3)


def score(source: str) -> float | None:
    return 9.0 if "import heapq" in source else 1.0


def project(corpus: Path, name: str, *, common: int, rare: int, offset: int = 0) -> None:
    folder = corpus / name / "package"
    folder.mkdir(parents=True)
    functions = [COMMON.format(n=n + offset) for n in range(common)] + [
        RARE.format(n=n + offset) for n in range(rare)
    ]
    (folder / "code.py").write_text("import os, heapq\n\n" + "\n\n".join(functions), encoding="utf-8")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    project(tmp_path, "alpha", common=20, rare=5)
    project(tmp_path, "beta", common=20, rare=2, offset=100)
    return tmp_path


def test_common_and_rare_functions_are_told_apart_by_quantiles(corpus: Path) -> None:
    found = cut_snippets(corpus, score, CUT)
    assert {s.stratum for s in found} == {Stratum.HEAD, Stratum.TAIL}
    assert all(("heapq" in s.text) == (s.stratum is Stratum.TAIL) for s in found)


def test_each_project_brings_as_many_rare_as_common_ones(corpus: Path) -> None:
    found = cut_snippets(corpus, score, CUT)
    counts = {
        (name, stratum): sum(s.project == name and s.stratum is stratum for s in found)
        for name in ("alpha", "beta")
        for stratum in (Stratum.HEAD, Stratum.TAIL)
    }
    assert list(counts.values()) == [3, 3, 2, 2]


def test_a_project_without_rare_code_is_left_out(corpus: Path) -> None:
    project(corpus, "gamma", common=5, rare=0, offset=500)
    assert {s.project for s in cut_snippets(corpus, score, CUT)} == {"alpha", "beta"}


def test_the_same_seed_cuts_the_same_snippets_and_another_one_others(corpus: Path) -> None:
    first = cut_snippets(corpus, score, CUT)
    assert cut_snippets(corpus, score, CUT) == first
    other = Cut(shortest=20, longest=400, per_project=3, seed=2)
    assert cut_snippets(corpus, score, other) != first


def test_a_function_is_scored_with_the_imports_it_uses(tmp_path: Path) -> None:
    project(tmp_path, "alpha", common=3, rare=1)
    seen: list[str] = []

    def note(source: str) -> float:
        seen.append(source)
        return score(source) or 0.0

    cut_snippets(tmp_path, note, CUT)
    assert sorted({source.splitlines()[0] for source in seen if "rare" in source}) == ["import heapq"]
    assert not any("import" in source for source in seen if "common" in source)


def test_equal_code_in_another_layout_is_taken_once(tmp_path: Path) -> None:
    project(tmp_path, "alpha", common=4, rare=2)
    (tmp_path / "alpha" / "copy.py").write_text(
        "import heapq\n" + RARE.format(n=0).replace("\n    ", "\n    # said again\n    ", 1), encoding="utf-8"
    )
    texts = [s.text for s in cut_snippets(tmp_path, score, CUT)]
    assert sum("rare_0" in text for text in texts) == 1


def test_methods_count_and_functions_in_functions_are_part_of_them(tmp_path: Path) -> None:
    project(tmp_path, "alpha", common=4, rare=1)
    (tmp_path / "alpha" / "classes.py").write_text(
        "import heapq\nclass A:\n    @property\n    def outer(self):\n        def inner(xs):\n"
        "            return heapq.merge(*xs, *xs)\n        return inner\n",
        encoding="utf-8",
    )
    rare = [s for s in cut_snippets(tmp_path, score, CUT) if s.stratum is Stratum.TAIL]
    assert any(s.text.startswith("@property\ndef outer") for s in rare)
    assert not any(s.text.startswith("def inner") for s in rare)


def test_tests_broken_files_and_unscored_functions_are_passed_over(tmp_path: Path) -> None:
    project(tmp_path, "alpha", common=4, rare=1)
    (tmp_path / "alpha" / "tests").mkdir()
    (tmp_path / "alpha" / "tests" / "code.py").write_text(
        "import heapq\n" + RARE.format(n=77), encoding="utf-8"
    )
    (tmp_path / "alpha" / "broken.py").write_text("def broken(:\n", encoding="utf-8")
    found = cut_snippets(tmp_path, lambda source: None if "common_0" in source else score(source), CUT)
    assert not any("rare_77" in s.text or "common_0" in s.text for s in found)


def test_a_corpus_without_functions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidCorpus, match="holds no Python functions"):
        cut_snippets(tmp_path, score, CUT)


def test_what_is_written_is_read_again(corpus: Path, tmp_path: Path) -> None:
    found = cut_snippets(corpus, score, CUT)
    write_snippets(tmp_path / "snippets.jsonl", found)
    assert read_snippets(tmp_path / "snippets.jsonl") == found
    fields = json.loads((tmp_path / "snippets.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert list(fields) == ["project", "path", "rarity", "stratum", "text"]


@pytest.mark.parametrize("line", ["{}", "[1]", "not json", '{"project": "p", "stratum": "rare"}'])
def test_a_line_that_is_no_snippet_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "snippets.jsonl"
    file.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidCorpus, match="line 2: not a snippet"):
        read_snippets(file)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidCorpus, match="tailwatch snippets"):
        read_snippets(tmp_path / "nothing.jsonl")


def test_a_suite_gives_its_references_after_their_prompts() -> None:
    suite = Suite(
        name="s",
        version="1",
        licence="MIT",
        description="",
        seed=1,
        rarity_method="",
        tasks=(a_task(),),
        digest="",
    )
    (found,) = suite_snippets(suite)
    assert (found.context, found.text) == ("def double(x):\n", "    return 2 * x\n")
    assert (found.project, found.path, found.stratum) == ("arithmetic", "t/1", Stratum.HEAD)


def test_a_set_of_snippets_is_known_by_its_texts_in_any_order() -> None:
    def snippet(text: str) -> Snippet:
        return Snippet(project="p", path="f", rarity=1.0, stratum=Stratum.TAIL, text=text)

    one, two = snippet("a"), snippet("b")
    assert digest_of([one, two]) == digest_of([two, one]) != digest_of([one])


@pytest.mark.parametrize("mark", ["\f", "\x1c", "\u2028", "\x85"])
def test_functions_are_cut_where_the_parser_sees_their_lines(tmp_path: Path, mark: str) -> None:
    project(tmp_path, "alpha", common=4, rare=1)
    code = tmp_path / "alpha" / "package" / "code.py"
    code.write_text(f"# a{mark}b{mark}c\n{code.read_text(encoding='utf-8')}", encoding="utf-8")
    found = cut_snippets(tmp_path, score, CUT)
    assert {s.text.split("(")[0] for s in found} <= {"def rare_0", *(f"def common_{n}" for n in range(4))}
    assert all(s.text.endswith(("return xs\n", "return total\n")) for s in found)


def test_a_line_separator_within_a_text_does_not_end_a_line_of_the_file(tmp_path: Path) -> None:
    one = Snippet(project="p", path="f", rarity=1.0, stratum=Stratum.TAIL, text="'\u2028'\n")
    write_snippets(tmp_path / "s.jsonl", [one])
    assert read_snippets(tmp_path / "s.jsonl") == (one,)


def test_what_is_no_file_or_in_another_encoding_is_called_so(corpus: Path, tmp_path: Path) -> None:
    pipe, wide = tmp_path / "pipe.jsonl", tmp_path / "wide.jsonl"
    os.mkfifo(pipe)
    os.mkfifo(corpus / "alpha" / "pipe.py")
    assert cut_snippets(corpus, score, CUT)
    with pytest.raises(InvalidCorpus, match=r"pipe\.jsonl cannot be read"):
        read_snippets(pipe)
    wide.write_text('{"project": "p"}', encoding="utf-16")
    with pytest.raises(InvalidCorpus, match=r"wide\.jsonl are UTF-16 text"):
        read_snippets(wide)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(InvalidCorpus, match="holds no snippets"):
        read_snippets(tmp_path / "s.jsonl")


def test_an_escape_that_python_frowns_upon_is_no_warning_of_ours(tmp_path: Path) -> None:
    project(tmp_path, "alpha", common=4, rare=1)
    code = tmp_path / "alpha" / "package" / "code.py"
    code.write_text(code.read_text(encoding="utf-8") + "\nPATTERN = '\\d+'\n", encoding="utf-8")
    assert cut_snippets(tmp_path, score, CUT)
