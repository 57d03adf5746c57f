import gzip
import re
from datetime import timedelta
from html.parser import HTMLParser

import api_world
from aiohttp import ClientSession
from api_served import Served
from api_world import NOW, speak
from yarl import URL

from api.pages.static import address
from api.settings import ApiSettings

PAGE = "/t/mareuville"


async def page(served: Served, path: str, status: int = 200, language: str = "") -> str:
    headers = {"Accept-Language": language} if language else {}
    async with served.http.get(path, headers=headers) as response:
        assert (response.status, response.content_type) == (status, "text/html")
        return await response.text()


class Text(HTMLParser):
    """What a reader reads."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.silent += tag in {"script", "title"}

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"script", "title"}

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(data)


def read(html: str) -> str:
    parser = Text()
    parser.feed(html)
    text = re.sub(r"[\s\u00a0\u202f]+", " ", " ".join(parser.parts))
    return re.sub(r" (?=[,.])", "", text)


async def test_the_first_page_lists_the_tenants(served: Served) -> None:
    html = await page(served, "/")
    assert 'href="/t/mareuville"' in html
    assert "<script>alert" not in html
    assert "Autreville &lt;script&gt;" in html


async def test_a_language_that_was_chosen_is_kept(served: Served) -> None:
    async with served.http.get("/?lang=en") as response:
        assert response.cookies["samara_language"].value == "en"
        assert response.cookies["samara_language"]["httponly"]


async def test_who_reads_one_tenant_goes_to_it(served: Served) -> None:
    cookie = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="mairie@example.fr")
    async with (
        ClientSession(served.http._base_url, cookies=cookie) as http,
        http.get("/", allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (303, "/t/mareuville")


async def site_of(served: Served, point_id: int) -> str:
    site_id = await served.connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", point_id)
    return f"{PAGE}/sites/{site_id}"


def point_of(served: Served, name: str) -> str:
    return f"{PAGE}/points/{getattr(served.world, name).point_id}"


async def test_the_first_page_of_a_tenant_says_what_to_look_at(served_any: Served) -> None:
    text = read(await page(served_any, PAGE))
    assert "Bonjour, Mairie de Mareuville" in text
    assert "1 point à regarder." in text
    assert re.search(
        r"1 capteur sans nouvelles il y a \d jours? Porte des archives \(Mairie\) À faire : Vérifier", text
    )
    assert re.search(r"École Jules-Verne Tout va bien 2 points de mesure", text)
    assert re.search(r"Mairie À regarder 2 points de mesure", text)
    assert "Ailleurs" not in text


async def test_a_site_shows_its_points_as_they_are(served_any: Served) -> None:
    text = read(await page(served_any, await site_of(served_any, served_any.world.air.point_id)))
    assert "Tout va bien : les 2 points de mesure donnent des nouvelles." in text
    assert re.search(r"Air, classe de CM2 Température \d\d,\d °C Humidité de l'air : \d\d % À jour · à l'instant", text)
    assert re.search(r"Eau froide, chaufferie Index d'eau \d\d\d,\d\d\d m³ À jour", text)
    hall = read(await page(served_any, await site_of(served_any, served_any.world.door.point_id)))
    assert re.search(r"Porte des archives Ouverture (Ouvert|Fermé) Sans nouvelles · il y a 1 jour", hall)
    assert "Sonde neuve Aucune mesure reçue" in hall


async def test_the_list_of_sites_leads_to_each(served: Served) -> None:
    html = await page(served, f"{PAGE}/sites")
    assert f'href="{await site_of(served, served.world.air.point_id)}"' in html
    assert "Ailleurs" not in html


async def test_the_language_is_the_reader_s(served: Served) -> None:
    assert '<html lang="fr"' in await page(served, PAGE)
    english = await page(served, PAGE, language="en-GB,en")
    assert '<html lang="en"' in english
    assert "1 thing needs attention" in read(english)
    assert '<html lang="en"' in await page(served, f"{PAGE}?lang=en", language="fr")


def rows(html: str) -> list[str]:
    return re.findall(r"<tr[^>]*>.*?</tr>", html.partition('<tbody id="rows"')[2], re.DOTALL)


async def test_a_point_over_a_day_is_told_measurement_by_measurement_with_its_hole(served: Served) -> None:
    told = [read(row) for row in rows(await page(served, point_of(served, "air")))]
    assert len(told) == 48 - 11 + 1
    assert "sam. 22 nov., 9 h 30" in told[0]
    assert [row for row in told if "Donnée absente pendant 6 heures" in row] != []


async def test_a_counter_over_a_week_is_told_by_days(served: Served) -> None:
    html = await page(served, f"{point_of(served, 'water')}?range=7d")
    assert 'data-kind="bars"' in html
    told = [read(row) for row in rows(html)]
    assert len(told) == 7
    assert all(re.search(r"0,\d\d\d m³", row) for row in told)
    assert re.search(r"Ces 7 derniers jours : 3,\d m³ au total", read(html))


async def test_a_period_of_one_s_own_is_whole_days_or_moments(served: Served) -> None:
    days = await page(served, f"{point_of(served, 'water')}?from=2025-11-10&to=2025-11-12")
    assert [read(row)[:12] for row in rows(days)] == ["mer. 12 nov.", "mar. 11 nov.", "lun. 10 nov."]
    hours = await page(served, f"{point_of(served, 'air')}?from=2025-11-22T06:00:00Z&to=2025-11-22T08:00:00Z")
    assert [re.search(r"\d+ h \d\d", read(row))[0] for row in rows(hours)] == ["8 h 30", "8 h 00", "7 h 30", "7 h 00"]  # type: ignore[index]
    for wrong in ("from=x", "from=2025-11-12&to=2025-11-10", "from=2026-01-01", "from=2025-11-22T06:00:00"):
        assert "n'a pas été comprise" in read(await page(served, f"{point_of(served, 'air')}?{wrong}", 400))


async def test_what_was_a_year_before_is_a_column(served: Served) -> None:
    html = await page(served, f"{point_of(served, 'air')}?range=7d&compare=year")
    assert 'data-role="previous"' in html
    assert "il n'y a pas de mesure un an avant" in read(html)


async def test_a_state_is_told_in_words(served: Served) -> None:
    html = await page(served, f"{point_of(served, 'door')}?range=7d")
    assert 'data-kind="steps"' in html
    assert {re.sub(r".*(Ouvert|Fermé)\W*$", r"\1", read(row)) for row in rows(html)} == {"Ouvert", "Fermé"}


async def test_too_many_measurements_are_told_by_hours(served_small: Served) -> None:
    html = await page(served_small, point_of(served_small, "air"))
    assert 'data-kind="line"' in html
    for minute in range(1, 20):
        at = NOW - timedelta(hours=2, minutes=minute)
        await speak(served_small.connection, served_small.world.air, {"temperature": 20}, at)
    assert 'data-kind="band"' in await page(served_small, point_of(served_small, "air"))


async def test_a_point_never_heard_says_so(served: Served) -> None:
    html = await page(served, point_of(served, "silent"))
    assert 'id="evolution"' not in html
    assert "Ce point n'a encore rien mesuré" in read(html)


async def test_search_finds_what_one_may_see_whatever_its_accents(served: Served) -> None:
    def found(html: str) -> list[str]:
        return re.findall(r'<h3><a href="[^"]*">([^<]*)</a>', html)

    assert found(await page(served, "/recherche?q=ecole jules")) == ["École Jules-Verne"]
    assert found(await page(served, "/recherche?q=CLASSE")) == ["Air, classe de CM2"]
    assert found(await page(served, "/recherche?q=0003")) == ["Porte des archives"]
    assert "Rien de ce nom" in read(await page(served, "/recherche?q=introuvable"))
    assert found(await page(served, "/recherche")) == []
    cookie = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="mairie@example.fr")
    async with ClientSession(served.http._base_url, cookies=cookie) as http, http.get("/recherche?q=secret") as answer:
        assert found(await answer.text()) == []


async def test_a_page_that_is_not_there_says_so_in_words(served: Served) -> None:
    missing = [
        f"{PAGE}/points/{served.world.foreign.point_id}",
        f"{PAGE}/points/0",
        f"{PAGE}/sites/x",
        f"{PAGE}/sites/999",
    ]
    for path in ("/absent", "/t/absent", "/static/x/y.css", *missing):
        assert "Cette page n'existe pas" in read(await page(served, path, 404))
    air = point_of(served, "air")
    for path in (f"{air}?range=2y", f"{air}?x=1", f"{air}?channel=x", f"{air}?quantity=%00", f"{PAGE}?x=1"):
        assert "Cette demande n'a pas été comprise" in read(await page(served, path, 400))


async def test_no_link_leads_to_another_site(served: Served) -> None:
    base = str(served.http._base_url).rstrip("/")
    for path in ("//evil.example/x", "/%2f%2fevil.example/x", "/t/mareuville?lang=//evil.example"):
        async with served.http.get(URL(base + path, encoded=True), allow_redirects=False) as response:
            html = await response.text()
        assert response.status in {200, 404}
        assert not re.search(r"(?:href|src|action)=\"(?://|https?:)", html)


async def test_static_files_are_kept_for_ever_at_their_own_address(served: Served) -> None:
    async with served.http.get(address("js/point.js")) as response:
        assert response.status == 200
        assert response.content_type in {"text/javascript", "application/javascript"}
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in ("/static/0000/js/point.js", address("js/point.js") + "/../../../settings.py"):
        async with served.http.get(path) as response:
            assert response.status == 404


async def test_the_first_page_weighs_little(served: Served) -> None:
    """Sent as browsers ask for it: everything that the page loads, and what its scripts load."""
    weight, waiting, seen = 0, [PAGE, address("js/map.js")], set[str]()
    while waiting:
        path = waiting.pop()
        async with served.http.get(path) as response:
            assert response.status == 200
            body = await response.read()
            weight += int(response.headers.get("Content-Length", len(gzip.compress(body))))
        if path == PAGE:
            found = set(re.findall(r"(?:href|src)=\"(/static/[^\"]+)\"", body.decode())) - seen
            seen |= found
            waiting += found
    assert len(seen) >= 5
    assert weight < 150_000


async def test_a_demonstration_says_so(database: str) -> None:
    for demo in (True, False):
        settings = ApiSettings(demo=demo)
        async with (
            api_world.serving(database, settings, api_world.Clock()) as base,
            ClientSession(base) as http,
            http.get("/") as response,
        ):
            assert ("Données de démonstration" in await response.text()) == demo
