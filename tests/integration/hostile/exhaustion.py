"""Programs that want more than there is: processes, memory, disk, output, time, stack."""

from __future__ import annotations

from monitor.domain.samples import Outcome
from tests.integration.hostile.attack import Attack, calling

_TIMED_OUT = frozenset({Outcome.TIMED_OUT})
_STOPPED = frozenset({Outcome.TIMED_OUT, Outcome.OUT_OF_MEMORY, Outcome.CRASHED, Outcome.FAILED})
_MEMORY = frozenset({Outcome.OUT_OF_MEMORY, Outcome.CRASHED, Outcome.TIMED_OUT})

EXHAUSTION = (
    Attack(name="loops-at-once", source="while True:\n    pass\n", outcomes=_TIMED_OUT),
    Attack(name="loops-when-called", source=calling("while True:\n    pass"), outcomes=_TIMED_OUT),
    Attack(name="sleeps", source=calling("import time\ntime.sleep(1000)"), outcomes=_TIMED_OUT),
    Attack(
        name="waits-for-input",
        source=calling("import sys, os\nr, w = os.pipe()\nos.read(r, 1)"),
        outcomes=_TIMED_OUT,
    ),
    Attack(
        name="stops-itself",
        source=calling("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
        outcomes=_TIMED_OUT,
    ),
    Attack(
        name="swallows-every-exception",
        source=calling(
            "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
        ),
        outcomes=_TIMED_OUT,
    ),
    Attack(
        name="ignores-signals",
        source=calling(
            "import signal\nfor n in range(1, 65):\n    try:\n        signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError):\n        pass\nwhile True:\n    pass"
        ),
        outcomes=_TIMED_OUT,
    ),
    Attack(
        name="raises-its-own-limits",
        source=calling(
            "import resource\nfor kind in range(16):\n    try:\n        resource.setrlimit(kind, (-1, -1))\n    except (OSError, ValueError):\n        pass\nwhile True:\n    pass"
        ),
        outcomes=_TIMED_OUT,
    ),
    Attack(
        name="burns-cpu-in-children",
        source=calling(
            "import os\nfor _ in range(8):\n    if os.fork() == 0:\n        while True:\n            pass\nimport time\ntime.sleep(1000)"
        ),
        outcomes=_TIMED_OUT,
    ),
    Attack(
        name="burns-cpu-in-threads",
        source=calling(
            "import threading\nfor _ in range(8):\n    threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()\nimport time\ntime.sleep(1000)"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="steps-behind-all-others",
        source=calling("import os\nos.nice(19)\nreturn a + b"),
        # Else it could wait on a busy machine until that was too busy.
        outcomes=frozenset({Outcome.FAILED}),
    ),
    Attack(name="loops-in-c", source=calling("return sum(range(10**12))"), outcomes=_TIMED_OUT),
    Attack(
        name="catastrophic-regex",
        source=calling("import re\nreturn re.match(r'(a+)+$', 'a' * 40 + 'b')"),
        outcomes=_TIMED_OUT,
    ),
    Attack(name="huge-power", source=calling("return 9 ** 9 ** 9"), outcomes=_STOPPED),
    Attack(
        name="fork-bomb",
        source=calling(
            "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="fork-bomb-at-once",
        source="import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
        outcomes=_STOPPED,
    ),
    Attack(
        name="fork-bomb-in-new-sessions",
        source=calling(
            "import os\nwhile True:\n    try:\n        if os.fork() == 0:\n            os.setsid()\n    except OSError:\n        pass"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="thread-bomb",
        source=calling(
            "import threading, time\nwhile True:\n    try:\n        threading.Thread(target=time.sleep, args=(1000,)).start()\n    except RuntimeError:\n        pass"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="shell-fork-bomb",
        source=calling("import os\nos.system(':(){ :|:& };:')\nimport time\ntime.sleep(1000)"),
        outcomes=_STOPPED,
    ),
    Attack(
        name="memory-bomb",
        source=calling("x = []\nwhile True:\n    x.append(bytearray(2**24))"),
        outcomes=_MEMORY,
    ),
    Attack(
        name="memory-bomb-at-once", source="x = bytearray(2**40)\n" + calling("return None"), outcomes=_MEMORY
    ),
    Attack(
        name="memory-bomb-small-pieces",
        source=calling("x = []\nwhile True:\n    x.append([None] * 1000)"),
        outcomes=_MEMORY,
    ),
    Attack(
        name="memory-bomb-swallowing-errors",
        source=calling(
            "x = []\nwhile True:\n    try:\n        x.append(bytearray(2**22))\n    except MemoryError:\n        pass"
        ),
        outcomes=_MEMORY | _TIMED_OUT,
    ),
    Attack(
        name="memory-bomb-in-children",
        source=calling(
            "import os, time\nfor _ in range(20):\n    if os.fork() == 0:\n        x = bytearray(100 * 2**20)\n        time.sleep(1000)\ntime.sleep(1000)"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="memory-bomb-shared",
        source=calling(
            "import mmap\nx = []\nwhile True:\n    m = mmap.mmap(-1, 2**24)\n    m.write(b'x' * 2**24)\n    x.append(m)"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="memory-bomb-memfd",
        source=calling(
            "import os\nkept = []\nwhile True:\n    kept.append(os.memfd_create('x'))\n    for _ in range(30):\n        os.write(kept[-1], bytes(2**20))"
        ),
        # There is no such memory: it would be nobody's.
        outcomes=frozenset({Outcome.FAILED}),
    ),
    Attack(
        name="memory-bomb-pipes",
        source=calling(
            "import fcntl, os\nkept = []\nfor _ in range(100):\n    kept.append(os.pipe())\n    try:\n        fcntl.fcntl(kept[-1][1], 1031, 2**20)\n    except OSError:\n        pass\n    os.set_blocking(kept[-1][1], False)\n    os.write(kept[-1][1], bytes(2**20))"
        ),
        # The kernel itself keeps a uid from having much in pipes.
        outcomes=frozenset({Outcome.FAILED}),
    ),
    Attack(
        name="fills-the-disk",
        source=calling(
            "i = 0\nwhile True:\n    with open(str(i), 'wb') as f:\n        f.write(b'x' * 2**20)\n    i += 1"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="fills-one-file",
        source=calling("with open('x', 'wb') as f:\n    while True:\n        f.write(b'x' * 2**20)"),
        outcomes=_STOPPED,
    ),
    Attack(
        name="fills-the-inodes",
        source=calling("i = 0\nwhile True:\n    open('/tmp/f%d' % i, 'w').close()\n    i += 1"),
        outcomes=_STOPPED,
    ),
    Attack(
        name="fills-shared-memory",
        source=calling(
            "i = 0\nwhile True:\n    with open('/dev/shm/%d' % i, 'wb') as f:\n        f.write(b'x' * 2**20)\n    i += 1"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="nests-directories",
        source=calling("import os\nwhile True:\n    os.mkdir('d')\n    os.chdir('d')"),
        outcomes=_STOPPED,
    ),
    Attack(
        name="opens-everything",
        source=calling("x = []\nwhile True:\n    x.append(open('/dev/null'))"),
        outcomes=frozenset({Outcome.FAILED}),
    ),
    Attack(name="floods-stdout", source=calling("while True:\n    print('x' * 100000)"), outcomes=_STOPPED),
    Attack(
        name="floods-descriptor-1",
        source=calling("import os\nwhile True:\n    os.write(1, b'x' * 100000)"),
        outcomes=_STOPPED,
    ),
    Attack(
        name="floods-the-channel",
        source=calling(
            "import gc, socket\nfor s in gc.get_objects():\n    if isinstance(s, socket.socket):\n        while True:\n            s.sendall(b'\\x00\\x00\\x00\\x01N' * 10000)"
        ),
        outcomes=_STOPPED,
    ),
    Attack(name="returns-a-huge-list", source=calling("return [0] * 10**7"), outcomes=_STOPPED),
    Attack(name="returns-a-huge-string", source=calling("return 'x' * 10**8"), outcomes=_STOPPED),
    Attack(name="returns-a-huge-int", source=calling("return 1 << 10**8"), outcomes=_STOPPED),
    Attack(
        name="returns-an-endless-iterator",
        source=calling("import itertools\nreturn itertools.count()"),
        outcomes=_STOPPED,
    ),
    Attack(name="returns-a-cycle", source=calling("x = []\nx.append(x)\nreturn x"), outcomes=_STOPPED),
    Attack(
        name="returns-a-deep-nest",
        source=calling("x = []\nfor _ in range(100000):\n    x = [x]\nreturn x"),
        outcomes=_STOPPED,
    ),
    Attack(name="recurses-deeply", source=calling("return add(a, b)"), outcomes=frozenset({Outcome.FAILED})),
    Attack(
        name="recurses-past-the-stack",
        source=calling(
            "import sys\nsys.setrecursionlimit(10**9)\nf = lambda x: f(x)\nclass R:\n    def __repr__(self): return repr(self)\nreturn repr(R())"
        ),
        outcomes=_STOPPED,
    ),
    Attack(
        name="compiles-a-deep-nest",
        source="x = " + "(" * 5000 + ")" * 5000 + "\n",
        outcomes=frozenset({Outcome.REJECTED}),
    ),
    Attack(
        name="compiles-a-huge-tuple",
        source="x = " + "(" * 90 + "1," * 200000 + ")" * 90 + "\n" + calling("return None"),
    ),
    Attack(
        name="lies-with-a-huge-repr",
        source=calling("raise ValueError('x' * 10**7)"),
        outcomes=frozenset({Outcome.FAILED}),
    ),
    Attack(name="ruby-loops", language="ruby", source="loop {}\n", test="", outcomes=_TIMED_OUT),
    Attack(
        name="ruby-floods", language="ruby", source="loop { puts 'x' * 100000 }\n", test="", outcomes=_STOPPED
    ),
    Attack(name="perl-forks", language="perl", source="fork while 1;\n", test="", outcomes=_STOPPED),
    Attack(
        name="lua-fills-memory",
        language="lua",
        source="local t = {} while true do t[#t+1] = string.rep('x', 1e6) .. #t end\n",
        test="",
        outcomes=_STOPPED,
    ),
)
