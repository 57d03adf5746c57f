"""What network servers push over HTTP: `POST /ingest/<source>`, for each source of the settings.

    routes(settings.http, pipeline, max_body_bytes=…, registry=…)    to add to an aiohttp application

The answer is 204 once the message is durable, and also when it is one that nobody can read: it is then durable in
quarantine, where a person finds it. A webhook sends again, for ever, what is answered otherwise, and would
hold up all that follows. 503 with Retry-After says that nothing can be taken now, and to send it again.

The secret comes as `Authorization: Bearer …`, as `X-Samara-Secret`, or as the password of HTTP Basic, whatever
its user. A wrong secret and an unknown source get the same 401. Bodies may be compressed with gzip or deflate;
the limit is on what comes out, and no more than that is ever held. A list of messages is taken apart, so that
a bad one does not set its neighbours aside.

What the modules of `ingest.lns` get as the topic, at most 256 characters of printable ASCII:
    POST /ingest/<source>?event=up          "event/up", which ChirpStack's HTTP integration asks for
    POST /ingest/<source>/location/solved   "location/solved", the path of a webhook of The Things Stack
    POST /ingest/<source>                   ""
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CollectorRegistry, Counter

from ingest.intake import Intake, IntakeClosedError
from ingest.settings import HttpSource

_MAX_PARTS: Final = 1000  # of a list; a longer one is one message
_MAX_TOPIC: Final = 256
_RETRY_AFTER_S: Final = 5
_NOT_OF_A_TOPIC: Final = re.compile(r"[^!-~]")  # printable ASCII is left

_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])


class _TooLargeError(Exception):
    """The body is over the limit."""


def routes(
    sources: Sequence[HttpSource],
    intake: Intake,
    *,
    max_body_bytes: int,
    registry: CollectorRegistry,
    read_timeout_s: float = 30.0,
    deliver_timeout_s: float = 60.0,
) -> list[web.RouteDef]:
    """Return the routes of all sources. `registry` gets samara_http_refused_total, by source and reason.

    A body must arrive within `read_timeout_s`, and become durable within `deliver_timeout_s`.
    """
    receiver = _Receiver(
        sources,
        intake,
        max_body_bytes=max_body_bytes,
        registry=registry,
        read_timeout_s=read_timeout_s,
        deliver_timeout_s=deliver_timeout_s,
    )
    return [
        web.post("/ingest/{source}", receiver.handle),
        web.post("/ingest/{source}/{path:.*}", receiver.handle),
    ]


class _Receiver:
    """The one handler, and what it needs."""

    def __init__(
        self,
        sources: Sequence[HttpSource],
        intake: Intake,
        *,
        max_body_bytes: int,
        registry: CollectorRegistry,
        read_timeout_s: float,
        deliver_timeout_s: float,
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._intake = intake
        self._max_body_bytes = max_body_bytes
        self._read_timeout_s = read_timeout_s
        self._deliver_timeout_s = deliver_timeout_s
        self._refused = Counter(
            "samara_http_refused_total",
            "HTTP requests to ingest that were refused.",
            ["source", "reason"],
            registry=registry,
        )

    async def handle(self, request: web.Request) -> web.Response:
        """Check the secret, read the body within its bounds, and answer once it is durable."""
        source = self._sources.get(request.match_info["source"])
        if not _is_let_in(source, request) or source is None:
            return await self._refuse(request, "", "unauthorized", 401, {"WWW-Authenticate": 'Basic realm="ingest"'})
        try:
            async with asyncio.timeout(self._read_timeout_s):
                body = await self._read(request)
        except _TooLargeError:
            return await self._refuse(request, source.name, "too_large", 413)
        except TimeoutError:
            return await self._refuse(request, source.name, "timeout", 408)
        except (HttpProcessingError, web.RequestPayloadError):
            return await self._refuse(request, source.name, "bad_encoding", 400)
        try:
            async with asyncio.timeout(self._deliver_timeout_s):
                await self._deliver(source, topic(request), body, request.headers.get("traceparent", ""))
        except (IntakeClosedError, TimeoutError):
            return await self._refuse(request, source.name, "closed", 503, {"Retry-After": str(_RETRY_AFTER_S)})
        return web.Response(status=204)

    async def _read(self, request: web.Request) -> bytes:
        """Return the body, decompressed by aiohttp as it is read: what is not read is not decompressed either."""
        if request.content_length is not None and request.content_length > self._max_body_bytes:
            raise _TooLargeError
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > self._max_body_bytes:
                raise _TooLargeError
        return bytes(body)

    async def _deliver(self, source: HttpSource, where: str, body: bytes, parent: str) -> None:
        deliveries = [self._intake.deliver(source.name, source.lns, where, part, parent) for part in parts(body)]
        outcomes = await asyncio.gather(*deliveries, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _refuse(
        self, request: web.Request, source: str, reason: str, status: int, headers: dict[str, str] | None = None
    ) -> web.Response:
        self._refused.labels(source, reason).inc()
        response = web.json_response({"refused": reason}, status=status, headers=headers)
        if request.headers.get("Content-Encoding") and not request.content.is_eof():
            # aiohttp reads and drops what is left for 10 s, so that the client hears the answer. A bomb would be
            # decompressed all that time.
            response.force_close()
            await response.prepare(request)
            await response.write_eof()
            request.protocol.force_close()
        return response


def topic(request: web.Request) -> str:
    """Return what tells messages of different kinds apart: see the head of this module."""
    event = request.query.get("event")
    said = f"event/{event}" if event is not None else request.match_info.get("path", "")
    return _NOT_OF_A_TOPIC.sub("?", said[:_MAX_TOPIC])


def parts(body: bytes) -> Sequence[bytes]:
    """Return the messages of a list, or the body itself when it is not one."""
    if body.lstrip()[:1] != b"[":
        return [body]
    try:
        found = [bytes(part) for part in _LIST.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [body]
    return found if 0 < len(found) <= _MAX_PARTS else [body]


def _is_let_in(source: HttpSource | None, request: web.Request) -> bool:
    """Say whether a secret given is the source's. Neither its length nor an unknown source shows in the time taken."""
    expected = _digest(source.secret.get_secret_value() if source is not None else "")
    matches = [compare_digest(expected, _digest(secret)) for secret in _secrets(request)]
    return source is not None and any(matches)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _secrets(request: web.Request) -> list[str]:
    found = request.headers.getall("X-Samara-Secret", [])
    for header in request.headers.getall("Authorization", []):
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            found.append(value.strip())
        elif scheme.lower() == "basic":
            found.append(_basic_password(value.strip()))
    return found


def _basic_password(encoded: str) -> str:
    """Return the password; '' where there is none, which is nobody's secret."""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
