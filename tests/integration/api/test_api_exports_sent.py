"""Exports as they are sent: all rows, of this tenant alone, however many."""

import asyncio
import csv
import io
import json

import asyncpg
import pytest
from api_served import Served

from api.v1 import exports
from store.reading import exporting

PERIOD = {"from": "2025-11-10", "to": "2025-11-20"}


async def sent(served: Served, **parameters: str) -> tuple[bytes, int, str]:
    params = {"tenant": "mareuville", **PERIOD, **parameters}
    async with served.http.get("/api/v1/exports/measurements", params=params) as response:
        assert response.status == 200, await response.text()
        assert 'filename="mareuville.' in response.headers["Content-Disposition"]
        return await response.read(), int(response.headers["Samara-Rows"]), response.content_type


async def test_all_rows_are_sent_and_their_number_before(served_any: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 100)  # several batches
    data, total, kind = await sent(served_any)
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    assert kind == "text/csv"
    stored = await served_any.connection.fetchval(
        "SELECT count(*) FROM measurements WHERE device_id = ANY($1)"
        " AND measured_at >= '2025-11-09 23:00Z' AND measured_at < '2025-11-19 23:00Z'",
        [served_any.world.air.device_id, served_any.world.water.device_id, served_any.world.door.device_id],
    )
    assert len(rows) == total == stored
    assert {one["point"] for one in rows} == {"Air, classe de CM2", "Eau froide, chaufferie", "Porte des archives"}
    of_air = [one["measured_at"] for one in rows if one["quantity"] == "temperature"]
    assert len(set(of_air)) == len(of_air) == 480


async def test_points_and_quantities_choose(served: Served) -> None:
    points = f"{served.world.air.point_id},{served.world.foreign.point_id}"
    data, total, kind = await sent(served, form="geojson", points=points, quantity="humidity")
    said = json.loads(data)
    assert kind == "application/geo+json"
    assert len(said["features"]) == total == 480
    assert {one["properties"]["quantity"] for one in said["features"]} == {"humidity"}
    assert said["features"][0]["geometry"]["coordinates"] == [2.3, 49.9]


@pytest.mark.parametrize(("form", "begins"), [("xlsx", b"PK"), ("parquet", b"PAR1"), ("csv-fr", b"\xef\xbb\xbf")])
async def test_each_form_is_sent(served: Served, form: str, begins: bytes) -> None:
    data, total, _ = await sent(served, form=form, quantity="temperature")
    assert data.startswith(begins)
    assert total == 480


async def test_one_file_too_many_is_refused_and_told_when_to_come_back(
    served_small: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, parts = asyncio.Event(), asyncio.Event(), exporting.parts

    async def waiting(connection: asyncpg.Connection, chosen: exporting.Chosen) -> list[exporting.Part]:
        began.set()
        await go_on.wait()
        return await parts(connection, chosen)

    monkeypatch.setattr(exporting, "parts", waiting)
    first = asyncio.create_task(sent(served_small, quantity="humidity"))
    await began.wait()
    async with served_small.http.get("/api/v1/exports/measurements?tenant=mareuville") as response:
        said = await response.json(content_type=None)
        assert (response.status, said["type"]) == (503, "urn:samara:problem:too-many-exports")
        assert response.headers["Retry-After"] == "5"
    go_on.set()
    assert (await first)[1] == 480
    assert (await sent(served_small, quantity="humidity"))[1] == 480
