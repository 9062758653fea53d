from __future__ import annotations

from pathlib import Path

import pytest

from monitor.discovery.card import CardError, read_card, read_model_card
from monitor.domain.checkpoint import Lineage, Review
from tests.unit.discovery.checkpoint_files import CARD


def _card(folder: Path, text: str) -> Path:
    path = folder / "tailwatch.yaml"
    path.write_text(text)
    return path


def test_a_card_states_the_lineage(tmp_path: Path) -> None:
    text = CARD + "command: python -m benchmarks.lab build\nseed: 3\n"
    assert read_card(_card(tmp_path, text)).lineage == Lineage(
        parent="gen0", training_data=("synthetic",), synthetic_share=1.0, review=Review.NONE
    )


def test_a_first_generation_has_no_parent(tmp_path: Path) -> None:
    lineage = read_card(_card(tmp_path, "synthetic_share: 0\nreview: human-gate\n")).lineage
    assert (lineage.parent, lineage.review) == (None, Review.HUMAN_GATE)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "field all"),
        ("- a", "field all"),
        ("a: [", "not YAML"),
        (CARD.replace("1.0", "1.5"), "field synthetic_share"),
        (CARD.replace("1.0", ".nan"), "field synthetic_share"),
        (CARD.replace("review: none", "review: sometimes"), "field review"),
        (CARD + "autor: me\n", "field autor"),
        (CARD + "sha256: all\n", "field sha256"),
        (CARD.replace("synthetic_share: 1.0\n", ""), "field synthetic_share"),
        ("# " + "x" * 300_000, "larger than"),
        (CARD + "command: !!python/object:os.system x\n", "not YAML"),
    ],
)
def test_a_wrong_card_says_which_field(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(CardError, match=told):
        read_card(_card(tmp_path, text))


def test_a_card_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="cannot be read"):
        read_card(tmp_path / "tailwatch.yaml")


def _model_card(folder: Path, front: str) -> Path:
    path = folder / "README.md"
    path.write_text(f"---\nlicense: mit\n{front}---\n\n# A model\n\n---\ntailwatch: no\n---\n")
    return path


def test_a_model_card_states_the_lineage_under_a_key_of_its_front_matter(tmp_path: Path) -> None:
    front = "tailwatch:\n" + "".join(f"  {line}\n" for line in CARD.splitlines())
    found = read_model_card(_model_card(tmp_path, front))
    assert found is not None
    assert found.lineage == read_card(_card(tmp_path, CARD)).lineage


@pytest.mark.parametrize("front", ["", "base_model: x\n", "other: {tailwatch: {}}\n", "broken: [\n"])
def test_a_model_card_without_the_key_states_nothing(tmp_path: Path, front: str) -> None:
    assert read_model_card(_model_card(tmp_path, front)) is None


@pytest.mark.parametrize("text", ["", "# A model\n", "---\ntailwatch: {}\n", "\n---\ntailwatch: {}\n---\n"])
def test_a_page_without_front_matter_states_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "README.md"
    path.write_text(text)
    assert read_model_card(path) is None


@pytest.mark.parametrize(
    ("front", "told"),
    [
        ("tailwatch:\n", "README.md, field all"),
        ("tailwatch: {review: none}\n", "README.md, field synthetic_share"),
        ("tailwatch: [\n", "README.md is not YAML"),
    ],
)
def test_a_wrong_entry_of_a_model_card_says_which_field(tmp_path: Path, front: str, told: str) -> None:
    with pytest.raises(CardError, match=told):
        read_model_card(_model_card(tmp_path, front))
