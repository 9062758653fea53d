"""What a refusal is about: the request, the checkpoint, the way to the server, or the server's log."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from monitor.domain.errors import DeploymentBroken, EngineTrouble, InvalidConfig
from monitor.generation.proxies import Proxy
from monitor.generation.server_log import cause

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)
_SHOWN = 300
_NOT_FINITE = re.compile(r"(?:ValueError: )?Out of range float values are not JSON compliant(?!: -inf)")
"""What vLLM says where an answer would hold NaN, and nothing before it: other errors may quote a prompt."""
_NOT_FINITE_STATUSES = frozenset({400, 500})
"""Of vLLM's own; gateways answer with others."""
_CHECKPOINT_FAULTS = re.compile(
    r"SafetensorError|HeaderTooLarge|IncompleteMetadata|MetadataIncompleteBuffer"
    r"|architectures? .* (not supported|failed to be inspected)|no vLLM implementation"
    r"|does not recognize this architecture|model type .* (but Transformers does not|not recogni)"
    r"|[Cc]an't load (tokenizer|the configuration)|Couldn't instantiate the backend tokenizer"
    r"|not initialized from checkpoint|There is no module or parameter named"
    r"|size mismatch|Attempted to load weight|shape mismatch|loaded_weight"
    r"|Cannot find any model weights|[Uu]nrecognized (model|configuration)"
    r"|[Ii]nvalid.*(config\.json|tokenizer)|is not the path to a directory containing"
    r"|greater than the derived max_model_len|[Qq]uantization method .*does not match"
    r"|Unknown quantization method|not supported for quantization method"
    r"|trust_remote_code|custom code which must be executed"
)


def blames_checkpoint(log: Path) -> str | None:
    """The exception in the log's end that a retry with the same files would meet again, or None."""
    reason = cause(log)
    return reason if reason and _CHECKPOINT_FAULTS.search(reason) else None


