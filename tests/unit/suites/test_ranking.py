import pytest

from monitor.domain.errors import InvalidSuite
from monitor.domain.tasks import Stratum
from monitor.rarity.table import RarityTable
from monitor.suites.format import CorpusFeatures
from monitor.suites.loading import build_task, load_suite, read_suite_files
from monitor.suites.ranking import explain_task, moves, rank_suite, write_copy, write_in_place
from tests.unit.suites.suite_files import task_text, write_suite_folder

TABLE = RarityTable(
    name="ours",
    documents=1000,
    counts={
        "language:ruby": 60,
        "sum": 900,
        "sorted": 500,
        "math.lcm": 2,
        "import:math": 200,
        "syntax:starred": 300,
    },
    language_shares={"python": 0.5, "ruby": 0.03125},
    unlisted_share=0.01,
    ordinary_bits=3.0,
)

BODIES = {
    "a": "      return sum(x)\n",
    "b": "      return sorted(x)\n",
    "c": "      import math\n      return math.lcm(*x)\n",
}


def suite_of(folder, texts):
    return read_suite_files(write_suite_folder(folder, texts))


def three_tasks():
    return {
        stem: task_text(f"t/{stem}").replace("      return 2 * x\n", body) for stem, body in BODIES.items()
    }


def test_tasks_are_ranked_by_their_rarest_features_and_cut_in_thirds(tmp_path):
    ranking = rank_suite(suite_of(tmp_path / "s", three_tasks()), TABLE)
    assert [row.task_id for row in ranking.tasks] == ["t/c", "t/b", "t/a"]
    assert [row.after for row in ranking.tasks] == [Stratum.TAIL, Stratum.TORSO, Stratum.HEAD]
    assert {row.before for row in ranking.tasks} == {Stratum.HEAD}
    assert moves(ranking) == {(Stratum.HEAD, Stratum.TAIL): 1, (Stratum.HEAD, Stratum.TORSO): 1}


def test_a_rarer_language_is_rarer_than_an_ordinary_python_program(tmp_path):
    texts = three_tasks() | {"d": task_text("t/d").replace("language: python", "language: ruby")}
    ranking = rank_suite(suite_of(tmp_path / "s", texts), TABLE)
    assert next(row for row in ranking.tasks if row.task_id == "t/d").rarity == 8.0


def test_a_written_suite_loads_with_the_scores_and_names_its_table(tmp_path):
    folder = tmp_path / "s"
    ranking = rank_suite(suite_of(folder, three_tasks()), TABLE)
    write_in_place(ranking, folder)
    rule = read_suite_files(folder).header.rarity
    assert isinstance(rule, CorpusFeatures)
    assert rule.corpus == TABLE.reference
    loaded = load_suite(folder)
    assert [loaded[row.task_id].rarity for row in ranking.tasks] == [row.rarity for row in ranking.tasks]


def test_ranking_twice_writes_the_same_files(tmp_path):
    folder = tmp_path / "s"
    write_in_place(rank_suite(suite_of(folder, three_tasks()), TABLE), folder)
    first = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    again = rank_suite(read_suite_files(folder), TABLE)
    write_in_place(again, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == first
    assert moves(again) == {}


def test_a_copy_leaves_the_suite_as_it_was(tmp_path):
    folder = tmp_path / "s"
    before = suite_of(folder, three_tasks())
    write_copy(rank_suite(before, TABLE), folder, tmp_path / "copy")
    assert read_suite_files(folder) == before
    assert load_suite(tmp_path / "copy").rarity_method == "corpus-features"


def test_the_headers_own_quantiles_stay(tmp_path):
    folder = tmp_path / "s"
    write_in_place(rank_suite(suite_of(folder, three_tasks()), TABLE), folder)
    path = folder / "suite.yaml"
    text = path.read_text(encoding="utf-8")
    start, _, _ = text.partition("  quantiles:")
    rest = text[text.index("contamination_canary") :]
    path.write_text(f"{start}  cut_points: {{torso_from: 1.5, tail_from: 30.0}}\n{rest}", encoding="utf-8")
    ranking = rank_suite(read_suite_files(folder), TABLE)
    assert [row.after for row in ranking.tasks] == [Stratum.TORSO, Stratum.TORSO, Stratum.HEAD]


def test_a_copy_keeps_the_list_of_equivalent_mutants(tmp_path):
    folder = tmp_path / "s"
    ranking = rank_suite(suite_of(folder, three_tasks()), TABLE)
    (folder / "equivalent-mutants.yaml").write_text("mutants: []\n", encoding="utf-8")
    write_copy(ranking, folder, tmp_path / "copy")
    assert (tmp_path / "copy" / "equivalent-mutants.yaml").read_text(encoding="utf-8") == "mutants: []\n"


def test_references_that_do_not_parse_cannot_be_ranked_and_are_all_named(tmp_path):
    broken = {stem: task_text(f"t/{stem}").replace("return 2 * x", "return (") for stem in "ab"}
    texts = three_tasks() | broken
    with pytest.raises(InvalidSuite, match=r"do not parse cannot be ranked: t/a .*, t/b \("):
        rank_suite(suite_of(tmp_path / "s", texts), TABLE)


def test_a_program_without_any_feature_is_as_common_as_its_language(tmp_path):
    ranking = rank_suite(suite_of(tmp_path / "s", {"a": task_text("t/a")}), TABLE)
    assert [row.rarity for row in ranking.tasks] == [1.0]


def test_an_answer_has_the_middle_of_the_programs_scores(tmp_path):
    texts = three_tasks() | {"d": task_text("t/d").replace("kind: program", "kind: answer")}
    ranking = rank_suite(suite_of(tmp_path / "s", texts), TABLE)
    scores = {row.task_id: row.rarity for row in ranking.tasks}
    assert ranking.answers == ("t/d",)
    assert scores["t/d"] == scores["t/b"]


def test_a_suite_of_answers_cannot_be_ranked(tmp_path):
    texts = {"a": task_text("t/a").replace("kind: program", "kind: answer")}
    files = suite_of(tmp_path / "s", texts)
    with pytest.raises(InvalidSuite, match="No task of 'small' is a program"):
        rank_suite(files, TABLE)


def test_scores_that_tie_at_a_cut_leave_a_doubt(tmp_path):
    texts = {stem: task_text(f"t/{stem}") for stem in "abc"}
    ranking = rank_suite(suite_of(tmp_path / "s", texts), TABLE)
    assert ranking.doubts == (
        "The suite 'small' has no tasks in head and torso: it cannot show what happens there.",
    )


def test_a_task_is_explained_by_its_features(tmp_path):
    files = suite_of(tmp_path / "s", three_tasks())
    tasks = {entry.task_id: build_task(entry) for entry in files.tasks.values()}
    told = explain_task(tasks["t/c"], TABLE)
    assert told is not None
    assert told.features[0].feature == "math.lcm"
