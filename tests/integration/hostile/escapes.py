"""Programs that reach for what is not theirs: other processes, the network, the kernel, the next program."""

from __future__ import annotations

from monitor.domain.samples import Outcome
from tests.integration.hostile.attack import MARKER, Attack, calling

_FAILED = frozenset({Outcome.FAILED})
_GONE = frozenset({Outcome.FAILED, Outcome.TIMED_OUT, Outcome.CRASHED})

_SYSCALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    return result, ctypes.get_errno()
"""
_FORBIDDEN = {
    "ptrace": (101, 0, 0, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "bpf": (321, 0, 0, 0),
    "userfaultfd": (323, 0),
    "io_uring_setup": (425, 8, 0),
    "unshare-user": (272, 0x10000000),
    "clone-new-user": (56, 0x10000011, 0, 0, 0, 0),
    "clone-sibling": (56, 0x8011, 0, 0, 0, 0),
    "mount": (165, 0, 0, 0, 0, 0),
    "shmget": (29, 1234, 4096, 0o1666),
    "msgget": (68, 1234, 0o1666),
    "semget": (64, 1234, 1, 0o1666),
    "mq_open": (240, 0, 0o102, 0o666, 0),
    "keyctl": (250, 0, 0, 0, 0, 0),
    "perf_event_open": (298, 0, 0, -1, -1, 0),
    "clock_settime": (227, 0, 0),
    "reboot": (169, 0xFEE1DEAD, 672274793, 0x1234567),
    "pidfd_open": (434, 1, 0),
    "x32-getpid": (0x40000027,),
}


def _forbidden(arguments: tuple[int, ...]) -> str:
    """Returns the right sums only if the kernel lets the call through; -1 with EPERM or EINVAL is a refusal."""
    body = f"result, code = call({', '.join(map(str, arguments))})\nreturn a + b if result >= 0 or code == 14 else None"
    return calling(body, _SYSCALL)


def _socket(family: int, kind: int = 1) -> str:
    return calling(f"import socket\nsocket.socket({family}, {kind})\nreturn a + b")


def _survivor(detach: str) -> str:
    return calling(
        f"""
import os, time
if os.fork() == 0:
    {detach}
    for _ in range(600):
        for place in ("/tmp", "/dev/shm"):
            try:
                open(place + "/{MARKER}", "w").write("still here")
            except OSError:
                pass
        time.sleep(0.05)
    os._exit(0)
