from __future__ import annotations

import pytest

from monitor.domain.tasks import Stratum
from monitor.drift.nll import LEAST_RISE, LEAST_SHARE, NllProbe
from monitor.drift.snippets import Snippet
from tests.unit.drift.readers import Reader, even_reader


def snippets(projects: int = 20) -> list[Snippet]:
    return [
        Snippet(
            project=f"p{number}",
            path=f"f{number}:{stratum}",
            rarity=1.0,
            stratum=stratum,
            text=f"    return {stratum}({number})\n",
            context="def f():\n",
        )
        for number in range(projects)
        for stratum in (Stratum.HEAD, Stratum.TAIL)
    ]


def forgetful(bits: float) -> Reader:
    """Rare code costs this much, common code one bit per byte."""
    return Reader(lambda text: bits if "tail" in text else 1.0)


async def test_a_reading_is_bits_per_byte_of_the_text_without_its_context() -> None:
    found = await NllProbe(snippets()).measure(even_reader(1.5), ())
    assert len(found.readings) == 40
    assert all(reading.value == pytest.approx(1.5) for reading in found.readings)


async def test_text_beyond_ascii_is_counted_in_bytes() -> None:
    snippet = Snippet(project="p", path="f", rarity=1.0, stratum=Stratum.TAIL, text="é" * 10)
    found = await NllProbe([snippet]).measure(even_reader(2.0), ())
    assert found.readings[0].value == pytest.approx(1.0)


async def test_a_snippet_that_the_engine_refuses_is_left_out_on_both_sides() -> None:
    probe = NllProbe(snippets())
    whole = await probe.measure(forgetful(1.0), ())
    holed = await probe.measure(Reader(lambda text: None if text.endswith("tail(3)") else 1.0), ())
    assert len(holed.readings) == 39
    tail = next(i for i in probe.compare(whole, holed) if i.stratum is Stratum.TAIL)
    assert tail.clusters == 19
    assert tail.difference == pytest.approx(0.0)


async def test_the_same_engine_twice_never_warns() -> None:
    probe = NllProbe(snippets())
    first, second = [await probe.measure(forgetful(1.3), ()) for _ in range(2)]
    assert first.readings == second.readings
    assert [i.p_value for i in probe.compare(first, second)] == [1.0, 1.0]


async def test_forgetting_the_rare_code_warns_of_the_tail_alone() -> None:
    probe = NllProbe(snippets())
    before, after = [await probe.measure(forgetful(bits), ()) for bits in (1.0, 1.2)]
    warnings = {i.stratum: i.warns for i in probe.compare(before, after)}
    assert warnings == {Stratum.HEAD: False, Stratum.TAIL: True}


async def test_knowing_it_better_does_not_warn() -> None:
    probe = NllProbe(snippets())
    before, after = [await probe.measure(forgetful(bits), ()) for bits in (1.2, 1.0)]
    assert not any(i.warns for i in probe.compare(before, after))


@pytest.mark.parametrize(
    ("bits", "rise", "warns"),
    [
        (1.0, LEAST_SHARE / 2, False),
        (1.0, LEAST_SHARE * 2, True),
        (0.001, LEAST_RISE / 2, False),
        (0.001, LEAST_RISE * 2, True),
    ],
)
async def test_a_small_rise_does_not_warn_however_sure_it_is(bits: float, rise: float, warns: bool) -> None:
    probe = NllProbe(snippets())
    before, after = [await probe.measure(even_reader(cost), ()) for cost in (bits, bits + rise)]
    tail = probe.compare(before, after)[1]
    assert tail.p_value < 0.001
    assert tail.warns is warns


async def test_measurements_of_different_snippets_are_not_compared() -> None:
    first, other = NllProbe(snippets()), NllProbe(snippets(5))
    before, after = await first.measure(even_reader(1.0), ()), await other.measure(even_reader(2.0), ())
    assert other.compare(before, after) == ()


async def test_comparing_again_gives_the_same_p_values() -> None:
    probe = NllProbe(snippets(30))
    before = await probe.measure(even_reader(1.0), ())
    after = await probe.measure(Reader(lambda text: 1.0 + (len(text) % 7 - 3) / 50), ())
    assert probe.compare(before, after) == probe.compare(before, after)
