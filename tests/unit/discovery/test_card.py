from __future__ import annotations

from pathlib import Path

import pytest

from monitor.discovery.card import CardError, read_card
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
