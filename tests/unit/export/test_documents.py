import json
from dataclasses import replace

import pytest

from monitor.domain.evaluation import State
from monitor.domain.evidence import Decision, DecisionKind
from monitor.export.documents import evaluation_document, gate_document
from tests.unit.export import story


@pytest.mark.parametrize(
    ("kind", "verdict", "ok"),
    [
        (DecisionKind.PROMOTE, "pass", True),
        (DecisionKind.REJECT, "fail", False),
        (DecisionKind.HOLD, "inconclusive", False),
    ],
)
def test_a_decision_is_told_in_a_rollout_controllers_words(kind, verdict, ok):
    document = gate_document(Decision(kind=kind, reasons=()))
    assert (document["verdict"], document["ok"], document["decision"]) == (verdict, ok, kind.value)


def test_a_gate_document_names_reasons_and_evidence():
    document = gate_document(story.REJECT)
    assert document["reasons"][0]["code"] == "stratum_regressed"
    assert document["reasons"][0]["stratum"] == "tail"
    assert document["strata"]["tail"]["finding"] == "regressed"
    assert document["strata"]["tail"]["confirming"]["delta"] == -0.18
    assert document["strata"]["head"]["confirming"] is None


def test_an_evaluation_survives_json():
    decided = story.evaluation(story.GEN3, begun=story.BEGIN, decision=story.REJECT)
    document = json.loads(json.dumps(evaluation_document(decided), allow_nan=False))
    assert document["checkpoint"]["lineage"]["parent"] == "gen0"
    assert document["stage_s"]["generation"] == 11.5
    assert document["finished_at"] == "2026-11-20T08:00:15+00:00"


def test_what_does_not_exist_is_null():
    subject = replace(story.GEN3, lineage=None)
    document = evaluation_document(story.evaluation(subject, begun=story.BEGIN, state=State.RUNNING))
    assert document["checkpoint"]["lineage"] is None
    assert document["decision"] is None
    assert document["finished_at"] is None
