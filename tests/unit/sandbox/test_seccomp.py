from __future__ import annotations

import errno
import struct

import pytest

from monitor.sandbox.inside import seccomp

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def answer(machine: str, number: int, first_argument: int = 0, *, architecture: int | None = None) -> int:
    """What the filter says to a call."""
    return interpreted(seccomp.assemble(machine), machine, number, first_argument, architecture=architecture)


def interpreted(
    program: bytes,
    machine: str,
    number: int,
    first_argument: int,
    *,
    architecture: int | None = None,
    second_argument: int = 0,
) -> int:
    """What the kernel's interpreter would say, by running a filter as it does."""
    data = struct.pack(
        "=IIQQQ", number, architecture or ARCHITECTURES[machine], 0, first_argument, second_argument
    )
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}
            at += if_true if holds[code] else if_false


@pytest.mark.parametrize(
    ("machine", "numbers"), [("x86_64", (0, 1, 9, 57, 59, 231)), ("aarch64", (63, 64, 222, 221, 94))]
)
def test_what_every_program_needs_is_allowed(machine: str, numbers: tuple[int, ...]) -> None:
    assert {answer(machine, number) for number in numbers} == {ALLOW}


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("x86_64", (101, 141, 144, 165, 272, 310, 314, 319, 321, 425)),
        ("aarch64", (117, 140, 119, 40, 97, 270, 274, 279, 280, 425)),
    ],
)
def test_what_no_program_needs_is_refused(machine: str, numbers: tuple[int, ...]) -> None:
    assert {answer(machine, number) for number in numbers} == {ERRNO | errno.EPERM}


@pytest.mark.parametrize(("machine", "number"), [("x86_64", 24), ("aarch64", 124)])
def test_a_turn_cannot_be_given_up_though_it_seems_so(machine: str, number: int) -> None:
    assert answer(machine, number) == ERRNO


@pytest.mark.parametrize(("machine", "socket"), [("x86_64", 41), ("aarch64", 198)])
def test_only_harmless_families_of_sockets_are_allowed(machine: str, socket: int) -> None:
    allowed = {family for family in range(64) if answer(machine, socket, family) == ALLOW}
    assert allowed == {1, 2, 10}
    assert answer(machine, socket, 40) == ERRNO | errno.EAFNOSUPPORT


@pytest.mark.parametrize(("machine", "clone"), [("x86_64", 56), ("aarch64", 220)])
def test_processes_and_threads_can_be_made_but_no_namespaces_and_no_siblings(
    machine: str, clone: int
) -> None:
    assert answer(machine, clone, 17) == ALLOW
    assert answer(machine, clone, 0x3D0F00) == ALLOW
    for flag in (0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x8000):
        assert answer(machine, clone, flag | 17) == ERRNO | errno.EPERM
    assert answer(machine, 435) == ERRNO | errno.ENOSYS


def test_other_architectures_calls_are_no_way_around() -> None:
    assert answer("x86_64", 0, architecture=0x40000003) == KILL
    assert answer("x86_64", 0x40000000 | 39) == ERRNO | errno.EPERM


def test_a_machine_without_numbers_is_not_guessed_at() -> None:
    with pytest.raises(KeyError):
        seccomp.assemble("riscv64")


GUARDED = [("x86_64", (62, 234, 302, 203, 144)), ("aarch64", (129, 131, 261, 122, 119))]


@pytest.mark.parametrize(("machine", "numbers"), GUARDED)
def test_the_guard_lets_a_process_act_on_itself_and_nobody_else(
    machine: str, numbers: tuple[int, ...]
) -> None:
    guard = seccomp.assemble_guard(machine, 77)
    for number in numbers:
        assert interpreted(guard, machine, number, 77) == ALLOW
        assert interpreted(guard, machine, number, 0) == ALLOW
        for other in (1, 2, 78, 2**32 - 1, 2**32 - 78):
            assert interpreted(guard, machine, number, other) == ERRNO | errno.EPERM
    assert interpreted(guard, machine, 1, 2) == ALLOW


@pytest.mark.parametrize(
    ("machine", "fcntl", "ioctl", "send"), [("x86_64", 72, 16, 424), ("aarch64", 25, 29, 424)]
)
def test_the_guard_lets_no_descriptor_signal_anybody(machine: str, fcntl: int, ioctl: int, send: int) -> None:
    guard = seccomp.assemble_guard(machine, 77)

    def order(number: int, second_argument: int) -> int:
        return interpreted(guard, machine, number, 5, second_argument=second_argument)

    assert {order(fcntl, harmless) for harmless in (1, 2, 3, 4, 1030)} == {ALLOW}
    assert {order(fcntl, own) for own in (8, 10, 15)} == {ERRNO | errno.EPERM}
    assert order(ioctl, 0x5401) == ALLOW
    assert {order(ioctl, own) for own in (0x8901, 0x8902)} == {ERRNO | errno.EPERM}
    assert interpreted(guard, machine, send, 77) == ERRNO | errno.EPERM
