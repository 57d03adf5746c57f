"""OGC SensorThings 1.1 as its clients ask it: QGIS's provider, FROST's client, a person with curl."""

import json
from datetime import timedelta
from typing import Any

import pytest
from api_served import Served
from api_world import NOW, speak
from yarl import URL

BASE = "/api/sensorthings/mareuville/v1.1"


@pytest.fixture
def served(standing: Served) -> Served:
    return standing


async def ask(served: Served, path: str = "", status: int = 200, **options: str) -> dict[str, Any]:
    url = URL(path, encoded=False) if path.startswith("http") else URL(f"{BASE}{path}")
    address = url.relative() if url.absolute else url
    params = {name if name == "resultFormat" else f"${name}": value for name, value in options.items()}
    async with served.http.get(address.update_query(params)) as response:
        body = await response.read()
        assert response.status == status, body
        return dict(json.loads(body))


def names(said: dict[str, Any]) -> list[str]:
    return [one["name"] for one in said["value"]]


async def test_the_root_lists_the_sets_and_what_is_kept_of_the_standard(served: Served) -> None:
    said = await ask(served)
    assert {one["name"] for one in said["value"]} == {
        "Things",
        "Locations",
        "HistoricalLocations",
        "Datastreams",
        "Sensors",
        "ObservedProperties",
        "Observations",
        "FeaturesOfInterest",
    }
    assert "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel" in said["serverSettings"]["conformance"]
    for one in said["value"]:
        found = await ask(served, one["url"])
        for entity in found["value"][:2]:
            again = await ask(served, entity["@iot.selfLink"])
            assert again == entity
            for name, link in entity.items():
                if name.endswith("@iot.navigationLink"):
                    await ask(served, link)


async def test_a_thing_with_everything_that_belongs_to_it(served_any: Served) -> None:
    served = served_any
    said = await ask(
        served,
        "/Things",
        filter="name eq 'Air, classe de CM2'",
        expand="Locations,Datastreams($orderby=name;$expand=ObservedProperty,Sensor($select=name),"
        "Observations($top=2;$orderby=phenomenonTime desc;$count=true))",
    )
    (thing,) = said["value"]
    assert thing["Locations"][0]["location"] == {"type": "Point", "coordinates": [2.3, 49.9]}
    stream = next(one for one in thing["Datastreams"] if one["properties"]["quantity"] == "temperature")
    assert stream["unitOfMeasurement"]["symbol"] == "Cel"
    assert stream["unitOfMeasurement"]["definition"].endswith("/UCUM/Cel")
    assert stream["ObservedProperty"]["definition"] == "urn:samara:quantity:temperature"
    assert stream["Sensor"] == {"name": "Air, classe de CM2"}
    newest = [one["phenomenonTime"] for one in stream["Observations"]]
    assert newest == ["2025-11-22T09:00:00.000Z", "2025-11-22T08:30:00.000Z"]
    assert stream["Observations@iot.count"] > 1000
    following = await ask(served, stream["Observations@iot.nextLink"])
    assert len(following["value"]) == 2


async def test_pages_follow_each_other(served: Served) -> None:
    first = await ask(served, "/Things", top="3", count="true")
    assert (len(first["value"]), first["@iot.count"]) == (3, 4)
    last = await ask(served, first["@iot.nextLink"])
    assert len(last["value"]) == 1
    assert "@iot.nextLink" not in last
    assert not set(names(first)) & set(names(last))


