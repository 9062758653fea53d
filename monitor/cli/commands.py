"""Every command, so that importing this registers them."""

from monitor.cli import doctor, evaluate, gate, init, outcomes, sandbox, serve, store, suite
from monitor.cli.demo import command as demo

__all__ = ["demo", "doctor", "evaluate", "gate", "init", "outcomes", "sandbox", "serve", "store", "suite"]
