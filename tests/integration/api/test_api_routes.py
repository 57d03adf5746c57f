import json
from typing import Any

import pytest
from api_served import Served

from api.problems import KINDS

LISTS = ("/api/v1/sites", "/api/v1/points", "/api/v1/devices")


@pytest.fixture
def served(standing: Served) -> Served:
    return standing


async def answer(served: Served, path: str, status: int = 200) -> dict[str, Any]:
    async with served.http.get(path) as response:
        body = await response.read()
        assert response.status == status, body
        kind = "application/json" if status == 200 else "application/problem+json"
        assert response.content_type == kind
        return dict(json.loads(body))


async def test_the_territory_is_told(served_any: Served) -> None:
    served = served_any
    tenants = (await answer(served, "/api/v1/tenants"))["items"]
    assert [tenant["slug"] for tenant in tenants] == ["mareuville", "autreville"]
    assert tenants[0].keys() == {"id", "slug", "name", "kind", "parent_id", "insee", "siren", "time_zone"}
    sites = (await answer(served, "/api/v1/sites?tenant=mareuville"))["items"]
    assert [(site["name"], site["latitude_deg"]) for site in sites] == [("École Jules-Verne", 49.9), ("Mairie", None)]
    points = (await answer(served, "/api/v1/points?tenant=mareuville"))["items"]
    assert len(points) == 4
    assert points[0] == {
        "id": served.world.air.point_id,
        "site_id": sites[0]["id"],
        "name": "Air, classe de CM2",
        "dev_eui": f"{1:016x}",
        "is_individual": None,
        "use": None,
        "part_of": None,
    }
    of_site = (await answer(served, f"/api/v1/points?tenant=mareuville&site_id={sites[1]['id']}"))["items"]
    assert [point["name"] for point in of_site] == ["Porte des archives", "Sonde neuve"]
    devices = (await answer(served, "/api/v1/devices?tenant=mareuville"))["items"]
    assert [(device["dev_eui"], device["period_s"]) for device in devices[:2]] == [
        (f"{1:016x}", 1800),
        (f"{2:016x}", 3600),
    ]
    assert "device_id" not in devices[0]
    assert (await answer(served, "/api/v1/gateways"))["items"] == []


async def test_lists_come_in_pages(served: Served) -> None:
    path: str | None = "/api/v1/points?tenant=mareuville&limit=3"
    pages = []
    while path:
        async with served.http.get(path) as response:
            body = await response.json()
            pages.append([item["id"] for item in body["items"]])
            following = response.links.get("next")
            assert (following is None) == (body["next_cursor"] is None)
            path = None if following is None else following["url"].path_qs
    assert [len(page) for page in pages] == [3, 1]
    ids = [point_id for page in pages for point_id in page]
    assert ids == sorted(set(ids))


async def test_a_cursor_belongs_to_its_list(served: Served) -> None:
    cursor = (await answer(served, "/api/v1/points?tenant=mareuville&limit=1"))["next_cursor"]
    said = await answer(served, f"/api/v1/devices?tenant=mareuville&cursor={cursor}", 422)
    assert said["type"] == "urn:samara:problem:no-such-cursor"


async def test_what_did_not_change_is_not_sent_again(served: Served) -> None:
    path = "/api/v1/points?tenant=mareuville"
    async with served.http.get(path) as first:
        tag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "private, no-cache"
    async with served.http.get(path, headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag)
    async with served.http.get(path, headers={"If-None-Match": '"other"'}) as other:
        assert other.status == 200


async def test_raw_series(served_any: Served) -> None:
    point_id = served_any.world.air.point_id
    said = await answer(
        served_any,
        f"/api/v1/points/{point_id}/series?tenant=mareuville&quantity=temperature"
        "&from=2025-11-20T09:00:00Z&to=2025-11-20T11:00:00Z",
    )
    items = said.pop("items")
    assert said == {
        "point_id": point_id,
        "quantity": "temperature",
        "channel": 0,
        "kind": "gauge",
        "unit": "Cel",
        "every": "raw",
        "time_zone": "Europe/Paris",
        "start": "2025-11-20T09:00:00Z",
        "end": "2025-11-20T11:00:00Z",
        "gaps": [],
        "previous": None,
    }
    assert len(items) == 4
    assert items[0]["measured_at"] == "2025-11-20T09:00:00Z"


@pytest.mark.parametrize(("every", "count"), [("15m", 192), ("1h", 48), ("1d", 2), ("1w", 1), ("1mo", 1), ("1y", 1)])
async def test_series_by_intervals(served_any: Served, every: str, count: int) -> None:
    world = served_any.world
    days = "&from=2025-11-19&to=2025-11-21"
    gauge = await answer(
        served_any,
        f"/api/v1/points/{world.air.point_id}/series?tenant=mareuville&quantity=temperature&every={every}{days}",
    )
    assert len(gauge["items"]) == count
    assert gauge["items"][0]["start"] == "2025-11-18T23:00:00Z"
    assert sum(item["samples"] for item in gauge["items"]) == 96
    counter = await answer(
        served_any,
        f"/api/v1/points/{world.water.point_id}/series?tenant=mareuville&quantity=water_volume&every={every}{days}",
    )
    assert sum(item["increase"] or 0 for item in counter["items"]) == pytest.approx(48 * 0.02, abs=0.021)
    assert gauge["items"][0].keys() == {"start", "end", "samples", "minimum", "mean", "maximum", "last"}
    assert counter["items"][0].keys() == {"start", "end", "samples", "increase", "last"}


