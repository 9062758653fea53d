"""What honest programs and tests may do, in split mode, beside their tests, and in other languages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from monitor.domain.samples import Limits, Outcome, Program, Trust
from monitor.domain.tasks import TaskKind
from monitor.ports import Sandbox
from monitor.sandbox.languages import LANGUAGES
from tests.integration.sandbox.backends import BACKENDS, adder, open_backend

LOOP = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BACKENDS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    async with await open_backend(request.param) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def docker() -> AsyncIterator[Sandbox]:
    async with await open_backend("docker") as opened:
        yield opened


def task(source: str, test: str) -> Program:
    body = "".join(f"    {line}\n" for line in test.strip("\n").splitlines())
    return Program(
        language="python",
        source=source,
        test=f"import collections, datetime, fractions, io, contextlib\ndef check(candidate):\n{body}",
        entry_point="f",
        limits=Limits(cpu_s=2.0),
    )


HONEST = {
    "keyword arguments": (
        """
def f(a, *, b=1): return a - b
""",
        """
assert candidate(5, b=3) == 2
""",
    ),
    "containers of containers": (
        """
def f(x): return {'a': (x, [x]), 2: {x}, None: frozenset([x])}
""",
        """
assert candidate(1) == {'a': (1, [1]), 2: {1}, None: frozenset([1])}
""",
    ),
    "counters and deques": (
        """
import collections
def f(x): return collections.Counter(x), collections.deque(x, 2)
""",
        """
assert candidate('aab') == (collections.Counter('aab'), collections.deque('aab', 2))
""",
    ),
    "views of dictionaries": (
        """
def f(d): return d.keys(), d.values(), d.items()
""",
        """
keys, values, items = candidate({'a': 1})
assert keys == {'a'} and list(values) == [1] and ('a', 1) in items and len(items) == 1
""",
    ),
    "dates and fractions": (
        """
import datetime, fractions
def f(d): return d + datetime.timedelta(days=1), fractions.Fraction(1, d.day)
""",
        """
assert candidate(datetime.date(2024, 2, 28)) == (datetime.date(2024, 2, 29), fractions.Fraction(1, 28))
""",
    ),
    "data classes": (
        """
import dataclasses
@dataclasses.dataclass
class P:
    x: int
    y: int
def f(x): return P(x, x + 1)
""",
        """
p = candidate(1)
assert (p.x, p.y) == (1, 2) and p == candidate(1) and p != candidate(2)
""",
    ),
    "named tuples": (
        """
from typing import NamedTuple
class P(NamedTuple):
    x: int
def f(x): return P(x)
""",
        """
assert candidate(1) == (1,)
""",
    ),
    "generators": (
        """
def f(n):
    yield from range(n)
""",
        """
assert list(candidate(3)) == [0, 1, 2]
g = candidate(2)
assert next(g) == 0 and next(g) == 1
""",
    ),
    "generators without an end": (
        """
import itertools
def naturals(start):
    n = start
    while True:
        yield n
        n += 1
def f(start):
    return naturals(start), itertools.count(start), itertools.cycle([start, 0]), map(abs, naturals(start))
""",
        """
from itertools import islice
generator, count, cycle, mapped = candidate(5)
assert list(islice(generator, 3)) == [5, 6, 7] and next(generator) == 8
assert list(islice(count, 2)) == [5, 6] and list(islice(cycle, 3)) == [5, 0, 5]
assert next(mapped) == 5 and isinstance(mapped, map)
""",
    ),
    "more items than a message holds": (
        """
def f(n): return (i * i for i in range(n))
""",
        """
assert sum(1 for _ in candidate(12000)) == 12000
""",
    ),
    "what iterators are": (
        """
class Count:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if self.n == 0: raise StopIteration
        self.n -= 1
        return self.n
def f(n):
    plain = (i for i in range(n)), Count(n), zip('ab', range(n)), filter(None, [0, n])
    return *plain, iter([n]), enumerate([n])
""",
        """
