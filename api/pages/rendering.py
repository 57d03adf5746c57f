"""Templates, and what every page needs to be rendered."""

import json
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp_jinja2
import jinja2
from aiohttp import hdrs, web
from markupsafe import Markup

from api.access import visitor
from api.context import SETTINGS
from api.pages import static
from api.pages.texts import LANGUAGES, Texts, language_of, texts

_SCRIPT_TEXTS: Final = ("age.", "live.", "status.", "number.", "tenant.all_fresh", "tenant.to_watch", "tenant.and_more")


def add_to(app: web.Application) -> None:
    """Give the application its templates."""
    aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("api.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    """Return a page in the reader's language."""
    language = language_of(request)
    catalogue = texts(language)
    common = {
        "t": catalogue,
        "language": language,
        "languages": [
            {"code": code, "name": texts(code)("language"), "href": address(request, lang=code)} for code in LANGUAGES
        ],
        "home": home(request),
        "asset": static.address,
        "vendored": static.vendored,
        "demo": request.app[SETTINGS].demo,
        "account": visitor(request),
        "script_texts": island(catalogue.subset(*_SCRIPT_TEXTS)),
    }
    body = aiohttp_jinja2.render_string(template, request, {**common, **values})
    return web.Response(
        text=body,
        status=status,
        content_type="text/html",
        headers={
            hdrs.CACHE_CONTROL: "private, no-cache",
            hdrs.CONTENT_LANGUAGE: language,
            hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
        },
    )


def onward(address: str) -> web.Response:
    """Return the answer that sends a browser on with GET, to an address of this site."""
    return web.Response(status=303, headers={hdrs.LOCATION: address, hdrs.CACHE_CONTROL: "no-store"})


def catalogue_of(request: web.Request) -> Texts:
    """Return the texts in the reader's language."""
    return texts(language_of(request))


def address(request: web.Request, **changes: object) -> str:
    """Return the address of this page with other parameters: the view is in its address.

    The path is left to the browser: one that begins with `//` would lead to someone else's site.
    """
    return "?" + urlencode({**request.query, **changes})


def home(request: web.Request) -> str:
    """Return the address of the first page, in the language that was asked for."""
    return f"/?{urlencode({'lang': request.query['lang']})}" if "lang" in request.query else "/"


def island(value: object) -> Markup:
    """Return a value as JSON that may stand inside a `<script type="application/json">`."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing is left that could end the element
