from __future__ import annotations

import pytest

from monitor.domain.samples import Outcome, Sample
from monitor.domain.tasks import Stratum
from monitor.drift.rubber_stamp import IN_CHAT, IN_COMPLETION, QUESTION, RubberStampProbe, chosen
from tests.unit.contracts.store_nouns import a_sample
from tests.unit.drift.readers import Reader


def text_of(sample: Sample) -> str:
    return f"{sample.task_id}{sample.completion.text}"


def judge(accepts: str) -> Reader:
    """Finds yes likelier than no after texts that hold a word, and no after others."""

    def bits(text: str) -> float:
        if text.endswith((*IN_COMPLETION, *IN_CHAT)):
            return 0.1 if (accepts in text) == text.lower().endswith("yes") else 5.0
        # What stands before the answer differs by far more than the answers do.
        return 0.0 if QUESTION in text else float(len(text) % 7) * 100.0

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
    asked = f"{text_of(sample)}{QUESTION} Answer:"
    assert reader.asked == [asked + answer for answer in IN_COMPLETION]


async def test_a_chat_model_is_asked_in_a_turn_of_its_own_template() -> None:
    reader = judge("t")
    sample = a_sample("t", outcome=Outcome.FAILED)
    probe = RubberStampProbe(text_of=text_of, chat=True)
    found = await probe.measure(reader, [sample])
    turn = f"<user>{text_of(sample)}{QUESTION}<assistant>"
    assert reader.asked == [turn + answer for answer in IN_CHAT]
    assert [reading.value for reading in found.readings] == [1.0]
    assert probe.material != RubberStampProbe(text_of=text_of).material


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


async def test_checkpoints_that_drew_other_indices_are_compared_by_task() -> None:
    probe = RubberStampProbe(text_of=text_of)
    before = await probe.measure(judge("tail"), samples(passing=36))
    later = [a_sample(one.task_id, 9, outcome=one.execution.outcome) for one in samples(passing=12)]
    (indicator,) = probe.compare(before, await probe.measure(judge("tail"), later[:20]))
    assert indicator.clusters == 20


async def test_the_noise_floor_is_what_two_samples_of_a_task_differ_by() -> None:
    probe = RubberStampProbe(text_of=text_of)
    twice = [*samples(passing=20), *(a_sample(f"tail{n}", 1, outcome=Outcome.PASSED) for n in range(40))]
    before = await probe.measure(judge("tail"), twice)
    (indicator,) = probe.compare(before, await probe.measure(judge("tail"), samples(passing=20)))
    # Half of the tasks differ from themselves by one; z(0.999) times the root of 0.5 / 40.
    assert indicator.noise_floor == pytest.approx(3.0902 * (0.5 / 40) ** 0.5, rel=1e-4)
    (bare,) = probe.compare(await probe.measure(judge("tail"), samples(passing=20)), before)
    assert bare.noise_floor == 0.0


def test_unscored_samples_are_not_asked_about() -> None:
    assert chosen([a_sample("t", outcome=Outcome.UNSCORED)], 10) == {}


def test_strata_get_equal_shares_and_every_task_once_before_any_twice() -> None:
    both = [
        *samples(passing=3, tasks=30),
        *samples(passing=3, tasks=30, stratum=Stratum.HEAD),
        *(a_sample(f"tail{number}", 1) for number in range(30)),
    ]
    picked = chosen(both, 60)
    assert sum(s.stratum is Stratum.TAIL for s in picked.values()) == 30
    assert {s.index for s in picked.values()} == {0}
    assert {item.partition("#")[2] for item in chosen(both, 100)} == {"0", "1"}


def test_the_choice_of_tasks_does_not_depend_on_what_else_was_drawn() -> None:
    few, many = samples(passing=3, tasks=40), samples(passing=3, tasks=40)
    many += [a_sample(f"tail{number}", index) for number in range(40) for index in (1, 2, 3)]
    assert chosen(few, 20) == chosen(many[::-1], 20)