@pytest.mark.parametrize(
    ("entities", "asked", "found"),
    [
        ("Things", "startswith(name,'Air') or endswith(name, 'archives')", 2),
        ("Things", "substringof('eau', tolower(name))", 1),
        ("Things", "length(name) gt 10 and not (name eq 'Sonde neuve')", 3),
        ("Things", "substring(name, 0, 3) eq 'Air'", 1),
        ("Things", "indexof(name, 'classe') eq 5", 1),
        ("Things", "concat(name, '!') eq 'Sonde neuve!'", 1),
        ("Datastreams", "ObservedProperty/name eq 'temperature'", 1),
        ("Datastreams", "Thing/description eq 'Mairie'", 1),
        ("Datastreams", "unitOfMeasurement/symbol eq '%'", 1),
        ("Locations", "geo.intersects(location, geography'POLYGON((2 49, 3 49, 3 50, 2 50, 2 49))')", 1),
        ("Locations", "st_within(location, geography'POLYGON((5 49, 6 49, 6 50, 5 50, 5 49))')", 0),
        (
            "Locations",
            "st_within(location,geography'POLYGON((2 49,3 49,3 50,2 50,2 49),(2.2 49,2.4 49,2.4 50,2.2 50,2.2 49))')",
            0,
        ),
        ("Locations", "geo.distance(location, geography'POINT(2.3 49.8)') lt 0.2", 1),
        ("Locations", "location eq null", 1),
        ("Locations", "location/type eq 'Point' or location/geometry/type eq 'Point'", 1),  # as QGIS asks
        ("Datastreams", "observedArea/type eq 'Point' or observedArea/geometry/type eq 'Point'", 3),
        ("Datastreams", "properties/quantity eq 'water_volume'", 1),
        ("Sensors", "properties/devEui eq '0000000000000001'", 1),
        ("HistoricalLocations", "time lt now()", 4),
        ("Things", "Datastreams/ObservedProperty/name eq 'temperature'", 1),
        ("Things", "Datastreams/name eq null", 1),  # it has none
        ("Things", "name eq 'Sonde neuve' or Datastreams/ObservedProperty/name eq 'humidity'", 2),
        (
            "Things",
            "Datastreams/unitOfMeasurement/symbol eq 'Cel' and Datastreams/properties/quantity eq 'humidity'",
            0,
        ),
        ("Things", "geo.distance(Locations/location, geography'POINT(2.3 49.8)') lt 0.2", 2),
        ("Things", "st_within(Locations/location, geography'POLYGON((2 49, 3 49, 3 50, 2 50, 2 49))')", 2),
        ("Datastreams", "Thing/Locations/name eq 'Mairie'", 1),
        ("Locations", "Things/Datastreams/Sensor/properties/devEui eq '0000000000000003'", 1),
        ("Sensors", "Datastreams/Observations/result gt 100", 1),
        ("Things", "Datastreams/Observations/FeatureOfInterest/name eq 'Mairie'", 1),
        (
            "Things",  # 15-078r6, 9.3.3.5: both are said of one and the same observation
            (
                "Datastreams/Observations/phenomenonTime ge 2025-11-21T13:30:00Z"
                " and Datastreams/Observations/phenomenonTime le 2025-11-21T18:30:00Z"
            ),
            1,
        ),
    ],
)
async def test_filters(served: Served, entities: str, asked: str, found: int) -> None:
    said = await ask(served, f"/{entities}", filter=asked, count="true")
    assert said["@iot.count"] == len(said["value"]) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("phenomenonTime ge 2025-11-10T00:00:00Z and phenomenonTime lt 2025-11-11T00:00:00Z", 48),
        ("day(phenomenonTime) eq 10 and hour(phenomenonTime) lt 12 and month(phenomenonTime) eq 11", 24),
        ("result mul 10 mod 10 eq 5 and date(phenomenonTime) eq '2025-11-10'", 5),
        ("round(result) eq 20 and date(phenomenonTime) eq '2025-11-10'", 11),
    ],
)
async def test_observations_are_filtered(served_any: Served, asked: str, found: int) -> None:
    (stream,) = (await ask(served_any, "/Datastreams", filter="ObservedProperty/name eq 'temperature'"))["value"]
    said = await ask(served_any, f"/Datastreams('{stream['@iot.id']}')/Observations", filter=asked, count="true")
    assert said["@iot.count"] == found
    times = [one["phenomenonTime"] for one in said["value"]]
    assert times == sorted(times)


async def test_what_is_expanded_goes_on_as_it_was_asked(served: Served) -> None:
    inner = "$top=2;$filter=result gt 20 and month(phenomenonTime) eq 11;$orderby=phenomenonTime desc;$select=result"
    said = await ask(
        served, "/Things", filter="name eq 'Air, classe de CM2'", expand=f"Datastreams($expand=Observations({inner}))"
    )
    stream = next(one for one in said["value"][0]["Datastreams"] if one["properties"]["quantity"] == "temperature")
    shown = stream["Observations"]
    following = await ask(served, stream["Observations@iot.nextLink"])
    whole = await ask(
        served,
        f"/Datastreams('{stream['@iot.id']}')/Observations",
        top="4",
        filter="result gt 20 and month(phenomenonTime) eq 11",
        orderby="phenomenonTime desc",
        select="result",
    )
    assert [*shown, *following["value"]] == whole["value"]
    assert all(one.keys() == {"result"} for one in whole["value"])


async def test_arrays_hold_what_is_selected(served: Served) -> None:
    said = await ask(served, "/Observations", top="3", resultFormat="dataArray", select="result,phenomenonTime")
    assert said["value"][0]["components"] == ["phenomenonTime", "result"]
    assert all(len(row) == 2 for one in said["value"] for row in one["dataArray"])
    await ask(served, "/Observations", 400, resultFormat="dataArray", select="secret")


