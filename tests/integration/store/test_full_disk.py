"""A disk that really fills up under a store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.requirements import require

ROOT = Path(__file__).resolve().parents[3]

FILLER = """
import sys
from itertools import count
from pathlib import Path
from monitor.domain.errors import StoreTrouble
from monitor.store import open_store
from tests.unit.contracts.store_nouns import a_sample, an_evaluation

folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(bytes(2**19))
store = open_store(f"sqlite:///{folder}/tailwatch.db")
store.save(an_evaluation())
evaluation_id = an_evaluation().key.evaluation_id
stored = 0
try:
    for task in count():
        stored += store.record(evaluation_id, [a_sample(f"t{task}", index) for index in range(100)])
except StoreTrouble as trouble:
    print(trouble)
assert len(store.samples(evaluation_id)) == stored > 0
assert store.verify() == ()
ballast.unlink()
assert store.record(evaluation_id, [a_sample("after")]) == 1
store.close()
again = open_store(f"sqlite:///{folder}/tailwatch.db")
assert len(again.samples(evaluation_id)) == stored + 1
assert again.verify() == ()
"""


def in_small_disk(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run with a disk of two megabytes mounted on the folder, for this process only."""
    mounted = 'mount -t tmpfs -o size=2m tmpfs "$0" && exec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", mounted, str(folder), *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_disk_that_fills_up_is_trouble_and_what_was_stored_stays(tmp_path):
    possible = in_small_disk(tmp_path, "true").returncode == 0
    require("A mount namespace", possible, "Run as root, or allow unprivileged user namespaces.")
    done = in_small_disk(tmp_path, sys.executable, "-c", FILLER, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "has no space left on its disk" in done.stdout
