"""Programs that crash, or are not programs."""

from __future__ import annotations

from monitor.domain.samples import Outcome
from tests.integration.hostile.attack import Attack, calling

_REJECTED = frozenset({Outcome.REJECTED})
_CRASHED = frozenset({Outcome.CRASHED})
_FAILED = frozenset({Outcome.FAILED})

NONSENSE = (
    Attack(name="empty", source="", outcomes=_REJECTED),
    Attack(name="blank", source=" \n\t\n", outcomes=_REJECTED),
    Attack(name="prose", source="Sure! Here is the function you asked for:", outcomes=_REJECTED),
    Attack(name="syntax-error", source="def add(a, b)\n    return a + b\n", outcomes=_REJECTED),
    Attack(name="bad-indentation", source="def add(a, b):\nreturn a + b\n", outcomes=_REJECTED),
    Attack(name="nul-bytes", source="def add(a, b):\n    return a + b\x00\n", outcomes=_REJECTED),
    Attack(name="lone-surrogates", source="x = '\udcff'\n" + calling("return None"), outcomes=_REJECTED),
    Attack(
        name="other-encoding",
        source="# -*- coding: rot13 -*-\nqrs nqq(n, o): erghea n + o\n",
        outcomes=_REJECTED,
    ),
    Attack(name="no-such-function", source="def sub(a, b):\n    return a - b\n", outcomes=_FAILED),
    Attack(name="not-callable", source="add = 5\n", outcomes=_FAILED),
    Attack(name="fails-at-once", source="1 / 0\n", outcomes=_FAILED),
    Attack(name="segfault", source=calling("import ctypes\nctypes.string_at(0)"), outcomes=_CRASHED),
    Attack(name="segfault-at-once", source="import ctypes\nctypes.string_at(0)\n", outcomes=_CRASHED),
    Attack(name="aborts", source=calling("import os\nos.abort()"), outcomes=_CRASHED),
    Attack(name="kills-itself", source=calling("import os\nos.kill(os.getpid(), 9)"), outcomes=_CRASHED),
    Attack(name="real-time-signal", source=calling("import os\nos.kill(os.getpid(), 40)"), outcomes=_CRASHED),
    Attack(name="closes-all-descriptors", source=calling("import os\nos.closerange(0, 256)\nreturn None")),
    Attack(
        name="prints-bytes-that-are-not-text",
        source=calling(
            "import sys\nsys.stdout.buffer.write(bytes(range(256)))\nreturn '\\udcff\\x00\\x1b[31m'"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="raises-control-characters",
        source=calling("raise ValueError('\\x1b[2J\\x00\\udcff\\n\\r' * 50)"),
        outcomes=_FAILED,
    ),
    Attack(
        name="becomes-another-program",
        source=calling("import os\nos.execv('/bin/sh', ['sh', '-c', 'exit 0'])"),
        outcomes=_CRASHED,
    ),
    Attack(
        name="closes-stdout",
        source=calling("import sys\nsys.stdout.close()\nsys.stdin.close()\nreturn None"),
        outcomes=_FAILED,
    ),
)
