from __future__ import annotations

import pytest

from monitor.domain.samples import Outcome, Sample
from monitor.domain.tasks import Stratum
from monitor.drift.rubber_stamp import NO, QUESTION, YES, RubberStampProbe, chosen
from tests.unit.contracts.store_nouns import a_sample
from tests.unit.drift.readers import Reader


def text_of(sample: Sample) -> str:
    return f"{sample.task_id}{sample.completion.text}"


def judge(accepts: str) -> Reader:
    """Finds yes likelier than no after texts that hold a word, and no after others."""

    def bits(text: str) -> float:
        if text.endswith((YES, NO)):
            return 0.1 if (accepts in text) == text.endswith(YES) else 5.0
        return 0.0

    return Reader(bits)


def samples(passing: int, *, tasks: int = 40, stratum: Stratum = Stratum.TAIL) -> list[Sample]:
    return [
        a_sample(
            f"{stratum}{number}",
            stratum=stratum,
            outcome=Outcome.PASSED if number < passing else Outcome.FAILED,
        )
        for number in range(tasks)
    ]


async def test_a_reading_is_acceptance_minus_passing() -> None:
    asked = [
        a_sample("good", outcome=Outcome.PASSED),
        a_sample("bad", outcome=Outcome.FAILED),
        a_sample("good-but-wrong", outcome=Outcome.FAILED),
        a_sample("bad-but-right", outcome=Outcome.PASSED),
    ]
    found = await RubberStampProbe(text_of=text_of).measure(judge("good"), asked)
    values = {reading.item: reading.value for reading in found.readings}
    assert values == {"good#0": 0.0, "bad#0": 0.0, "good-but-wrong#0": 1.0, "bad-but-right#0": -1.0}


async def test_the_model_reads_what_it_wrote_and_then_the_question() -> None:
    reader = judge("x")
    sample = a_sample("t", outcome=Outcome.PASSED)
    await RubberStampProbe(text_of=text_of).measure(reader, [sample])
    assert reader.asked == [text_of(sample) + QUESTION + answer for answer in (YES, NO)]


async def test_acceptance_that_stays_while_correctness_falls_warns() -> None:
    probe = RubberStampProbe(text_of=text_of)
    before = await probe.measure(judge("tail"), samples(passing=36))
    after = await probe.measure(judge("tail"), samples(passing=12))
    (indicator,) = probe.compare(before, after)
    assert indicator.warns
    assert (indicator.baseline, indicator.value) == pytest.approx((0.1, 0.7))


async def test_a_model_that_sees_its_mistakes_does_not_warn() -> None:
    probe = RubberStampProbe(text_of=text_of)
    before = await probe.measure(judge("tail"), samples(passing=40))
    after = await probe.measure(judge("nothing at all"), samples(passing=0))
    (indicator,) = probe.compare(before, after)
    assert (indicator.difference, indicator.p_value) == (0.0, 1.0)


async def test_only_samples_that_both_drew_are_compared() -> None:
    probe = RubberStampProbe(text_of=text_of)
    before = await probe.measure(judge("tail"), samples(passing=20))
    after = await probe.measure(judge("tail"), samples(passing=20)[:7])
    (indicator,) = probe.compare(before, after)
    assert indicator.clusters == 7


async def test_a_text_beyond_the_context_is_left_out() -> None:
    refusing = Reader(lambda text: None if text.startswith("tail3") else 0.5)
    found = await RubberStampProbe(text_of=text_of).measure(refusing, samples(passing=5, tasks=10))
    assert len(found.readings) == 9


def test_unscored_samples_are_not_asked_about() -> None:
    assert chosen([a_sample("t", outcome=Outcome.UNSCORED)], 10) == []


def test_strata_get_equal_shares_and_every_task_once_before_any_twice() -> None:
    both = [
        *samples(passing=3, tasks=30),
        *samples(passing=3, tasks=30, stratum=Stratum.HEAD),
        *(a_sample(f"tail{number}", 1) for number in range(30)),
    ]
    picked = chosen(both, 60)
    assert sum(s.stratum is Stratum.TAIL for s in picked) == 30
    assert {s.index for s in picked} == {0}


def test_the_choice_does_not_depend_on_what_else_was_drawn() -> None:
    few, many = samples(passing=3, tasks=40), samples(passing=3, tasks=40)
    many += [a_sample(f"tail{number}", index) for number in range(40) for index in (1, 2, 3)]
    assert chosen(few, 20) == chosen(many[::-1], 20)
