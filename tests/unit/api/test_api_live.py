"""The hub, without database or network: what readers are told, and how often the store is asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from api.live import Event, Hub, Key, News
from api.models import LatestValue
from api.settings import ApiSettings
from api.wakeups import devices_of
from domain.errors import NotFoundError

AT = datetime(2025, 11, 22, tzinfo=UTC)
TENANT, OTHER = 1, 2
BEARER, LATER = b"one", b"other"


class Store:
    """A store in memory. Each commit moves the cursor; device n measures point n."""

    def __init__(self) -> None:
        self.values: dict[Key, tuple[int, LatestValue]] = {}
        self.cursor = 1
        self.reads: list[tuple[int, int]] = []
        self.failure: Exception | None = None
        self.refused: set[bytes] = set()
        self.failed = asyncio.Event()

    def commit(self, point_id: int, value: float, quantity: str = "temperature") -> None:
        said = LatestValue(
            point_id=point_id, quantity=quantity, channel=0, value=value, unit="Cel", measured_at=AT, received_at=AT
        )
        self.values[point_id, quantity, 0] = (self.cursor, said)
        self.cursor += 1

    async def who_may(self, _tenant_id: int, bearers: Collection[bytes]) -> set[bytes]:
        return set(bearers) - self.refused

    async def read(self, tenant_id: int, cursor: int, bearer: bytes) -> News:
        if bearer in self.refused:
            raise NotFoundError
        self.reads.append((tenant_id, cursor))
        if self.failure:
            self.failed.set()
            raise self.failure
        changed = [value for when, value in self.values.values() if when >= cursor]
        return News(changed, self.cursor, frozenset(point_id for point_id, _, _ in self.values))


@pytest.fixture
def store() -> Store:
    found = Store()
    found.commit(1, 20)
    found.commit(2, 30)
    return found


@pytest.fixture
async def hub(store: Store) -> AsyncIterator[Hub]:
    hub = Hub(read=store.read, who_may=store.who_may, settings=ApiSettings(live_pause_s=0, live_refresh_s=3600))
    running = asyncio.create_task(hub.run())
    yield hub
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def following(events: AsyncIterator[Event]) -> tuple[str, dict[int, float]]:
    async with asyncio.timeout(5):
        event = await anext(events)
    return event.name, told(event.data)


def told(data: str) -> dict[int, float]:
    values: list[dict[str, Any]] = json.loads(data)["values"]
    return {value["point_id"]: value["value"] for value in values}


async def test_a_reader_gets_everything_then_what_changes(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as events:
        assert await following(events) == ("snapshot", {1: 20, 2: 30})
        store.commit(2, 31)
        hub.wake(frozenset({2}))
        assert await following(events) == ("values", {2: 31})


async def test_who_may_read_no_more_is_turned_out_and_the_others_go_on(store: Store) -> None:
    hub = Hub(read=store.read, who_may=store.who_may, settings=ApiSettings(live_pause_s=0, live_refresh_s=0.01))
    running = asyncio.create_task(hub.run())
    async with hub.stream(TENANT, BEARER) as ended, hub.stream(TENANT, LATER) as goes_on:
        await following(ended)
        await following(goes_on)
        store.refused.add(BEARER)
        with pytest.raises(StopAsyncIteration):
            await following(ended)
        store.commit(1, 21)
        assert await following(goes_on) == ("values", {1: 21})
    running.cancel()


async def test_news_of_other_devices_are_not_read(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as events:
        await following(events)
        hub.wake(frozenset({77}))
        store.commit(1, 21)
        hub.wake(frozenset({1, 77}))
        await following(events)
    assert len(store.reads) == 2


async def test_many_readers_cost_one_read(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as one, hub.stream(TENANT, BEARER) as other:
        await following(one)
        await following(other)
        store.commit(1, 21)
        hub.wake(None)
        assert await following(one) == await following(other) == ("values", {1: 21})
    assert len(store.reads) == 2


async def test_a_slow_reader_gets_the_newest_of_each_value_once(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as slow, hub.stream(TENANT, BEARER) as quick:
        await following(slow)
        await following(quick)
        for value in range(100):
            store.commit(1, value)
            hub.wake(frozenset({1}))
            assert await following(quick) == ("values", {1: value})
        store.commit(2, 99)
        hub.wake(frozenset({2}))
        await following(quick)
        assert await following(slow) == ("values", {1: 99, 2: 99})


async def test_a_value_told_twice_by_the_store_is_told_once(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as events:
        await following(events)
        store.values = {key: (store.cursor + 5, value) for key, (_, value) in store.values.items()}  # told again
        hub.wake(None)
        store.commit(1, 22)
        hub.wake(None)
        assert await following(events) == ("values", {1: 22})


async def test_a_reader_who_comes_back_gets_what_it_missed(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as events:
        last_event_id = (await anext(events)).event_id
    store.commit(2, 32)
    async with hub.stream(TENANT, BEARER, last_event_id) as events:
        assert await following(events) == ("values", {2: 32})


async def test_a_reader_who_missed_nothing_waits_for_news(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as events:
        last_event_id = (await anext(events)).event_id
    async with hub.stream(TENANT, BEARER, last_event_id) as events:
        store.commit(1, 23)
        hub.wake(None)
        assert await following(events) == ("values", {1: 23})


@pytest.mark.parametrize("last_event_id", ["", "0", "-1", "x", "1" * 20, "9" * 19, "٣", "1.5"])
async def test_a_made_up_event_id_means_a_snapshot(hub: Hub, last_event_id: str) -> None:
    async with hub.stream(TENANT, BEARER, last_event_id) as events:
        assert await following(events) == ("snapshot", {1: 20, 2: 30})


async def test_what_is_gone_is_told_by_a_snapshot(store: Store) -> None:
    hub = Hub(read=store.read, who_may=store.who_may, settings=ApiSettings(live_pause_s=0, live_refresh_s=0.01))
    running = asyncio.create_task(hub.run())
    async with hub.stream(TENANT, BEARER) as events:
        await following(events)
        del store.values[1, "temperature", 0]
        assert await following(events) == ("snapshot", {2: 30})
    running.cancel()


async def test_what_no_notification_told_is_found_at_the_next_refresh(store: Store) -> None:
    hub = Hub(read=store.read, who_may=store.who_may, settings=ApiSettings(live_pause_s=0, live_refresh_s=0.01))
    running = asyncio.create_task(hub.run())
    async with hub.stream(TENANT, BEARER) as events:
        await following(events)
        store.commit(1, 25)
        assert await following(events) == ("values", {1: 25})
    running.cancel()


async def test_a_database_that_is_away_delays_and_loses_nothing(hub: Hub, store: Store) -> None:
    async with hub.stream(TENANT, BEARER) as events:
        await following(events)
        store.failure = asyncpg.ConnectionDoesNotExistError("gone")
        store.commit(1, 26)
        hub.wake(None)
        await store.failed.wait()
        store.failure = None
        hub.wake(frozenset())
        assert await following(events) == ("values", {1: 26})


async def test_opening_a_stream_without_database_fails_and_leaves_nothing_behind(hub: Hub, store: Store) -> None:
    store.failure = asyncpg.ConnectionDoesNotExistError("gone")
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        async with hub.stream(TENANT, BEARER):
            pass
    assert hub.open_streams == 0


async def test_closing_ends_every_stream(hub: Hub) -> None:
    async with hub.stream(TENANT, BEARER) as one, hub.stream(OTHER, BEARER) as other:
        await following(one)
        await following(other)
        hub.close()
        for events in (one, other):
            async with asyncio.timeout(5):
                assert [event async for event in events] == []


async def test_a_tenant_that_nobody_reads_is_forgotten(store: Store) -> None:
    hub = Hub(read=store.read, who_may=store.who_may, settings=ApiSettings(live_pause_s=0, live_refresh_s=0.01))
    running = asyncio.create_task(hub.run())
    async with hub.stream(TENANT, BEARER) as events:
        await following(events)
    async with asyncio.timeout(5):
        while hub._channels:  # noqa: ASYNC110 - nothing tells that it forgot
            await asyncio.sleep(0.001)
    running.cancel()


@pytest.mark.parametrize(
    ("payload", "devices"), [("1,2,3", {1, 2, 3}), ("7", {7}), ("*", None), ("", None), ("1,x", None), ("é", None)]
)
def test_the_payload_of_a_notification(payload: str, devices: set[int] | None) -> None:
    assert devices_of(payload) == devices
