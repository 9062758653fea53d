"""What every test of the project starts from."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Evidently asks for this before its first import; no test may report its use to anybody.
os.environ["DO_NOT_TRACK"] = "1"
# Settings of the person who runs the tests must not leak into the configuration under test.
for name in [name for name in os.environ if name.startswith("TAILWATCH_") and name != "TAILWATCH_REQUIRE"]:
    del os.environ[name]

# These machines are shared: how long an example took says nothing about the code.
settings.register_profile("tailwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tailwatch")
