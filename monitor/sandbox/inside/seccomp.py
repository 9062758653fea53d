"""A seccomp filter, assembled by hand: what no honest program of a task ever asks the kernel for.

It is stacked on the engine's own profile; the stricter of the two answers. Numbers are the kernel's
for x86_64 and aarch64, -1 where an architecture lacks the call.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable

from . import kernel

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_DENIED = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "process_madvise": (440, 440),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmdt": (67, 197),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182),
    "mq_timedreceive": (243, 183),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "clock_settime": (227, 112),
    "settimeofday": (164, 170),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "acct": (163, 89),
    "syslog": (103, 116),
    "personality": (135, 92),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "iopl": (172, -1),
    "ioperm": (173, -1),
    "modify_ldt": (154, -1),
    "vhangup": (153, 58),
    "uselib": (134, -1),
    "_sysctl": (156, -1),
    "ustat": (136, -1),
    "sysfs": (139, -1),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "memfd_secret": (447, 447),
    "memfd_create": (319, 279),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}
"""Other processes' memory, kernel programs, namespaces, mounts, SysV and POSIX IPC, clocks, modules, memory
that is neither mapped nor in a file system with a size, and the scheduler: a program that steps behind all
others on a busy machine would wait for a CPU as long as it likes, as if it were the machine that keeps it."""

_PRETENDED = {
    "sched_yield": (24, 124),
}
"""Calls that do nothing and say that they did: who gives up every turn waits without seeming to."""

_SOCKET = {"socket": (41, 198), "socketpair": (53, 199)}
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_ALLOWED_FAMILIES = (1, 2, 10)
"""Unix, IPv4, IPv6: useless without a network, but asked for by honest code."""
_REFUSED_CLONES = 0x7E020000 | 0x8000
"""CLONE_NEW flags: user, mount, pid, net, ipc, uts, cgroup. And CLONE_PARENT, by which a program would make
the zygote a parent of processes that it knows nothing of."""

_ON_PROCESSES = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}
"""Calls whose first argument is the process to be acted on."""
_ON_OTHERS = {
    # A descriptor of /proc/PID will do for it, and descriptors have the numbers that programs give them.
    "pidfd_send_signal": (424, 424),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
}
"""Calls that reach others in ways a look at the first argument cannot tell."""
_SIGNAL_OWNERS = {
    "fcntl": ((72, 25), (8, 10, 15)),
    "ioctl": ((16, 29), (0x8901, 0x8902)),
}
"""Calls, and their orders by which a descriptor's news become signals to any process:
F_SETOWN, F_SETSIG, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP."""

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT, _SECOND_ARGUMENT_AT = 0, 4, 16, 24
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_X32 = 0x40000000


def assemble(machine: str) -> bytes:
    """The filter as BPF instructions for a machine name of ``uname -m``.

    Raises:
        KeyError: no numbers are known for that machine.
    """
    column, architecture = _ARCHITECTURES[machine]
    code = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_JUMP_EQUAL, architecture, skip_true=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_JUMP_AT_LEAST, _X32, skip_false=1),
        _refuse(errno.EPERM),
    ]
    for numbers in sorted(_DENIED.values()):
        if numbers[column] >= 0:
            code += [_step(_JUMP_EQUAL, numbers[column], skip_false=1), _refuse(errno.EPERM)]
    for numbers in _PRETENDED.values():
        code += [_step(_JUMP_EQUAL, numbers[column], skip_false=1), _refuse(0)]
    # glibc falls back from clone3, whose flags a filter cannot see, to clone.
    code += [_step(_JUMP_EQUAL, _CLONE3[column], skip_false=1), _refuse(errno.ENOSYS)]
    code += _refuse_clones(_CLONE[column])
    for numbers in _SOCKET.values():
        code += _allow_families(numbers[column])
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def assemble_guard(machine: str, pid: int) -> bytes:
    """A filter that lets a process act on itself and its own group alone, although others have its uid.

    Raises:
        KeyError: no numbers are known for that machine.
    """
    column, _ = _ARCHITECTURES[machine]
    itself = [_step(_LOAD, _FIRST_ARGUMENT_AT)]
    for allowed in (pid, 0):
        itself += [_step(_JUMP_EQUAL, allowed, skip_false=1), _step(_RETURN, _ALLOW)]
    itself.append(_refuse(errno.EPERM))
    code = [_step(_LOAD, _NUMBER_AT)]
    for numbers in _ON_PROCESSES.values():
        code += [_step(_JUMP_EQUAL, numbers[column], skip_false=len(itself)), *itself]
    for numbers in _ON_OTHERS.values():
        code += [_step(_JUMP_EQUAL, numbers[column], skip_false=1), _refuse(errno.EPERM)]
    for numbers, orders in _SIGNAL_OWNERS.values():
        body = [_step(_LOAD, _SECOND_ARGUMENT_AT)]
        for order in orders:
            body += [_step(_JUMP_EQUAL, order, skip_false=1), _refuse(errno.EPERM)]
        body.append(_step(_RETURN, _ALLOW))
        code += [_step(_JUMP_EQUAL, numbers[column], skip_false=len(body)), *body]
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def install() -> bool:
    """Put the filter on this process and all it will start; False on a machine without numbers."""
    return _install(assemble)


def guard_neighbours() -> bool:
    """Keep this process from acting on others of its uid; False on a machine without numbers."""
    return _install(lambda machine: assemble_guard(machine, os.getpid()))


def _install(assembled: Callable[[str], bytes]) -> bool:
    try:
        program = assembled(os.uname().machine)
    except KeyError:
        return False
    buffer = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer)))
    kernel.prctl(_SET_NO_NEW_PRIVILEGES, 1)
    kernel.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(header))
    return True


def _step(code: int, value: int, *, skip_true: int = 0, skip_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, skip_true, skip_false, value)


def _refuse(number: int) -> bytes:
    return _step(_RETURN, _ERRNO | number)


def _refuse_clones(clone: int) -> list[bytes]:
    return [
        _step(_JUMP_EQUAL, clone, skip_false=4),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_JUMP_BITS, _REFUSED_CLONES, skip_false=1),
        _refuse(errno.EPERM),
        _step(_RETURN, _ALLOW),
    ]


def _allow_families(number: int) -> list[bytes]:
    body = [_step(_LOAD, _FIRST_ARGUMENT_AT)]
    for family in _ALLOWED_FAMILIES:
        body += [_step(_JUMP_EQUAL, family, skip_false=1), _step(_RETURN, _ALLOW)]
    body.append(_refuse(errno.EAFNOSUPPORT))
    return [_step(_JUMP_EQUAL, number, skip_false=len(body)), *body]
