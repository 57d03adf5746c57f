"""The sensors in the demonstration's box: their labels, and their waking once somebody put them in place."""

import asyncio
from functools import partial
from typing import Final

import asyncpg

from api.demonstration import Label
from domain.events import Position
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock, pause
from simulators.communes import Commune
from simulators.demo.answering import Queues
from simulators.demo.box import box, live
from simulators.demo.places import FIRST, communes
from simulators.demo.scenario import Scenario
from simulators.mqtt_publisher import Publisher
from store.pool import TRANSIENT, connect
from store.reading import installations
from store.reading.installations import Placed

_LOOKED_EVERY_S: Final = 1.0


def labels() -> tuple[Label, ...]:
    """Return what is printed on them."""
    return tuple(Label(one.dev_eui, one.profile, one.code) for one in box())


async def wake(owner: str, broker: BrokerAddress, scenario: Scenario, queues: Queues, stop: asyncio.Event) -> None:
    """Let each sensor of the box send from where it was put, for as long as it is there, until `stop`.

    What waits for it in `queues` leaves after a message of its own.
    """
    try:
        connection = await connect(owner, application="samara-demo-box")
        try:
            async with Publisher(broker, client_id="demo-box") as publisher, asyncio.TaskGroup() as tasks:
                await _follow(connection, publisher, scenario, queues=queues, tasks=tasks, stop=stop)
        finally:
            await connection.close()
    except* TRANSIENT:  # whoever watches the servers says that one ended
        pass


async def _follow(
    connection: asyncpg.Connection,
    publisher: Publisher,
    scenario: Scenario,
    *,
    queues: Queues,
    tasks: asyncio.TaskGroup,
    stop: asyncio.Event,
) -> None:
    clock, waiting, middle = SystemClock(), {one.dev_eui: one for one in box()}, communes()[FIRST]
    placed: dict[str, Placed] = {}
    awake: dict[str, tuple[int, asyncio.Task[None]]] = {}

    def position(dev_eui: str) -> Position:
        return _position(placed[dev_eui], middle)

    while not stop.is_set():
        placed = await installations.placed(connection, list(waiting))
        for dev_eui, (point_id, task) in list(awake.items()):
            if dev_eui not in placed or placed[dev_eui].point_id != point_id:
                task.cancel()
                del awake[dev_eui]
        for dev_eui in placed.keys() - awake.keys():
            where = partial(position, dev_eui)
            living = live(publisher, scenario, waiting[dev_eui], where, clock=clock, stop=stop, queues=queues)
            awake[dev_eui] = placed[dev_eui].point_id, tasks.create_task(living)
        await pause(clock, stop, _LOOKED_EVERY_S)


def _position(placed: Placed, middle: Commune) -> Position:
    """Return where it is; in the middle of the first commune when nobody said."""
    if placed.latitude_deg is None or placed.longitude_deg is None:
        return Position(middle.latitude, middle.longitude, 60.0)
    return Position(placed.latitude_deg, placed.longitude_deg, 60.0)
