"""Templates, and what every page needs to be rendered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import aiohttp_jinja2
import jinja2
from aiohttp import hdrs, web
from markupsafe import Markup

from api import pages
from api.access import PUBLIC, visitor
from api.context import FILLING, SETTINGS
from api.pages import navigation, static
from api.pages.texts import COOKIE, LANGUAGES, Texts, language_of, texts
from api.query import Query
from store.reading.territory import Tenant

LANGUAGE: Final = "lang"
DONE: Final = "fait"
_KEPT_S: Final = 365 * 86400
_COMPRESSED_FROM: Final = 1000  # bytes
_SCRIPT_TEXTS: Final = ("age.", "live.", "status.", "number.", "tenant.all_fresh", "tenant.to_watch", "tenant.and_more")


class Crumb(NamedTuple):
    """A step of the way to a page."""

    label: str
    href: str


def add_to(app: web.Application) -> None:
    """Give the application its templates, and the links of its pages."""
    aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("api.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    app[navigation.ENTRIES] = navigation.load(pages)


def html(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    tenant: Tenant | None = None,
    here: str = "",
    crumbs: Sequence[Crumb] = (),
    **values: Any,
) -> web.Response:
    """Return a page in the reader's language.

    `tenant` is whom it is about, `here` the name of the entry of the navigation to which it belongs (by default the
    one whose address begins its own), `crumbs` the way to it, without the page itself.
    """
    language = language_of(request)
    catalogue = texts(language)
    account = visitor(request)
    permissions = frozenset[str]() if account is None else account.permissions
    common = {
        "t": catalogue,
        "language": language,
        "languages": [
            {"code": code, "name": texts(code)("language"), "href": address(request, **{LANGUAGE: code})}
            for code in LANGUAGES
        ],
        "asset": static.address,
        "version": static.digest(),
        "vendored": static.vendored,
        "demo": request.app[SETTINGS].demo,
        "filling": request.app[FILLING](),
        "map_tiles": request.app[SETTINGS].map_tiles,
        "map_credit": request.app[SETTINGS].map_credit,
        "account": account,
        "tenant": tenant,
        "menu": navigation.menu(_entries(request), permissions, tenant, here or request.path),
        "crumbs": crumbs,
        "done": _done(request, catalogue),
        "script_texts": island(catalogue.subset(*_SCRIPT_TEXTS)),
    }
    body = aiohttp_jinja2.render_string(template, request, {**common, **values})
    answer = web.Response(
        text=body,
        status=status,
        content_type="text/html",
        headers={
            hdrs.CACHE_CONTROL: "private, no-cache",
            hdrs.CONTENT_LANGUAGE: language,
            hdrs.VARY: f"{hdrs.ACCEPT_LANGUAGE}, {hdrs.COOKIE}",
        },
    )
    if len(body) > _COMPRESSED_FROM:
        answer.enable_compression()
    if request.query.get(LANGUAGE) == language:
        secure = request.app[SETTINGS].https
        name = f"__Host-{COOKIE}" if secure else COOKIE
        answer.set_cookie(name, language, max_age=_KEPT_S, secure=secure, httponly=True, samesite="Lax")
    return answer


def _entries(request: web.Request) -> list[navigation.Entry]:
    """Return the entries of the menu for who asks: of what is for accounts, nobody else is shown anything."""
    entries, account = request.app[navigation.ENTRIES], visitor(request)
    return [one for one in entries if account is not None or one.needs == PUBLIC]


def query(request: web.Request, *names: str) -> Query:
    """Return the parameters of a page: those named, and those that any page takes."""
    return Query(request, {*names, LANGUAGE, DONE})


def onward(address: str, done: str = "") -> web.Response:
    """Return the answer that sends a browser on with GET, to an address of this site.

    The page there says that something was done: the text `done.<done>`.
    """
    if done:
        path, mark, anchor = address.partition("#")
        address = f"{path}{'&' if '?' in path else '?'}{urlencode({DONE: done})}{mark}{anchor}"
    return web.Response(status=303, headers={hdrs.LOCATION: address, hdrs.CACHE_CONTROL: "no-store"})


def _done(request: web.Request, catalogue: Texts) -> str:
    key = f"done.{request.query.get(DONE, '')}"
    return catalogue(key) if catalogue.has(key) else ""


def catalogue_of(request: web.Request) -> Texts:
    """Return the texts in the reader's language."""
    return texts(language_of(request))


def address(request: web.Request, **changes: object) -> str:
    """Return the address of this page with other parameters: the view is in its address.

    The path is left to the browser: one that begins with `//` would lead to someone else's site.
    """
    kept = {name: value for name, value in request.query.items() if name != DONE}
    return "?" + urlencode({**kept, **changes})


def choices(request: web.Request, parameter: str, labels: Mapping[str, str], chosen: str) -> list[dict[str, Any]]:
    """Return links to this page with each value of a parameter, as the macro `segments` takes them."""
    return [
        {"href": address(request, **{parameter: value}), "label": label, "chosen": value == chosen}
        for value, label in labels.items()
    ]


def tenant_address(tenant: Tenant, *parts: object) -> str:
    """Return the address of a page of a tenant, below /t/<slug>."""
    return slug_address(tenant.slug, *parts)


def slug_address(slug: str, *parts: object) -> str:
    """Return the same of a tenant of which the slug alone is known."""
    return "/".join(["/t", quote(slug), *(quote(str(part), safe="") for part in parts)])


def island(value: object) -> Markup:
    """Return a value as JSON that may stand inside a `<script type="application/json">`."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing is left that could end the element
