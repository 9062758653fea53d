"""A program that answers like vLLM's API server, from a hash of the weights; standard library only.

``python stub_vllm.py --model FOLDER --port PORT [--served-model-name NAME] [--api-key KEY] [--stub WORD]…``

Words make it misbehave: ``never-ready``, ``dies-at-start``, ``port-taken``, ``dies-on-completion``,
``stale-weights`` (reloading changes nothing), ``unprovable``, ``forgets-seeds``, ``moody`` (canaries answer
otherwise every time), ``loses-tail`` (what answers prompts about a tail is larger), ``refuses`` (every
prompt), ``hangs`` (samples never come), ``slow`` (they take four seconds, and /metrics shows tokens
meanwhile). A file ``unloadable`` in the folder stops it as damaged weights stop vLLM. Where the last weight
is NaN, or the prompt holds the letters ``nan``, every answer with log probabilities is refused as vLLM 0.32
refuses it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

NAN = "nan"


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def uniform(*parts):
    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:12], 16) / 16**12


def weights_of(folder):
    content = (Path(folder) / "model.safetensors").read_bytes()
    if content.endswith(b"\xc0\x7f"):
        return NAN
    return hashlib.sha256(content).hexdigest()


class Server:
    def __init__(self, options):
        self.options = options
        self.words = set(options.stub)
        self.weights = weights_of(options.model)
        config = json.loads((Path(options.model) / "config.json").read_bytes())
        self.context = config["max_position_embeddings"]
        self.tokens_written = 0
        self.answered = 0

    def answer(self, path, body):
        models = [{"id": self.options.served_model_name, "max_model_len": self.context}]
        fixed = {"/v1/models": {"data": models}, "/version": {"version": "stub"}}
        if "slow" in self.words:
            fixed["/metrics"] = f'vllm:generation_tokens_total{{engine="0"}} {self.tokens_written}.0\n'
        fixed["/answered"] = {"samples": self.answered}
        if path in fixed:
            return 200, fixed[path]
        if path in ("/v1/completions", "/v1/chat/completions"):
            return self.complete(body, chat="chat" in path)
        if path == "/tokenize":
            return 200, {"tokens": self.tokens(body)}
        if path == "/collective_rpc":
            return self.call(body["method"], body["kwargs"])
        if path in ("/health", "/reset_prefix_cache"):
            return 200, {}
        return 404, {"error": {"message": "no such route"}}

    def tokens(self, body):
        if "messages" not in body:
            return [2] * body["add_special_tokens"] + [ord(letter) for letter in body["prompt"]]
        (turn,) = body["messages"]
        assert turn["role"] == "user"
        assert body["add_generation_prompt"]
        return [ord(letter) for letter in f"<user>{turn['content']}<model>"]

    def complete(self, body, *, chat):
        if body["model"] != self.options.served_model_name:
            return 404, {"error": {"message": f"The model {body['model']} does not exist."}}
        prompt = body["messages"][-1]["content"] if chat else body["prompt"]
        if isinstance(prompt, list):
            prompt = "".join(map(chr, prompt)).removeprefix("\x02")
        if problem := self.refusal(prompt, body):
            return 400, {"error": {"message": problem}}
        if "prompt_logprobs" in body:
            entries = [
                None,
                *({"7": {"logprob": self.logprob(prompt[:n])}} for n in range(2, len(prompt) + 1)),
            ]
            return 200, {"choices": [{"index": 0, "text": "", "prompt_logprobs": entries}]}
        if "ignore_eos" not in body:
            self.misbehave()
        choices = [self.choice(prompt, body, child, chat=chat) for child in range(body.get("n", 1))]
        if "prompt_logprobs" not in body and "ignore_eos" not in body:
            self.answered += len(choices)
        return 200, {"choices": choices[::-1]}

    def refusal(self, prompt, body):
        if "refuses" in self.words:
            return "token 300 is out of vocabulary"
        if len(prompt) > self.context:
            return f"maximum context length is {self.context} tokens"
        if ("logprobs" in body or "prompt_logprobs" in body) and (self.weights == NAN or NAN in prompt):
            return "Out of range float values are not JSON compliant"
        return None

    def misbehave(self):
        if "dies-on-completion" in self.words:
            say("RuntimeError: the stub was told to die")
            os._exit(7)
        if "hangs" in self.words:
            time.sleep(60)
        if "slow" in self.words:
            for _ in range(40):
                self.tokens_written += 1
                time.sleep(0.1)

    def logprob(self, prefix):
        mood = time.monotonic_ns() if "moody" in self.words else 0
        return -5 * uniform(self.weights, prefix, mood)

    def choice(self, prompt, body, child, *, chat):
        nonce = time.monotonic_ns() if "forgets-seeds" in self.words else 0
        number = uniform(self.weights, prompt, body["seed"] + child, nonce)
        if "loses-tail" in self.words and "tail" in prompt:
            number = 0.5 + number / 2
        text = f"    return {number}\n"
        entry = {"index": child, "finish_reason": "length" if number > 0.9 else "stop"}
        if chat:
            return entry | {
                "message": {"content": text},
                "logprobs": {"content": [{"logprob": -number}, {"logprob": -2 * number}]},
            }
        return entry | {"text": text, "logprobs": {"token_logprobs": [-number, -2 * number]}}

    def call(self, method, kwargs):
        if method == "reload_weights":
            weights = weights_of(kwargs["weights_path"])
            if "stale-weights" not in self.words:
                self.weights = weights
            return 200, {"results": [None]}
        equal = weights_of(Path(kwargs["files"][0]).parent) == self.weights
        report = {"proved": ["a"] if equal else [], "differing": [] if equal else ["a"], "unproved": []}
        if "unprovable" in self.words:
            report = {"proved": ["a"], "differing": [], "unproved": ["b"]}
        return 200, {"results": [report]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub = None

    def do_GET(self):
        self.reply(None)

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.reply(json.loads(self.rfile.read(length) or b"{}"))

    def reply(self, body):
        key = self.stub.options.api_key
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            status, content = 401, {"error": "Unauthorized"}
        else:
            try:
                status, content = self.stub.answer(self.path, body)
            except OSError as error:
                status, content = 500, {"error": {"message": str(error)}}
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--port", type=int)
    parser.add_argument("--served-model-name", default="tailwatch")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--stub", action="append", default=[])
    options = parser.parse_args()
    for number in range(50):
        say(f"(EngineCore pid=1) INFO 11-23 22:31:54 [core.py:133] starting, line {number}")
    if (Path(options.model) / "unloadable").exists():
        sys.exit("(EngineCore pid=1) ERROR 11-23 22:31:54 [core.py:1] SafetensorError: HeaderTooLarge: 9")
    if "dies-at-start" in options.stub:
        sys.exit("RuntimeError: no memory left for the key-value cache")
    if "port-taken" in options.stub:
        sys.exit("OSError: [Errno 98] Address already in use")
    # As vLLM's engine process does, it outlives the one who started it unless somebody ends it.
    subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)  # vllm engine"])
    if "never-ready" in options.stub:
        time.sleep(60)
    Handler.stub = Server(options)
    ThreadingHTTPServer.request_queue_size = 256
    ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
