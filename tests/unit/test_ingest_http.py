import asyncio
import base64
import gzip
import json
import resource
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from ingest.http import parts, routes
from ingest.intake import IntakeClosedError
from ingest.settings import HttpSource

SECRET = "correct horse battery staple"
BEARER = {"Authorization": f"Bearer {SECRET}"}
SOURCES = [HttpSource(name="parc", lns="actility", secret=SecretStr(SECRET))]
LIMIT = 4096

Delivery = tuple[str, str, str, bytes]


class Intake:
    """Keeps what it is given; `answer` decides when it is durable."""

    def __init__(self, answer: Callable[[], Awaitable[None]] | None = None) -> None:
        self.delivered: list[Delivery] = []
        self.parents: list[str] = []
        self._answer = answer

    async def deliver(self, source: str, lns: str, topic: str, body: bytes, parent: str = "") -> None:
        self.parents.append(parent)
        self.delivered.append((source, lns, topic, body))
        if self._answer is not None:
            await self._answer()


class Ingest:
    """A running server, and a client that speaks to it."""

    def __init__(self, server: TestServer, session: ClientSession, registry: CollectorRegistry) -> None:
        self.server = server
        self._session = session
        self._registry = registry

    async def post(self, path: str = "/ingest/parc", **request: Any) -> tuple[int, dict[str, str], bytes]:
        request.setdefault("headers", BEARER)
        async with self._session.post(self.server.make_url(path), **request) as response:
            return response.status, dict(response.headers), await response.read()

    def refused(self, source: str, reason: str) -> float:
        labels = {"source": source, "reason": reason}
        return self._registry.get_sample_value("samara_http_refused_total", labels) or 0


@asynccontextmanager
async def running(intake: Intake, **bounds: Any) -> AsyncIterator[Ingest]:
    registry = CollectorRegistry()
    app = web.Application()
    app.add_routes(routes(SOURCES, intake, registry=registry, **{"max_body_bytes": LIMIT, **bounds}))
    async with TestServer(app) as server, ClientSession() as session:
        yield Ingest(server, session, registry)


async def test_a_message_is_answered_2xx_once_durable_and_not_before() -> None:
    durable = asyncio.Event()
    given = asyncio.Event()

    async def answer() -> None:
        given.set()
        await durable.wait()

    intake = Intake(answer)
    async with running(intake) as ingest:
        request = asyncio.create_task(ingest.post(data=b'{"a": 1}'))
        await given.wait()
        assert not request.done()
        durable.set()
        status, _, body = await request
    assert (status, body) == (204, b"")
    assert intake.delivered == [("parc", "actility", "", b'{"a": 1}')]


async def test_what_nobody_can_read_is_taken_too() -> None:
    intake = Intake()
    async with running(intake) as ingest:
        statuses = [(await ingest.post(data=body))[0] for body in (b"", b"\xff\x00", b"[1, 2", b"[" * 3000)]
    assert statuses == [204] * 4
    assert [body for *_, body in intake.delivered] == [b"", b"\xff\x00", b"[1, 2", b"[" * 3000]


BASIC = base64.b64encode(f"anyone:{SECRET}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"Authorization": f"bearer  {SECRET} "},
        {"X-Samara-Secret": SECRET},
        {"Authorization": f"Basic {BASIC}"},
        {"Authorization": "Bearer wrong", "X-Samara-Secret": SECRET},
    ],
)
async def test_a_secret_comes_in_several_ways(headers: dict[str, str]) -> None:
    async with running(Intake()) as ingest:
        assert (await ingest.post(headers=headers, data=b"{}"))[0] == 204


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {SECRET}x"},
        {"Authorization": f"Basic {base64.b64encode(SECRET.encode()).decode()}"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /w=="},
        {"Authorization": f"Digest {SECRET}"},
        {"X-Samara-Secret": ""},
        {"X-Samara-Secret": "\xe9\xff"},
    ],
)
async def test_a_wrong_secret_and_an_unknown_source_get_the_same_answer(headers: dict[str, str]) -> None:
    intake = Intake()
    async with running(intake) as ingest:
        wrong = await ingest.post("/ingest/parc", headers=headers, data=b"{}")
        unknown = await ingest.post("/ingest/nobody", headers=BEARER, data=b"{}")
        counted = ingest.refused("", "unauthorized")
    for _, answered, _ in (wrong, unknown):
        answered.pop("Date")
    assert wrong == unknown
    assert wrong[0] == 401
    assert wrong[1]["WWW-Authenticate"] == 'Basic realm="ingest"'
    assert counted == 2
    assert intake.delivered == []


async def test_nothing_but_post_is_taken() -> None:
    async with (
        running(Intake()) as ingest,
        ClientSession() as session,
        session.get(ingest.server.make_url("/ingest/parc"), headers=BEARER) as response,
    ):
        assert response.status == 405


