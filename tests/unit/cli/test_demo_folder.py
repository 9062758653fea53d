"""The demo's folder: an earlier demo is removed, anything else is refused before it is touched."""

from __future__ import annotations

import pytest

from monitor.cli.demo.folder import MARKER, claim, lay_out
from monitor.domain.errors import InvalidInput


def made(folder):
    claim(folder)
    return lay_out(folder, backend="namespace", port=0)


def contents(folder):
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture
def deployment(tmp_path):
    """Somebody's deployment, made exactly as the demo makes its own but for the marker."""
    folder = tmp_path / "deployment"
    made(folder)
    (folder / "tailwatch.db").write_bytes(b"months of samples")
    (folder / MARKER).unlink()
    return folder


def test_a_new_folder_becomes_a_deployment_whose_options_load(tmp_path):
    options = made(tmp_path / "not" / "yet" / "there")
    assert options.checkpoints.path.is_dir()
    assert options.suite == "lab"


def test_an_earlier_demo_is_removed_with_its_store(tmp_path):
    made(tmp_path)
    (tmp_path / "tailwatch.db").write_bytes(b"samples")
    made(tmp_path)
    assert not (tmp_path / "tailwatch.db").exists()


def test_a_deployment_that_the_demo_did_not_make_is_refused_and_stays_as_it_is(deployment):
    before = contents(deployment)
    with pytest.raises(InvalidInput, match=r"something else than an earlier demo.*--folder"):
        claim(deployment)
    assert contents(deployment) == before


def test_a_link_to_a_folder_is_refused_and_what_it_leads_to_stays(tmp_path):
    made(tmp_path / "demo")
    (tmp_path / "link").symlink_to(tmp_path / "demo")
    with pytest.raises(InvalidInput, match="not a folder"):
        claim(tmp_path / "link")
    assert (tmp_path / "demo" / MARKER).is_file()


def test_a_place_where_no_folder_can_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidInput, match=r"cannot use .*Not a directory.*--folder"):
        claim(tmp_path / "file" / "demo")
