"""`tailwatch demo --json` from an empty folder to its end, on real checkpoints, vLLM and containers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from monitor.verdicts.average import LIMIT
from tests.acceptance.product import ENGINE_READY_S, Deployment

DEMO_S = 600.0
"""Beside starting vLLM: two minutes for the bank and a quarter of one for each of six on two idle cores."""

HARMLESS = {"control1", "control2", "8bit"}
WITHOUT_REVIEW = {"gen2", "gen3"}
STRATUM_KEYS = {"baseline", "pass_ratio", "low", "high", "delta", "samples", "finding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a demo printed, and where it made its deployment."""

    document: dict[str, Any]
    deployment: Deployment

    @property
    def checkpoints(self) -> dict[str, dict[str, Any]]:
        """By name."""
        return {each["name"]: each for each in self.document["checkpoints"]}


@pytest.fixture(scope="module")
def told(components, tmp_path_factory) -> Told:
    place = Deployment(folder=tmp_path_factory.mktemp("demo"), port=0)
    demo = place.run("demo", "--folder", "demo", "--port", "0", "--json", timeout_s=ENGINE_READY_S + DEMO_S)
    return Told(document=demo.expect(0).document, deployment=place)


def test_six_checkpoints_arrived_and_were_decided_in_containers(told):
    assert set(told.checkpoints) == HARMLESS | WITHOUT_REVIEW | {"gen1"}
    assert told.document["sandbox"] == "docker"


def test_controls_and_the_8_bit_copy_are_promoted(told):
    assert {told.checkpoints[name]["decision"] for name in HARMLESS} == {"PROMOTE"}


def test_generations_without_review_are_rejected_for_their_tail(told):
    for name in WITHOUT_REVIEW:
        rejected = told.checkpoints[name]
        assert rejected["decision"] == "REJECT"
        assert ("stratum_regressed", "tail") in {(r["code"], r["stratum"]) for r in rejected["reasons"]}
        assert rejected["strata"]["tail"]["finding"] == "regressed"


def test_each_checkpoint_has_the_figures_it_was_decided_by(told):
    for each in told.checkpoints.values():
        assert len(each["digest"]) == 64
        assert set(each["strata"]) == {"head", "torso", "tail"}
        for stratum in each["strata"].values():
            assert set(stratum) == STRATUM_KEYS
            assert stratum["samples"] > 0
            assert 0 <= stratum["low"] <= stratum["high"] <= 1
        assert 0 < each["seconds"] < told.document["seconds"]


def test_the_average_stands_beside_it_with_its_error_and_what_follows_from_the_limit(told):
    assert told.document["average_only"]["limit"] == LIMIT
    assert told.document["average_only"]["shares_measured"]
    for each in told.checkpoints.values():
        expected = "REJECT" if each["average"]["delta"] < -LIMIT else "PROMOTE"
        assert each["average_only_decision"] == expected
        assert 0 < each["average"]["error"] < 0.05


def test_its_deployment_answers_the_commands_it_ends_with(told):
    config = ("-c", "demo/tailwatch.yaml")
    told.deployment.run("status", *config).expect(0)
    told.deployment.run("gate", "gen2", *config).expect(1)
    told.deployment.run("gate", "control1", *config).expect(0)
    told.deployment.run("drift", "gen0", "gen3", *config, "--html", "gen3.html").expect(0)
    assert (told.deployment.folder / "gen3.html").stat().st_size > 0
