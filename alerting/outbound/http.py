"""One HTTP request to an address that a user gave: resolved, checked, pinned, without redirects, bounded."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from alerting.outbound.addresses import Network, checked_url, is_allowed, literal, refused
from alerting.outbound.errors import DeliveryError

_ANSWER_BYTES: Final = 2_000  # what of an answer is kept, to say why it failed
_TEMPORARY: Final = frozenset({408, 423, 425, 429})


class Request(NamedTuple):
    """What a channel wants sent. `headers` name no host: it is the address's."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    method: str = "POST"


class _Checked(AbstractResolver):
    """Resolve by the system, refuse when any answer is not allowed; aiohttp connects to these answers alone."""

    def __init__(self, allowed: Sequence[Network], *, tls: bool) -> None:
        self._allowed = allowed
        self._tls = tls

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host. Raises DeliveryError when one of them is inside."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        results = []
        for where, _, proto, _, address in found:
            ip = literal(str(address[0]))
            if ip is None or not is_allowed(ip, self._allowed, tls=self._tls):
                raise refused(f"{host} leads to {address[0]}, which is not a public address")
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=where,
                    proto=proto,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return results

    async def close(self) -> None:
        """Hold nothing."""


class HttpSender:
    """Sends requests; holds no connection between two of them, and follows no redirect.

    `allowed` are networks that the operator opened, for a chat server of the data center say: they are reached with
    or without TLS, public addresses with TLS alone.
    """

    def __init__(self, *, allowed: Sequence[Network] = (), timeout_s: float = 10.0) -> None:
        self._allowed = tuple(allowed)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def send(self, request: Request, now: datetime) -> None:
        """Send one request. Raises DeliveryError unless the answer is 2xx.

        `now` is timezone-aware: a Retry-After can be a date.
        """
        scheme, host = checked_url(request.url, allow_http=bool(self._allowed))
        if URL(request.url).host != host:  # what aiohttp will connect to is what was checked
            raise refused("the address can be read in two ways")
        address = literal(host)
        tls = scheme == "https"
        if address is not None and not is_allowed(address, self._allowed, tls=tls):
            raise refused(f"{host} is not a public address")
        connector = aiohttp.TCPConnector(
            resolver=_Checked(self._allowed, tls=tls), use_dns_cache=False, force_close=True
        )
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=self._timeout, trust_env=False) as session,
                session.request(
                    request.method, request.url, data=request.body, headers=dict(request.headers), allow_redirects=False
                ) as answer,
            ):
                said = (await answer.content.read(_ANSWER_BYTES)).decode("utf-8", "replace")
                _judge(answer.status, answer.headers.get("Retry-After"), said, now)
        except DeliveryError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            cause = error.__cause__
            if isinstance(cause, DeliveryError):  # aiohttp wraps what its resolver raises
                raise cause from error
            raise DeliveryError(f"{host}: {error or type(error).__name__}", permanent=False) from error


def _judge(status: int, retry_after: str | None, said: str, now: datetime) -> None:
    if 200 <= status < 300:
        return
    detail = f"the other side answered {status}: {' '.join(said.split())[:300]}"
    if 300 <= status < 400:
        raise DeliveryError(f"the other side answered {status}: redirects are not followed", permanent=True)
    temporary = status >= 500 or status in _TEMPORARY
    raise DeliveryError(
        detail, permanent=not temporary, retry_after_s=seconds_of(retry_after, now) if temporary else None
    )


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, at most a day; None when it asks for nothing."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(min(int(retry_after[:9]), 86_400))
    try:
        at = parsedate_to_datetime(retry_after)
        return min(max((at - now).total_seconds(), 0.0), 86_400.0)
    except (ValueError, TypeError):
        return None
