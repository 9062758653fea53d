"""What every request passes before a route sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from ipaddress import ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANY = "*"
"""Stands for every host in a list of them."""


class HeadAsGet:
    """Answers HEAD as GET, without the body: whatever may be read may be asked about.

    Args:
        app: the application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


class HostCheck:
    """Refuses requests for other hosts than those that are served.

    A page of the World Wide Web can point a name of its own at a loopback address, and have the browser
    of somebody on this machine read the answers: such a request names the page's host. No page has an
    address of this machine for its name, so requests for addresses pass, as the probes of Kubernetes and
    the scrapes of pods are; and so do those that name no host, as probes in HTTP/1.0.

    Args:
        app: the application behind it.
        hosts: names without port, ``*.example.org`` for all below a name, ``*`` for every one.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        names = {name.lower() for name in hosts}
        self._every = ANY in names
        self._names = frozenset(names)
        self._endings = tuple(name.removeprefix(ANY) for name in names if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it with 421."""
        if scope["type"] != "http" or self._every or self._serves(host := _host(scope)):
            await self._app(scope, receive, send)
            return
        text = f"{host!r} is not served here: name it in serve.allowed_hosts of tailwatch.yaml."
        await send(
            {
                "type": "http.response.start",
                "status": 421,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps({"error": text}).encode()})

    def _serves(self, host: str) -> bool:
        return not host or _is_address(host) or host in self._names or host.endswith(self._endings)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _host(scope: Scope) -> str:
    """The Host header without its port, in lower case; empty where there is none."""
    named = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    host, bracket, _ = named.lower().partition("]")
    return host.removeprefix("[") if bracket else host.partition(":")[0].removesuffix(".")
