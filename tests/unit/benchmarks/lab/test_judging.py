"""Wrong, endless and greedy bodies fail; right ones pass, in the order asked."""

from benchmarks.lab.judging import judge


def test_outcomes_come_back_in_order_and_repeats_run_once():
    assert judge(["x = 1", "assert False", "x = 1", "def", "raise SystemExit"]) == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_an_endless_program_fails_even_if_it_catches_exceptions():
    assert judge(["while True:\n    try:\n        pass\n    except Exception:\n        pass"]) == [False]


def test_a_program_that_eats_memory_fails():
    assert judge(["x = bytearray(8 << 30)", "x = 2"]) == [False, True]
