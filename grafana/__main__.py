"""Write the boards, or with ``--check`` say whether the committed ones are current."""

from __future__ import annotations

import argparse
import sys

from grafana.writing import outdated, write_boards


def main() -> int:
    """Exit code 1 when a committed board is not what the code makes."""
    parser = argparse.ArgumentParser(prog="python -m grafana", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail when a board is not current"
    )
    if not parser.parse_args().check:
        write_boards()
        return 0
    stale = outdated()
    if stale:
        sys.stderr.write(f"Not current: {', '.join(stale)}. Run `python -m grafana` and commit.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