import inspect, types
from collections.abc import Generator, Iterator
found = candidate(3)
assert all(isinstance(one, Iterator) and iter(one) is one for one in found)
assert isinstance(found[0], types.GeneratorType) and inspect.isgenerator(found[0])
assert [isinstance(one, Generator) for one in found] == [True] + [False] * 5
assert isinstance(found[2], zip) and isinstance(found[3], filter) and isinstance(found[5], enumerate)
assert [list(one) for one in found] == [[0, 1, 2], [2, 1, 0], [('a', 0), ('b', 1)], [3], [3], [(0, 3)]]
assert [list(one) for one in found] == [[]] * 6 and next(found[0], 'over') == 'over'
""",
    ),
    "generators that are spoken to": (
        """
log = []
def average():
    total = count = 0
    mean = None
    try:
        while True:
            try:
                value = yield mean
            except ValueError as error:
                log.append(str(error))
                continue
            if value is None: return 'done'
            total += value
            count += 1
            mean = total / count
    finally:
        log.append('closed')
def f(what): return average() if what == 'average' else list(log)
""",
        """
running = candidate('average')
assert next(running) is None and running.send(10) == 10 and running.send(20) == 15
assert running.throw(ValueError('odd')) == 15 and running.send(3) == 11
try:
    running.send(None)
    assert False
except StopIteration as end:
    assert end.value == 'done'
assert candidate('log') == ['odd', 'closed']
other = candidate('average')
next(other)
other.close()
assert candidate('log') == ['odd', 'closed', 'closed']
def delegating(): return (yield from candidate('average'))
third = delegating()
assert next(third) is None and third.send(4) == 4
""",
    ),
    "generators that print and raise when they get there": (
        """
def f():
    print('one')
    yield 1
    print('two')
    raise KeyError('three')
""",
        """
out = io.StringIO()
with contextlib.redirect_stdout(out):
    steps = candidate()
    assert out.getvalue() == '' and next(steps) == 1 and out.getvalue() == 'one\\n'
    try:
        next(steps)
        assert False
    except KeyError:
        pass
assert out.getvalue() == 'one\\ntwo\\n'
""",
    ),
    "iterators that are handed back": (
        """
def f(values, n=None):
    return (v for v in values) if n is None else [next(values) for _ in range(n)]
""",
        """
lazy = candidate([1, 2, 3, 4])
assert candidate(lazy, 2) == [1, 2] and next(lazy) == 3 and candidate(lazy, 1) == [4]
held = {'it': candidate([5])}
assert candidate(held['it'], n=1) == [5]
""",
    ),
    "sequences and files of its own": (
        """
import io
class Squares:
    def __len__(self): return 10 ** 12
    def __getitem__(self, n): return n * n if n < 10 ** 12 else [][0]
    def __iter__(self): return (n * n for n in range(10 ** 12))
    def __contains__(self, n): return n == 49
def f(what): return Squares() if what == 'squares' else io.StringIO('a\\nb\\n')
""",
        """
squares, file = candidate('squares'), candidate('file')
assert len(squares) == 10 ** 12 and squares[10 ** 6] == 10 ** 12 and 49 in squares and 50 not in squares
assert next(iter(squares)) == 0 and iter(squares) is not iter(squares)
assert file.readline() == 'a\\n' and list(file) == ['b\\n'] and file.read() == ''
""",
    ),
    "sorting in place": (
        """
def f(x): x.sort(); return None
""",
        """
x = [3, 1, 2]
assert candidate(x) is None
assert x == [1, 2, 3]
""",
    ),
    "nested mutation": (
        """
def f(d): d['a'].append(1); d['b'] = {2}; del d['c']
""",
        """
inner = []
d = {'a': inner, 'c': 0}
candidate(d)
assert d == {'a': [1], 'b': {2}}
assert inner == [1]
""",
    ),
    "mutation before an exception": (
        """
def f(x): x.append(1); raise ValueError('no')
""",
        """
x = []
try:
    candidate(x)
except ValueError as error:
    assert str(error) == 'no'
assert x == [1]
""",
    ),
    "exceptions by type": (
        """
class Mine(KeyError): pass
def f(x): raise Mine('k')
""",
        """