async def test_an_empty_interval_is_null_not_zero(served: Served) -> None:
    said = await answer(
        served,
        f"/api/v1/points/{served.world.air.point_id}/series?tenant=mareuville&quantity=temperature&every=1h"
        "&from=2025-11-21T14:00:00Z&to=2025-11-21T15:00:00Z",
    )
    assert said["items"] == [
        {
            "start": "2025-11-21T14:00:00Z",
            "end": "2025-11-21T15:00:00Z",
            "samples": 0,
            "minimum": None,
            "mean": None,
            "maximum": None,
            "last": None,
        }
    ]


@pytest.mark.parametrize(
    "query", ["quantity=temperature&every=raw&from=2025-11-01", "quantity=temperature&every=15m&from=2025-11-21"]
)
async def test_a_series_is_bounded_and_says_how_to_ask_less(served_small: Served, query: str) -> None:
    point_id = served_small.world.air.point_id
    said = await answer(served_small, f"/api/v1/points/{point_id}/series?tenant=mareuville&{query}", 422)
    assert said["type"] == "urn:samara:problem:too-many-points"
    assert said["limit"] == 50
    assert "longer `every`" in said["detail"]


async def test_a_very_long_range_of_short_intervals_is_refused(served: Served) -> None:
    point_id = served.world.air.point_id
    query = "quantity=temperature&every=15m&from=2000-01-01"
    said = await answer(served, f"/api/v1/points/{point_id}/series?tenant=mareuville&{query}", 422)
    assert said["type"] == "urn:samara:problem:too-many-points"


async def test_a_foreign_thing_reads_as_an_absent_one(served: Served) -> None:
    foreign = served.world.foreign.point_id
    bodies = set()
    for point_id in (foreign, 2**31 - 1, 2**31, 0, "9" * 40, "-1", "x", "%00", "1.0", "٣"):
        path = f"/api/v1/points/{point_id}/series?tenant=mareuville&quantity=temperature"
        async with served.http.get(path) as response:
            assert response.status == 404, path
            bodies.add((await response.read(), response.headers["Content-Type"]))
    async with served.http.get("/api/v1/points?tenant=absent") as response:
        bodies.add((await response.read(), response.headers["Content-Type"]))
    assert len(bodies) == 1
    (site,) = (await answer(served, "/api/v1/sites?tenant=autreville"))["items"]
    of_foreign_site = await answer(served, f"/api/v1/points?tenant=mareuville&site_id={site['id']}")
    of_absent_site = await answer(served, "/api/v1/points?tenant=mareuville&site_id=999999")
    assert of_foreign_site == of_absent_site == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("path", [*LISTS, "/api/v1/live"])
async def test_a_tenant_is_named(served: Served, path: str) -> None:
    said = await answer(served, path, 400)
    assert said["errors"][0]["field"] == "tenant"
    for slug in ("absent", "UPPER", "a'b", "%00", "..", "x" * 100):
        assert (await answer(served, f"{path}?tenant={slug}", 404))["title"] == "There is no such thing here."


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/v1/absent", 404, "not-found"),
        ("/api/v1/tenants?x=1", 400, "invalid-parameter"),
        ("/api/v1/tenants?limit=1001", 400, "invalid-parameter"),
        ("/api/v1/tenants?cursor=AAAA", 422, "no-such-cursor"),
    ],
)
async def test_problems_have_a_stable_type(served: Served, path: str, status: int, kind: str) -> None:
    said = await answer(served, path, status)
    assert (said["type"], said["status"]) == (f"urn:samara:problem:{kind}", status)
    assert kind in {known.name for known in KINDS}


async def test_another_method_is_refused(served: Served) -> None:
    async with served.http.post("/api/v1/tenants") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET,HEAD"
        assert (await response.json(content_type=None))["type"] == "urn:samara:problem:method-not-allowed"


async def test_who_may_see_a_tenant_that_was_moved_is_sent_there(served_any: Served) -> None:
    served = served_any
    moved = "INSERT INTO placements SELECT tenant_id, 'oise', 'https://oise.example.fr', now(), {} FROM tenants"
    await served.connection.execute(moved.format("NULL"))
    for path in ("/t/mareuville", "/api/v1/sites?tenant=mareuville"):
        async with served.http.get(path, allow_redirects=False) as answer:
            assert answer.status == 200, "it is on its way, and read here"
    await served.connection.execute("UPDATE placements SET moved_at = now()")
    for path in ("/t/mareuville", "/api/v1/sites?tenant=mareuville"):
        async with served.http.get(path, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (307, f"https://oise.example.fr{path}")
    async with served.http.get("/t/nulle-part", allow_redirects=False) as answer:
        assert answer.status == 404