async def test_observations_come_as_arrays(served: Served) -> None:
    said = await ask(served, "/Observations", top="5", resultFormat="dataArray")
    assert sum(one["dataArray@iot.count"] for one in said["value"]) == 5
    first = said["value"][0]
    assert first["components"] == ["id", "phenomenonTime", "resultTime", "result"]
    assert len(first["dataArray"][0]) == 4
    assert said["@iot.nextLink"]


async def test_properties_and_their_values(served: Served) -> None:
    (first, *_) = (await ask(served, "/Things", select="name,id", top="1"))["value"]
    assert first.keys() == {"@iot.id", "name"}
    path = f"/Things({first['@iot.id']})"
    assert await ask(served, f"{path}/name") == {"name": first["name"]}
    async with served.http.get(f"{BASE}{path}/name/$value") as response:
        assert await response.text() == first["name"]


async def test_a_datastream_says_when_it_was_measured(served_any: Served) -> None:
    (stream,) = (await ask(served_any, "/Datastreams", filter="properties/quantity eq 'water_volume'"))["value"]
    times = await served_any.connection.fetchrow(
        "SELECT min(measured_at) AS first, max(measured_at) AS last FROM measurements WHERE device_id = $1",
        served_any.world.water.device_id,
    )
    assert times is not None
    first, last = (f"{at:%Y-%m-%dT%H:%M:%S}.000Z" for at in (times["first"], times["last"]))
    assert stream["phenomenonTime"] == f"{first}/{last}"
    again = await ask(served_any, f"/Datastreams('{stream['@iot.id']}')/phenomenonTime")
    assert again == {"phenomenonTime": stream["phenomenonTime"]}


async def test_references_are_addresses_alone(served: Served) -> None:
    said = await ask(served, "/Things/$ref", top="3", count="true")
    assert said["@iot.count"] == 4
    assert [one.keys() for one in said["value"]] == [{"@iot.selfLink"}] * 3
    rest = await ask(served, said["@iot.nextLink"])
    assert len(rest["value"]) == 1
    thing = (await ask(served, said["value"][0]["@iot.selfLink"]))["@iot.id"]
    streams = await ask(served, f"/Things({thing})/Datastreams/$ref")
    for one in streams["value"]:
        owner = await ask(served, f"{one['@iot.selfLink']}/Thing/$ref")
        assert owner["@iot.selfLink"].endswith(f"/Things({thing})")
    await ask(served, f"/Things({thing})/name/$ref", 404)
    await ask(served, f"/Things({served.world.foreign.point_id})/$ref", 404)


async def test_new_measurements_are_there(served_any: Served) -> None:
    served = served_any
    await speak(served.connection, served.world.air, {"temperature": 31.5, "humidity": 1}, NOW + timedelta(minutes=5))
    said = await ask(served, "/Observations", filter="result eq 31.5")
    (one,) = said["value"]
    assert (await ask(served, f"/Observations('{one['@iot.id']}')"))["result"] == 31.5
    assert (await ask(served, f"/Observations('{one['@iot.id']}')/Datastream/Thing"))["name"] == "Air, classe de CM2"


async def test_nothing_of_another_tenant(served: Served) -> None:
    foreign = served.world.foreign
    quantity_id = await served.connection.fetchval("SELECT quantity_id FROM quantities WHERE name = 'temperature'")
    for path in (
        f"/Things({foreign.point_id})",
        f"/Sensors({foreign.device_id})",
        f"/Datastreams('{foreign.point_id}-{quantity_id}-0')",
        f"/Things({foreign.point_id})/Datastreams",
        "/Things(2147483647)",
        "/Datastreams('1-1')",
        "/Datastreams('1-99999-0')/Observations",
        "/Things('1')",
        "/Nothing",
        "/Things/Datastreams",
        "/Things(1)/tenant_id",
    ):
        await ask(served, path, 404)
    found = await ask(served, "/Observations", filter="result eq 11", count="true")
    assert found["@iot.count"] == 0
    async with served.http.get("/api/sensorthings/absent/v1.1/Things") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    "options",
    [
        {"filter": "name eq 1"},
        {"filter": "1 div 0 eq 1"},
        {"filter": "name eq 'a' or pg_sleep(1) eq 1"},
        {"orderby": "tenant_id"},
        {"orderby": "Datastreams/name"},
        {"select": "secret"},
        {"expand": "Things"},
        {"top": "x"},
    ],
)
async def test_what_cannot_be_asked_is_told(served: Served, options: dict[str, str]) -> None:
    said = await ask(served, "/Things", 400, **options)
    assert said["type"] == "urn:samara:problem:invalid-parameter"
