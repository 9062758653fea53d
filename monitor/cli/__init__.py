"""The command line: parse, call one use case, render."""

from monitor.cli.app import main

__all__ = ["main"]
