"""HEAD, the Host header, and what OpenAPI says about them all."""

from __future__ import annotations

import httpx
import pytest

from monitor.config import ServeOptions
from monitor.testing import MemoryStore
from monitor.web.admission import HostCheck
from tests.unit.export import story
from tests.unit.web.test_app import app_over

FILLED = {"checkpoint": "gen3", "digest": story.GEN3.digest, "evaluation_id": "0" * 32}


@pytest.fixture
def app():
    store = MemoryStore()
    story.fill(store)
    return app_over(store)


async def ask(app, method, path, *, host="tailwatch"):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tailwatch") as client:
        return await client.request(method, path, headers={"host": host})


async def test_whatever_can_be_read_can_be_asked_about(app):
    readable = [route for route in app.routes if "GET" in getattr(route, "methods", ())]
    assert len(readable) >= 8
    for route in readable:
        path = route.path_format.format(**FILLED)
        read, asked = await ask(app, "GET", path), await ask(app, "HEAD", path)
        assert asked.status_code == read.status_code, path
        assert asked.content == b""
        assert asked.headers.get("content-type") == read.headers.get("content-type")


def test_the_interface_documents_every_status_that_a_controller_can_meet(app):
    paths = app.openapi()["paths"]
    assert "503" in paths["/health"]["get"]["responses"]
    assert "409" in paths["/gate/{checkpoint}/flagger"]["post"]["responses"]
    assert {"404", "503"} <= paths["/api/evaluations/{evaluation_id}"]["get"]["responses"].keys()
    assert "503" in paths["/api/checkpoints"]["get"]["responses"]


@pytest.mark.parametrize(
    ("options", "host", "served"),
    [
        ({}, "127.0.0.1:9817", True),
        ({}, "localhost", True),
        ({}, "[::1]:9817", True),
        ({}, "LocalHost:1", True),
        ({}, "rebinding.example.org", False),
        ({}, "127.0.0.1.example.org", False),
        ({"host": "127.0.0.5"}, "127.0.0.5", True),
        ({"host": "0.0.0.0"}, "tailwatch.monitoring:9817", True),
        ({"host": "10.1.2.3"}, "10.1.2.3:9817", True),
        ({"host": "0.0.0.0", "allowed_hosts": ("tailwatch.monitoring",)}, "tailwatch.monitoring:9817", True),
        ({"host": "0.0.0.0", "allowed_hosts": ("tailwatch.monitoring",)}, "localhost", True),
        ({"host": "0.0.0.0", "allowed_hosts": ("tailwatch.monitoring",)}, "another.monitoring", False),
        # A kubelet probes a pod by its address, and Prometheus may scrape it so.
        ({"host": "0.0.0.0", "allowed_hosts": ("tailwatch.monitoring",)}, "10.1.2.3:9817", True),
        ({"host": "::", "allowed_hosts": ("tailwatch.monitoring",)}, "[fd00::1]:9817", True),
        # A probe in HTTP/1.0 names no host.
        ({}, "", True),
        ({}, "localhost.:9817", True),
        ({"allowed_hosts": ("*.example.org",)}, "a.b.example.org", True),
        ({"allowed_hosts": ("*.example.org",)}, "example.com", False),
        ({"allowed_hosts": ("*",)}, "anything", True),
    ],
)
async def test_on_loopback_only_this_machines_names_are_served_and_elsewhere_what_is_configured(
    app, options, host, served
):
    checked = HostCheck(app, ServeOptions(**options).hosts())
    answer = await ask(checked, "GET", "/health/live", host=host)
    assert (answer.status_code == 200) is served
    if not served:
        assert answer.status_code == 421
        assert "serve.allowed_hosts" in answer.json()["error"]
