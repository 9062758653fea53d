"""Programs that want a pass without earning it."""

from __future__ import annotations

from monitor.domain.samples import Outcome
from tests.integration.hostile.attack import Attack, calling

_CRASHED = frozenset({Outcome.CRASHED})
_FAILED = frozenset({Outcome.FAILED})

_ALWAYS_EQUAL = """
class Equal(BASE):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __bool__(self): return True
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __repr__(self): return "42"
    __str__ = __repr__
    def __getattr__(self, name): return self
    def __call__(self, *args): return self
"""

_FRAMES = """
import sys
def find():
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if isinstance(value, str) and "what-only-the-" + "tests-know" in value:
                return True
        frame = frame.f_back
    return False
"""

_GC = """
import gc
def find():
    mark = "what-only-the-" + "tests-know"
    for thing in gc.get_objects():
        try:
            for value in (thing.values() if isinstance(thing, dict) else thing):
                if isinstance(value, (str, bytes)) and mark in str(value) and value != mark:
                    return True
        except Exception:
            pass
    return False
"""

_MEMORY = """
def find():
    mark = b"what-only-the-" + b"tests-know"
    found = 0
    for line in open("/proc/self/maps"):
        span, mode = line.split()[:2]
        start, end = (int(part, 16) for part in span.split("-"))
        if "r" in mode and end - start < 2**26:
            try:
                memory = open("/proc/self/mem", "rb")
                memory.seek(start)
                data = memory.read(end - start)
                found += data.count(b"e7c1f0a4-" + mark)
            except OSError:
                pass
    return found > 0
"""

_OTHERS_MEMORY = """
import os
def find():
    mark = b"e7c1f0a4-" + b"what-only-the-" + b"tests-know"
    for pid in os.listdir("/proc"):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        for name in ("mem", "environ", "cmdline", "maps", "fd/0", "fd/3", "root", "cwd"):
            try:
                if mark in open(f"/proc/{pid}/{name}", "rb").read():
                    return True
            except OSError:
                pass
    return False
"""

_FILES = """
import os
def find():
    mark = b"e7c1f0a4-" + b"what-only-the-" + b"tests-know"
    for root in ("/tmp", "/dev/shm", "/run", "/var/tmp", "/home", "/root", "/opt", "/srv", "/mnt", "/work"):
        for folder, _, names in os.walk(root):
            for name in names:
                try:
                    if mark in open(os.path.join(folder, name), "rb").read(2**20):
                        return True
                except OSError:
                    pass
    return False
"""

_DESCRIPTORS = """
import os
def find():
    mark = b"e7c1f0a4-" + b"what-only-the-" + b"tests-know"
    for number in range(256):
        try:
            os.set_blocking(number, False)
            if mark in os.read(number, 2**20):
                return True
        except OSError:
            pass
    return False
"""

_CODEC = """
import sys
codec = next(module for name, module in sys.modules.items() if name.endswith(".codec") and hasattr(module, "Opaque"))
wire = next(module for name, module in sys.modules.items() if name.endswith(".wire") and hasattr(module, "HEADER"))
"""

_CHANNEL = (
    _CODEC
    + """
import gc, socket
def channels():
    return [thing for thing in gc.get_objects() if isinstance(thing, socket.socket) and thing.fileno() >= 0]
def say(*message):
    for channel in channels():
        wire.send(channel, codec.encode(message))
"""
)


def _spray(payload: str) -> str:
    return calling(
        f"""
import os
for number in range(256):
    try:
        os.write(number, {payload})
    except OSError:
        pass
os._exit(0)
"""
    )


def _equal(base: str) -> str:
    made = {
        "object": "Equal()",
        "int": "Equal(7)",
        "str": "Equal('x')",
        "float": "Equal(1.5)",
        "list": "Equal([9])",
    }
    made |= {"dict": "Equal(a=1)", "tuple": "Equal((1,))", "bytes": "Equal(b'x')", "set": "Equal({1})"}
    return calling(f"return {made[base]}", _ALWAYS_EQUAL.replace("BASE", base))


def _finding(search: str) -> str:
    return calling("return a + b if find() else None", search)


