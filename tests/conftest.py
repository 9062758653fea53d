"""What every test of the project starts from."""

from __future__ import annotations

import os

# Evidently asks for this before its first import; no test may report its use to anybody.
os.environ["DO_NOT_TRACK"] = "1"
# Settings of the person who runs the tests must not leak into the configuration under test.
for name in [name for name in os.environ if name.startswith("TAILWATCH_") and name != "TAILWATCH_REQUIRE"]:
    del os.environ[name]
