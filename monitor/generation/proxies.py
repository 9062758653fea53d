"""Which proxy the environment names for a server's address, if any."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from monitor.domain.errors import InvalidConfig

_SOCKS = frozenset({"socks5", "socks5h"})
_SCHEMES = frozenset({"http", "https"}) | _SOCKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that requests go through."""

    url: str
    """With the user and password that its variable holds, so never for a message."""
    variable: str
    """The environment variable that names it."""

    def __str__(self) -> str:
        # Cut before it is parsed: a password with a slash in it would be taken for something else.
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2].partition('/')[0]} ({self.variable})"


def proxy_for(url: str, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for a server; None for this machine's own addresses and where none is named.

    The variables are those of curl: ``http_proxy`` or ``https_proxy`` by the address's scheme, else
    ``all_proxy``, in small letters or capitals, and ``no_proxy`` with hosts, domains and networks that
    are reached directly.

    Args:
        url: the server's address.
        environment: variables and their values.

    Raises:
        InvalidConfig: the variable names a proxy of a kind that cannot be used here.

    >>> str(proxy_for("http://gpu7:8000", {"HTTP_PROXY": "http://me:secret@proxy:3128"}))
    'http://proxy:3128 (HTTP_PROXY)'
    >>> proxy_for("http://127.0.0.1:8000", {"ALL_PROXY": "socks5://proxy:1080"}) is None
    True
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or _is_exempt(host, parts.port, _value(environment, "no_proxy")[1]):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        variable, value = _value(environment, name)
        if value:
            proxy = Proxy(url=value if "://" in value else f"http://{value}", variable=variable)
            _check_usable(proxy, host)
            return proxy
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, which no proxy stands before.

    >>> [is_loopback(host) for host in ("localhost", "127.8.9.1", "::1", "gpu7", "10.0.0.1")]
    [True, True, True, False, False]
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _value(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable that counts, in small letters before capitals, and its value."""
    for variable in (name, name.upper()):
        if value := environment.get(variable, "").strip():
            return variable, value
    return name, ""


def _is_exempt(host: str, port: int | None, listed: str) -> bool:
    """Whether a list of hosts, domains, networks and ``*`` names a host, with or without its port."""
    for entry in listed.lower().replace(",", " ").split():
        domain = "." + entry.lstrip("*.")
        if entry == "*" or f".{host}".endswith(domain) or f".{host}:{port}".endswith(domain):
            return True
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            continue
    return False


def _check_usable(proxy: Proxy, host: str) -> None:
    around = f"add {host} to NO_PROXY to reach it directly"
    try:
        parts = urlsplit(proxy.url)
        scheme, named = parts.scheme, bool(parts.hostname and (parts.port is None or parts.port))
    except ValueError:
        scheme, named = "http", False
    if scheme not in _SCHEMES:
        raise InvalidConfig(
            f"The proxy {proxy} for {host} is of an unknown kind.",
            next_step=f"Name one that begins with http://, https:// or socks5://, or {around}.",
        )
    if not named:
        raise InvalidConfig(
            f"The proxy {proxy} for {host} is no address.",
            next_step="Write it as http://USER:PASSWORD@host:port, with %2F for a slash in the password and "
            f"the like, or {around}.",
        )
    if scheme in _SOCKS and find_spec("socksio") is None:
        raise InvalidConfig(
            f"{host} would be asked through the SOCKS proxy {proxy}, and this Python cannot speak SOCKS.",
            next_step=f"Run `pip install 'httpx[socks]'`, or {around}.",
        )
