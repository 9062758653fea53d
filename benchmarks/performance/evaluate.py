"""What `tailwatch evaluate` costs in CPU time of its own at a server that is ready, imports included.

    python -m benchmarks.performance.evaluate

starts a server that answers like vLLM and costs next to nothing (it knows the references, and gives every
tenth answer wrong), builds the bank of a lab checkpoint there, and evaluates another one several times.
Prints JSON: CPU seconds of the command and of all it started, medians over the runs. The goal: at most 4.
CPU time of containers is not in it, which a Docker engine starts: `--backend namespace` counts programs too.
Run it once before: the first run may have to compile what it imports.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from monitor.suites.loading import load_suite

LAB = Path(__file__).resolve().parents[1] / "lab" / "checkpoints"
TAILWATCH = Path(sys.executable).with_name("tailwatch")
CHECKPOINTS = {"before": "gen0", "after": "control1"}
SUITE = "lab"
RIGHT = 0.9
"""Share of right answers."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--backend", choices=["docker", "namespace"], default="namespace")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve()
        return
    with tempfile.TemporaryDirectory() as name, _server() as port:
        folder = Path(name)
        _configure(folder, port, arguments.backend)
        _run(folder, "baseline", "build", "checkpoints/before")
        runs = [_run(folder, "evaluate", "--again", "checkpoints/after") for _ in range(arguments.runs)]
    print(
        json.dumps({figure: round(statistics.median(run[figure] for run in runs), 2) for figure in runs[0]})
    )


def _configure(folder: Path, port: int, backend: str) -> None:
    for name, source in CHECKPOINTS.items():
        shutil.copytree(LAB / source, folder / "checkpoints" / name)
    configuration = {
        "model": "lab",
        "checkpoints": {"source": "folder", "path": "checkpoints"},
        "engine": {"kind": "remote", "url": f"http://127.0.0.1:{port}", "concurrency": 64},
        "suite": SUITE,
        "sampling": {"samples_per_task": 4, "max_tokens": 64},
        # Without the seeds in common, equal checkpoints need about as many samples as different ones.
        "policy": {"coupling": False},
        "sandbox": {"slots": 2, "backend": backend},
    }
    (folder / "tailwatch.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")


def _run(folder: Path, *arguments: str) -> dict[str, float]:
    """CPU seconds of a command with its children, and the samples that its answer rests on."""
    said = folder / "said"
    with said.open("wb") as out:
        process = subprocess.Popen([TAILWATCH, *arguments, "--json"], cwd=folder, stdout=out)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    decision = json.loads(said.read_text("utf-8")).get("decision") or {}
    return {
        "cpu_s": used.ru_utime + used.ru_stime,
        "samples": sum(stratum["samples"] for stratum in decision.get("strata", {}).values()),
        "memory_mb": used.ru_maxrss / 1024,
    }


@contextmanager
def _server() -> Iterator[int]:
    """Port of a server in a process of its own."""
    arguments = [sys.executable, "-m", "benchmarks.performance.evaluate", "--serve"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def _serve() -> None:
    solutions = {task.prompt: task.canonical_solution for task in load_suite(SUITE)}

    class Handler(_Handler):
        known = solutions

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    """The part of vLLM's interface that an evaluation at a remote server uses."""

    protocol_version = "HTTP/1.1"
    known: dict[str, str]
    """Solutions by prompt."""

    def do_GET(self) -> None:
        """Tell what is served."""
        models = [{"id": name, "object": "model", "max_model_len": 4096} for name in CHECKPOINTS]
        told: dict[str, dict[str, Any]] = {"/v1/models": {"data": models}, "/version": {"version": "0"}}
        self._answer(told.get(self.path, {}))

    def do_POST(self) -> None:
        """Complete, or tell log-probabilities that hang on model and text."""
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = request.get("prompt", "")
        if self.path == "/tokenize":
            self._answer({"tokens": [1, 2, 3], "count": 3, "max_model_len": 4096})
        elif request.get("prompt_logprobs") is not None:
            rng = random.Random(f"{request['model']} {prompt}")
            entries = [None, *({str(n): {"logprob": -rng.random(), "rank": 1}} for n in range(8))]
            self._answer({"choices": [{"index": 0, "text": "", "prompt_logprobs": entries}]})
        else:
            seeds = (request.get("seed", 0) + child for child in range(request.get("n", 1)))
            choices = [self._choice(prompt, seed, index) for index, seed in enumerate(seeds)]
            self._answer({"choices": choices, "usage": {}})

    def _choice(self, prompt: str, seed: int, index: int) -> dict[str, Any]:
        right = random.Random(seed).random() < RIGHT
        text = self.known.get(prompt, "") if right else "    return None\n"
        logprobs = {"token_logprobs": [-0.1, -0.2], "tokens": ["a", "b"]}
        return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": "stop"}

    def _answer(self, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    main()