class Refused(Exception):
    """The server understood the request and will not answer it; a retry cannot help."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class NoSuchModel(Refused):
    """The server serves other models; the detail names them."""


class NotFinite(Refused):
    """The model computes NaN for the request, so that there is nothing to answer."""


async def confirmed(ask: Callable[[], Awaitable[_Result]]) -> _Result:
    """What a question gives, asked once more where the model computes NaN for it.

    Raises:
        NotFinite: it did both times.
    """
    try:
        return await ask()
    except NotFinite as refusal:
        _log.info("the model computes NaN: asked again", extra={"problem": refusal.detail})
        return await ask()


def broken_deployment(name: str, what: str, refusal: NotFinite) -> DeploymentBroken:
    """A checkpoint that computes NaN: a fact about it as it is served, whatever computes it.

    Args:
        name: of the checkpoint.
        what: it was asked.
        refusal: of the last time that it was asked.
    """
    return DeploymentBroken(
        f"{name} computes NaN for {what}, each time it is asked ({refusal.detail}).",
        next_step="Look for NaN in its weights and for the step at which its training diverged; where the "
        "weights are sound, serve it with another --dtype or quantisation.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How a server is reached."""

    url: str
    """Its address; given with or without ``/v1``, kept without."""
    proxy: Proxy | None = None
    """None where it is asked directly."""
    api_key: str | None = field(default=None, repr=False)
    """Sent as bearer token; None for none."""

    def __post_init__(self) -> None:
        """All paths begin behind the address."""
        object.__setattr__(self, "url", self.url.rstrip("/").removesuffix("/v1"))

    def __str__(self) -> str:
        return self.url if self.proxy is None else f"{self.url}, asked through the proxy {self.proxy},"

    def refusal(self, response: httpx.Response) -> Exception:
        """What an answer that a retry cannot change says.

        Returns:
            InvalidConfig where address, key or proxy are at fault, NotFinite, or Refused.
        """
        status, detail = response.status_code, error_text(json_or_text(response))
        if is_not_finite(status, detail):
            return NotFinite(status, detail)
        if response.is_redirect:
            return self._redirected(response)
        if status == 407 and self.proxy is not None:
            return self.proxy_denied()
        if status == 403 and self.proxy is not None:
            return InvalidConfig(
                f"The vLLM server at {self} is not to be asked (status 403): the proxy forbids it, or the "
                "server does not accept the API key.",
                next_step=f"Add {urlsplit(self.url).hostname} to NO_PROXY to ask it directly, or set "
                "`engine: {api_key_env: NAME}` to the environment variable that holds its key.",
            )
        if status in {401, 403}:
            return InvalidConfig(
                f"The vLLM server at {self} did not accept the API key (status {status}).",
                next_step="Set `engine: {api_key_env: NAME}` to the environment variable that holds its key.",
            )
        return Refused(status, detail)

    def proxy_denied(self) -> InvalidConfig:
        """The proxy wants to know who asks."""
        assert self.proxy is not None
        return InvalidConfig(
            f"The proxy {self.proxy}, through which {self.url} is asked, wants a user and a password "
            "(status 407).",
            next_step=f"Put them into {self.proxy.variable} as http://USER:PASSWORD@host:port, or add "
            f"{urlsplit(self.url).hostname} to NO_PROXY.",
        )

    def unreachable(self, path: str, *, attempts: int, problem: str) -> EngineTrouble:
        """No attempt got an answer that says something."""
        next_step = "Check that the server runs and can be reached from here."
        if self.proxy is not None:
            host = urlsplit(self.url).hostname
            next_step = f"Check that the proxy lets it through, or add {host} to NO_PROXY to ask it directly."
        return EngineTrouble(
            f"The vLLM server at {self} did not answer {path} in {attempts} attempts; "
            f"the last ended with {problem[:_SHOWN]}.",
            next_step=next_step,
        )

    def _redirected(self, response: httpx.Response) -> InvalidConfig:
        path, stated = response.request.url.path, response.headers.get("location", "")
        try:
            target = urljoin(str(response.request.url), stated)
        except ValueError:  # It is no address at all.
            target = stated
        where = target.removesuffix(path) if target.endswith(path) else target
        return InvalidConfig(
            f"The server at {self} redirects {path} to {target} (status {response.status_code}); a key and "
            "prompts are not sent to another address than the configured one.",
            next_step=f"Set engine.url to {where} if that is your server.",
        )


def proxy_status(error: httpx.ProxyError) -> int:
    """The status with which a proxy refused to connect, as httpx words it; 0 where it names none.

    >>> proxy_status(httpx.ProxyError("407 Proxy Authentication Required"))
    407
    """
    first = str(error).partition(" ")[0]
    return int(first) if first.isdecimal() else 0


def retry_after_s(response: httpx.Response, now: datetime) -> float:
    """Seconds after which a server wants to be asked again; 0 where it does not say.

    Args:
        response: whose ``Retry-After`` holds seconds or a date.
        now: UTC; a date is compared with the server's own clock where the answer tells its time.
    """
    wanted = response.headers.get("retry-after", "").strip()
    if wanted.isdecimal():
        return float(wanted)
    at, sent = _http_date(wanted), _http_date(response.headers.get("date", ""))
    return 0.0 if at is None else max(0.0, (at - (sent or now)).total_seconds())


def is_not_finite(status: int, detail: str) -> bool:
    """Whether an error answer says that the model computed NaN."""
    return status in _NOT_FINITE_STATUSES and _NOT_FINITE.match(detail) is not None


def json_or_text(response: httpx.Response) -> Any:
    """The content of an error answer, whatever it is; bounded where it is text."""
    try:
        return response.json()
    except ValueError:
        return response.text[:_SHOWN]


def error_text(content: Any) -> str:
    """The message in an error answer's JSON, of any of the shapes that vLLM and gateways use."""
    if isinstance(content, Mapping):
        inner = content.get("error", content.get("detail", content.get("message", content)))
        return error_text(inner) if isinstance(inner, Mapping) and inner is not content else str(inner)
    return str(content)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
