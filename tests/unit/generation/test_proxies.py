"""What of the environment has a say in how a server is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from monitor.config import load_options
from monitor.domain.errors import EngineTrouble, InvalidConfig
from monitor.generation import proxies
from monitor.generation.client import Patience, VllmClient
from monitor.generation.proxies import Proxy, proxy_for
from monitor.generation.refusals import Route
from monitor.wiring import examine_engine

PROXY = {"HTTP_PROXY": "http://proxy:3128"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "a.localhost", "0.0.0.0"])
def test_nothing_stands_before_this_machine(host: str) -> None:
    everything = dict.fromkeys(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"], "http://proxy:3128")
    assert proxy_for(f"http://{host}:8000", everything) is None
    assert proxy_for(f"https://{host}", everything) is None


@pytest.mark.parametrize(
    ("environment", "url", "variable"),
    [
        ({"HTTP_PROXY": "http://p:1"}, "http://gpu7:8000", "HTTP_PROXY"),
        ({"HTTP_PROXY": "http://p:1", "http_proxy": "http://q:1"}, "http://gpu7:8000", "http_proxy"),
        ({"HTTPS_PROXY": "http://p:1"}, "https://gpu7", "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://p:1", "ALL_PROXY": "http://q:1"}, "http://gpu7", "ALL_PROXY"),
        ({"HTTP_PROXY": "p:1"}, "http://gpu7", "HTTP_PROXY"),
        ({"HTTP_PROXY": ""}, "http://gpu7", None),
        ({}, "http://gpu7", None),
    ],
)
def test_the_variable_for_the_scheme_counts_before_the_one_for_all(
    environment: dict[str, str], url: str, variable: str | None
) -> None:
    found = proxy_for(url, environment)
    assert (found and found.variable) == variable
    assert found is None or found.url.startswith("http://")


@pytest.mark.parametrize(
    ("listed", "exempt"),
    [
        ("*", True),
        ("gpu7.corp.example", True),
        ("a, .corp.example", True),
        ("corp.example", True),
        ("*.corp.example", True),
        ("gpu7.corp.example:8000", True),
        ("a gpu7.corp.example", True),
        ("gpu7.corp.example:9000", False),
        ("orp.example", False),
        ("gpu8.corp.example", False),
        ("", False),
    ],
)
def test_hosts_and_domains_are_exempt(listed: str, exempt: bool) -> None:
    found = proxy_for("http://gpu7.corp.example:8000", {**PROXY, "NO_PROXY": listed})
    assert (found is None) is exempt


@pytest.mark.parametrize(
    ("listed", "exempt"), [("10.0.0.0/8", True), ("10.1.2.3", True), ("10.2.0.0/16", False)]
)
def test_networks_are_exempt(listed: str, exempt: bool) -> None:
    assert (proxy_for("http://10.1.2.3:8000", {**PROXY, "no_proxy": listed}) is None) is exempt


def test_a_socks_proxy_without_the_means_for_it_is_the_configurations_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proxies, "find_spec", lambda _: None)
    with pytest.raises(InvalidConfig, match=r"socks5://proxy:1080 \(ALL_PROXY\).*'httpx\[socks\]'"):
        proxy_for("http://gpu7:8000", {"ALL_PROXY": "socks5://me:secret@proxy:1080"})


def test_a_proxy_of_an_unknown_kind_is_named_without_its_password() -> None:
    with pytest.raises(InvalidConfig, match=r"ftp://proxy \(ALL_PROXY\).*unknown kind") as caught:
        proxy_for("http://gpu7:8000", {"ALL_PROXY": "ftp://me:secret@proxy"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "http://me:sec/ret@proxy:3128",
        "http://me:sec#ret@proxy:3128",
        "me:sec?ret@proxy",
        "http://me:sec[ret@proxy:1",
        "http://[",
        "http://proxy:none",
        "http://proxy:99999",
        "http://",
    ],
)
def test_a_proxy_that_is_no_address_is_named_without_its_password(value: str) -> None:
    with pytest.raises(InvalidConfig, match=r"\(HTTP_PROXY\) for gpu7 is no address") as caught:
        proxy_for("http://gpu7:8000", {"HTTP_PROXY": value})
    assert "sec" not in str(caught.value)
    assert "me:" not in str(caught.value)


@asynccontextmanager
async def proxying(status: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that answers every request itself; yields its address, and the requests it saw."""
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head)
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://me:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def problem(url: str, proxy: Proxy | None, *, api_key: str | None = None) -> Exception:
    patience = Patience(attempts=2, first_pause_s=0.01)
    client = VllmClient(Route(url=url, proxy=proxy, api_key=api_key), concurrency=1, patience=patience)
    try:
        with pytest.raises((InvalidConfig, EngineTrouble)) as caught:
            await client.get("/v1/models")
    finally:
        await client.close()
    assert "secret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("url", ["http://gpu7.test:8000", "https://gpu7.test"])
