"""Styles, scripts and pictures: served under an address that changes with their contents, so kept for ever.

They are few and small: read and compressed once, at the start.
"""

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from api.access import UNASKED, require

ROOT: Final = Path(__file__).parent.parent / "static"
PREFIX: Final = "/static/"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".js": "text/javascript",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".geojson": "application/geo+json",
}
_WORTH_IT: Final = 0.9  # of the size: a picture does not compress


class Vendored(NamedTuple):
    """A file of someone else: its address and its integrity (SRI)."""

    href: str
    integrity: str


class Held(NamedTuple):
    """A file as it is sent. `compressed` is None where it would not be smaller."""

    content_type: str
    plain: bytes
    compressed: bytes | None


@cache
def files() -> Mapping[str, Held]:
    """Return every static file by its name."""
    paths = [path for path in sorted(ROOT.rglob("*")) if path.is_file()]
    return {path.relative_to(ROOT).as_posix(): _held(path) for path in paths}


def _held(path: Path) -> Held:
    plain = path.read_bytes()
    packed = gzip.compress(plain, mtime=0)
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Held(kind, plain, packed if len(packed) < len(plain) * _WORTH_IT else None)


@cache
def digest() -> str:
    """Return a word that changes when any static file does."""
    state = hashlib.blake2b(digest_size=8)
    for name, held in files().items():
        state.update(name.encode() + b"\0" + held.plain)
    return state.hexdigest()


def address(name: str) -> str:
    """Return the address of a static file. Raises FileNotFoundError if there is none."""
    if name not in files():
        raise FileNotFoundError(name)
    return f"{PREFIX}{digest()}/{name}"


def vendored(name: str) -> Vendored:
    """Return a vendored file, such as `uplot/uPlot.iife.min.js`."""
    return Vendored(address(f"vendor/{name}"), _integrities()[name])


@cache
def _integrities() -> dict[str, str]:
    manifest = json.loads((ROOT / "vendor" / "vendor.json").read_text("utf-8"))
    return {name: integrity for package in manifest.values() for name, integrity in package["files"].items()}


@require(UNASKED)
async def serve(request: web.Request) -> web.Response:
    """Answer a file, which can never change."""
    held = files().get(request.match_info["name"]) if request.match_info["digest"] == digest() else None
    if held is None:
        raise web.HTTPNotFound
    headers: dict[str, str] = {hdrs.CACHE_CONTROL: _FOR_EVER, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    if held.compressed is None or "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        return _answer(held.plain, held.content_type, headers)
    headers[hdrs.CONTENT_ENCODING] = "gzip"
    return _answer(held.compressed, held.content_type, headers)


def _answer(body: bytes, kind: str, headers: Mapping[str, str]) -> web.Response:
    charset = "utf-8" if kind.startswith("text/") or kind.endswith(("json", "+xml")) else None
    return web.Response(body=body, content_type=kind, charset=charset, headers=headers)


ROUTES: Final = (web.get(PREFIX + "{digest}/{name:.+}", serve),)