try:
    candidate(1)
    assert False
except KeyError:
    pass
""",
    ),
    "printing": (
        """
def f(x): print('got', x)
""",
        """
out = io.StringIO()
with contextlib.redirect_stdout(out):
    candidate(1); candidate(2)
assert out.getvalue() == 'got 1\\ngot 2\\n'
""",
    ),
    "state between calls": (
        """
n = 0
def f():
    global n
    n += 1
    return n
""",
        """
assert [candidate(), candidate()] == [1, 2]
""",
    ),
    "files in its own directory": (
        """
def f(x):
    with open('a.txt', 'w') as file: file.write(x)
    return open('a.txt').read()
""",
        """
assert candidate('π') == 'π'
""",
    ),
    "temporary files and subprocesses": (
        """
import subprocess, sys, tempfile
def f():
    with tempfile.NamedTemporaryFile('w') as file:
        return subprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout
""",
        """
assert candidate() == 'hi\\n'
""",
    ),
    "threads": (
        """
from concurrent.futures import ThreadPoolExecutor
def f(x):
    with ThreadPoolExecutor(4) as p: return list(p.map(abs, x))
""",
        """
assert candidate([-1, -2]) == [1, 2]
""",
    ),
    "recursion": (
        """
def f(n): return 0 if n == 0 else 1 + f(n - 1)
""",
        """
assert candidate(900) == 900
""",
    ),
    "big integers": (
        """
def f(n): return 2 ** n
""",
        """
assert candidate(4000) == 2 ** 4000
""",
    ),
    "special floats": (
        """
def f(): return float('inf'), -0.0
""",
        """
assert candidate() == (float('inf'), 0.0)
""",
    ),
    "main blocks that are not run": (
        """
def f(): return 1
if __name__ == '__main__':
    1 / 0
""",
        """
assert candidate() == 1
""",
    ),
    "asyncio": (
        """
import asyncio
async def g(): return 3
def f(): return asyncio.run(g())
""",
        """
