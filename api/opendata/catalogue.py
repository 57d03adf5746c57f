"""GET /api/open/catalogue.jsonld: everything that is published, for harvesters."""

import hashlib
import json
from typing import Final

from aiohttp import web

from api.access import PUBLIC, require
from api.context import POOL, snapshot
from api.opendata.dcat import catalogue
from api.opendata.serving import BASE, free, kept, refuse_too_many, root
from store import open_data


@require(PUBLIC)
async def show(request: web.Request) -> web.Response:
    """Answer the catalogue."""
    refuse_too_many(request)
    async with snapshot(request.app[POOL], None) as connection:
        datasets = await open_data.catalogue(connection)
    body = json.dumps(catalogue(datasets, root(request)), ensure_ascii=False).encode()
    tag = hashlib.blake2b(body, digest_size=16).hexdigest()
    answer = kept(request, tag)
    if answer is None:
        answer = web.Response(body=body, content_type="application/ld+json")
        free(answer, tag)
    return answer


ROUTES: Final = (web.get(f"{BASE}/catalogue.jsonld", show),)
