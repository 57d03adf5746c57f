"""Sensors in the technician's box: they are put in service by whoever tries the demonstration.

As a maker delivers them: a label with a code of the LoRa Alliance (TR005), and not a word on the air. Put in place, one
is as if its button had been pressed: it joins, sends at once, and once a minute from then on.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final, NamedTuple

from domain.events import Position
from domain.labels import crc16
from simulators.clock import Clock, pause
from simulators.demo import buildings, senses
from simulators.demo.answering import ACKNOWLEDGED_AFTER_S, Answering, Queues
from simulators.demo.buildings import Energy, Habits, Room, Story, Water
from simulators.demo.hearing import reach_of
from simulators.demo.scenario import Scenario, Sender, join, uplink
from simulators.demo.senses import Sense

JOINS_AFTER_S: Final = 4.0  # of being put in place: the time to press its button
SENDS_AFTER_S: Final = 3.0  # of its join
PERIOD_S: Final = 60.0
_JOIN_EUI: Final = "025A4D0000000000"  # locally administered, as the DevEUIs: no maker's
_PROFILE_ID: Final = "FFFF0001"
_LIVED: Final = timedelta(days=3)  # what it measures went on before it was there
_OFFICE: Final = Habits(8, 18, frozenset(range(5)))


class Boxed(NamedTuple):
    """A sensor that waits. `code` is what its label says; `name` and `profile` are those of the network server."""

    dev_eui: str
    model: str
    profile: str
    serial: str

    @property
    def name(self) -> str:
        """What the network server calls it."""
        return f"{self.profile} n° {self.serial}"

    @property
    def code(self) -> str:
        """The text of its QR code: TR005, with its CRC."""
        said = f"LW:D0:{_JOIN_EUI}:{self.dev_eui.upper()}:{_PROFILE_ID}:S{self.serial}"
        return f"{said}:C{crc16(said.encode()):04X}"


def _air(story: Story) -> Sense:
    return senses.room_air(story, _OFFICE, Room(8, 120))


def _warmth(story: Story) -> Sense:
    return senses.room_temperature(story, _OFFICE, Room(4))


def _water(story: Story) -> Sense:
    return senses.water_meter(buildings.water_index(story, _OFFICE, Water(140, 2), "box", 0.2e6))


def _electricity(story: Story) -> Sense:
    return senses.electricity_meter(buildings.energy_index(story, _OFFICE, Energy(200, 1400, 90), "box", 1.1e6))


_BOX: Final[tuple[tuple[str, str, Callable[[Story], Sense]], ...]] = (
    ("elsys-ers-co2", "Elsys ERS CO2", _air),
    ("elsys-ers-co2", "Elsys ERS CO2", _air),
    ("multitech-rbs301-temp", "Multitech RBS301-TEMP", _warmth),
    ("axioma-w1", "Axioma Qalcosonic W1", _water),
    ("fludia-fm432e", "Fludia FM432e", _electricity),
    ("dragino-lse01", "Dragino LSE01", lambda _: senses.soil),
)


def box() -> tuple[Boxed, ...]:
    """Return the sensors that wait, in a fixed order."""
    return tuple(
        Boxed(f"025a4d0000001{number:03x}", model, profile, f"26-{400 + number}")
        for number, (model, profile, _) in enumerate(_BOX, start=1)
    )


async def live(
    publisher: Sender,
    scenario: Scenario,
    boxed: Boxed,
    position: Callable[[], Position],
    *,
    clock: Clock,
    stop: asyncio.Event,
    queues: Queues | None = None,
) -> None:
    """Be a sensor that was just put in place, until `stop`: join, then send. Each time is a new session.

    `position` is asked for each frame: a technician says it after the place. What waits in `queues` leaves after one.
    """
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    story = Story(midnight - _LIVED, midnight, scenario.zone)
    sense = _BOX[box().index(boxed)][2](story)
    session, number, answering = clock.now().isoformat(), 0, Answering(queues)
    await pause(clock, stop, JOINS_AFTER_S)
    if not stop.is_set():
        await publisher.publish(*join(scenario, boxed, at=clock.now(), session=session))
    await pause(clock, stop, SENDS_AFTER_S)
    while not stop.is_set():
        reach = reach_of(boxed.dev_eui, position(), scenario.gateways)
        sent = uplink(scenario, boxed, sense, at=clock.now(), number=number, session=session, reach=reach)
        if sent is not None:
            await publisher.publish(*sent)
            best = reach.gateways[0][1].gateway_id
            for message in answering.after(boxed, sense, number, best, clock.now()):
                await publisher.publish(*message)
        number += 1
        await pause(clock, stop, ACKNOWLEDGED_AFTER_S)
        for message in answering.acknowledgements(clock.now()):
            await publisher.publish(*message)
        await pause(clock, stop, answering.period_s(boxed, PERIOD_S) - ACKNOWLEDGED_AFTER_S)
