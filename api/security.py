"""Headers that every answer bears: only our own scripts, styles and addresses, in no one else's frame."""

from functools import cache
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from api.context import SETTINGS

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "base-uri 'none'; "
    "form-action 'self'; "
    "frame-ancestors 'none'"
)

HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NO_SENSORS: Final = "camera=(), geolocation=()"
_ONE_YEAR: Final = "max-age=31536000; includeSubDomains"


async def protect(request: web.Request, answer: web.StreamResponse) -> None:
    """Set the headers on an answer about to be sent (a handler of `on_response_prepare`)."""
    settings = request.app[SETTINGS]
    if settings.map_tiles:
        answer.headers.setdefault("Content-Security-Policy", with_tiles(settings.map_tiles))
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    if settings.https:
        answer.headers.setdefault("Strict-Transport-Security", _ONE_YEAR)
    answer.headers.pop(hdrs.SERVER, None)  # names the versions of Python and aiohttp


def let_place(answer: web.StreamResponse) -> None:
    """Let this page alone ask the phone where it is."""
    answer.headers["Permissions-Policy"] = _permissions("camera=(), geolocation=(self)")


def let_scan(answer: web.StreamResponse) -> None:
    """Let this page alone use the camera, say where it is, and run the reader of codes, which is WebAssembly."""
    answer.headers["Permissions-Policy"] = _permissions("camera=(self), geolocation=(self)")
    answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
        "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"
    )


def _permissions(wanted: str) -> str:
    return HEADERS["Permissions-Policy"].replace(_NO_SENSORS, wanted)


@cache
def with_tiles(address: str) -> str:
    """Return the policy that lets pictures come from where the tiles of maps are, too."""
    parts = urlsplit(address)
    return CONTENT_SECURITY_POLICY.replace("img-src 'self'", f"img-src 'self' {parts.scheme}://{parts.netloc}")
