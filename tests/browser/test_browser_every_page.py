"""Every page of the router is looked at: in three widths, both schemes, by axe-core, and without a complaint.

The long form (`make looks`) does so in both languages, judges all six looks and spaces the text.
"""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from html.parser import HTMLParser
from typing import Final, NamedTuple

import api_world
import pytest
from browser_looks import look
from browser_pages import EVERYTHING, NOT_PAGES, PAGES, Looked, Who
from browser_watch import STREAMS, Served, watch
from playwright.async_api import Browser, Page

from api import pages
from api.access import digest
from api.loading import routes
from domain.processings import PROCESSINGS
from store.access.accounts import add_account
from store.access.sessions import Lifetime, open_session

_SOON: Final = Lifetime(idle=timedelta(hours=1), whole=timedelta(hours=8))
# Words of French that no English page says, but in the names that people gave.
_FRENCH: Final = re.compile(
    r"\b(le|la|les|des|du|une|est|sont|dans|pour|avec|vous|votre|vos|aucune?|depuis|jours?|heures?|mois|capteurs?)\b",
    re.IGNORECASE,
)
# What is French anywhere: names, and what somebody wrote.
_NAMES: Final = (
    *("Défenseur des droits", "air-des-ecoles", "capteurs 2026.csv", "Nom du capteur", "Derrière la porte"),
    *(text for one in PROCESSINGS.values() for text in (one.purpose, one.legal_basis)),
)


class Visitors(NamedTuple):
    """A page for each who looks, and what the pages complained about."""

    pages: dict[Who, Page]
    complaints: list[str]

    def page(self, who: Who) -> Page:
        self.complaints.clear()
        return self.pages[who]

    def complained(self, one: Looked) -> list[str]:
        """Return the complaints but streams cut by leaving, and the status of a page that is to have it."""
        own = [complaint for complaint in self.complaints if not STREAMS.search(complaint)]
        return [complaint for complaint in own if one.status == 200 or f"status of {one.status}" not in complaint]


@pytest.fixture(scope="module")
async def cookies(standing: Served) -> dict[Who, dict[str, str]]:
    connection = standing.connection
    everything = await api_world.sign_in(connection, ("administrator", None), ("supervisor", None), email=EVERYTHING)
    half = await add_account(connection, "un.nom.vraiment.long@communaute-de-communes.example.fr")
    assert half is not None
    await open_session(connection, digest("half"), half, _SOON, is_pending=True)
    return {
        "town_hall": standing.cookie,
        "everything": everything,
        "nobody": {},
        "pending": {"samara_pending": "half"},
    }


async def visitors_in(
    language: str, browser: Browser, standing: Served, cookies: dict[Who, dict[str, str]]
) -> AsyncIterator[Visitors]:
    complaints: list[str] = []
    async with AsyncExitStack() as stack:
        found: dict[Who, Page] = {}
        for who, held in cookies.items():
            context = await stack.enter_async_context(
                await browser.new_context(locale=language, service_workers="block")
            )
            await context.add_cookies(
                [{"name": name, "value": value, "url": standing.address} for name, value in held.items()]
            )
            found[who] = await watch(context, complaints)
        yield Visitors(found, complaints)


@pytest.fixture(scope="module")
async def visitors(browser: Browser, standing: Served, cookies: dict[Who, dict[str, str]]) -> AsyncIterator[Visitors]:
    async for one in visitors_in("fr-FR", browser, standing, cookies):
        yield one


@pytest.mark.parametrize("one", [one for one in PAGES if not one.is_extra], ids=lambda one: one.name)
async def test_a_page_fits_and_has_no_barrier(visitors: Visitors, standing: Served, axe: str, one: Looked) -> None:
    page = visitors.page(one.who)
    path = one.address if isinstance(one.address, str) else await one.address(standing, page)
    await look(page, standing, one.name, path, axe, status=one.status)
    assert await page.locator("h1").count() == 1
    assert visitors.complained(one) == []


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fr-FR", "en-GB"])
async def test_every_page_in_every_form(
    browser: Browser, standing: Served, cookies: dict[Who, dict[str, str]], axe: str, language: str
) -> None:
    wrong = []
    async for visitors in visitors_in(language, browser, standing, cookies):
        for one in PAGES:
            page = visitors.page(one.who)
            path = one.address if isinstance(one.address, str) else await one.address(standing, page)
            try:
                name = f"{language[:2]}-{one.name}"
                await look(page, standing, name, path, axe, status=one.status, thorough=True)
                assert visitors.complained(one) == []
            except AssertionError as error:
                wrong.append(f"{one.name}: {error}")
    assert not wrong, "\n".join(wrong)


