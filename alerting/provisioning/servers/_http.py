"""HTTP to a network server: to the addresses of its place alone, without redirects, answers bounded."""

import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeVar

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from alerting.provisioning.door import Place
from alerting.provisioning.errors import ServerError

_ANSWER_BYTES: Final = 8_000_000
_MAY_PASS: Final = frozenset({401, 403, 408, 425, 429})  # a token can be mended
_NOT_DONE, _THEIRS = 300, 500
T = TypeVar("T")


class Http:
    """What is below one address of a network server, that messages call `who`."""

    def __init__(self, session: aiohttp.ClientSession, who: str, url: str) -> None:
        self._session = session
        self._who = who
        self._url = url

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        query: Mapping[str, str] | None = None,
        passing: int = 0,
    ) -> tuple[int, bytes]:
        """Return the status and what was answered; {} for the status `passing`. Raises ServerError for the others."""
        try:
            async with self._session.request(
                method, f"{self._url}/{path}", json=body, params=query, allow_redirects=False
            ) as answer:
                if answer.status == passing:
                    return answer.status, b"{}"
                said = await self._bounded(answer.content)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServerError(f"{self._who} does not answer: {error or type(error).__name__}") from None
        if answer.status >= _NOT_DONE:
            why = f"{self._who} answered {answer.status}: {said[:2000].decode('utf-8', 'replace')}"
            raise ServerError(why, permanent=answer.status < _THEIRS and answer.status not in _MAY_PASS)
        return answer.status, said

    async def _bounded(self, content: aiohttp.StreamReader) -> bytes:
        said = bytearray()
        async for chunk in content.iter_chunked(2**16):
            said += chunk
            if len(said) > _ANSWER_BYTES:
                raise ServerError(f"{self._who} answered more than {_ANSWER_BYTES} bytes", permanent=True)
        return bytes(said)

    def read(self, decoder: msgspec.json.Decoder[T], body: bytes) -> T:
        """Return an answer in its type. Raises ServerError."""
        try:
            return decoder.decode(body)
        except (msgspec.DecodeError, ValueError) as error:
            raise ServerError(f"{self._who} answered something else: {error}", permanent=True) from None


@contextlib.asynccontextmanager
async def opened(who: str, url: str, headers: Mapping[str, str], place: Place, timeout_s: float) -> AsyncIterator[Http]:
    """Speak to a network server with these headers. It connects to the addresses of `place` alone."""
    trusted = ssl.create_default_context(cadata=place.ca.decode() or None)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=_Pinned(place), use_dns_cache=False, ssl=trusted),
        headers={"User-Agent": "samara", **headers},
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        trust_env=False,
        read_bufsize=2**18,
        max_line_size=2**14,
    ) as session:
        yield Http(session, who, url)


class _Pinned(AbstractResolver):
    """Say what was found out before: the place, and nothing else."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of the place, whatever the host."""
        del family
        return [
            ResolveResult(
                hostname=host,
                host=one,
                port=port,
                family=socket.AF_INET6 if ":" in one else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for one in self._place.addresses
        ]

    async def close(self) -> None:
        """Hold nothing."""
