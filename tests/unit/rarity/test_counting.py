import pytest

from monitor.domain.errors import InvalidCorpus
from monitor.rarity.counting import Tally, Threshold, document_of, is_pythons_own, middle_function

FUNCTION = """
import json, heapq

def long_enough(path):
    with open(path) as file:
        rows = json.load(file)
    total = sum(rows)
    return total
"""


def tally(*programs, language="python"):
    counted = Tally()
    for text, project in programs:
        document = document_of(text, language, project)
        if document is not None:
            counted.add(document)
    return counted


def test_a_feature_counts_once_per_document():
    table = tally(("sum(a) + sum(b)", "p"), ("sum(a)", "p"), ("max(a)", "q")).table(
        "c", threshold=Threshold()
    )
    assert (table.documents, table.counts) == (3, {"sum": 2, "max": 1})


def test_text_that_cannot_be_parsed_is_no_document():
    assert document_of("def f(:", "python", "p") is None
    assert document_of("# nothing", "python", "p") is None


def test_rare_features_are_dropped_below_the_threshold():
    table = tally(("sum(a)", "p"), ("sum(a); max(b)", "p")).table("c", threshold=Threshold(documents=2))
    assert table.counts == {"sum": 2}


def test_a_projects_own_names_need_other_projects_but_pythons_do_not():
    programs = [("import numpy, os\nnumpy.dot(a)\nos.dup(1)", "p")] * 3
    table = tally(*programs).table("c", threshold=Threshold(projects=2))
    assert table.counts == {"import:os": 3, "os.dup": 3}
    table = tally(*programs, ("import numpy\nnumpy.dot(a)", "q")).table("c", threshold=Threshold(projects=2))
    assert table.counts["numpy.dot"] == 4


def test_languages_have_their_share_of_the_documents():
    counted = tally(("sum(a)", "p"), ("sum(a)", "p"), ("sum(a)", "p"))
    counted.add(document_of("puts 1", "ruby", "p"))
    table = counted.table("c", threshold=Threshold())
    assert table.language_shares == {"python": 0.75, "ruby": 0.25}
    assert table.counts["language:ruby"] == 1
    assert table.language_bits("lua") > table.language_bits("ruby") > table.language_bits("python")


def test_shares_from_elsewhere_replace_those_of_the_documents():
    table = tally(("sum(a)", "p")).table("c", threshold=Threshold(), shares={"python": 0.5, "tcl": 0.25})
    assert table.language_bits("tcl") == table.language_bits("awk") == 2.0


def test_the_ordinary_bits_are_the_median_over_functions():
    assert tally((FUNCTION, "p")).table("c", threshold=Threshold()).ordinary_bits > 0
    assert tally(("sum(a)", "p")).table("c", threshold=Threshold()).ordinary_bits == 0


def test_a_function_is_taken_with_the_imports_it_uses():
    snippet = middle_function(FUNCTION)
    assert snippet is not None
    assert snippet.startswith("import json, heapq\n")
    assert "def long_enough" in snippet


def test_a_function_of_unusual_length_stands_for_nothing():
    assert middle_function("def f():\n    return 1") is None
    assert middle_function("not python") is None


@pytest.mark.parametrize(
    "feature", ["sum", "os.path.join", "import:heapq", ".pop", "syntax:match", "file.seek"]
)
def test_what_belongs_to_python_itself_is_known(feature):
    assert is_pythons_own(feature)


@pytest.mark.parametrize("feature", ["numpy.dot", "import:django.db", "six"])
def test_what_belongs_to_a_project_is_known(feature):
    assert not is_pythons_own(feature)


def test_an_empty_corpus_is_refused():
    with pytest.raises(InvalidCorpus, match="no programs"):
        Tally().table("c", threshold=Threshold())
