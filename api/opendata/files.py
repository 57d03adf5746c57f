"""GET /api/open/<slug>/<dataset>.csv, .geojson and .schema.json: one dataset, whoever asks."""

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from aiohttp import hdrs, web

from api.access import PUBLIC, require
from api.context import POOL, snapshot
from api.exports.delimited import written
from api.opendata.dcat import COLUMNS, CONTEXT, dataset, table_schema
from api.opendata.serving import BASE, LICENCE, LICENCE_URL, free, kept, refuse_too_many, root
from store import open_data
from store.open_data import Dataset, OpenRow, Publisher

PATH: Final = f"{BASE}/{{slug}}/{{dataset:[a-z0-9-]+}}"
_AT_ONCE: Final = 2_000


@require(PUBLIC)
async def table(request: web.Request) -> web.StreamResponse:
    """Answer every figure as CSV (RFC 4180), as it is read."""
    async with _opened(request) as (connection, one):
        if (answer := kept(request, _tag(request, one))) is not None:
            return answer
        sent = _answer(request, one, "text/csv; charset=utf-8")
        await sent.prepare(request)
        await sent.write(written([COLUMNS], french=False))
        assert one.publisher is not None, "what is published has a publisher"
        async for rows in open_data.open_rows(connection, one.dataset_id, one.since, at_once=_AT_ONCE):
            await sent.write(written([_cells(one.publisher, row) for row in rows], french=False))
    await sent.write_eof()
    return sent


@require(PUBLIC)
async def features(request: web.Request) -> web.StreamResponse:
    """Answer the figures of the newest interval as GeoJSON (RFC 7946): one feature each, at its site."""
    async with _opened(request) as (connection, one):
        if (answer := kept(request, _tag(request, one))) is not None:
            return answer
        assert one.publisher is not None, "what is published has a publisher"
        newest = await open_data.last_start(connection, one.dataset_id)
        found: list[dict[str, Any]] = []
        if newest is not None:
            async for rows in open_data.open_rows(connection, one.dataset_id, newest, at_once=_AT_ONCE):
                found += [_feature(one.publisher, row) for row in rows]
    said = {
        "type": "FeatureCollection",
        "title": one.title,
        "license": {"name": LICENCE, "url": LICENCE_URL},
        "features": found,
    }
    sent = _answer(request, one, "application/geo+json")
    await sent.prepare(request)
    await sent.write(json.dumps(said, ensure_ascii=False).encode())
    await sent.write_eof()
    return sent


@require(PUBLIC)
async def schema(request: web.Request) -> web.Response:
    """Answer what the columns of the CSV are."""
    async with _opened(request) as (_, one):
        return _json(request, one, table_schema(one, root(request)))


@require(PUBLIC)
async def described(request: web.Request) -> web.Response:
    """Answer the dataset as the catalogue describes it."""
    async with _opened(request) as (_, one):
        return _json(request, one, dataset(one, root(request)))


@asynccontextmanager
async def _opened(request: web.Request) -> AsyncIterator[tuple[asyncpg.Connection, Dataset]]:
    """Give a connection that reads as nobody, and the dataset that the address names. Raises NotFoundError."""
    refuse_too_many(request)
    async with snapshot(request.app[POOL], None) as connection:
        names = request.match_info
        yield connection, await open_data.published_dataset(connection, names["slug"], names["dataset"])


def _tag(request: web.Request, one: Dataset) -> str:
    return hashlib.blake2b(f"{request.path}\n{one.dataset_id}\n{one.updated_at}".encode(), digest_size=16).hexdigest()


def _answer(request: web.Request, one: Dataset, media: str) -> web.StreamResponse:
    name = request.path.rpartition("/")[2]
    headers = {hdrs.CONTENT_TYPE: media, hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'}
    answer = web.StreamResponse(headers=headers)
    free(answer, _tag(request, one))
    return answer


def _json(request: web.Request, one: Dataset, said: dict[str, Any]) -> web.Response:
    tag = _tag(request, one)
    if (answer := kept(request, tag)) is not None:
        return answer
    body = json.dumps({**said, **({"@context": CONTEXT} if "@id" in said else {})}, ensure_ascii=False).encode()
    answer = web.Response(body=body, content_type="application/ld+json" if "@id" in said else "application/json")
    free(answer, tag)
    return answer


def _cells(publisher: Publisher, row: OpenRow) -> list[object]:
    return [
        publisher.insee,
        publisher.name,
        row.site,
        row.point,
        row.latitude_deg,
        row.longitude_deg,
        row.quantity,
        row.unit,
        row.channel,
        row.start,
        row.samples,
        row.minimum,
        row.mean,
        row.maximum,
        row.increase,
        LICENCE,
    ]


def _feature(publisher: Publisher, row: OpenRow) -> dict[str, Any]:
    placed = row.longitude_deg is not None and row.latitude_deg is not None
    cells = dict(zip(COLUMNS, _cells(publisher, row), strict=True))
    del cells["latitude"], cells["longitude"]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [row.longitude_deg, row.latitude_deg]} if placed else None,
        "properties": {**cells, "debut": row.start.isoformat().replace("+00:00", "Z")},
    }


ROUTES: Final = (
    web.get(f"{PATH}.csv", table),
    web.get(f"{PATH}.geojson", features),
    web.get(f"{PATH}.schema.json", schema),
    web.get(PATH, described),
)