return None
"""
    )


ESCAPES = (
    *(
        Attack(name=f"syscall-{name}", source=_forbidden(arguments), outcomes=_FAILED)
        for name, arguments in _FORBIDDEN.items()
    ),
    *(
        Attack(name=f"socket-{name}", source=_socket(family, kind), outcomes=_FAILED)
        for name, family, kind in (
            ("netlink", 16, 3),
            ("vsock", 40, 1),
            ("packet", 17, 3),
            ("alg", 38, 5),
            ("bluetooth", 31, 1),
            ("raw", 2, 3),
            ("can", 29, 3),
            ("tipc", 30, 1),
            ("xdp", 44, 3),
        )
    ),
    Attack(
        name="connects-out-by-tcp",
        source=calling("import socket\ns = socket.create_connection(('1.1.1.1', 53), 1)\nreturn a + b"),
        outcomes=_GONE,
    ),
    Attack(
        name="connects-out-by-ipv6",
        source=calling(
            "import socket\ns = socket.create_connection(('2606:4700:4700::1111', 53), 1)\nreturn a + b"
        ),
        outcomes=_GONE,
    ),
    Attack(
        name="resolves-a-name",
        source=calling("import socket\nsocket.gethostbyname('example.com')\nreturn a + b"),
        outcomes=_GONE,
    ),
    Attack(
        name="talks-to-the-engine",
        source=calling(
            "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('/var/run/docker.sock')\nreturn a + b"
        ),
        outcomes=_FAILED,
    ),
    Attack(name="kills-everything", source=calling("import os\nos.kill(-1, 9)\nreturn None")),
    Attack(name="kills-pid-1", source=calling("import os\nos.kill(1, 9)\nreturn a + b"), outcomes=_FAILED),
    Attack(
        name="kills-all-others",
        source=calling(
            "import os\ndone = []\nfor pid in os.listdir('/proc'):\n    if pid.isdigit() and int(pid) != os.getpid():\n        try:\n            os.kill(int(pid), 9)\n            done.append(pid)\n        except OSError:\n            pass\nreturn a + b if done else None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="stops-all-others",
        source=calling(
            "import os, signal\ndone = []\nfor pid in os.listdir('/proc'):\n    if pid.isdigit() and int(pid) != os.getpid():\n        try:\n            os.kill(int(pid), signal.SIGSTOP)\n            done.append(pid)\n        except OSError:\n            pass\nreturn a + b if done else None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="kills-its-parent",
        source=calling("import os\nos.kill(os.getppid(), 9)\nreturn a + b"),
        outcomes=_FAILED,
    ),
    Attack(name="becomes-root", source=calling("import os\nos.setuid(0)\nreturn a + b"), outcomes=_FAILED),
    Attack(
        name="joins-other-groups",
        source=calling("import os\nos.setgroups([0])\nreturn a + b"),
        outcomes=_FAILED,
    ),
    Attack(
        name="changes-roots", source=calling("import os\nos.chroot('/tmp')\nreturn a + b"), outcomes=_FAILED
    ),
    Attack(
        name="changes-the-clock",
        source=calling("import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)\nreturn a + b"),
        outcomes=_FAILED,
    ),
    Attack(
        name="renames-the-host",
        source=calling("import socket\nsocket.sethostname('mine')\nreturn a + b"),
        outcomes=_FAILED,
    ),
    Attack(
        name="lowers-its-oom-score",
        source=calling("open('/proc/self/oom_score_adj', 'w').write('-1000')\nreturn a + b"),
        outcomes=_FAILED,
    ),
    Attack(
        name="nices-itself-up",
        source=calling("import os\nos.setpriority(os.PRIO_PROCESS, 0, -20)\nreturn a + b"),
        outcomes=_FAILED,
    ),
    Attack(
        name="makes-a-device",
        source=calling(
            "import os, stat\nos.mknod('sda', 0o666 | stat.S_IFBLK, os.makedev(8, 0))\nreturn a + b"
        ),
        outcomes=_FAILED,
    ),
    *(
        Attack(
            name=f"writes-{place.strip('/').replace('/', '-')}",
            source=calling(f"open('{place}/{MARKER}', 'w').write('x')\nreturn a + b"),
            outcomes=_FAILED,
        )
        for place in ("/", "/etc", "/usr/lib", "/var/tmp", "/root", "/home", "/run", "/dev", "/proc", "/sys")
    ),
    Attack(
        name="overwrites-the-interpreter",
        source=calling("import sys\nopen(sys.executable, 'r+b').write(b'x')\nreturn a + b"),
        outcomes=_FAILED,
    ),
    Attack(name="reads-shadow", source=calling("open('/etc/shadow').read()\nreturn a + b"), outcomes=_FAILED),
    Attack(
        name="runs-what-it-wrote",
        source=calling(
            "import os, subprocess\nopen('x', 'w').write('#!/bin/sh\\nexit 0\\n')\nos.chmod('x', 0o755)\nsubprocess.run(['./x'], check=True)\nreturn a + b"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="leaves-files",
        source=calling(
            f"for p in ('/tmp/{MARKER}', '/dev/shm/{MARKER}', '{MARKER}', '/tmp/.{MARKER}'):\n    open(p, 'w').write('x')\nreturn None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="leaves-locked-directories",
        source=calling(
            "import os\nfor p in ('/tmp/a/b/c', '/dev/shm/d/e'):\n    os.makedirs(p)\n    open(p + '/f', 'w').close()\n    os.chmod(p, 0)\n    os.chmod(os.path.dirname(p), 0o1000)\nreturn None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="leaves-odd-names",
        source=calling(
            "import os\nfor n in (b'\\xff\\xfe', b'a\\nb', b'-rf', b' ', b'\\x01'):\n    open(b'/tmp/' + n, 'w').close()\nos.symlink('/', '/tmp/root')\nos.symlink('/tmp/loop', '/tmp/loop')\nos.mkfifo('/tmp/fifo')\nreturn None"
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="leaves-a-symlinked-work-directory",
        source=calling(
            "import os\nos.chdir('/')\nos.rmdir('/tmp/work')\nos.symlink('/etc', '/tmp/work')\nreturn None"
        ),
        outcomes=_FAILED,
    ),
    Attack(name="survives-by-fork", source=_survivor("pass")),
    Attack(name="survives-by-setsid", source=_survivor("os.setsid()")),
    Attack(name="survives-by-double-fork", source=_survivor("os.setsid()\n    os.fork() and os._exit(0)")),
    Attack(
        name="survives-ignoring-signals",
        source=_survivor("import signal\n    [signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)]"),
    ),
    Attack(
        name="survives-and-exits",
        source="import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\nos._exit(0)\n",
    ),
    Attack(
        name="survivor-holds-the-channel",
        source=calling("import os, time\nif os.fork() == 0:\n    time.sleep(1000)\nos._exit(0)"),
        outcomes=frozenset({Outcome.CRASHED}),
    ),
    Attack(
        name="holds-pipes",
        source=calling("import subprocess\nsubprocess.Popen(['sleep', '1000'])\nreturn None"),
        outcomes=_FAILED,
    ),
    Attack(
        name="ruby-survives",
        language="ruby",
        source="fork { Process.setsid; sleep 1000 }\nexit!(0)\n",
        test="",
    ),
    Attack(
        name="listens-for-the-next-program",
        source=calling(
            "import os, socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0next')\ns.listen()\nif os.fork() == 0:\n    s.accept()\nreturn None"
        ),
    ),
)
