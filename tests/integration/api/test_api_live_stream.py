import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import aiohttp
import api_world
from api_served import Served
from api_world import NOW, speak

PATH = "/api/v1/live?tenant=mareuville"


class Heard(NamedTuple):
    """One block of a stream: an event, or a comment."""

    name: str
    event_id: str
    values: list[dict[str, Any]]


class Ear:
    """Reads the blocks of a stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> Heard:
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            while True:
                line = (await self.response.content.readline()).decode()
                if line == "\n":
                    break
                assert line, "the stream ended"
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = fields.get(name, "") + value
        values = json.loads(fields["data"])["values"] if "data" in fields else []
        return Heard(fields.get("event", ""), fields.get("id", ""), values)

    async def event(self) -> Heard:
        while not (heard := await self.next()).name:
            pass
        return heard


@asynccontextmanager
async def listening(served: Served, last_event_id: str = "") -> AsyncIterator[Ear]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with served.http.get(PATH, headers=headers, timeout=aiohttp.ClientTimeout(60)) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        yield Ear(response)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


async def test_a_commit_is_told(served_any: Served) -> None:
    served = served_any
    async with listening(served) as ear:
        first = await ear.event()
        assert first.name == "snapshot"
        assert {value["quantity"] for value in first.values} == {"temperature", "humidity", "water_volume", "open"}
        assert {value["point_id"] for value in first.values}.isdisjoint({served.world.foreign.point_id})
        await speak(served.connection, served.world.air, {"temperature": 25.5, "humidity": 50}, NOW + minutes(1))
        heard = await ear.event()
        assert heard.name == "values"
        assert {value["quantity"]: value["value"] for value in heard.values} == {"temperature": 25.5, "humidity": 50}
        assert (
            heard.values[0]
            == {
                "point_id": served.world.air.point_id,
                "quantity": "temperature",
                "channel": 0,
                "value": 25.5,
                "unit": "Cel",
                "measured_at": "2025-11-22T09:01:00Z",
                "received_at": "2025-11-22T09:01:00Z",
            }
            or heard.values[0]["quantity"] == "humidity"
        )


async def test_the_other_tenant_s_commits_are_not_told(served: Served) -> None:
    async with listening(served) as ear:
        await ear.event()
        await speak(served.connection, served.world.foreign, {"temperature": 1}, NOW + minutes(1))
        await speak(served.connection, served.world.water, {"water_volume": 200}, NOW + minutes(2))
        assert [value["quantity"] for value in (await ear.event()).values] == ["water_volume"]


async def test_a_reader_that_comes_back_goes_on(served: Served) -> None:
    async with listening(served) as ear:
        last = (await ear.event()).event_id
    await speak(served.connection, served.world.air, {"temperature": 1, "humidity": 2}, NOW + minutes(1))
    await speak(served.connection, served.world.air, {"temperature": 3, "humidity": 4}, NOW + minutes(2))
    async with listening(served, last) as ear:
        heard = await ear.event()
        assert heard.name == "values"
        assert sorted(value["value"] for value in heard.values) == [3, 4]


async def test_the_stream_goes_on_when_the_database_cut_the_connection_that_listens(served: Served) -> None:
    async with listening(served) as ear:
        await ear.event()
        for round_ in range(1, 4):
            cut = await served.connection.fetchval(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'samara-api-test' AND datname = current_database()"
            )
            assert cut >= 1
            await speak(served.connection, served.world.water, {"water_volume": 300 + round_}, NOW + minutes(round_))
            assert [value["value"] for value in (await ear.event()).values] == [300 + round_]


async def test_a_silent_stream_gives_signs_of_life(served_small: Served) -> None:
    async with listening(served_small) as ear:
        await ear.event()
        assert (await ear.next()).name == ""
        assert (await ear.next()).name == ""


async def test_streams_are_bounded_and_given_back(served_small: Served) -> None:
    async with listening(served_small) as one, listening(served_small) as other:
        await one.event()
        await other.event()
        assert served_small.registry.get_sample_value("samara_api_live_streams") == 2
        async with served_small.http.get(PATH) as third:
            assert third.status == 503
            assert third.headers["Retry-After"] == "5"
            assert (await third.json(content_type=None))["type"] == "urn:samara:problem:too-many-streams"
    async with asyncio.timeout(10):  # the heartbeat finds that they are gone
        while served_small.registry.get_sample_value("samara_api_live_streams"):  # noqa: ASYNC110 - only the gauge tells
            await asyncio.sleep(0.01)
    async with listening(served_small) as ear:
        await ear.event()


async def test_stopping_ends_the_streams(territory: api_world.Territory) -> None:
    clock, (dsn, world) = api_world.Clock(), territory
    async with aiohttp.ClientSession() as http:
        async with api_world.serving(dsn, api_world.ApiSettings(), clock) as address:
            connection = await api_world.asyncpg.connect(dsn)
            cookie = await api_world.sign_in(connection, ("viewer", world.tenant_id))
            await connection.close()
            response = await http.get(f"{address}{PATH}", cookies=cookie)
            assert (await Ear(response).event()).name == "snapshot"
        async with asyncio.timeout(10):
            assert await response.content.read() == b""
