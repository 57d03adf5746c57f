"""Every page there is, each with an address at which `standing` shows it.

`test_browser_every_page.py` opens them all and walks the router: a page that is neither here nor among `NOT_PAGES`
fails it. A new page is one line here, or two where it has two faces.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple

import api_world
import network_world
from browser_watch import Served
from playwright.async_api import Page

from api.access import digest
from api.mailing import INVITATION_VALID
from store.access.accounts import account_by_email
from store.access.links import Kind, add_link
from store.commissioning import Act, Place, put_in_service

Who = Literal["town_hall", "everything", "nobody", "pending"]
Find = Callable[[Served, Page], Awaitable[str]]

EVERYTHING: Final = "tout@example.fr"  # the account that may do all: its menu is the longest
HOME: Final = "/t/mareuville"
EPCI: Final = "/t/val-de-selle"
STOCK: Final = "/mettre-en-service/70b3d5e75e00f00d"


class Looked(NamedTuple):
    """One look: its name, the route, an address (or how to find one), and who looks.

    `is_extra`: another face of a page, that `make looks` sees and `make test` leaves out.
    """

    name: str
    route: str
    address: str | Find
    who: Who = "everything"
    status: int = 200
    is_extra: bool = False


def _first(statement: str, address: str) -> Find:
    """Return how to find an address that holds the first value of a statement."""

    async def find(served: Served, _page: Page) -> str:
        return address.format(await served.connection.fetchval(statement))

    return find


def _link(kind: Kind, address: str) -> Find:
    """Return how to find the address of a link that still opens."""

    async def find(served: Served, _page: Page) -> str:
        account_id = await account_by_email(served.connection, EVERYTHING)
        secret = secrets.token_urlsafe()
        await add_link(served.connection, digest(secret), kind, account_id, INVITATION_VALID)
        return address.format(secret)

    return find


async def _import(served: Served, page: Page) -> str:
    """Send a list of sensors, one of which cannot be taken."""
    lines = ["DevEUI;Nom du capteur;Modèle;Bâtiment;Mesure;Étage"]
    lines += [f"70b3d5e75e{number:06x};Sonde {number};acme-air;Mairie;Air, salle {number};2" for number in range(12)]
    lines[4] = "70b3d5e75e00000;Sonde;acme-air;Mairie;Air, salle 4;"
    await page.goto(f"{served.address}/t/croixval/import")
    file = {"name": "capteurs 2026.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode("cp1252")}
    await page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type] # a file made here
    await page.locator("main form button[type=submit]").first.click()
    await page.wait_for_url("**/import/*")
    return page.url.removeprefix(served.address).partition("?")[0]


async def _installed(served: Served, _page: Page) -> str:
    """Put a sensor in service, as of now; again changes nothing."""
    tenant_id = await served.connection.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'croixval'")
    account_id = await account_by_email(served.connection, EVERYTHING)
    place = Place(site_name="Cantine de Croixval", point_name="Air, cantine", model_id="acme-air")
    act = Act(done_at=api_world.NOW, account_id=account_id, note="Derrière la porte")
    await put_in_service(served.connection, tenant_id, _INSTALLED, place, act)
    return f"/t/croixval/mises-en-service/{_INSTALLED}"


async def _positioned(served: Served, page: Page) -> str:
    return f"{await _installed(served, page)}?etape=position"


async def _days_work(served: Served, page: Page) -> str:
    await _installed(served, page)
    return "/mes-poses"


async def _stocked(served: Served, _page: Page) -> str:
    """Own a sensor that measures nowhere yet."""
    await served.connection.execute(
        "INSERT INTO devices (dev_eui, tenant_id) SELECT $1, tenant_id FROM tenants WHERE slug = 'croixval'"
        " ON CONFLICT DO NOTHING",
        _IN_STOCK,
    )
    return f"/t/croixval/stock/{_IN_STOCK}"


async def _ordered(served: Served, _page: Page) -> str:
    """Have a network server that refused a sensor."""
    order_id = await served.connection.fetchval(
        "WITH server AS (INSERT INTO network_servers (tenant_id, kind, address, application, listed_at)"
        " SELECT tenant_id, 'chirpstack', 'https://lns.example', 'a', now() FROM tenants WHERE slug = 'croixval'"
        " ON CONFLICT (tenant_id) DO UPDATE SET kind = excluded.kind RETURNING tenant_id)"
        " INSERT INTO network_orders (tenant_id, act, dev_eui, state, attempts, trouble, ended_at)"
        " SELECT tenant_id, 'put', $1, 'failed', 1, 'no profile for this model', now() FROM server RETURNING order_id",
        _IN_STOCK,
    )
    return f"/t/croixval/serveur-reseau/ordres/{order_id}"


def _ordering(address: str) -> Find:
    """Return how to find a page of a network server that was asked for something."""

    async def find(served: Served, page: Page) -> str:
        await _ordered(served, page)
        return address

    return find


_IN_STOCK: Final = "70b3d5e75e00cafe"
_INSTALLED: Final = "70b3d5e75e00beef"
_INCIDENT: Final = "SELECT incident_id FROM incidents ORDER BY incident_id LIMIT 1"
_RULE: Final = "SELECT rule_id FROM rules ORDER BY rule_id LIMIT 1"
_SCHOOL: Final = "SELECT site_id FROM sites WHERE name = 'École Jules-Verne'"
_POINT: Final = "SELECT point_id FROM points WHERE name = '{}'"
_PLACED: Final = f"{STOCK}?tenant=mareuville&lat=49.7&lon=2.2"

PAGES: Final = (
    # of nobody
    Looked("connexion", "/connexion", "/connexion", "nobody"),
    Looked("connexion-encore", "/connexion", "/connexion?encore=1", is_extra=True),
    Looked("connexion-lien", "/connexion/lien/{secret}", _link("sign_in", "/connexion/lien/{}"), "nobody"),
    Looked("connexion-code", "/connexion/code", "/connexion/code", "nobody"),
    Looked("connexion-facteur", "/connexion/second-facteur", "/connexion/second-facteur", "pending"),
    Looked(
        "invitation", "/connexion/mot-de-passe/{secret}", _link("invitation", "/connexion/mot-de-passe/{}"), "nobody"
    ),
    Looked("oubli", "/connexion/oubli", "/connexion/oubli", "nobody"),
    Looked("sortie", "/connexion/oidc/{provider}/fin", "/connexion/oidc/essai/fin", "nobody"),
    Looked("hors-ligne", "/hors-ligne", "/hors-ligne", "nobody"),
    Looked("accessibilite", "/accessibilite", "/accessibilite", "nobody"),
    Looked("introuvable", "", "/nulle-part", status=404),
    # of an account
    Looked("collectivites", "/", "/"),
    Looked("compte", "/compte", "/compte"),
    Looked("compte-facteur", "/compte/second-facteur", "/compte/second-facteur"),
    Looked("compte-motdepasse", "/compte/mot-de-passe", "/compte/mot-de-passe"),
    Looked("cles", "/compte/cles", "/compte/cles"),
    Looked("donnees", "/compte/donnees", "/compte/donnees"),
    Looked("recherche", "/recherche", "/recherche?q=ecole", "town_hall"),
    Looked("recherche-vide", "/recherche", "/recherche", "town_hall", is_extra=True),
    Looked("api", "/api", "/api"),
    # of a commune
    Looked("accueil", "/t/{slug}", HOME, "town_hall"),
    Looked("sites", "/t/{slug}/sites", f"{HOME}/sites", "town_hall"),
    Looked("site", "/t/{slug}/sites/{id}", _first(_SCHOOL, HOME + "/sites/{}"), "town_hall"),
    Looked(
        "point",
        "/t/{slug}/points/{id}",
        _first(_POINT.format("Air, classe de CM2"), HOME + "/points/{}?quantity=co2&range=7d&compare=year"),
        "town_hall",
    ),
    Looked(
        "point-annee",
        "/t/{slug}/points/{id}",
        _first(_POINT.format("Eau froide"), HOME + "/points/{}?range=1y&compare=year"),
        "town_hall",
    ),
    Looked(
        "point-neuf", "/t/{slug}/points/{id}", _first(_POINT.format("Sonde neuve"), HOME + "/points/{}"), is_extra=True
    ),
    Looked(
        "compteur",
        r"/t/{slug}/points/{id:\d+}/compteur",
        _first(_POINT.format("Eau froide"), HOME + "/points/{}/compteur"),
    ),
    Looked("energie", "/t/{slug}/energie", f"{HOME}/energie", "town_hall"),
    Looked("energie-annee", "/t/{slug}/energie", f"{HOME}/energie?periode=douze", "town_hall", is_extra=True),
    Looked("batiments", "/t/{slug}/energie/batiments", f"{HOME}/energie/batiments", "town_hall"),
    Looked("eau", "/t/{slug}/eau", f"{HOME}/eau", "town_hall"),
    Looked("reseau-eau", "/t/{slug}/eau/reseau", f"{HOME}/eau/reseau", "town_hall"),
    Looked("environnement", "/t/{slug}/environnement", f"{HOME}/environnement", "town_hall"),
    Looked("alertes", "/t/{slug}/alertes", f"{HOME}/alertes", "town_hall"),
    Looked("alertes-passees", "/t/{slug}/alertes", f"{HOME}/alertes?vue=passees", "town_hall", is_extra=True),
    Looked("alerte", "/t/{slug}/alertes/{id}", _first(_INCIDENT, HOME + "/alertes/{}"), "town_hall"),
    Looked("travaux", "/t/{slug}/travaux", f"{HOME}/travaux", "town_hall"),
    Looked("regles", "/t/{slug}/regles", f"{HOME}/regles", "town_hall"),
    Looked("regle-sortes", "/t/{slug}/regles/nouvelle", f"{HOME}/regles/nouvelle", "town_hall"),
    Looked("regle-seuil", "/t/{slug}/regles/nouvelle", f"{HOME}/regles/nouvelle?sorte=threshold", "town_hall"),
    Looked("regle", r"/t/{slug}/regles/{id:\d+}", _first(_RULE, HOME + "/regles/{}"), "town_hall"),
    Looked(
        "regle-modifier",
        r"/t/{slug}/regles/{id:\d+}/modifier",
        _first(_RULE, HOME + "/regles/{}/modifier"),
        "town_hall",
    ),
    Looked("modeles", "/t/{slug}/regles/modeles", _first(_SCHOOL, HOME + "/regles/modeles?site={}"), "town_hall"),
    Looked("horaires", "/t/{slug}/regles/horaires", f"{HOME}/regles/horaires", "town_hall"),
    Looked("contacts", "/t/{slug}/contacts", f"{HOME}/contacts", "town_hall"),
    Looked("contact", "/t/{slug}/contacts/nouveau", f"{HOME}/contacts/nouveau?canal=email", "town_hall"),
    Looked("rapports", "/t/{slug}/rapports", f"{HOME}/rapports", "town_hall"),
    Looked("registre", "/t/{slug}/registre", f"{HOME}/registre", "town_hall"),
    Looked("comparaison", "/t/{slug}/comparaison", f"{HOME}/comparaison", "town_hall"),
    Looked("usage", "/t/{slug}/usage", f"{HOME}/usage", "town_hall"),
    # of an EPCI, of an administrator
    Looked("communes", "/t/{slug}/communes", f"{EPCI}/communes?sort=incidents"),
    Looked("comparatif", "/t/{slug}/communes/comparaison", f"{EPCI}/communes/comparaison"),
    Looked("comparatif-eau", "/t/{slug}/communes/comparaison", f"{EPCI}/communes/comparaison?sujet=eau", is_extra=True),
    Looked("accueil-epci", "/t/{slug}", EPCI, is_extra=True),
    Looked("usage-de-tous", "/usage", "/usage"),
    Looked("acces", "/t/{slug}/acces", f"{HOME}/acces"),
    Looked("acces-journal", "/t/{slug}/acces/journal", f"{HOME}/acces/journal"),
    Looked("acces-de-tous", "/acces", "/acces"),
    Looked("journal", "/acces/journal", "/acces/journal"),
    # of a technician
    Looked("poser", "/mettre-en-service", "/mettre-en-service"),
    Looked("etiquettes", "/etiquettes", "/etiquettes"),
    Looked("poser-lieu", "/mettre-en-service/{dev_eui:[0-9a-f]{16}}", _PLACED),
    Looked("poser-point", "/mettre-en-service/{dev_eui:[0-9a-f]{16}}", _first(_SCHOOL, _PLACED + "&site={}")),
    Looked("poser-nouveau", "/mettre-en-service/{dev_eui:[0-9a-f]{16}}", f"{_PLACED}&site=nouveau", is_extra=True),
    Looked("pose", "/t/{slug}/mises-en-service/{dev_eui}", _installed),
    Looked("pose-position", "/t/{slug}/mises-en-service/{dev_eui}", _positioned),
    Looked("poses", "/mes-poses", _days_work),
    Looked("stock", "/stock", "/stock"),
    Looked("pret", "/t/{slug}/stock/{dev_eui}", _stocked),
    Looked("import", "/t/{slug}/import", f"{HOME}/import"),
    Looked("import-apercu", "/t/{slug}/import/{id}", _import),
    # of the network's supervisors
    Looked("reseau", "/reseau", "/reseau"),
    Looked("antenne", "/reseau/antennes/{eui}", f"/reseau/antennes/{network_world.TOWER}"),
    Looked("capteur", "/reseau/capteurs/{dev_eui}", "/reseau/capteurs/70b3d50000000004"),
    Looked("couverture", "/reseau/couverture", "/reseau/couverture"),
    Looked("couverture-commune", "/reseau/couverture", "/reseau/couverture?commune=mareuville", is_extra=True),
    Looked("parc", "/reseau/parc", "/reseau/parc"),
    Looked("securite", "/reseau/securite", "/reseau/securite"),
    Looked("serveurs", "/reseau/serveurs", _ordering("/reseau/serveurs")),
    Looked("serveur", "/t/{slug}/serveur-reseau", _ordering("/t/croixval/serveur-reseau")),
    Looked("ordres", "/t/{slug}/serveur-reseau/ordres", _ordering("/t/croixval/serveur-reseau/ordres")),
    Looked("ordre", "/t/{slug}/serveur-reseau/ordres/{id}", _ordered),
    Looked("ecarts", "/t/{slug}/serveur-reseau/ecarts", _ordering("/t/croixval/serveur-reseau/ecarts")),
)

# What is behind a route of the pages and is no page: files, streams, and addresses that lead on.
NOT_PAGES: Final = frozenset(
    {
        "/static/{digest}/{name:.+}",
        "/manifest.webmanifest",
        "/sw.js",
        "/mettre-en-service/worker.js",
        "/connexion/oidc/{provider}",
        "/connexion/oidc/{provider}/retour",
        "/connexion/mot-de-passe/{secret}/{provider}",
        "/compte/identites/{provider}",
        "/reseau/en-direct",
        "/reseau/parc/{what:capteurs|piles|muets}.{form:csv|xlsx}",
        "/reseau/couverture/plans/{name}/{part}",
        "/t/{slug}/energie/operat.csv",
        "/t/{slug}/environnement/air-des-ecoles.csv",
        "/t/{slug}/environnement/air-des-ecoles.pdf",
        "/t/{slug}/import/exemple.csv",
        "/t/{slug}/import/{id}/echecs.csv",
        "/t/{slug}/import/{id}/refus.csv",
        "/t/{slug}/mises-en-service/{dev_eui}/photos/{at:\\d{1,17}}",
        "/t/{slug}/rapports/{month}.pdf",
        "/t/{slug}/regles/phrase",
    }
)
