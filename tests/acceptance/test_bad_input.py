"""Bad input gets one clear paragraph with the next step, exit code 3, no traceback, and loses nothing."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import subprocess

import pytest

from monitor.cli.demo.folder import claim
from tests.acceptance.product import CHECKPOINTS, TAILWATCH, Deployment, Finished
from tests.requirements import require

ERROR = 3
NO_ENGINE = "unix:///nonexistent/docker.sock"


def assert_explained(finished: Finished, *words: str) -> None:
    """It ended with an error a reader can act on, naming everything it has to."""
    finished.expect(ERROR)
    assert "Traceback" not in finished.out + finished.err
    message = " ".join(finished.err.split())
    for word in words:
        assert word.lower() in message.lower(), f"{word!r} is not in: {message}"
    assert finished.err.strip().count("\n\n") == 0, f"more than one paragraph:\n{finished.err}"


@pytest.fixture
def checkpoint(tmp_path):
    """A whole checkpoint in a folder of its own, to be damaged."""
    folder = tmp_path / "damaged"
    shutil.copytree(CHECKPOINTS / "gen0", folder)
    return folder


class TestConfiguration:
    def test_a_missing_file_says_how_to_make_one(self, tmp_path):
        empty = Deployment(folder=tmp_path, port=1)
        assert_explained(empty.run("status"), "tailwatch.yaml", "tailwatch init")

    def test_an_unknown_key_is_named_with_its_line_and_its_neighbour(self, deployment):
        deployment.configure(polcy={"alpha": 0.05})
        assert_explained(deployment.run("status"), "tailwatch.yaml:", "polcy", "policy")

    def test_a_wrong_value_is_named_with_its_key(self, deployment):
        deployment.configure(sampling={"samples_per_task": "many"})
        assert_explained(deployment.run("status"), "sampling.samples_per_task", "integer")

    def test_broken_yaml_names_the_line(self, deployment):
        (deployment.folder / "tailwatch.yaml").write_text("model: lab\n  suite: [", encoding="utf-8")
        assert_explained(deployment.run("status"), "not valid YAML", "line 2")

    def test_a_watched_folder_that_does_not_exist_stops_serve(self, deployment):
        deployment.arrivals.rmdir()
        assert_explained(deployment.run("serve"), str(deployment.arrivals), "checkpoints.path")

    def test_an_unknown_suite_lists_those_there_are(self, deployment):
        deployment.configure(suite="nonesuch")
        assert_explained(deployment.run("status"), "nonesuch", "lab")

    def test_init_does_not_overwrite_a_file(self, deployment):
        before = (deployment.folder / "tailwatch.yaml").read_bytes()
        assert_explained(deployment.run("init"), "exists", "--force")
        assert (deployment.folder / "tailwatch.yaml").read_bytes() == before


class TestSuite:
    @pytest.fixture
    def suite(self, deployment, tmp_path):
        """A copy of the lab suite, to be damaged, and asked for."""
        folder = tmp_path / "suite"
        shutil.copytree(CHECKPOINTS.parents[1] / "suites" / "lab", folder)
        deployment.configure(suite=str(folder))
        return folder

    def test_a_task_file_that_is_broken_is_named_with_the_line(self, deployment, suite):
        task = min((suite / "tasks").iterdir())
        task.write_text(task.read_text(encoding="utf-8") + "\n  : : [\n", encoding="utf-8")
        assert_explained(deployment.run("status"), f"{task.name}, line")

    def test_an_unknown_field_of_a_task_is_named(self, deployment, suite):
        task = min((suite / "tasks").iterdir())
        task.write_text(task.read_text(encoding="utf-8") + "\nstratums: tail\n", encoding="utf-8")
        assert_explained(deployment.run("status"), task.name, "stratums")

    def test_a_suite_without_a_header_is_named(self, deployment, suite):
        (suite / "suite.yaml").unlink()
        assert_explained(deployment.run("status"), "suite.yaml")


class TestCheckpoint:
    def test_a_missing_one(self, deployment):
        assert_explained(deployment.run("baseline", "build", "nonesuch"), "nonesuch", "no checkpoint")

    def test_an_empty_folder(self, deployment, tmp_path):
        (tmp_path / "empty").mkdir()
        assert_explained(deployment.run("baseline", "build", str(tmp_path / "empty")), "empty")

    def test_a_half_written_one(self, deployment, checkpoint):
        weights = checkpoint / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
        assert_explained(deployment.run("baseline", "build", str(checkpoint)), "model.safetensors")

    def test_one_without_a_tokenizer(self, deployment, checkpoint):
        for file in checkpoint.glob("tokenizer*"):
            file.unlink()
        assert_explained(deployment.run("baseline", "build", str(checkpoint)), "tokenizer")

    @pytest.mark.usefixtures("components")
    def test_an_unknown_architecture(self, deployment, checkpoint):
        config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
        config["architectures"] = ["NoSuchThingForCausalLM"]
        (checkpoint / "config.json").write_text(json.dumps(config), encoding="utf-8")
        finished = deployment.run("baseline", "build", str(checkpoint), timeout_s=300)
        assert_explained(finished, "NoSuchThingForCausalLM")


class TestAddress:
    def test_a_port_that_is_taken(self, deployment):
        with socket.create_server(("127.0.0.1", deployment.port)):
            assert_explained(deployment.run("serve"), str(deployment.port), "serve.port")


class TestDemo:
    """Without an engine it opens the namespace sandbox: what is open when it fails must end with it."""

    def test_a_deployment_in_its_folder_is_refused_at_once_and_stays(self, deployment):
        deployment.store.write_bytes(b"months of samples")
        demo = deployment.run("demo", "--folder", ".", "--port", "0", DOCKER_HOST=NO_ENGINE)
        assert_explained(demo, "earlier demo", "--folder")
        assert deployment.store.read_bytes() == b"months of samples"

    def test_a_port_that_is_taken_costs_no_earlier_demo(self, deployment):
        claim(deployment.folder / "demo")
        (deployment.folder / "demo" / "tailwatch.db").touch()
        with socket.create_server(("127.0.0.1", deployment.port)):
            demo = deployment.run("demo", "--folder", "demo", "--port", str(deployment.port))
        assert_explained(demo, str(deployment.port), "--port")
        assert (deployment.folder / "demo" / "tailwatch.db").exists()

    def test_what_goes_wrong_behind_the_sandbox_ends_the_demo_and_not_only_its_message(self, deployment):
        demo = deployment.run(
            "demo", "--folder", "demo", "--port", "0", DOCKER_HOST=NO_ENGINE, TAILWATCH_SUITE="nonesuch"
        )
        assert demo.code == ERROR
        assert "nonesuch" in demo.err


class TestEngine:
    @pytest.mark.usefixtures("components")
    def test_one_that_dies_shows_its_last_words(self, deployment):
        deployment.configure(engine={"kind": "managed", "args": ["--no-such-option"]})
        finished = deployment.run("baseline", "build", str(CHECKPOINTS / "gen0"), timeout_s=300)
        assert_explained(finished, "--no-such-option")

    @pytest.mark.usefixtures("components")
    def test_one_that_never_becomes_ready_is_given_up_and_ended(self, deployment):
        deployment.configure(engine={"kind": "managed", "args": [], "ready_s": 2})
        finished = deployment.run("baseline", "build", str(CHECKPOINTS / "gen0"), timeout_s=120)
        assert_explained(finished, "ready")

    @pytest.mark.usefixtures("components")
    def test_a_plan_that_the_engine_refuses_builds_no_baseline(self, deployment):
        plan = {"samples_per_task": 2, "temperature": 1.0, "max_tokens": 100_000}
        deployment.configure(sampling=plan)
        finished = deployment.run("baseline", "build", str(CHECKPOINTS / "gen0"), timeout_s=300)
        assert_explained(finished, "max_tokens")


class TestSandbox:
    @pytest.mark.parametrize("arguments", [("serve",), ("baseline", "build", str(CHECKPOINTS / "gen0"))])
    def test_no_docker_engine_names_the_way_out(self, deployment, arguments):
        finished = deployment.run(*arguments, DOCKER_HOST=NO_ENGINE)
        assert_explained(finished, "docker", "sandbox: {backend: namespace}")


class TestStore:
    @pytest.fixture
    def stored(self, deployment):
        """A deployment whose store exists."""
        deployment.run("status").expect(0)
        return deployment

    def test_one_from_a_newer_version_is_left_as_it_is(self, stored):
        with sqlite3.connect(stored.store) as store:
            store.execute("INSERT INTO tailwatch_schema (version, what) VALUES (9999, 'from the future')")
        before = stored.query("SELECT * FROM tailwatch_schema")
        assert_explained(stored.run("status"), "9999", "newer tailwatch")
        assert stored.query("SELECT * FROM tailwatch_schema") == before

    def test_one_that_another_process_has_locked(self, stored):
        with sqlite3.connect(stored.store, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            finished = stored.run("baseline", "build", str(CHECKPOINTS / "gen0"), timeout_s=120)
            other.execute("ROLLBACK")
        assert_explained(finished, "locked")
        stored.run("status").expect(0)

    def test_one_that_is_no_database(self, deployment):
        deployment.store.write_text("this is not a database, whatever its name says\n" * 40, encoding="utf-8")
        before = deployment.store.read_bytes()
        assert_explained(deployment.run("status"), "not a database")
        assert deployment.store.read_bytes() == before

    def test_a_full_disk(self, deployment):
        apart = ["unshare", "--user", "--map-root-user", "--mount"]
        permitted = subprocess.run([*apart, "true"], capture_output=True, check=False).returncode == 0
        require("A user namespace", permitted, "Run the tests where the kernel permits them.")
        small = deployment.folder / "small"
        small.mkdir()
        deployment.configure(store="sqlite:///small/tailwatch.db")
        # A file system of 64 KiB that exists for this process alone.
        script = f"mount -t tmpfs -o size=64k tmpfs {small} && exec {TAILWATCH} status"
        ended = subprocess.run(
            [*apart, "sh", "-c", script],
            cwd=deployment.folder,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        finished = Finished(
            arguments=("status",), code=ended.returncode, out=ended.stdout, err=ended.stderr, seconds=0.0
        )
        assert_explained(finished, "no space left")


class TestHowErrorsAreTold:
    def test_json_gives_the_error_as_a_document(self, deployment):
        deployment.configure(polcy={})
        error = deployment.run("status", "--json").expect(ERROR).document["error"]
        assert error["kind"] == "invalid"
        assert "polcy" in error["message"]
        assert error["next_step"]

    def test_debug_adds_the_traceback(self, deployment):
        deployment.configure(polcy={})
        assert "Traceback" in deployment.run("--debug", "status").expect(ERROR).err

    def test_an_unknown_command_is_an_error_as_well(self, deployment):
        finished = deployment.run("frobnicate").expect(ERROR)
        assert "frobnicate" in finished.err


class TestGateFailsClosed:
    def test_without_a_baseline_it_holds(self, deployment):
        deployment.receive("gen3")
        held = deployment.run("gate", "gen3", "--json").expect(2).document
        assert held["decision"] == "hold"

    def test_without_a_store_it_can_read_it_is_an_error_and_no_promotion(self, deployment):
        deployment.store.write_bytes(b"garbage" * 1000)
        deployment.run("gate", "gen3").expect(ERROR)
