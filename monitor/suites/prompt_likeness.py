"""Tasks whose prompts tell of the same thing, though they share few words in a row.

The measure is the cosine of the prompts' words, each weighed by how few prompts have it (Salton and
Buckley 1988). It finds one idea told twice, which shingles do not, and also two ideas about one thing, so
its pairs are for a reader to judge.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from monitor.domain.tasks import Task
from monitor.suites.near_duplicates import Likeness

_WORD = re.compile(r"[^\W\d_]{2,}")

Weights = Mapping[str, float]
"""Of the words of one prompt; the sum of their squares is 1."""


def likest_prompts(tasks: Sequence[Task], *, most: int) -> list[Likeness]:
    """The pairs of tasks in one language whose prompts are most alike, the closest first."""
    groups: defaultdict[str, list[tuple[str, Weights]]] = defaultdict(list)
    for task, weights in zip(tasks, _weighed([task.prompt for task in tasks]), strict=True):
        groups[task.language].append((task.task_id, weights))
    pairs = [
        Likeness(task_id=one, other=other, similarity=_cosine(weights, others))
        for group in groups.values()
        for (one, weights), (other, others) in combinations(group, 2)
    ]
    pairs.sort(key=lambda pair: (-pair.similarity, pair.task_id, pair.other))
    return pairs[:most]


def _weighed(texts: Iterable[str]) -> list[Weights]:
    counts = [Counter(_WORD.findall(text.casefold())) for text in texts]
    holders = Counter(word for each in counts for word in each)
    weighed: list[Weights] = []
    for each in counts:
        raw = {
            word: (1 + math.log(count)) * math.log((len(counts) + 1) / holders[word])
            for word, count in each.items()
        }
        length = math.hypot(*raw.values()) or 1.0
        weighed.append({word: weight / length for word, weight in raw.items()})
    return weighed


def _cosine(one: Weights, other: Weights) -> float:
    if len(other) < len(one):
        one, other = other, one
    return sum(weight * other.get(word, 0.0) for word, weight in one.items())
