"""Programs that turn on the other processes of their sandbox, or make the kernel turn on them."""

from __future__ import annotations

import textwrap

from monitor.domain.samples import Outcome
from tests.integration.hostile.attack import Attack, calling

_FAILED = frozenset({Outcome.FAILED})
_STOPPED = frozenset({Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.CRASHED})


def _on_all_others(act: str, before: str = "") -> str:
    """Source that does this to each other process, and claims success where one could be reached."""
    return f"""
import os
{before}
done = []
for pid in sorted(int(name) for name in os.listdir('/proc') if name.isdigit()):
    if pid != os.getpid():
        try:
{textwrap.indent(act.strip(), " " * 12)}
            done.append(pid)
        except OSError:
            pass
"""


_SIGNAL_BY_DESCRIPTOR = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
number = {'x86_64': 424, 'aarch64': 424}[os.uname().machine]
"""

_FILLED_SOCKETS = """
import os, socket, time
try:
    with open('/proc/self/oom_score_adj', 'w') as file:
        file.write('0')
except OSError:
    pass
for _ in range(40):
    if os.fork() == 0:
        kept = []
        while True:
            try:
                kept.append(socket.socketpair())
                for end in kept[-1]:
                    end.setblocking(False)
                    end.send(bytes(2**17))
            except OSError:
                if len(kept) > 100:
                    time.sleep(1000)
time.sleep(1000)
"""
"""Memory that no process seems to hold, by processes that are no likelier to be killed than anybody."""

NEIGHBOURS = (
    Attack(
        name="limits-all-others",
        source=calling(
            _on_all_others("resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))", "import resource")
            + "return a + b if done else None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="slows-all-others",
        source=calling(
            _on_all_others("os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))")
            + "return a + b if done else None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="makes-a-pipe-kill-all-others",
        source=calling(
            _on_all_others(
                """
fcntl.fcntl(reading, fcntl.F_SETOWN, pid)
fcntl.fcntl(reading, 10, 9)
fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC)
os.write(writing, b'x')
""",
                "import fcntl\nreading, writing = os.pipe()",
            )
            + "return None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="makes-a-socket-kill-all-others",
        source=calling(
            _on_all_others(
                """
fcntl.ioctl(one, 0x8901, struct.pack('i', pid))
fcntl.fcntl(one, fcntl.F_SETFL, os.O_ASYNC)
other.send(b'x')
""",
                "import fcntl, socket, struct\none, other = socket.socketpair()",
            )
            + "return None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="kills-all-others-by-descriptors-of-its-own-number",
        source=calling(
            _on_all_others(
                """
opened = os.open(f'/proc/{pid}', os.O_RDONLY)
os.dup2(opened, os.getpid())
if libc.syscall(number, os.getpid(), 9, None, 0) != 0:
    raise OSError
""",
                _SIGNAL_BY_DESCRIPTOR.strip(),
            )
            + "return a + b if done else None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="becomes-the-judge",
        source=calling(
            """
import os
uids = set()
for name in os.listdir('/proc'):
    if name.isdigit():
        try:
            status = open(f'/proc/{name}/status').read()
        except OSError:
            continue
        uids.add(int(status.partition('Uid:')[2].split()[0]))
others = uids - {0, os.getuid()}
for uid in others:
    os.setresuid(uid, uid, uid)
    return a + b
"""
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="fills-memory-that-no-process-holds",
        source=calling(
            f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_FILLED_SOCKETS!r}])"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="fills-memory-that-no-process-holds-before-it-is-called",
        source=f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_FILLED_SOCKETS!r}])\n",
        outcomes=_STOPPED,
    ),
)
