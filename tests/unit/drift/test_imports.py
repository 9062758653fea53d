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


def test_evidentlys_tests_are_loaded_without_its_web_service_and_plots_and_the_library_stays_whole():
    program = """
import sys
from monitor.drift.columns import EvidentlyDetector
EvidentlyDetector().prepare()
print(sorted({"sklearn", "plotly", "nltk", "litestar", "evidently"} & {*sys.modules}))
import evidently.legacy.core
print(evidently.__version__, evidently.legacy.core.ColumnType.Numerical.name)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = told.stdout.splitlines()
    assert first == "[]"
    assert second.endswith("Numerical")
