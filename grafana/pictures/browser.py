"""A page as a PNG, by headless Chromium."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from grafana.pictures.boards import Undrawable

TIME_LIMIT_S = 180.0
QUIET = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")


def photograph(page: Path, picture: Path, *, width: int, height: int) -> None:
    """Write a picture of a page that needs no network.

    Raises:
        Undrawable: there is no Chromium, or it made no picture.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise Undrawable("Chromium is not on PATH: apt-get install chromium.")
    picture.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The sandbox of Chromium needs a user other than root; the page is our own and runs no script.
        arguments = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *QUIET]
        arguments += [f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        done = subprocess.run(
            [*arguments, f"--screenshot={picture.resolve()}", page.resolve().as_uri()],
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    if not picture.exists():
        raise Undrawable(f"Chromium made no picture (exit code {done.returncode}): {done.stderr[-500:]}")
