from pathlib import Path
from types import ModuleType

import pytest
from test_api_assembly import package

from api import pages
from api.access import MANAGE, READ, SUPERVISE
from api.pages import navigation
from api.pages.navigation import Entry, menu
from api.pages.texts import LANGUAGES, texts
from domain.errors import ConfigurationError
from store.reading.territory import Tenant

COMMUNE = Tenant(1, None, "commune", "mareuville", "Mareuville", None, None, "Europe/Paris")
ENTRIES = (
    Entry("accueil", "/t/{slug}", "home", 10, handy=True),
    Entry("sites", "/t/{slug}/sites", "building", 20, handy=True),
    Entry("communes", "/t/{slug}/communes", "map", 30, kinds=frozenset({"epci"})),
    Entry("contacts", "/t/{slug}/contacts", "people", 40, needs=MANAGE),
    Entry("reseau", "/reseau", "antenna", 100, needs=SUPERVISE),
)


def names(entries: tuple[Entry, ...], permissions: set[str], tenant: Tenant | None) -> list[str]:
    shown = menu(entries, permissions, tenant, "/")
    return [link.name for link in [*shown.tenant, *shown.others]]


def test_one_sees_links_to_what_one_may_do_there() -> None:
    assert names(ENTRIES, {READ}, COMMUNE) == ["accueil", "sites"]
    assert names(ENTRIES, {READ, MANAGE}, COMMUNE) == ["accueil", "sites", "contacts"]
    assert names(ENTRIES, {READ}, COMMUNE._replace(kind="epci")) == ["accueil", "sites", "communes"]
    assert names(ENTRIES, {READ, SUPERVISE}, None) == ["reseau"]
    assert names(ENTRIES, set(), COMMUNE) == []


@pytest.mark.parametrize(
    ("here", "current"),
    [
        ("/t/mareuville", "accueil"),
        ("/t/mareuville/sites", "sites"),
        ("/t/mareuville/sites/3", "sites"),
        ("/t/mareuville/sitesque", "accueil"),
        ("sites", "sites"),
        ("/compte", ""),
    ],
)
def test_the_nearest_link_above_is_where_one_is(here: str, current: str) -> None:
    shown = menu(ENTRIES, {READ}, COMMUNE, here)
    assert "".join(link.name for link in shown.tenant if link.here) == current


def test_a_phone_has_place_for_four() -> None:
    many = tuple(Entry(f"e{n}", f"/e{n}", "home", n, needs="public", handy=True) for n in range(6))
    assert [link.name for link in menu(many, set(), None, "/").handy] == ["e0", "e1", "e2", "e3"]


IMPORT = "from api.pages.navigation import Entry\n"


def found(tmp_path: Path, name: str, **modules: str) -> ModuleType:
    return package(tmp_path, name, **{key: IMPORT + source for key, source in modules.items()})


def test_each_module_says_its_own_links(tmp_path: Path) -> None:
    one = "NAVIGATION = (Entry('b', '/b', 'home', 20),)\n"
    two = "NAVIGATION = (Entry('a', '/a', 'home', 10),)\n"
    assert [entry.name for entry in navigation.load(found(tmp_path, "links_of_two", one=one, two=two))] == ["a", "b"]


def test_two_links_of_one_name_stop_the_start(tmp_path: Path) -> None:
    same = "NAVIGATION = (Entry('a', '/a', 'home', 10),)\n"
    with pytest.raises(ConfigurationError, match=r"links_twice.one has a link 'a' already"):
        navigation.load(found(tmp_path, "links_twice", one=same, two=same))
    with pytest.raises(ConfigurationError, match="which is not an Entry"):
        navigation.load(found(tmp_path, "links_broken", three="NAVIGATION = ('/x',)\n"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_has_its_words(language: str) -> None:
    for entry in navigation.load(pages):
        assert texts(language).has(f"nav.{entry.name}"), entry
