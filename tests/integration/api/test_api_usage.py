"""What tenants used, as a manager of each and the syndicat read it."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import aiohttp
import api_world
from api_served import Served
from api_world import NOW

from store.maintenance.run import run_once

INSERT_SENT = """
WITH contact AS (
  INSERT INTO contacts (tenant_id, name, channel, target)
  SELECT $1, channel, channel, '{}' FROM unnest('{email,sms}'::text[]) AS channel
  RETURNING contact_id, channel
)
INSERT INTO deliveries
       (message_id, tenant_id, contact_id, kind, severity, state, segments, due_at, created_at, ended_at)
SELECT channel || number, $1, contact_id, 'opened', 'warning', CASE number WHEN 3 THEN 'dead' ELSE 'sent' END,
       CASE channel WHEN 'sms' THEN 2 ELSE 0 END, $2, $2, $2
  FROM contact, generate_series(1, 3) AS number
"""


async def used(served: Served, http: aiohttp.ClientSession | None = None, **query: str) -> list[dict[str, Any]]:
    async with (http or served.http).get("/api/v1/usage", params=query) as response:
        assert response.status == 200, await response.text()
        return list((await response.json())["items"])


async def fill(served: Served) -> None:
    connection, world = served.connection, served.world
    await connection.execute("INSERT INTO sources (name) VALUES ('lns')")
    await connection.execute(
        "INSERT INTO ingest_accounts SELECT $1::date, 1, $2, kind, outcome, 'w', 7"
        "  FROM (VALUES ('uplink', 'stored'), ('uplink', 'duplicate'), ('join', 'stored')) AS one (kind, outcome)",
        NOW.date(),
        world.tenant_id,
    )
    await connection.execute(INSERT_SENT, world.tenant_id, NOW)
    await connection.execute("ANALYZE")
    await run_once(connection, NOW + timedelta(hours=2))


async def test_what_a_tenant_used_in_a_month(served_any: Served) -> None:
    served = served_any
    async with served.http.get("/api/v1/exports/measurements?tenant=mareuville") as response:
        await response.read()
    await fill(served)
    own, other = await used(served, **{"from": "2025-11", "to": "2025-11"})
    measured = await served.connection.fetchval(
        "SELECT count(*) FROM measurements JOIN devices USING (device_id)"
        " WHERE tenant_id = $1 AND measured_at >= '2025-11-01 00:00 Europe/Paris'",
        served.world.tenant_id,
    )
    assert own.pop("disk_bytes") > 10_000
    assert own.pop("reckoned_at") == "2025-11-22T11:00:00Z"
    assert own == {
        "tenant": "mareuville",
        "name": "Mareuville",
        "insee": None,
        "siren": None,
        "month": "2025-11",
        "devices": 4,
        "uplinks": 7,
        "measurements": measured,
        "emails": 2,
        "sms": 2,
        "sms_segments": 4,
        "exports": 1,
    }
    assert (other["tenant"], other["devices"], other["uplinks"], other["emails"]) == ("autreville", 1, 0, 0)


async def test_a_manager_sees_its_own_and_the_syndicat_everybody_s(served: Served) -> None:
    await fill(served)
    cookie = await api_world.sign_in(served.connection, ("manager", served.world.tenant_id), email="m@example.fr")
    viewer = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="v@example.fr")
    base = str(served.http._base_url)
    async with aiohttp.ClientSession(base, cookies=cookie) as http:
        assert [one["tenant"] for one in await used(served, http)] == ["mareuville"]
        async with http.get("/api/v1/usage?tenant=autreville") as response:
            assert response.status == 404
        async with http.get("/api/v1/exports/usage?form=csv-fr") as response:
            text = (await response.read()).decode("utf-8-sig")
    header, line = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert (header[0], line[0], line[header.index("month")]) == ("tenant", "mareuville", "2025-11")
    async with aiohttp.ClientSession(base, cookies=viewer) as http, http.get("/api/v1/usage") as response:
        assert response.status == 403
    first = await served.http.get("/api/v1/usage?limit=1")
    page = await first.json()
    rest = await used(served, limit="1", cursor=page["next_cursor"])
    assert [one["tenant"] for one in page["items"] + rest] == ["mareuville", "autreville"]


async def test_what_was_billed_stays(served: Served) -> None:
    await fill(served)
    before = await used(served)
    await served.connection.execute("DELETE FROM measurements")
    await served.connection.execute("DELETE FROM measurements_daily")
    for _ in range(2):  # the newest months first
        await run_once(served.connection, NOW + timedelta(days=60))
    assert await used(served, to="2025-11", **{"from": "2025-11"}) != before  # it had not settled
    settled = await used(served, to="2025-11", **{"from": "2025-11"})
    await served.connection.execute("DELETE FROM ingest_accounts WHERE day < $1", date(2025, 12, 1))
    for _ in range(2):
        await run_once(served.connection, NOW + timedelta(days=61))
    assert await used(served, to="2025-11", **{"from": "2025-11"}) == settled


async def test_the_pages_say_the_same_as_the_api(served: Served) -> None:
    await fill(served)
    own, _ = await used(served)
    async with served.http.get("/usage", headers={"Accept-Language": "fr"}) as response:
        assert response.status == 200
        html = await response.text()
    assert "Usage des collectivités, nov. 2025" in html
    assert html.index("/t/autreville/usage") < html.index("/t/mareuville/usage")
    assert "2 (4 facturés)" in html.replace("\u202f", " ").replace("\xa0", " ")
    cookie = await api_world.sign_in(served.connection, ("manager", served.world.tenant_id), email="m@example.fr")
    async with aiohttp.ClientSession(str(served.http._base_url), cookies=cookie) as http:
        async with http.get("/t/mareuville/usage", headers={"Accept-Language": "en"}) as response:
            html = await response.text()
        assert f"{own['measurements']:,}" in html
        assert "form=csv-fr&amp;from=2024-12&amp;to=2025-11&amp;tenant=mareuville" in html
        for path, status in (("/t/autreville/usage", 404), ("/usage", 403), ("/t/mareuville/usage?month=x", 400)):
            async with http.get(path) as response:
                assert response.status == status, path
