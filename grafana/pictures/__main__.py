"""Draw the committed boards from what a running Prometheus answers.

    python -m grafana.pictures --prometheus http://127.0.0.1:9090 --out pictures

writes a page per board and, with Chromium, a PNG. Grafana is not needed, and would draw it otherwise.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx

from grafana.pictures.answers import Answers, span
from grafana.pictures.boards import Undrawable, board_names, read_board
from grafana.pictures.browser import photograph
from grafana.pictures.page import draw


def main() -> int:
    """Exit code 1 when a board cannot be drawn."""
    arguments = _parser().parse_args()
    try:
        for name in arguments.board or board_names():
            _picture(name, arguments)
    except (Undrawable, httpx.TransportError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


def _picture(name: str, arguments: argparse.Namespace) -> None:
    board = read_board(name)
    times = span(
        arguments.begins or board.begins, now_s=arguments.until or time.time(), scrape_s=arguments.scrape
    )
    chosen = dict(each.partition("=")[::2] for each in arguments.choose)
    with httpx.Client(base_url=arguments.prometheus, timeout=60) as client:
        page = draw(board, Answers(client, times, chosen))
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / f"{name}.html"
    file.write_text(page.html, encoding="utf-8")
    if not arguments.html_only:
        photograph(file, file.with_suffix(".png"), width=page.width, height=page.height)
    sys.stdout.write(f"{name}: {page.width} x {page.height}, empty: {', '.join(page.empty) or 'none'}\n")


def _moment(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m grafana.pictures", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "--prometheus", required=True, metavar="URL", help="a Prometheus that scrapes Tailwatch"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where to write")
    parser.add_argument("--board", action="append", choices=board_names(), help="only this board; repeatable")
    parser.add_argument(
        "--from", dest="begins", metavar="now-30m", help="begin here, not where the board does"
    )
    parser.add_argument("--until", type=_moment, metavar="TIME", help="end then, as 2026-01-31T12:00:00Z")
    parser.add_argument(
        "--choose",
        action="append",
        default=[],
        metavar="VARIABLE=TEXT",
        help="what to choose of a variable, as model=lab or checkpoint=gen3; repeatable",
    )
    parser.add_argument(
        "--scrape", type=float, default=15.0, metavar="S", help="the scrape interval, in seconds"
    )
    parser.add_argument("--html-only", action="store_true", help="no PNG, so no Chromium")
    return parser


if __name__ == "__main__":
    sys.exit(main())
