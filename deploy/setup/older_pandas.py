"""Runs the tests of Evidently's columns once more, on the oldest pandas that is supported.

It is put before the pinned one on the path, so that nothing else has to be installed twice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST = "pandas==2.2.*"
BESIDE = ("pytz",)
"""What it needs, and the pinned one does not."""
TESTS = "tests/integration/drift/test_columns.py"


def main() -> None:
    """Fetch that pandas and run the tests; the exit code is pytest's."""
    with tempfile.TemporaryDirectory(prefix="tailwatch-pandas.") as folder:
        if not fetched(folder):
            required = "all" in os.environ.get("TAILWATCH_REQUIRE", "")
            sys.exit(f"{OLDEST} could not be fetched" if required else skip())
        sys.exit(tested(folder))


def fetched(folder: str) -> bool:
    """Put that pandas into a folder, from wherever pip is configured to look."""
    wanted = ("--quiet", "--no-deps", "--target", folder, OLDEST, *BESIDE)
    return subprocess.run([sys.executable, "-m", "pip", "install", *wanted], check=False).returncode == 0


def tested(folder: str) -> int:
    """Run the tests with it; pytest's exit code."""
    path = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "PYTHONPATH": path}
    version = [sys.executable, "-c", "import pandas; print('pandas', pandas.__version__)"]
    told = subprocess.run(version, env=environment, check=False, stdout=subprocess.PIPE, text=True).stdout
    print(told.strip(), flush=True)
    if not told.startswith(OLDEST.rstrip("*").replace("==", " ")):
        return 1
    command = [sys.executable, "-m", "pytest", TESTS]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def skip() -> int:
    """Say that nothing was tested."""
    print(f"skipped: {OLDEST} could not be fetched", flush=True)
    return 0


if __name__ == "__main__":
    main()
