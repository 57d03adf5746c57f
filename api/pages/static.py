"""Styles, scripts and pictures: served under an address that changes with their contents, so kept for ever."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import hdrs, web

ROOT: Final = Path(__file__).parent.parent / "static"
PREFIX: Final = "/static/"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Vendored(NamedTuple):
    """A file of someone else: its address and its integrity (SRI)."""

    href: str
    integrity: str


@cache
def digest() -> str:
    """Return a word that changes when any static file does."""
    state = hashlib.blake2b(digest_size=8)
    for path in sorted(ROOT.rglob("*")):
        if path.is_file():
            state.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return state.hexdigest()


def address(name: str) -> str:
    """Return the address of a static file. Raises FileNotFoundError if there is none."""
    if not (ROOT / name).is_file():
        raise FileNotFoundError(name)
    return f"{PREFIX}{digest()}/{name}"


def vendored(name: str) -> Vendored:
    """Return a vendored file, such as `uplot/uPlot.iife.min.js`."""
    return Vendored(address(f"vendor/{name}"), _integrities()[name])


@cache
def _integrities() -> dict[str, str]:
    manifest = json.loads((ROOT / "vendor" / "vendor.json").read_text("utf-8"))
    return {name: integrity for package in manifest.values() for name, integrity in package["files"].items()}


def add_to(app: web.Application) -> None:
    """Serve the files."""
    app.router.add_static(f"{PREFIX}{digest()}/", ROOT, name="static")


async def keep_for_ever(request: web.Request, answer: web.StreamResponse) -> None:
    """Let browsers keep what can never change (a handler of `on_response_prepare`)."""
    if request.path.startswith(PREFIX) and answer.status in {200, 206, 304}:
        answer.headers[hdrs.CACHE_CONTROL] = _FOR_EVER