FORGERIES = (
    Attack(name="exits-0-at-once", source="import os\nos._exit(0)\n", outcomes=_CRASHED),
    Attack(name="exits-0-when-called", source=calling("import os\nos._exit(0)"), outcomes=_CRASHED),
    Attack(name="sys-exit-0-at-once", source="import sys\nsys.exit(0)\n", outcomes=_FAILED),
    Attack(name="sys-exit-0-when-called", source=calling("import sys\nsys.exit(0)"), outcomes=_FAILED),
    Attack(name="raises-system-exit", source=calling("raise SystemExit"), outcomes=_FAILED),
    Attack(name="raises-keyboard-interrupt", source=calling("raise KeyboardInterrupt"), outcomes=_FAILED),
    Attack(name="raises-stop-iteration", source=calling("raise StopIteration"), outcomes=_FAILED),
    Attack(name="raises-generator-exit", source=calling("raise GeneratorExit"), outcomes=_FAILED),
    Attack(
        name="ends-a-test-loop-by-stop-iteration",
        source=calling("raise StopIteration"),
        outcomes=_FAILED,
        test="def check(candidate):\n    assert all(map(candidate, [1, 2], [3, 4]))\n",
    ),
    *(
        Attack(
            name=f"dies-where-the-test-expects-an-exception-{name}",
            source=calling(body),
            test="def check(candidate):\n    try:\n        candidate(1, 2)\n        assert False\n    except Exception:\n        pass\n",
        )
        for name, body in (
            ("exit", "import os\nos._exit(0)"),
            ("segfault", "import ctypes\nctypes.string_at(0)"),
        )
    ),
    Attack(name="raises-base-exception", source=calling("raise BaseException('passed')"), outcomes=_FAILED),
    Attack(
        name="raises-a-lying-exception",
        source=calling(
            "raise Lie",
            "class Lie(Exception):\n    def __str__(self): raise SystemExit(0)\n    __repr__ = __str__\n",
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="registers-atexit",
        source=calling("return None", "import atexit, os\natexit.register(os._exit, 0)\n"),
    ),
    Attack(name="returns-not-implemented", source=calling("return NotImplemented"), outcomes=_FAILED),
    Attack(
        name="returns-a-mock",
        source=calling("return MagicMock()", "from unittest.mock import MagicMock, ANY\n"),
    ),
    Attack(
        name="returns-mock-any",
        source=calling("return ANY", "from unittest.mock import ANY\n"),
        outcomes=_FAILED,
    ),
    *(
        Attack(name=f"equal-to-all-{base}", source=_equal(base), outcomes=_FAILED)
        for base in ("object", "int", "str", "float", "list", "dict", "tuple", "bytes", "set")
    ),
    Attack(
        name="metaclass-equal-to-all",
        source=calling(
            "return T",
            "class M(type):\n    def __eq__(c, o): return True\n    __hash__ = type.__hash__\nclass T(metaclass=M): pass\n",
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="dataclass-with-hostile-fields",
        source=calling(
            "return D()",
            "import dataclasses\n@dataclasses.dataclass\nclass D:\n    __class__ = int\n    value: int = 5\n"
            "    def __eq__(self, other): return True\n",
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="patches-builtins",
        source=calling(
            "return None",
            "import builtins\nbuiltins.AssertionError = ValueError\nbuiltins.type = lambda x: int\nbuiltins.repr = lambda x: '42'\nbuiltins.isinstance = lambda *a: True\n",
        ),
    ),
    Attack(
        name="patches-unittest",
        source=calling(
            "return None",
            "import unittest\nunittest.TestCase.assertEqual = lambda *a, **k: None\nunittest.TestCase.run = lambda *a: None\n",
        ),
    ),
    Attack(
        name="patches-operator",
        source=calling("return None", "import operator\noperator.eq = lambda a, b: True\n"),
    ),
    Attack(
        name="patches-exec-and-compile",
        source=calling(
            "return None",
            "import builtins\nbuiltins.exec = builtins.eval = builtins.compile = lambda *a, **k: None\n",
        ),
    ),
    Attack(
        name="defines-check",
        source="def check(candidate):\n    return True\n" + calling("return None"),
        outcomes=_FAILED,
    ),
    Attack(
        name="replaces-main",
        source=calling(
            "return None",
            "import sys\nsys.modules['__main__'].check = lambda c: None\nsys.modules['tests'] = sys\n",
        ),
        outcomes=_FAILED,
    ),
    Attack(
        name="patches-the-codec-to-say-42",
        source=calling(
            "return None", _CODEC + "codec.encode = lambda value: b'i\\x00\\x00\\x00\\x01\\x2a'\n"
        ),
    ),
    Attack(
        name="patches-the-codec-to-say-passed",
        source=calling(
            "return None", _CODEC + "real = codec.encode\ncodec.encode = lambda value: real(('passed', ''))\n"
        ),
    ),
    Attack(
        name="answers-passed-on-the-channel",
        source=_CHANNEL + "say('passed', '')\nsay('passed')\n" + calling("say('passed', '')\nreturn None"),
    ),
    Attack(
        name="answers-finished-on-the-channel", source=_CHANNEL + "say('finished')\n" + calling("return None")
    ),
    Attack(
        name="answers-task-error-on-the-channel",
        source=_CHANNEL + "say('task_error', 'x')\n" + calling("say('unfit', 'x')\nreturn None"),
    ),
    Attack(
        name="answers-ready-twice", source=_CHANNEL + "say('ready')\nsay('ready')\n" + calling("return None")
    ),
    Attack(
        name="answers-in-advance",
        source=_CHANNEL
        + "for value in (5, 0):\n    say('returned', codec.encode(value), '', None)\n"
        + calling("return None"),
    ),
    Attack(
        name="sends-garbage",
        source=_CHANNEL
        + "for c in channels():\n    c.sendall(bytes(range(256)) * 64)\n"
        + calling("return None"),
    ),
    Attack(
        name="announces-4-gigabytes",
        source=_CHANNEL
        + "for c in channels():\n    c.sendall(b'\\xff\\xff\\xff\\xff' + b'x' * 1000)\n"
        + calling("return None"),
    ),
    Attack(
        name="announces-and-never-sends",
        source=_CHANNEL
        + calling(
            "for c in channels():\n    c.sendall(b'\\x00\\x10\\x00\\x00x')\nimport time\ntime.sleep(60)"
        ),
        outcomes=frozenset({Outcome.TIMED_OUT}),
    ),
    Attack(
        name="sends-a-lying-list-length",
        source=_CHANNEL
        + calling(
            "for c in channels():\n    c.sendall(b'\\x00\\x00\\x00\\x05l\\xff\\xff\\xff\\xff')\nreturn None"
        ),
    ),
    Attack(
        name="sends-a-deep-nest",
        source=_CHANNEL
        + calling("for c in channels():\n    wire.send(c, b'l\\x00\\x00\\x00\\x01' * 100000)\nreturn None"),
    ),
    Attack(
        name="sends-unhashable-keys",
        source=_CHANNEL
        + calling(
            "for c in channels():\n    wire.send(c, b'd\\x00\\x00\\x00\\x01l\\x00\\x00\\x00\\x00N')\nreturn None"
        ),
    ),
    Attack(
        name="sends-a-pickle",
        source=_CHANNEL
        + calling("import pickle\nfor c in channels():\n    wire.send(c, pickle.dumps(print))\nreturn None"),
    ),
    Attack(
        name="lends-what-equals-everything",
        source=calling(
            "return Answer()",
            """
class Answer:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __len__(self): return 1
    def __iter__(self): return self
    def __next__(self): return self
    def __getitem__(self, at): return self
    def __contains__(self, item): return True
""",
        ),
        outcomes=_FAILED,
    ),
    *(
        Attack(
            name=f"lends-{name}",
            source=_CHANNEL
            + "from inside.standins import Lent\n"
            + calling(
                f"say('{outcome}', codec.encode(range, lambda _: Lent({lent})), '', None)\nreturn None"
            ),
        )
        for name, outcome, lent in (
            ("no-such-number", "returned", "number=2**40, type_name='x', methods=('__next__',)"),
            ("numbers-below-zero", "returned", "number=-1, type_name='x', methods=()"),
            ("odd-methods", "returned", "number=1, type_name='x', methods=('__eq__', '__class__')"),
            ("no-names", "returned", "number=1, type_name=3, methods=((),)"),
            ("an-end-that-no-call-has", "ended", "number=1, type_name='x', methods=()"),
            ("what-is-not-there", "returned", "number=7, type_name='map', methods=('__next__', '__len__')"),
        )
    ),
    Attack(
        name="passes-a-descriptor",
        source=_CHANNEL
        + calling(
            "import array\nfor c in channels():\n    c.sendmsg([b'\\x00'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [0] * 8))])\nreturn None"
        ),
    ),
    Attack(
        name="mutates-arguments-to-fit",
        source=calling("try:\n    a.clear(); b.clear()\nexcept Exception:\n    pass\nreturn None"),
        outcomes=_FAILED,
    ),
    Attack(
        name="prints-passed",
        source=calling("print('PASSED', 'OK', '1 passed', flush=True)\nreturn None"),
        outcomes=_FAILED,
    ),
    Attack(name="fd-spray-passed", source=_spray("b'passed\\n'")),
    Attack(
        name="fd-spray-json-verdict", source=_spray("b'\\x00\\x00\\x00\\x15' + b'{\"verdict\": \"passed\"}'")
    ),
    Attack(name="fd-spray-zeroes", source=_spray("bytes(4096)")),
    Attack(name="walks-frames-for-tests", source=_finding(_FRAMES), outcomes=_FAILED),
    Attack(name="walks-gc-for-tests", source=_finding(_GC)),
    Attack(name="reads-own-memory-for-tests", source=_finding(_MEMORY)),
    Attack(name="reads-others-memory-for-tests", source=_finding(_OTHERS_MEMORY)),
    Attack(name="reads-files-for-tests", source=_finding(_FILES)),
    Attack(name="reads-descriptors-for-tests", source=_finding(_DESCRIPTORS)),
    Attack(
        name="traces-its-caller",
        source=calling(
            "return None",
            "import sys\nseen = []\ndef trace(frame, event, arg):\n    seen.append(frame.f_locals)\n    return trace\nsys.settrace(trace)\nsys.setprofile(lambda *a: None)\n",
        ),
        outcomes=_FAILED,
    ),
    *(
        Attack(name=f"in-process-{name}", source=source, in_process=True)
        for name, source in (
            ("exits-0-at-once", "import os\nos._exit(0)\n"),
            ("exits-0-when-called", calling("import os\nos._exit(0)")),
            ("sys-exit-0", calling("import sys\nsys.exit(0)")),
            ("atexit", calling("return None", "import atexit, os\natexit.register(os._exit, 0)\n")),
            ("fd-spray", _spray("b'\\x00\\x00\\x00\\x10passed'")),
            ("answers-passed", _CHANNEL + "say('passed', '0' * 32)\n" + calling("return None")),
            ("forks-and-exits", "import os\nif os.fork() == 0:\n    os._exit(0)\nos._exit(0)\n"),
        )
    ),
    *(
        Attack(name=f"{language}-exits-0", language=language, source=source, test=test)
        for language, source, test in (
            ("ruby", "exit!(0)\n", "raise 'wrong' unless add(2, 3) == 5\n"),
            ("perl", "use POSIX; POSIX::_exit(0);\n", "die unless add(2, 3) == 5;\n"),
            ("lua", "os.exit(0)\n", "assert(add(2, 3) == 5)\n"),
            (
                "awk",
                "BEGIN { exit 0 }\n",
                "BEGIN { if (add(2, 3) != 5) exit 1 }\nfunction add(a, b) { return 0 }\n",
            ),
            ("tcl", "exit 0\n", "if {[add 2 3] != 5} {error wrong}\n"),
            ("shell", "exit 0\n", "[ $(add 2 3) = 5 ] || exit 1\n"),
        )
    ),
    *(
        # What it was told to say last stands in its file, but not as it is said.
        Attack(name=f"{language}-shows-its-file-at-its-end", language=language, source=source, test="")
        for language, source in (
            ("ruby", "at_exit { puts File.read($0) }\nexit 0\n"),
            ("perl", 'END { open my $f, "<", $0; print <$f>; $? = 0 }\nexit 0;\n'),
            ("shell", "trap 'cat \"$0\"; exit 0' EXIT\nset -vx\nexit 0\n"),
            ("tcl", "puts [read [open [info script]]]\nexit 0\n"),
        )
    ),
)
