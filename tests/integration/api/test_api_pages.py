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


async def test_the_page_of_a_tenant_says_it_in_words(served_any: Served) -> None:
    text = read(await page(served_any, PAGE))
    assert "2 points à regarder sur 4 : Porte des archives, Sonde neuve." in text
    assert re.search(r"Air, classe de CM2 Température \d\d,\d °C Humidité de l'air : \d\d % À jour · à l'instant", text)
    assert re.search(r"Eau froide, chaufferie Index d'eau \d\d\d,\d\d\d m³ À jour", text)
    assert re.search(r"Porte des archives Ouverture (Ouvert|Fermé) Sans nouvelles · il y a 1 jour", text)
    assert "Sonde neuve Aucune mesure reçue" in text
    assert "Secret" not in text


async def test_the_language_is_the_reader_s(served: Served) -> None:
    assert '<html lang="fr">' in await page(served, PAGE)
    english = await page(served, PAGE, language="en-GB,en")
    assert '<html lang="en">' in english
    assert "2 points to look at out of 4" in read(english)
    assert '<html lang="en">' in await page(served, f"{PAGE}?lang=en", language="fr")


def rows(html: str) -> list[str]:
    return re.findall(r"<tr[^>]*>.*?</tr>", html.partition('<tbody id="rows"')[2], re.DOTALL)


async def test_a_point_over_a_day_is_told_measurement_by_measurement_with_its_hole(served: Served) -> None:
    told = [read(row) for row in rows(await page(served, f"{PAGE}?point={served.world.air.point_id}"))]
    assert len(told) == 48 - 11 + 1
    assert "sam. 22 nov., 9 h 30" in told[0]
    assert [row for row in told if "Donnée absente pendant 6 heures" in row] != []


async def test_a_counter_over_a_week_is_told_by_days(served: Served) -> None:
    html = await page(served, f"{PAGE}?point={served.world.water.point_id}&range=7d")
    assert 'data-kind="bars"' in html
    told = [read(row) for row in rows(html)]
    assert len(told) == 8
    assert all(re.search(r"0,\d\d\d m³", row) for row in told)
    assert re.search(r"Ces 7 derniers jours : 3,3\d\d m³ au total", read(html))


async def test_a_state_is_told_in_words(served: Served) -> None:
    html = await page(served, f"{PAGE}?point={served.world.door.point_id}&range=7d")
    assert 'data-kind="steps"' in html
    assert {re.sub(r".*(Ouvert|Fermé)\W*$", r"\1", read(row)) for row in rows(html)} == {"Ouvert", "Fermé"}


async def test_too_many_measurements_are_told_by_hours(served_small: Served) -> None:
    html = await page(served_small, f"{PAGE}?point={served_small.world.air.point_id}&range=24h")
    assert 'data-kind="line"' in html
    for minute in range(1, 20):
        at = NOW - timedelta(hours=2, minutes=minute)
        await speak(served_small.connection, served_small.world.air, {"temperature": 20}, at)
    html = await page(served_small, f"{PAGE}?point={served_small.world.air.point_id}&range=24h")
    assert 'data-kind="band"' in html


async def test_a_point_never_heard_has_no_chart(served: Served) -> None:
    html = await page(served, f"{PAGE}?point={served.world.silent.point_id}")
    assert 'id="evolution"' not in html


async def test_a_page_that_is_not_there_says_so_in_words(served: Served) -> None:
    for path in ("/absent", "/t/absent", f"{PAGE}?point={served.world.foreign.point_id}", "/static/x/y.css"):
        assert "Cette page n'existe pas" in read(await page(served, path, 404))
    for path in (f"{PAGE}?range=1y", f"{PAGE}?x=1", f"{PAGE}?point=x", f"{PAGE}?quantity=%00"):
        assert "Cette demande n'a pas été comprise" in read(await page(served, path, 400))


async def test_no_link_leads_to_another_site(served: Served) -> None:
    base = str(served.http._base_url).rstrip("/")
    for path in ("//evil.example/x", "/%2f%2fevil.example/x", "/t/mareuville?lang=//evil.example"):
        async with served.http.get(URL(base + path, encoded=True), allow_redirects=False) as response:
            html = await response.text()
        assert response.status in {200, 404}
        assert not re.search(r"(?:href|src|action)=\"(?://|https?:)", html)


async def test_static_files_are_kept_for_ever_at_their_own_address(served: Served) -> None:
    async with served.http.get(address("js/page.js")) as response:
        assert response.status == 200
        assert response.content_type in {"text/javascript", "application/javascript"}
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path in ("/static/0000/js/page.js", address("js/page.js") + "/../../../settings.py"):
        async with served.http.get(path) as response:
            assert response.status == 404


async def test_the_first_page_weighs_little(served: Served) -> None:
    html = await page(served, PAGE)
    weight = len(html)
    for found in set(re.findall(r"(?:href|src)=\"(/static/[^\"]+)\"", html)) | {
        address(f"js/{name}.js") for name in ("words", "live", "points", "chart", "evolution")
    }:
        async with served.http.get(found) as response:
            assert response.status == 200
            weight += len(await response.read())
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