def test_every_page_of_the_router_is_looked_at() -> None:
    read = {route.path for route in routes(pages) if route.method == "GET"}
    looked = {one.route for one in PAGES if one.route and not one.is_extra}
    assert read - looked - NOT_PAGES == set(), "a line in browser_pages.py is missing"
    assert (looked | NOT_PAGES) - read == set(), "no longer there"
    names = [one.name for one in PAGES]
    assert len(set(names)) == len(names)


class _Words(HTMLParser):
    """What a reader is told: text, and the names of what has none; not what is said to be of another language."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._skipped: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if self._skipped or tag in {"script", "style"} or given.get("lang", "en") != "en":
            if tag not in {"input", "img", "meta", "link", "br", "hr", "path"}:
                self._skipped.append(tag)
            return
        self.said += [given[name] or "" for name in ("aria-label", "title", "alt", "placeholder") if name in given]

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.said.append(data)


class _Markup(HTMLParser):
    """What is wrong with the form of a document: ends that match no beginning, attributes and ids that come twice."""

    VOID: Final = frozenset(
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
    )

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._open: list[str] = []
        self._ids: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attributes)
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attributes]
        own = dict(attributes).get("id")
        if len(set(names)) < len(names):
            self.wrong.append(f"line {self.getpos()[0]}: <{tag}> has an attribute twice")
        if own in self._ids:
            self.wrong.append(f"line {self.getpos()[0]}: the id {own} is there twice")
        self._ids |= {own} if own else set()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.wrong.append(f"line {self.getpos()[0]}: </{tag}> ends what it does not begin")

    def ended(self) -> list[str]:
        """Return what is wrong, once all was fed."""
        return self.wrong + [f"<{tag}> is not ended" for tag in self._open]


async def fetched(visitors: Visitors, standing: Served, one: Looked, language: str) -> str:
    """Return a page as the server sends it."""
    page = visitors.page(one.who)
    path = one.address if isinstance(one.address, str) else await one.address(standing, page)
    answer = await page.context.request.get(standing.address + path, headers={"Accept-Language": language})
    return str(await answer.text())


async def test_the_markup_of_every_page_is_well_formed(visitors: Visitors, standing: Served) -> None:
    wrong = {}
    for one in PAGES:
        markup = _Markup()
        markup.feed(await fetched(visitors, standing, one, "fr"))
        if found := markup.ended():
            wrong[one.name] = found
    assert wrong == {}


def test_broken_markup_is_seen() -> None:
    markup = _Markup()
    markup.feed('<p id="a"><b></p></b><img id="a" alt="" alt=""><i>')
    assert len(markup.ended()) == 5


async def test_english_pages_say_nothing_in_french(visitors: Visitors, standing: Served) -> None:
    given = await standing.connection.fetchval(
        "SELECT array_agg(name) FROM (SELECT name FROM sites UNION SELECT name FROM points UNION SELECT name FROM rules"
        " UNION SELECT name FROM tenants UNION SELECT name FROM gateways WHERE name <> ''"
        " UNION SELECT purpose FROM processings UNION SELECT legal_basis FROM processings"
        " UNION SELECT note FROM installations UNION SELECT name FROM devices WHERE name <> '') AS given"
    )
    names = re.compile("|".join(re.escape(name) for name in sorted([*given, *_NAMES], key=len, reverse=True)))

    wrong: list[str] = []
    for one in PAGES:
        words = _Words()
        words.feed(await fetched(visitors, standing, one, "en"))
        text = names.sub("…", " ".join(words.said))
        found = {text[max(match.start() - 30, 0) : match.end() + 30] for match in _FRENCH.finditer(text)}
        wrong += [f"{one.name}: {' '.join(said.split())}" for said in sorted(found)]
    assert not wrong, "\n".join(wrong)
