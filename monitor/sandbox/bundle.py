"""The supervisor's source as one message, and the few lines that turn it back into modules."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

INTERPRETER_OPTIONS = ("-s", "-P", "-X", "utf8", "-u", "-c")
"""Nothing from the user's site, nothing from the working directory, UTF-8, no buffering."""

BOOT = """\
import json, os, sys
from importlib.machinery import ModuleSpec

def read(count):
    data = b""
    while len(data) < count:
        piece = os.read(0, count - len(data))
        if not piece:
            os._exit(3)
        data += piece
    return data

class Sources:
    def __init__(self, modules):
        self.modules = modules
    def find_spec(self, name, path=None, target=None):
        if name in self.modules:
            return ModuleSpec(name, self, is_package=name == "inside")
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        name = module.__name__
        exec(compile(self.modules[name], "<" + name + ">", "exec"), module.__dict__)

message = json.loads(read(int.from_bytes(read(4), "big")))
sys.meta_path.insert(0, Sources(message["modules"]))
module, function = message["entry"].split(":")
__import__(module)
getattr(sys.modules[module], function)(*message["arguments"])
"""
"""Kept free of what importlib.abc and importlib.util import: every program's process would carry it."""


@cache
def modules() -> dict[str, str]:
    """Source text of the modules that run inside, by the name they have there."""
    found = {}
    for file in resources.files("monitor.sandbox").joinpath("inside").iterdir():
        stem, _, suffix = file.name.rpartition(".")
        if suffix == "py":
            name = "inside" if stem == "__init__" else f"inside.{stem}"
            found[name] = file.read_text("utf-8")
    return found


@cache
def digest() -> str:
    """sha256 of everything that runs inside, hexadecimal."""
    return hashlib.sha256((BOOT + json.dumps(modules(), sort_keys=True)).encode()).hexdigest()


def boot_message(entry: str, *arguments: Any) -> dict[str, Any]:
    """What :data:`BOOT` reads first: the modules, and what to call in them."""
    return {"modules": modules(), "entry": entry, "arguments": list(arguments)}
