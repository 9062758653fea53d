"""Banks and candidates for the tests of verdicts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from monitor.domain.evidence import Bank, Observation
from monitor.domain.tasks import Stratum
from monitor.verdicts.assessment import Assessment, Phase, assess
from monitor.verdicts.policy import Policy

TASKS = 60
DEPTH = 32
RATIOS: Mapping[Stratum, float] = {Stratum.HEAD: 0.9, Stratum.TORSO: 0.7, Stratum.TAIL: 0.5}
BROKEN = Stratum.TAIL


def task_id(stratum: Stratum, number: int) -> str:
    return f"{stratum.value}/{number:03d}"


def bank(
    ratios: Mapping[Stratum, float] = RATIOS,
    *,
    tasks: int = TASKS,
    depth: int = DEPTH,
    seed: int = 1,
    seed_stable: bool = True,
) -> Bank:
    rng = np.random.default_rng(seed)
    return Bank(
        checkpoint="b" * 64,
        observations=tuple(
            Observation(
                task_id=task_id(stratum, number),
                stratum=stratum,
                index=index,
                wave=0,
                passed=bool(rng.random() < ratio),
                seed=1000 * number + index,
            )
            for stratum, ratio in ratios.items()
            for number in range(tasks)
            for index in range(depth)
        ),
        seed_stable=seed_stable,
    )


def wave_of(
    against: Bank,
    indices: range,
    ratios: Mapping[Stratum, float],
    *,
    wave: int = 0,
    seed: int = 2,
    unscored: float = 0.0,
) -> list[Observation]:
    """One sample of every task of the named strata at each index."""
    rng = np.random.default_rng((seed, wave))
    found = []
    for one in against.observations:
        if one.index in indices and one.stratum in ratios:
            passed = bool(rng.random() < ratios[one.stratum])
            lost = bool(rng.random() < unscored)
            found.append(
                Observation(
                    task_id=one.task_id,
                    stratum=one.stratum,
                    index=one.index,
                    wave=wave,
                    passed=None if lost else passed,
                    seed=one.seed,
                )
            )
    return found


def run(
    against: Bank,
    ratios: Mapping[Stratum, float],
    policy: Policy,
    *,
    confirming: Mapping[Stratum, float] | None = None,
    unscored: float = 0.0,
    seed: int = 2,
) -> tuple[Assessment, list[Observation]]:
    """Draw what is wanted, a pass over the stratum per wave, until nothing is."""
    drawn: list[Observation] = []
    for wave in range(200):
        assessment = assess(against, drawn, policy)
        if not assessment.wanted:
            return assessment, drawn
        for want in assessment.wanted:
            source = confirming if confirming and want.phase is Phase.CONFIRMATION else ratios
            if want.stratum not in source:
                return assessment, drawn
            taken = {one.index for one in drawn if one.stratum is want.stratum}
            index = next(each for each in want.indices if each not in taken)
            drawn += wave_of(
                against,
                range(index, index + 1),
                {want.stratum: source[want.stratum]},
                wave=wave,
                unscored=unscored,
                seed=seed,
            )
    raise AssertionError("the evaluation never ended")