assert candidate() == 3
""",
    ),
}


@LOOP
@pytest.mark.parametrize("name", HONEST)
async def test_what_honest_programs_do_passes_in_split_mode(sandbox: Sandbox, name: str) -> None:
    execution = await sandbox.execute(task(*HONEST[name]))
    assert (execution.outcome, execution.trust) == (Outcome.PASSED, Trust.SPLIT), execution


@LOOP
@pytest.mark.parametrize("name", HONEST)
async def test_what_honest_programs_do_passes_beside_its_tests(sandbox: Sandbox, name: str) -> None:
    execution = await sandbox.execute(replace(task(*HONEST[name]), in_process=True))
    assert (execution.outcome, execution.trust) == (Outcome.PASSED, Trust.IN_PROCESS), execution


@LOOP
async def test_a_test_asks_for_no_more_and_no_fewer_items_than_it_wants(sandbox: Sandbox) -> None:
    source = "made = []\ndef g():\n    for n in range(9):\n        made.append(n)\n        yield n\n"
    source += "def f(what): return g() if what else len(made)\n"
    three = "it = candidate(1)\n[next(it) for _ in range(3)]\nassert candidate(0) == 3\n"
    all_of_it = "assert [candidate(0) for n in candidate(1)] == [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    for test in (three, all_of_it):
        assert (await sandbox.execute(task(source, test))).outcome is Outcome.PASSED


@LOOP
async def test_an_endless_iterator_that_a_test_wants_all_of_has_timed_out(sandbox: Sandbox) -> None:
    endless = task("import itertools\ndef f(): return itertools.count()", "assert max(candidate()) == 1")
    execution = await sandbox.execute(replace(endless, limits=Limits(cpu_s=0.3)))
    assert execution.outcome is Outcome.TIMED_OUT, execution


@LOOP
@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("'x' * 2**25", "result too large: 33554438 bytes, the limit is 33554432"),
        ("[None] * 2**21", "result too large: more than 2000000 values"),
        ("[[]] * 9 and __import__('functools').reduce(lambda x, _: [x], range(500), 1)", "nested too deeply"),
    ],
)
async def test_a_result_that_is_too_large_is_called_so(sandbox: Sandbox, result: str, said: str) -> None:
    execution = await sandbox.execute(task(f"def f(): return {result}", "candidate()"))
    assert execution.outcome is Outcome.FAILED
    assert said in execution.detail


@LOOP
async def test_a_failing_assertion_is_named(sandbox: Sandbox) -> None:
    execution = await sandbox.execute(adder("def add(a, b):\n    return a\n"))
    assert execution.detail == "AssertionError in: assert candidate(2, 3) == 5"


@LOOP
async def test_an_answer_is_checked_as_text_and_never_run(sandbox: Sandbox) -> None:
    answer = Program(
        language="english",
        source="__import__('os')._exit(0) 42",
        test="def check(answer):\n    assert answer.endswith('42')\n",
        entry_point="",
        kind=TaskKind.ANSWER,
    )
    execution = await sandbox.execute(answer)
    assert (execution.outcome, execution.trust) == (Outcome.PASSED, Trust.SPLIT)
    wrong = replace(answer, source="41")
    assert (await sandbox.execute(wrong)).outcome is Outcome.FAILED


@LOOP
@pytest.mark.parametrize("test", ["def check(candidate)\n", "x = 1\n", "1 / 0\n", "import no_such_module\n"])
async def test_a_test_that_cannot_be_loaded_is_ours_and_not_the_programs(sandbox: Sandbox, test: str) -> None:
    execution = await sandbox.execute(replace(adder(), test=test))
    assert execution.outcome is Outcome.UNSCORED
    assert "test" in execution.detail


@LOOP
async def test_a_careless_test_does_not_disturb_the_next(sandbox: Sandbox) -> None:
    careless = (
        "import sys, random\ndef check(candidate):\n    sys.setrecursionlimit(60)\n    sys.stdout = None\n"
        "    random.seed(5)\n    assert candidate(2, 3) == 5\n"
    )
    assert (await sandbox.execute(replace(adder(), test=careless))).outcome is Outcome.PASSED
    assert (await sandbox.execute(task(*HONEST["recursion"]), fresh=True)).outcome is Outcome.PASSED


PROGRAMS = {
    "ruby": ("def add(a, b)\n  a + b\nend\n", "raise 'wrong' unless add(2, 3) == 5\n"),
    "lua": ("function add(a, b) return a + b end\n", "assert(add(2, 3) == 5)\n"),
    "perl": ("sub add { my ($a, $b) = @_; return $a + $b; }\n", "die 'wrong' unless add(2, 3) == 5;\n"),
    "tcl": ("proc add {a b} { expr {$a + $b} }\n", "if {[add 2 3] != 5} { error wrong }\n"),
    "awk": (
        "function add(a, b) { return a + b }\n",
        'BEGIN { if (add(2, 3) != 5) { print "wrong"; exit 1 } }\n',
    ),
    "scheme": ("(define (add a b) (+ a b))\n", '(if (not (= (add 2 3) 5)) (error "wrong"))\n'),
    "shell": ("add() { echo $(($1 + $2)); }\n", '[ "$(add 2 3)" = 5 ] || { echo wrong; exit 1; }\n'),
}


def in_language(name: str, *, wrong: bool) -> Program:
    source, test = PROGRAMS[name]
    source = source.replace("+", "-") if wrong else source
    return Program(language=name, source=source, test=test, entry_point="add", limits=Limits(cpu_s=4.0))


@LOOP
@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_program_in_another_language_passes_and_fails_as_it_should(
    docker: Sandbox, name: str
) -> None:
    right = await docker.execute(in_language(name, wrong=False))
    assert (right.outcome, right.trust) == (Outcome.PASSED, Trust.IN_PROCESS), right
    wrong = await docker.execute(in_language(name, wrong=True))
    assert wrong.outcome is Outcome.FAILED, wrong


AT_THE_END = {
    "ruby": 'at_exit { puts "bye" }\n',
    "perl": 'END { print "bye\\n"; }\n',
    "tcl": "rename exit quit\nproc exit {{code 0}} {puts bye; quit $code}\n",
    "awk": 'END { print "bye" }\n',
    "scheme": '(add-hook! exit-hook (lambda () (display "bye") (newline)))\n',
    "lua": 'setmetatable({}, {__gc = function() print("bye") end})\n',
    "shell": "trap 'echo bye' EXIT\n",
}


@LOOP
@pytest.mark.parametrize("name", PROGRAMS)
async def test_what_a_program_says_after_its_end_fails_no_right_one_and_passes_no_wrong_one(
    docker: Sandbox, name: str
) -> None:
    for wrong, outcome in ((False, Outcome.PASSED), (True, Outcome.FAILED)):
        program = in_language(name, wrong=wrong)
        execution = await docker.execute(replace(program, source=AT_THE_END[name] + program.source))
        assert execution.outcome is outcome, execution


GREEDY = {
    "ruby": ('x = []\nloop { x << "a" * 1000000 }\n', "x = []\nloop { x << [1] * 10 }\n"),
    "lua": ('local t = {} while true do t[#t + 1] = string.rep("x", 1e6) .. #t end\n',),
    "perl": ('my @x; while (1) { push @x, "a" x 1000000 }\n', 'my $n = 10 ** 10; my $x = "a" x $n;\n'),
    "tcl": ("set x {}; while 1 { lappend x [string repeat a 1000000] }\n",),
    "awk": ('BEGIN { while (1) x[n++] = sprintf("%1000000s", n) }\n',),
    "scheme": ("(let loop ((x (list))) (loop (cons (make-string 1000000 #\\a) x)))\n",),
    "shell": ("s=aaaaaaaa; while :; do s=$s$s; done\n",),
}


@LOOP
@pytest.mark.parametrize("name", GREEDY)
async def test_a_program_in_another_language_that_wants_more_memory_than_there_is_is_out_of_it(
    docker: Sandbox, name: str
) -> None:
    for source in GREEDY[name]:
        program = replace(in_language(name, wrong=False), source=source)
        limits = Limits(cpu_s=4.0, memory_bytes=64 * 2**20)
        execution = await docker.execute(replace(program, limits=limits))
        assert execution.outcome is Outcome.OUT_OF_MEMORY, execution


@LOOP
async def test_a_program_that_only_says_it_has_no_memory_has_failed(docker: Sandbox) -> None:
    says = replace(in_language("perl", wrong=False), source='print "Out of memory!\\n"; exit 0;\n')
    assert (await docker.execute(says)).outcome is Outcome.FAILED


@LOOP
@pytest.mark.parametrize("name", [name for name in PROGRAMS if LANGUAGES[name].check])
async def test_a_program_in_another_language_that_does_not_compile_is_rejected(
    docker: Sandbox, name: str
) -> None:
    execution = await docker.execute(replace(in_language(name, wrong=False), source="} ] ) ((( {"))
    assert execution.outcome is Outcome.REJECTED, execution


@LOOP
@pytest.mark.parametrize(("language", "interpreter"), [("racket", "racket"), ("r", "Rscript")])
async def test_an_interpreter_that_is_missing_is_ours_and_not_the_programs(
    docker: Sandbox, language: str, interpreter: str
) -> None:
    missing = Program(language=language, source="1\n", test="", entry_point="")
    execution = await docker.execute(missing)
    assert (execution.outcome, execution.detail) == (Outcome.UNSCORED, f"this sandbox has no {interpreter}")


@LOOP
async def test_an_answer_in_numbers_of_numpy_is_as_right_apart_from_its_tests_as_beside_them(
    docker: Sandbox,
) -> None:
    source = "import numpy\ndef f(x): return numpy.array(x).sum(), {'n': numpy.float32(1.5)}, numpy.bool_(1)"
    program = task(source, "assert candidate([1, 2]) == (3, {'n': 1.5}, True)")
    for in_process in (False, True):
        execution = await docker.execute(replace(program, in_process=in_process))
        assert (execution.outcome, execution.detail) == (Outcome.PASSED, "")
