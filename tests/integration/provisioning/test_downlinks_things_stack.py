"""Commands for sensors by The Things Stack: our reference goes with them and comes back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import api_world
import pytest
from api_world import NOW
from downlinks_world import PERIOD, asked, downlinks, give_commands, telling
from provisioning_world import AIR, Desk, desk_of
from things_stack_server import APP, PROFILE, TOKEN, ThingsStackServer, serving

ID = f"eui-{AIR}"
SECOND = timedelta(seconds=1)


@pytest.fixture
async def stack() -> AsyncIterator[ThingsStackServer]:
    async with serving() as server:
        server.add(ID, AIR, "Air")
        yield server


@pytest.fixture
async def ready(territory: api_world.Territory, stack: ThingsStackServer) -> AsyncIterator[Desk]:
    async for desk in desk_of(territory, stack.address):
        await desk.configure(stack.address, APP, TOKEN, PROFILE, kind="thethingsstack")
        await give_commands(desk)
        yield desk


async def test_its_events_move_the_state_and_a_nack_is_not_the_end(
    ready: Desk, stack: ThingsStackServer, tmp_path: Path
) -> None:
    await asked(ready, **PERIOD)
    await ready.work()
    (sent,) = stack.queues[ID]
    assert (sent["f_port"], sent["frm_payload"], sent["confirmed"], sent["priority"]) == (2, "AQAEsA==", True, "NORMAL")
    async with telling(ready, tmp_path, "thethingsstack") as told:
        at = NOW + SECOND
        for members, state in (
            ({"downlink_queued": sent}, "accepted"),
            ({"downlink_sent": sent}, "sent"),
            ({"downlink_nack": sent}, "failed"),  # it is queued and sent again over there
            ({"downlink_ack": sent}, "acknowledged"),
            ({"downlink_failed": {"downlink": sent, "error": {"namespace": "pkg/x", "name": "y"}}}, "acknowledged"),
        ):
            at += SECOND
            await told.say_stack(at, **members)
            await ready.work()
            assert (await downlinks(ready))[0]["state"] == state
    assert (await downlinks(ready))[0]["trouble"] == ""


async def test_an_answer_that_was_lost_is_found_by_our_reference(ready: Desk, stack: ThingsStackServer) -> None:
    stack.is_late = True
    stack.queues[ID] = [{"f_port": 2, "frm_payload": "AQAEsA==", "confirmed": True}]  # the same, of somebody else
    await asked(ready, **PERIOD)
    await ready.work()
    assert (await downlinks(ready))[0]["state"] == "queued"
    await ready.later(seconds=10)
    assert (await downlinks(ready))[0]["state"] == "accepted"
    assert len(stack.queues[ID]) == 2
    made = (await downlinks(ready))[0]["id"]
    await ready.ask("DELETE", f"devices/{AIR}/downlinks/{made}", 204)
    await ready.work()
    assert (await downlinks(ready))[0]["state"] == "cancelled"
    assert [one.get("correlation_ids") for one in stack.queues[ID]] == [None]  # the other stays
