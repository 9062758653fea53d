"""Commands start without what only the comparison of outputs needs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("evidently", "pandas", "scipy", "monitor.drift.columns", "monitor.drift.meter", "monitor.rarity")


def test_neither_the_package_nor_the_commands_nor_the_wiring_load_evidently_or_pandas():
    program = (
        f"import sys, monitor, monitor.cli, monitor.wiring; print(sorted({{*{HEAVY}}} & {{*sys.modules}}))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
