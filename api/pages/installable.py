"""What lets a phone install the pages: a manifest, a worker that keeps their looks, a page without network."""

import json
from typing import Final

from aiohttp import hdrs, web

from api.access import PUBLIC, UNASKED, require
from api.pages import rendering, static
from api.pages.texts import language_of

MANIFEST_PATH: Final = "/manifest.webmanifest"
WORKER_PATH: Final = "/sw.js"
OFFLINE_PATH: Final = "/hors-ligne"
_ICON: Final = "icon.svg"


@require(UNASKED)
async def manifest(request: web.Request) -> web.Response:
    """Answer the manifest (W3C, Web Application Manifest)."""
    texts = rendering.catalogue_of(request)
    told = {
        "id": "/",
        "name": texts("site.name"),
        "short_name": texts("site.name"),
        "description": texts("site.tagline"),
        "lang": language_of(request),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f7f3ec",
        "theme_color": "#0f5c5c",
        "icons": [{"src": static.address(_ICON), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }
    headers = {hdrs.CACHE_CONTROL: "no-cache", hdrs.VARY: f"{hdrs.ACCEPT_LANGUAGE}, {hdrs.COOKIE}"}
    return web.Response(
        text=json.dumps(told, ensure_ascii=False), content_type="application/manifest+json", headers=headers
    )


@require(UNASKED)
async def worker(request: web.Request) -> web.Response:
    """Answer the service worker; from the root, so that it is of all pages."""
    del request
    script = static.files()["js/worker.js"]
    return web.Response(
        body=script.plain, content_type=script.content_type, charset="utf-8", headers={hdrs.CACHE_CONTROL: "no-cache"}
    )


@require(PUBLIC)
async def offline(request: web.Request) -> web.Response:
    """Answer the page that is kept for when there is no network."""
    return rendering.html(request, "hors_ligne.html")


ROUTES: Final = (
    web.get(MANIFEST_PATH, manifest),
    web.get(WORKER_PATH, worker),
    web.get(OFFLINE_PATH, offline),
)
