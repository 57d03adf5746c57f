"""Uplinks, events and coverage, of a tenant's own time alone."""

import json
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from api_served import Served
from api_world import NOW, sign_in

from api.v1.coverage import margin_db
from store.partitions import ensure_partitions, month_of

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


async def sent(served: Served, device_id: int, at: datetime, f_cnt: int, sf: int = 7, snr_db: float = 5) -> None:
    for relation in ("uplinks", "receptions", "network_events"):
        await ensure_partitions(served.connection, relation, {month_of(at)})
    await served.connection.execute(
        "INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, f_port, confirmed,"
        " adr, spreading_factor, dev_addr, outcome, detail, payload)"
        " VALUES ($1, $2, $1, $2, $3, 1, 2, false, true, $4, '00000000', 'decoded', '', '\\x0102')",
        at,
        f_cnt,
        device_id,
        sf,
    )
    for gateway_id, rssi_dbm in ((1, -100.0), (2, -80.0)):
        await served.connection.execute(
            "INSERT INTO receptions VALUES ($1, $2, $3, $4, $5, $6, 0)",
            *(at, f_cnt, device_id, gateway_id, rssi_dbm, snr_db),
        )
    await served.connection.execute(
        "INSERT INTO network_events VALUES ($1, $2, $1, $3, NULL, 1, $4, '{\"margin\": 7}')",
        *(at, f_cnt, device_id, "join" if f_cnt % 2 else "status"),
    )


@pytest.fixture
async def heard(served_any: Served) -> Served:
    served = served_any
    await served.connection.execute(
        "INSERT INTO gateways (gateway_eui, latitude_deg, longitude_deg) VALUES ('aa', 49.9, 2.3), ('bb', NULL, NULL)"
    )
    for number in range(5):
        await sent(served, served.world.air.device_id, NOW - MINUTE - number * HOUR, number, sf=7 + number % 2)
        await sent(served, served.world.foreign.device_id, NOW - MINUTE - number * HOUR, 100 + number)
    return served


async def listed(served: Served, what: str, **parameters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    path: str | None = f"/api/v1/{what}"
    params = {"tenant": "mareuville", "limit": "2", **parameters}
    while path is not None:
        async with served.http.get(path, params=params) as response:
            assert response.status == 200, await response.text()
            body = json.loads(await response.read())
        found += body["items"]
        params["cursor"] = body["next_cursor"] or ""
        path = path if body["next_cursor"] else None
    return found


async def test_uplinks_are_told_newest_first_with_who_heard_them_best(heard: Served) -> None:
    found = await listed(heard, "uplinks")
    assert [one["f_cnt"] for one in found] == [0, 1, 2, 3, 4]
    assert found[0]["payload"] == "0102"
    assert [one["gateway_eui"] for one in found[0]["receptions"]] == ["bb", "aa"]
    assert {one["dev_eui"] for one in found} == {f"{1:016x}"}
    since = {"from": (NOW - 2 * HOUR).isoformat()}
    assert [one["f_cnt"] for one in await listed(heard, "uplinks", **since, to=NOW.isoformat())] == [0, 1]
    assert await listed(heard, "uplinks", dev_eui=f"{5:016x}") == []


async def test_a_device_tells_each_tenant_its_own_time(heard: Served) -> None:
    await heard.connection.execute(
        "UPDATE assignments SET during = tstzrange(NULL, $2) WHERE device_id = $1",
        heard.world.air.device_id,
        NOW - 2 * HOUR,
    )
    assert [one["f_cnt"] for one in await listed(heard, "uplinks")] == [2, 3, 4]
    assert [one["kind"] for one in await listed(heard, "events")] == ["status", "join", "status"]


async def test_events_are_told_by_kind(heard: Served) -> None:
    found = await listed(heard, "events", kind="join")
    assert [(one["kind"], one["data"]) for one in found] == [("join", {"margin": 7})] * 2


async def test_coverage_is_told_by_site_gateway_and_spreading_factor(heard: Served) -> None:
    params = {"tenant": "mareuville", "to": (NOW + HOUR).isoformat()}
    async with heard.http.get("/api/v1/coverage", params=params) as response:
        found = (await response.json())["items"]
    assert [(one["gateway_eui"], one["spreading_factor"], one["frames"]) for one in found] == [
        ("aa", 7, 3),
        ("aa", 8, 2),
        ("bb", 7, 3),
        ("bb", 8, 2),
    ]
    assert found[0]["gateway_latitude_deg"] == 49.9
    assert [one["margin_db"] for one in found[:2]] == [12.5, 15]


def test_a_margin_is_what_the_spreading_factor_leaves() -> None:
    assert (margin_db(-20, 12), margin_db(None, 7), margin_db(1, None), margin_db(1, 6)) == (0, None, None, None)


async def test_what_gateways_told_is_for_who_looks_after_the_network(heard: Served) -> None:
    for number, kind in enumerate(("stats", "stats", "conn")):
        await heard.connection.execute(
            "INSERT INTO network_events VALUES ($1, $2, $1, NULL, $3, 1, $4, '{\"rx\": 3}')",
            *(NOW - (number + 1) * HOUR, 1000 + number, 1 + number % 2, kind),
        )
    found = await told_of_gateways(heard)
    assert [(one["gateway_eui"], one["kind"]) for one in found] == [("aa", "stats"), ("bb", "stats"), ("aa", "conn")]
    assert found[0]["data"] == {"rx": 3}
    assert [one["kind"] for one in await told_of_gateways(heard, gateway_eui="aa")] == ["stats", "conn"]
    assert len(await told_of_gateways(heard, kind="stats")) == 2
    cookie = await sign_in(heard.connection, ("manager", heard.world.tenant_id), email="manager@example.fr")
    async with (
        aiohttp.ClientSession(str(heard.http._base_url), cookies=cookie) as http,
        http.get("/api/v1/gateways/events") as response,
    ):
        assert response.status == 403


async def told_of_gateways(heard: Served, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        async with heard.http.get("/api/v1/gateways/events", params={"limit": "1", **asked, **cursor}) as response:
            assert response.status == 200, await response.text()
            body = await response.json()
        found += body["items"]
        if body["next_cursor"] is None:
            return found
        cursor = {"cursor": body["next_cursor"]}
