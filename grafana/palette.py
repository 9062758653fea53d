"""The words of the boards, each in one colour and one order everywhere."""

from __future__ import annotations

GREEN, AMBER, RED, BLUE, PURPLE, GREY = "green", "orange", "red", "blue", "purple", "#8e8e8e"
YELLOW, BROWN = "yellow", "#8a5a44"
COLOURS = {
    "promote": GREEN,
    "hold": AMBER,
    "reject": RED,
    "steady": GREEN,
    "improved": BLUE,
    "undecided": AMBER,
    "regressed": RED,
    "head": BLUE,
    "torso": PURPLE,
    "tail": RED,
    "passed": GREEN,
    "failed": RED,
    "rejected": AMBER,
    "crashed": PURPLE,
    "timed_out": BLUE,
    "out_of_memory": BROWN,
    "unscored": GREY,
    "baseline": GREY,
    "pass ratio": BLUE,
    "lower bound": YELLOW,
    "difference": BLUE,
    "upper bound": PURPLE,
    "lost": RED,
    "gained": GREEN,
    "margin": GREY,
}
"""One colour per word, on every board."""

DECISIONS = ("promote", "hold", "reject")
FINDINGS = ("steady", "improved", "undecided", "regressed")
STRATA = ("head", "torso", "tail")
OUTCOMES = ("passed", "failed", "rejected", "crashed", "timed_out", "out_of_memory", "unscored")
HEADINGS = {"name": "checkpoint"}
"""What a column of row names is called, where that is not its label."""
