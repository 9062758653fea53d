"""The `tailwatch` command: its groups, and how errors reach the reader."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import click
from rich.console import Console

from monitor import __version__
from monitor.cli.consoles import open_console
from monitor.domain.errors import InvalidInput, MonitorError, disk_trouble
from monitor.domain.printable import printable_lines

ERROR = 3
"""Exit code of everything that is not an answer."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where and how a command speaks."""

    as_json: bool
    """Print one JSON document to standard output instead of text for people."""
    out: Console
    """Results."""
    progress: Console
    """Progress and remarks: standard error."""

    def answer(self, document: Any, render: Callable[[Console], None]) -> None:
        """Print the result in the form that was asked for."""
        if self.as_json:
            click.echo(json.dumps(document, indent=2, allow_nan=False))
        else:
            render(self.out)


def terminal(*, as_json: bool) -> Terminal:
    """Speak to the standard streams."""
    return Terminal(as_json=as_json, out=open_console(), progress=open_console(stderr=True))


MODULES = {
    "baseline": "evaluate",
    "compare": "evaluate",
    "demo": "demo.command",
    "doctor": "doctor",
    "drift": "drift",
    "evaluate": "evaluate",
    "forget": "forget",
    "gate": "gate",
    "init": "init",
    "outcomes": "outcomes",
    "plan": "plan",
    "promote": "gate",
    "sandbox": "sandbox",
    "serve": "serve",
    "snippets": "snippets",
    "status": "gate",
    "store": "store",
    "suite": "suite",
}
"""The module of each command. Only the one that is asked for is imported: most of a command's start."""


class Commands(click.Group):
    """A group whose commands register on it when their module is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the library's signature
        """All names."""
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name in MODULES:
            import_module(f"monitor.cli.{MODULES[cmd_name]}")
        return super().get_command(ctx, cmd_name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tailwatch")
@click.option("--debug", is_flag=True, help="Show a traceback with errors.")
def cli(debug: bool) -> None:
    """Watch deployed code models for lost rare tasks, and answer the promotion gate."""


config_option = click.option(
    "-c",
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Configuration file.  [default: tailwatch.yaml]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def asynchronous(command: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a command that is a coroutine function."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(command(*args, **kwargs))

    return run


def main() -> NoReturn:
    """Entry point: run the command and turn errors into one paragraph and an exit code."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        _print_json("invalid", error.format_message(), "Ask the same command for --help.")
        error.show()
        sys.exit(ERROR)
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            "Interrupted. What was finished is stored; an evaluation that is asked for again goes on there.",
            err=True,
        )
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(ERROR)
    except Exception as error:  # noqa: BLE001 - the last boundary before the reader
        _report(error)
        sys.exit(ERROR)
    sys.exit(0)


def _report(error: Exception) -> None:
    if "--debug" in sys.argv[1:]:
        import traceback  # noqa: PLC0415 - needed on this path only

        traceback.print_exception(error)
        return
    if isinstance(error, OSError):
        error = disk_trouble(error) or error
    if isinstance(error, MonitorError):
        message, next_step = error.message, error.next_step
    else:
        message = f"Tailwatch met an error it did not expect: {type(error).__name__}: {error}"
        next_step = "Run the same command as `tailwatch --debug …` and report what it prints."
    _print_json("invalid" if isinstance(error, InvalidInput) else "trouble", message, next_step)
    click.echo(printable_lines(f"tailwatch: {message}\n  {next_step}"), err=True)


def error_document(kind: str, message: str, next_step: str) -> dict[str, str]:
    """What JSON tells of an error."""
    return {"kind": kind, "message": message, "next_step": next_step}


def _print_json(kind: str, message: str, next_step: str) -> None:
    """Tell an error to whoever asked for JSON."""
    if "--json" in sys.argv[1:]:
        click.echo(json.dumps({"error": error_document(kind, message, next_step)}))
