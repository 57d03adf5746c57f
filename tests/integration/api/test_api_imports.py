"""Many sensors at once: what can be taken is, each other row says why, and twice is once."""

import time
from typing import Any

from api_served import Served

PATH = "/api/v1/imports?tenant=mareuville"
COUNT = "SELECT count(*) FROM devices JOIN assignments USING (device_id) WHERE upper_inf(during)"


async def post(served: Served, rows: list[dict[str, Any]]) -> dict[str, Any]:
    async with served.http.post(PATH, json={"rows": rows}) as response:
        assert response.status == 201, await response.text()
        found: dict[str, Any] = await response.json()
        return found


def row(number: int, **other: Any) -> dict[str, Any]:
    return {"dev_eui": f"70b3d5e75e{number:06x}", "site": f"Lieu {number // 10}", "point": f"Point {number}", **other}


async def test_rows_that_can_be_taken_are_and_the_others_say_why(served: Served) -> None:
    rows = [
        row(1, name="Un", model_id="acme-th", latitude_deg=49.9, longitude_deg=2.3),
        row(2, model_id="nobody-knows"),
        row(3) | {"dev_eui": f"{5:016x}"},  # another tenant's
        row(4) | {"site": "Mairie", "point": "Porte des archives"},  # another sensor measures it
        row(5) | {"dev_eui": f"{1:016x}"},  # it measures something else
        row(1),
        {"dev_eui": "70b3d5e75e0000ff"},  # into stock
    ]
    found = await post(served, rows)
    assert (found["devices"], found["assignments"]) == (3, 1)
    assert [(one["row"], one["why"]) for one in found["refused"]] == [
        (1, "model"),
        (2, "dev_eui"),
        (3, "occupied"),
        (4, "elsewhere"),
        (5, "twice"),
    ]
    assert found["refused"][2]["detail"] == f"{3:016x}"
    again = await post(served, [rows[0], rows[6]])
    assert (again["devices"], again["assignments"], again["refused"]) == (0, 0, [])
    assert await served.connection.fetchval("SELECT tenant_id FROM devices WHERE dev_eui = $1", f"{5:016x}") != 1


async def test_thousands_of_rows_take_seconds_and_twice_is_once(served: Served) -> None:
    before = await served.connection.fetchval(COUNT)
    start = time.monotonic()
    for first in range(0, 4_000, 2_000):
        found = await post(served, [row(number) for number in range(first, first + 2_000)])
        assert (found["devices"], found["assignments"], found["refused"]) == (2000, 2000, [])
    assert time.monotonic() - start < 20  # 10,000: docs/benchmarks.md
    found = await post(served, [row(number) for number in range(2_000)])
    assert (found["devices"], found["assignments"], found["refused"]) == (0, 0, [])
    assert await served.connection.fetchval(COUNT) == before + 4_000


async def test_a_row_says_behind_which_meter_it_counts(served: Served) -> None:
    rows = [
        row(1, use="heating", part_of="Compteur général"),  # made, as sites and points are
        row(2, part_of="Point 2"),
        {**row(3), "site": "Lieu 0", "point": "Compteur général", "part_of": "Point 1"},
    ]
    found = await post(served, rows)
    assert (found["devices"], found["assignments"]) == (3, 3)
    assert [(one["row"], one["why"], one["detail"]) for one in found["refused"]] == [
        (1, "part", "Point 2"),
        (2, "part", "Point 1"),
    ]
    assert await post(served, rows[:1]) == {**found, "devices": 0, "assignments": 0, "refused": []}
    told = await served.connection.fetch(
        "SELECT points.name, points.use, whole.name AS part_of FROM points JOIN points AS whole"
        " ON whole.point_id = points.part_of"
    )
    assert [tuple(one) for one in told] == [("Point 1", "heating", "Compteur général")]
