"""The links to the main pages: each page's module says its own in `NAVIGATION`, and nothing lists them."""

from collections.abc import Collection, Sequence
from types import ModuleType
from typing import Final, NamedTuple
from urllib.parse import quote

from aiohttp import web

from api.access import PUBLIC, READ, SIGNED_IN
from api.loading import declared
from domain.errors import ConfigurationError
from store.reading.territory import Tenant

SLUG: Final = "{slug}"


class Entry(NamedTuple):
    """A link. Its words are the text `nav.<name>`; `path` holds `{slug}` when it is about a tenant.

    The lowest `order` comes first: 10 to 99 for a tenant's own pages, 100 and more for the network's. `needs` is the
    permission without which it is not shown; `kinds` are the kinds of tenant that have the page, none for all.
    A `handy` one is in the bar at the bottom of a phone, which has place for four.
    """

    name: str
    path: str
    icon: str  # drawn by icons.html
    order: int
    needs: str = READ
    kinds: frozenset[str] = frozenset()
    handy: bool = False


class Link(NamedTuple):
    """An entry as one page shows it."""

    name: str
    href: str
    icon: str
    here: bool
    handy: bool


class Menu(NamedTuple):
    """What the menu of one page holds: links about its tenant, and the others."""

    tenant: list[Link]
    others: list[Link]

    @property
    def handy(self) -> list[Link]:
        """The links for a phone's bar."""
        return [link for link in [*self.tenant, *self.others] if link.handy][:4]


ENTRIES: Final[web.AppKey[Sequence[Entry]]] = web.AppKey("navigation")


def load(package: ModuleType) -> tuple[Entry, ...]:
    """Return the entries of a package's modules in their order. Raises ConfigurationError for two of one name."""
    owners: dict[str, str] = {}
    found = []
    for module, entry in declared(package, "NAVIGATION"):
        if not isinstance(entry, Entry):
            raise ConfigurationError(f"{module}: NAVIGATION holds {entry!r}, which is not an Entry")
        if entry.name in owners:
            raise ConfigurationError(f"{module}: {owners[entry.name]} has a link {entry.name!r} already")
        owners[entry.name] = module
        found.append(entry)
    return tuple(sorted(found, key=lambda entry: (entry.order, entry.name)))


def menu(entries: Sequence[Entry], permissions: Collection[str], tenant: Tenant | None, here: str) -> Menu:
    """Return the menu for who has these permissions; `here` is the name of the entry shown, or the path asked for."""
    shown = [entry for entry in entries if _is_for(entry, permissions, tenant)]
    addresses = {entry.name: _address(entry, tenant) for entry in shown}
    current = here if here in addresses else _nearest(addresses, here)
    links = {
        entry: Link(entry.name, addresses[entry.name], entry.icon, entry.name == current, entry.handy)
        for entry in shown
    }
    return Menu(
        tenant=[link for entry, link in links.items() if SLUG in entry.path],
        others=[link for entry, link in links.items() if SLUG not in entry.path],
    )


def _is_for(entry: Entry, permissions: Collection[str], tenant: Tenant | None) -> bool:
    if entry.needs not in {PUBLIC, SIGNED_IN} and entry.needs not in permissions:
        return False
    if SLUG not in entry.path:
        return True
    return tenant is not None and (not entry.kinds or tenant.kind in entry.kinds)


def _address(entry: Entry, tenant: Tenant | None) -> str:
    return entry.path if tenant is None else entry.path.replace(SLUG, quote(tenant.slug))


def _nearest(addresses: dict[str, str], path: str) -> str:
    """Return the name of the entry of which the path is, or is below: the longest address that begins it."""
    above = [(len(address), name) for name, address in addresses.items() if f"{path}/".startswith(f"{address}/")]
    return max(above, default=(0, ""))[1]
