"""PromQL as the boards ask it: every selector carries job and instance, every join its keys."""

from __future__ import annotations

PRESENT = 'job=~"$job", instance=~"$instance"'
KEYS = "job, instance, model, checkpoint"
INFO = "tailwatch_checkpoint_info"
WATCHED = "checkpoint:tailwatch_checkpoint_info:watched"


def series(name: str, *matchers: str) -> str:
    """A selector within the chosen job and instances.

    >>> series("up")
    'up{job=~"$job", instance=~"$instance"}'
    """
    return f"{name}{{{', '.join((PRESENT, *matchers))}}}"


def of_model(name: str, *matchers: str) -> str:
    """A selector within the chosen model."""
    return series(name, 'model=~"$model"', *matchers)


def of_checkpoint(name: str, *matchers: str) -> str:
    """A selector within the chosen checkpoint."""
    return of_model(name, 'checkpoint="$checkpoint"', *matchers)


def watched(expression: str, *matchers: str) -> str:
    """Only of the newest judged candidate and the promoted checkpoint, with names and roles."""
    return f"({expression}) * on ({KEYS}) group_left (name, role) {of_model(WATCHED, *matchers)}"


def newest(expression: str) -> str:
    """Only of the newest judged candidate; of the promoted checkpoint where that one is the newest."""
    judged = "checkpoint:tailwatch_checkpoint_ordinal:judged"
    return (
        f"({expression}) and on ({KEYS}) ({of_model(judged)} "
        f"== on (job, instance, model) group_left () max by (job, instance, model) ({of_model(judged)}))"
    )


def newest_over_time(expression: str) -> str:
    """The same as one line, from checkpoint to checkpoint."""
    return f"max({newest(expression)})"


def named(expression: str) -> str:
    """With the checkpoint's name, and its number by arrival as a label that tables are sorted by."""
    names = f"max by ({KEYS}, name) ({of_model(INFO)})"
    # From a million upwards all numbers are equally long, so that they sort as texts too.
    arrival = f'count_values by ({KEYS}) ("arrival", 1000000 + {of_model("tailwatch_checkpoint_ordinal")})'
    known = f"({names} * on ({KEYS}) group_left (arrival) {arrival})"
    return f"({expression}) * on ({KEYS}) group_left (name, arrival) {known}"
