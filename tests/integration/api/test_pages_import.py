"""A list of sensors that comes as a file: its columns, what would happen, its rows taken, the others mended."""

import csv
import io
import re

import aiohttp
import pytest
import xlsxwriter
from api_served import Served
from test_pages_alerting import get, plain, post

from api import bulk
from store.importing import import_rows

BASE = "/t/mareuville/import"
COUNT = "SELECT count(*) FROM devices JOIN assignments USING (device_id) WHERE upper_inf(during)"


async def send(served: Served, content: bytes, name: str = "liste.csv", status: int = 200) -> tuple[str, str]:
    """Send a file; return the address and the text of the page after it."""
    data = aiohttp.FormData()
    data.add_field("file", io.BytesIO(content), filename=name)
    async with served.http.post(BASE, data=data, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, await answer.text()
        return answer.url.path, plain(await answer.text())


def eui(number: int) -> str:
    return f"70B3D5E75E{number:06X}"


async def refused(served: Served, path: str) -> bytes:
    async with served.http.get(f"{path}/refus.csv", headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_rows_are_looked_at_taken_mended_and_sent_again(served: Served) -> None:
    taken = f"{3:016x}"
    lines = [
        "DevEUI;Etiquette;Modèle;Bâtiment;Mesure;Lat;Long;AppKey",
        f"{eui(1)};Un;Acme TH;École neuve;Air, salle 1;49,9;2,3;00112233445566778899aabbccddeeff",
        f"{eui(2)};Deux;Inconnu 9;;;;;",
        f"{eui(3)};=HYPERLINK(1);;Mairie;Porte des archives;;;",
        "7,076E+15;;;;;;;",
        f"{eui(1)};;;;;;;",
    ]
    content = "\r\n".join(lines).encode("cp1252")
    path, page = await send(served, content)
    assert "Elles n'ont pas été gardées" in page
    assert "5 lignes lues" in page
    assert "2 lignes sur 5 ne pourront pas être prises" in page
    for words in ("Modèle inconnu : Inconnu 9", "mesure déjà ce point", "changé le DevEUI en nombre", "Deux lignes"):
        assert words in page
    assert await served.connection.fetchval(COUNT + " AND dev_eui = $1", eui(1).lower()) == 0  # nothing is done yet
    kept = await served.connection.fetchval("SELECT string_agg(cells::text, '') FROM import_rows")
    assert "00112233445566778899aabbccddeeff" not in kept

    fields = ["dev_eui", "name", "model_id", "site", "point", "latitude_deg", "longitude_deg", ""]
    page = await post(served, path, **{f"column_{place}": field for place, field in enumerate(fields)})
    assert re.search(r'value="name" selected', page)
    page = await post(served, f"{path}/prise")
    assert "Toutes les lignes ont été vues." in page
    row = await served.connection.fetchrow(
        "SELECT devices.name, model_id, sites.latitude_deg FROM devices JOIN assignments USING (device_id)"
        " JOIN points USING (point_id) JOIN sites USING (site_id) WHERE dev_eui = $1",
        eui(1).lower(),
    )
    assert tuple(row or ()) == ("Un", "acme-th", 49.9)

    mended = list(csv.reader(io.StringIO((await refused(served, path)).decode("utf-8-sig")), delimiter=";"))
    assert mended[0] == [*lines[0].split(";"), "Motif du refus"]
    assert [one[0] for one in mended[1:]] == [eui(2), eui(3), "7,076E+15", eui(1)]
    assert mended[2][1] == "'=HYPERLINK(1)"  # no spreadsheet takes it for a formula
    assert f"{taken[:4].upper()}" in mended[2][-1]
    mended[1][2], mended[2][4], mended[3][0] = "acme-th", "Fenêtre des archives", eui(4)
    held = io.StringIO()
    csv.writer(held, delimiter=",").writerows(mended)
    path, page = await send(served, held.getvalue().encode(), "refus.csv")
    assert "ne pourra" not in page
    assert re.search(r'value="name" selected', page)  # "Etiquette" is remembered
    page = await post(served, f"{path}/prise")
    assert "Toutes les lignes ont été prises." in page
    name = await served.connection.fetchval("SELECT name FROM devices WHERE dev_eui = $1", eui(3).lower())
    assert name == "=HYPERLINK(1)"

    before = await served.connection.fetchval(COUNT)
    path, _ = await send(served, content)
    assert "Capteurs nouveaux</dt><dd>0" in await post(served, f"{path}/prise")
    assert await served.connection.fetchval(COUNT) == before
    actions = await served.connection.fetch("SELECT DISTINCT action FROM audit WHERE action LIKE '%import%'")
    assert {one["action"] for one in actions} == {"import.sent", "import.mapped", "devices.imported"}
    page = await post(served, f"{path}/oubli")
    assert "La liste est effacée" in page
    await get(served, path, status=404)


async def test_a_workbook_goes_on_where_it_stopped(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["DevEUI", "Lieu", "Point"])
        for number in range(1, 6):
            sheet.write_row(number, 0, [eui(number), "Lieu", f"Point {number}"])
    path, page = await send(served, held.getvalue(), "capteurs.xlsx")
    assert "5 lignes lues" in page
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    page = await post(served, f"{path}/prise")
    assert "2 sur 5" in page

    async def cut(*args: object) -> None:
        await import_rows(*args)  # type: ignore[arg-type]
        raise ConnectionResetError

    with monkeypatch.context() as broken:
        broken.setattr("api.bulk.importing.import_rows", cut)
        await post(served, f"{path}/prise", status=500)
    assert "2 sur 5" in await get(served, path)
    assert await served.connection.fetchval("SELECT count(*) FROM devices WHERE dev_eui LIKE '70b3%'") == 2
    await post(served, f"{path}/prise")
    assert "Toutes les lignes ont été prises." in await post(served, f"{path}/prise")
    assert "Toutes les lignes ont été prises." in await post(served, f"{path}/prise")  # pressed once too often
    assert await served.connection.fetchval("SELECT count(*) FROM devices WHERE dev_eui LIKE '70b3%'") == 5


async def test_what_is_no_list_says_so(served: Served) -> None:
    _, page = await send(served, b"DevEUI\n", status=422)
    assert "ne contient aucune ligne" in page
    await send(served, b"x" * (8 * 1024 * 1024 + 1), status=413)
    async with served.http.post(BASE, data={"file": "x"}) as answer:
        assert answer.status == 400
    path, page = await send(served, b"Nom;Lieu\nUn;Mairie\n")
    assert "Dites quelle colonne contient les DevEUI." in page
    page = await post(served, path, status=422, column_0="name", column_1="name")
    assert "Deux colonnes disent" in page
    await post(served, f"{path}/prise")  # nothing to go by
    assert "Dites quelle colonne" in await get(served, path)


async def test_another_tenants_list_is_not_there(served: Served) -> None:
    path, _ = await send(served, f"DevEUI\n{eui(1)}\n".encode())
    other = await served.connection.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    await served.connection.execute("UPDATE import_files SET tenant_id = $1", other)
    await served.connection.execute("UPDATE import_rows SET tenant_id = $1", other)
    for address in (path, f"{path}/refus.csv"):
        await get(served, address, status=404)
    for address in (path, f"{path}/prise", f"{path}/oubli"):
        await post(served, address, status=404)


async def test_what_measures_nothing_is_in_stock(served: Served) -> None:
    path, _ = await send(served, f"DevEUI;Nom\n{eui(9)};Sonde de réserve\n".encode())
    await post(served, f"{path}/prise")
    page = await get(served, "/stock")
    assert "Sonde de réserve · 70B3 D5E7 5E00 0009" in page
    assert "Jamais posé" in page
    async with served.http.post(f"/api/v1/devices/{3:016x}/removal?tenant=mareuville", json={}) as answer:
        assert answer.status == 204
    assert "Sonde de réserve" in await get(served, "/stock?q=")
    assert "Collectivités" in await get(served, f"/mettre-en-service/{eui(9).lower()}?q=")  # nothing typed, and sought
    assert "Porte des archives, Mairie" in await get(served, "/stock?q=0003")
    assert "Aucun capteur en stock." in await get(served, "/stock?q=nulle-part")
