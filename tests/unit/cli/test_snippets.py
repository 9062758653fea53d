from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from monitor.cli.app import cli
from monitor.domain.errors import InvalidCorpus
from monitor.drift.snippets import read_snippets
from monitor.rarity.table import FORMAT

TABLE = {
    "format": FORMAT,
    "name": "tiny",
    "documents": 1000,
    "counts": {"len": 900, "sum": 800, "heapq.merge": 1},
    "language_shares": {},
    "unlisted_share": 1.0,
    "ordinary_bits": 1.0,
    "provenance": {},
}
COMMON = "def common_{n}(xs):\n    return sum(xs) + len(xs) + {n} + 0 * len('{pad}')\n"
RARE = "import heapq\ndef rare_{n}(xs):\n    return list(heapq.merge(xs, [{n}])) + ['{pad}']\n"


def corpus(folder: Path) -> Path:
    for project in range(3):
        (folder / f"p{project}").mkdir(parents=True)
        for n in range(4):
            fill = {"n": 10 * project + n, "pad": "x" * 100}
            for kind, text in (("common", COMMON), ("rare", RARE)):
                (folder / f"p{project}" / f"{kind}{n}.py").write_text(text.format(**fill), encoding="utf-8")
    return folder


def test_a_corpus_becomes_a_file_of_common_and_rare_functions(tmp_path: Path) -> None:
    table, out = tmp_path / "table.json", tmp_path / "out.jsonl"
    table.write_text(json.dumps(TABLE), encoding="utf-8")
    arguments = ["snippets", str(corpus(tmp_path / "corpus")), "--out", str(out), "--table", str(table)]
    result = CliRunner().invoke(cli, [*arguments, "--per-project", "2", "--json"], catch_exceptions=False)
    document = json.loads(result.output)
    assert (document["projects"], document["head"], document["tail"]) == (3, 6, 6)
    found = read_snippets(out)
    assert all(("heapq" in each.text) == (each.stratum.value == "tail") for each in found)


def test_too_few_projects_are_pointed_out(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text(json.dumps(TABLE), encoding="utf-8")
    arguments = ["snippets", str(corpus(tmp_path / "corpus")), "--table", str(table)]
    result = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "out.jsonl")])
    assert "12 projects: too few to warn" in " ".join(result.output.split())


def test_a_folder_without_code_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text(json.dumps(TABLE), encoding="utf-8")
    result = CliRunner().invoke(cli, ["snippets", str(tmp_path), "--table", str(table)])
    assert isinstance(result.exception, InvalidCorpus)


def test_a_file_that_cannot_be_written_is_an_error_with_its_reason(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text(json.dumps(TABLE), encoding="utf-8")
    arguments = ["snippets", str(corpus(tmp_path / "corpus")), "--table", str(table)]
    result = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "no" / "out.jsonl")])
    assert isinstance(result.exception, InvalidCorpus)
    assert "cannot be written" in str(result.exception)


def test_projects_without_both_kinds_are_an_error_and_no_empty_file(tmp_path: Path) -> None:
    table, out = tmp_path / "table.json", tmp_path / "out.jsonl"
    table.write_text(json.dumps(TABLE), encoding="utf-8")
    apart = corpus(tmp_path / "corpus")
    for project, kind in ((0, "common"), (1, "rare"), (2, "rare")):
        for path in (apart / f"p{project}").glob(f"{kind}*.py"):
            path.unlink()
    result = CliRunner().invoke(cli, ["snippets", str(apart), "--table", str(table), "--out", str(out)])
    assert "both common and rare" in str(result.exception)
    assert not out.exists()
