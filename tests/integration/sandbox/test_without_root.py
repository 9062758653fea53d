"""The namespace sandbox as an ordinary user runs it, with one uid for everything inside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.hostile.attack import TEST
from tests.integration.hostile.escapes import ESCAPES
from tests.integration.hostile.forgeries import FORGERIES
from tests.integration.hostile.hidden_cpu import HIDDEN_CPU
from tests.integration.hostile.neighbours import NEIGHBOURS
from tests.requirements import require

PYTHON = "/usr/bin/python3"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
CHOSEN = {
    *(
        "walks-frames-for-tests",
        "walks-gc-for-tests",
        "reads-others-memory-for-tests",
        "fd-spray-json-verdict",
    ),
    *("kills-all-others", "stops-all-others", "kills-its-parent", "kills-everything", "lowers-its-oom-score"),
    *("changes-roots", "syscall-mount", "syscall-ptrace", "renames-the-host"),
    *("survives-by-double-fork", "leaves-files", "leaves-locked-directories", "exits-0-when-called"),
    *("writes-usr-lib", "writes-etc", "answers-passed-on-the-channel", "connects-out-by-tcp"),
    *("limits-all-others", "slows-all-others", "makes-a-pipe-kill-all-others"),
    *("hides-cpu-by-ignoring-children", "hides-cpu-in-daemons", "syscall-clone-sibling"),
    *("makes-a-socket-kill-all-others", "kills-all-others-by-descriptors-of-its-own-number"),
}
PROGRAM = """
import asyncio, json, sys
from monitor.domain.samples import Limits, Program
from monitor.sandbox.process_sandbox import NamespaceSandbox

async def main():
    sources, test = json.load(sys.stdin)
    events = []
    async with await NamespaceSandbox.open(slots=1, on_event=events.append) as sandbox:
        for name, source in sources:
            program = Program(
                language="python", source=source, test=test, entry_point="add", limits=Limits(cpu_s=0.5)
            )
            execution = await sandbox.execute(program)
            print(json.dumps([name, execution.outcome.value, execution.detail]))
    assert "lost" not in events, events

asyncio.run(main())
"""
HONEST = "import os\ndef add(a, b):\n    assert os.listdir('/tmp') == ['work']\n    return a + b\n"


def nobody_can() -> bool:
    probe = [
        *NOBODY,
        "unshare",
        "--user",
        "--map-root-user",
        PYTHON,
        "-c",
        "import sys; sys.version_info >= (3, 11) or 1 / 0",
    ]
    return subprocess.run(probe, capture_output=True, check=False, cwd="/").returncode == 0


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    require("An unprivileged user with namespaces and Python 3.11", nobody_can(), "Allow user namespaces.")
    attacks = [attack for attack in (*FORGERIES, *ESCAPES, *HIDDEN_CPU, *NEIGHBOURS) if attack.name in CHOSEN]
    assert len(attacks) == len(CHOSEN)
    sources = [("honest-first", HONEST)]
    for attack in attacks:
        sources += [
            (attack.name, attack.source),
            (f"honest-after-{attack.name}", f"{HONEST}# {attack.name}\n"),
        ]
    done = subprocess.run(
        [*NOBODY, PYTHON, "-B", "-c", PROGRAM],
        input=json.dumps([sources, TEST]),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    return {name: (outcome, detail) for name, outcome, detail in map(json.loads, done.stdout.splitlines())}


def test_no_attack_passes_or_is_blamed_on_us(outcomes: dict[str, tuple[str, str]]) -> None:
    found = {name: outcome for name, outcome in outcomes.items() if not name.startswith("honest")}
    assert {name for name, (outcome, _) in found.items() if outcome in ("passed", "unscored")} == set()


def test_honest_programs_pass_after_each(outcomes: dict[str, tuple[str, str]]) -> None:
    honest = {name: outcome for name, outcome in outcomes.items() if name.startswith("honest")}
    assert len(honest) == len(CHOSEN) + 1
    assert {name: outcome for name, outcome in honest.items() if outcome[0] != "passed"} == {}


ALONE = """
import asyncio
from tests.integration.sandbox.backends import adder, open_backend

async def main():
    async with await open_backend("rlimit") as sandbox:
        print((await sandbox.execute(adder())).outcome.value)

asyncio.run(main())
"""


def test_plain_processes_do_where_root_is_the_only_uid_there_is() -> None:
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", ALONE]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("passed", 0), done.stderr