async def chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 1024):
        yield b" " * 1024


async def test_a_body_over_the_limit_is_refused_whatever_its_headers_say() -> None:
    intake = Intake()
    async with running(intake) as ingest:
        at_limit = await ingest.post(data=b" " * LIMIT)
        declared = await ingest.post(data=b" " * (LIMIT + 1))
        undeclared = await ingest.post(data=chunks(LIMIT + 1024))
        assert ingest.refused("parc", "too_large") == 2
    assert (at_limit[0], declared[0], undeclared[0]) == (204, 413, 413)
    assert len(intake.delivered) == 1


async def test_a_declared_length_over_the_limit_is_refused_before_the_body_comes() -> None:
    async with running(Intake()) as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.server.port)
        writer.write(
            f"POST /ingest/parc HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\r\n"
            f"Content-Length: {256 << 20}\r\n\r\n".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_bodies_are_taken(name: str, compress: Callable[[bytes], bytes]) -> None:
    intake = Intake()
    body = json.dumps({"x": "y" * 3000}).encode()
    async with running(intake) as ingest:
        headers = {**BEARER, "Content-Encoding": name}
        assert (await ingest.post(headers=headers, data=compress(body)))[0] == 204
    assert intake.delivered[0][3] == body


def bomb(size_bytes: int) -> bytes:
    compressor = zlib.compressobj(wbits=31)
    block = bytes(1 << 20)
    return b"".join([*(compressor.compress(block) for _ in range(size_bytes >> 20)), compressor.flush()])


@pytest.mark.parametrize("secret", [SECRET, "wrong"])
async def test_a_gzip_bomb_is_refused_in_bounded_memory(secret: str) -> None:
    body = bomb(256 << 20)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    headers = {"Authorization": f"Bearer {secret}", "Content-Encoding": "gzip"}
    async with running(Intake(), max_body_bytes=256 * 1024, read_timeout_s=5) as ingest:
        status, _, _ = await ingest.post(headers=headers, data=body)
    assert status == (413 if secret == SECRET else 401)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 32 * 1024


async def test_a_body_that_is_not_what_its_encoding_says_is_refused() -> None:
    intake = Intake()
    async with running(intake) as ingest:
        headers = {**BEARER, "Content-Encoding": "gzip"}
        assert (await ingest.post(headers=headers, data=b"not gzip at all" * 10))[0] == 400
    assert intake.delivered == []


async def test_full_or_stopping_is_503_and_says_when_to_come_back() -> None:
    async def closed() -> None:
        raise IntakeClosedError

    async with running(Intake(closed)) as ingest:
        status, headers, body = await ingest.post(data=b"{}")
        assert ingest.refused("parc", "closed") == 1
    assert (status, headers["Retry-After"], json.loads(body)) == (503, "5", {"refused": "closed"})


async def test_not_durable_in_time_is_503() -> None:
    async with running(Intake(asyncio.Event().wait), deliver_timeout_s=0) as ingest:  # type: ignore[arg-type]
        assert (await ingest.post(data=b"{}"))[0] == 503


async def test_a_body_that_does_not_come_is_given_up() -> None:
    async with running(Intake(), read_timeout_s=0) as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.server.port)
        writer.write(
            f"POST /ingest/parc HTTP/1.1\r\nHost: x\r\nX-Samara-Secret: {SECRET}\r\nContent-Length: 10\r\n\r\n".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("/ingest/parc", ""),
        ("/ingest/parc?event=up", "event/up"),
        ("/ingest/parc/up?event=join", "event/join"),
        ("/ingest/parc/location/solved", "location/solved"),
        ("/ingest/parc/a%00b%C3%A9?LrnDevEui=01", "a?b?"),
        ("/ingest/parc/" + "x" * 1000, "x" * 256),
    ],
)
async def test_path_and_query_make_the_topic(path: str, topic: str) -> None:
    intake = Intake()
    async with running(intake) as ingest:
        assert (await ingest.post(path, data=b"{}"))[0] == 204
    assert intake.delivered[0][2] == topic


async def test_a_list_is_taken_apart_and_answered_once_all_of_it_is_durable() -> None:
    intake = Intake()
    async with running(intake) as ingest:
        assert (await ingest.post(data=b' [{"a": 1}, 2, [3]]'))[0] == 204
    assert [body for *_, body in intake.delivered] == [b'{"a": 1}', b"2", b"[3]"]


def test_a_list_that_is_none_or_too_long_is_one_message() -> None:
    for body in (b"[", b"[]", b"[1", b"[\xff]", b"[" + b"1," * 1000 + b"1]", b"[" * 10_000 + b"]" * 10_000):
        assert parts(body) == [body]
