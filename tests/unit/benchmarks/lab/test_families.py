"""Every family is a sound problem: its reference passes, other bodies fail, names never collide."""

import random
import string

import pytest

from benchmarks.lab.families import FAMILIES
from benchmarks.lab.families.notation import ROLES, phrase
from benchmarks.lab.proofs import load, program, write_test

KEYS = sorted(FAMILIES)


def run(text: str) -> None:
    exec(compile(text, "<test>", "exec"), {})


def test_there_are_at_least_two_hundred_families_over_many_topics():
    assert len(FAMILIES) >= 200
    assert len({family.topic for family in FAMILIES.values()}) >= 15


@pytest.mark.parametrize("key", KEYS)
def test_a_reference_passes_its_own_tests_whatever_names_are_drawn(key):
    rng = random.Random(f"names-{key}")
    for _ in range(5):
        example = FAMILIES[key].draw(rng)
        test = write_test(FAMILIES[key], example)
        run(program(example.prompt, example.body, test, example.entry_point))


@pytest.mark.parametrize("key", KEYS)
def test_a_constant_body_fails(key):
    example = FAMILIES[key].draw(random.Random(3))
    test = write_test(FAMILIES[key], example)
    for answer in ("None", "[]", "0", "True", '""'):
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, it must not pass
            run(program(example.prompt, f"    return {answer}", test, example.entry_point))


@pytest.mark.parametrize("key", KEYS)
def test_the_tests_of_another_family_of_the_same_shape_are_not_all_passed(key):
    """The tests tell problems apart: of ten bodies with the same arguments at most two may pass."""
    family = FAMILIES[key]
    example = family.draw(random.Random(5))
    test = write_test(family, example)
    others = [other for other in FAMILIES.values() if other.roles == family.roles and other.key != key][:10]
    passed = 0
    for other in others:
        drawn = other.draw(random.Random(5))
        candidate = load(drawn.prompt + drawn.body, drawn.entry_point)
        scope: dict = {}
        exec(test, scope)
        try:
            scope["check"](candidate)
        except Exception:  # noqa: BLE001 - whatever another body raises
            continue
        passed += 1
    assert passed <= 2


@pytest.mark.parametrize("key", KEYS)
def test_a_family_has_many_different_prompts(key):
    rng = random.Random(1)
    assert len({FAMILIES[key].draw(rng).prompt for _ in range(200)}) >= 8


def test_a_prompt_is_a_spec_comment_and_a_signature_and_the_body_is_indented():
    for key in KEYS:
        example = FAMILIES[key].draw(random.Random(2))
        *_, comment, signature, end = example.prompt.split("\n")
        assert comment.startswith("# ")
        assert signature == f"def {example.entry_point}({signature.partition('(')[2]}"
        assert signature.endswith("):")
        assert end == ""
        assert example.body.startswith("    ")
        assert not example.body.endswith("\n")


def test_no_notation_is_left_in_a_drawn_spec():
    for key in KEYS:
        rng = random.Random(4)
        for _ in range(20):
            comment = FAMILIES[key].draw(rng).prompt.split("\ndef ")[0]
            assert not set("@$|[]") & set(comment)


def test_choices_inside_choices_are_drawn_too():
    drawn = {phrase("[Count|@] it", random.Random(seed)) for seed in range(60)}
    assert drawn == {f"{verb} it" for verb in ("Count", "Return", "Give", "Compute", "Find")}


def test_no_argument_name_is_a_loop_variable_of_the_bodies():
    used = {name for pool in ROLES.values() for name in pool}
    assert not used & {"i", "j", "r", "v", "w", "p", "q", "h", "out"}
    assert all(set(name) <= set(string.ascii_lowercase + "_") for name in used)