async def test_a_proxy_that_wants_a_password_is_no_wrong_key(url: str) -> None:
    async with proxying("407 Proxy Authentication Required") as (address, _):
        told = await problem(url, Proxy(url=address, variable="HTTP_PROXY"))
    assert isinstance(told, InvalidConfig)
    assert "wants a user and a password" in str(told)
    assert "(HTTP_PROXY)" in str(told)
    assert "API key" not in str(told)


async def test_a_proxy_that_forbids_is_named_beside_the_key() -> None:
    async with proxying("403 Forbidden") as (address, _):
        told = await problem("http://gpu7.test:8000", Proxy(url=address, variable="HTTP_PROXY"))
    assert isinstance(told, InvalidConfig)
    assert "the proxy forbids it, or the server does not accept the API key" in str(told)
    assert "Add gpu7.test to NO_PROXY" in str(told)


@pytest.mark.parametrize("url", ["http://gpu7.test:8000", "https://gpu7.test"])
async def test_a_proxy_that_reaches_nobody_is_named(url: str) -> None:
    async with proxying("503 Service Unavailable") as (address, _):
        told = await problem(url, Proxy(url=address, variable="ALL_PROXY"))
    assert isinstance(told, EngineTrouble)
    assert "(ALL_PROXY), did not answer /v1/models in 2 attempts" in str(told)


async def test_without_a_proxy_a_403_is_about_the_key() -> None:
    async with proxying("403 Forbidden") as (address, _):
        told = await problem(address.replace("me:secret@", ""), None)
    assert "did not accept the API key" in str(told)
    assert "proxy" not in str(told)


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a configuration of a remote engine, in an environment without proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def write(url: str, more: str = "") -> Path:
        (tmp_path / "models").mkdir()
        config = tmp_path / "tailwatch.yaml"
        config.write_text(
            f"model: acme\ncheckpoints: {{path: models}}\nsuite: core\n"
            f"engine: {{kind: remote, url: '{url}'{more}}}\n",
            encoding="utf-8",
        )
        return config

    return write


async def test_a_remote_server_is_asked_through_the_proxy_and_never_with_what_netrc_holds(
    remote: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine gpu7.test login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    async with proxying("404 Not Found") as (address, seen):
        monkeypatch.setenv("HTTP_PROXY", address)
        (check,) = await examine_engine(load_options(remote("http://gpu7.test:8000")))
    assert seen[0].startswith("GET http://gpu7.test:8000/v1/models")
    assert "\r\nauthorization:" not in seen[0].lower()
    assert not check.ok


async def test_a_proxy_that_cannot_be_used_is_told_before_anything_is_asked(
    remote: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxies, "find_spec", lambda _: None)
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy:1080")
    (check,) = await examine_engine(load_options(remote("http://gpu7.test:8000")))
    assert not check.ok
    assert "httpx[socks]" in check.next_step


async def test_a_key_that_is_announced_and_not_set_is_named(remote: Callable[..., Path]) -> None:
    (check,) = await examine_engine(load_options(remote("http://gpu7.test", ", api_key_env: ACME_KEY")))
    assert check.detail == "engine.api_key_env names the environment variable ACME_KEY, which is not set."


@pytest.mark.parametrize("key", ["sk-secret\n", "  sk-secret\r\n"])
async def test_a_key_may_end_like_the_line_of_a_mounted_secret(
    key: str, remote: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", key)
    async with proxying("404 Not Found") as (address, seen):
        monkeypatch.setenv("HTTP_PROXY", address)
        await examine_engine(load_options(remote("http://gpu7.test:8000", ", api_key_env: ACME_KEY")))
    assert "\r\nauthorization: bearer sk-secret\r\n" in seen[0].lower()


@pytest.mark.parametrize("key", ["sk-secret\nsecond", "sk-s\u00e9cret", "sk-\x1bsecret"])
async def test_a_key_that_no_header_can_carry_is_named_by_its_variable_and_never_shown(
    key: str, remote: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_KEY", key)
    (check,) = await examine_engine(load_options(remote("http://gpu7.test", ", api_key_env: ACME_KEY")))
    assert not check.ok
    assert "ACME_KEY" in check.detail
    assert "sk-" not in check.detail + check.next_step
