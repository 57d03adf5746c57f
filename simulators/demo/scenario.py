"""The messages of the demonstration: a past that fills its charts, and values that move.

    devices(scenario)               what to declare
    history(scenario, start, end)   past messages, the same at each call: publishing them twice stores them once
    run(publisher, scenario, …)     one message a second, for ever; meters in their own time

All messages are ChirpStack v4's. Same scenario, same messages.
"""

import asyncio
import math
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from simulators import chirpstack
from simulators.clock import Clock, pause
from simulators.demo import hearing, places
from simulators.demo.answering import Answering, Queues
from simulators.demo.buildings import Story
from simulators.demo.devices import DemoDevice
from simulators.demo.fleet import fleet
from simulators.demo.hearing import Reach, digest, reach_of
from simulators.demo.places import Gateway
from simulators.demo.senses import Sense
from simulators.lorawan.eu868 import CHANNELS_HZ
from simulators.processes import unit

Message = tuple[str, bytes]
_EPOCH: Final = datetime(2024, 1, 1, tzinfo=UTC)
SLOT: Final = timedelta(minutes=15)
_LOST: Final = 0.004  # of the past's frames: what a good radio link loses
_STATS_FOR: Final = timedelta(days=8)  # how long before the story's day antennas told how they were
_POWER_FAILED: Final = timedelta(hours=19)  # before the story's day
_FAST: Final = 16  # slots: what tells more rarely keeps its own time in the live messages
_BEFORE: Final = timedelta(days=10)  # rooms and meters have lived already when the past begins


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a run depends on. `story` is the day around which things go wrong (UTC, its midnight counts).

    The past begins `memory` before: fourteen months, so that the last whole month has the same of last year. `beat_s`
    is the time between two live messages, over all devices that tell often.
    """

    seed: str = "samara"
    story: datetime = datetime(2026, 3, 10, tzinfo=UTC)
    memory: timedelta = timedelta(days=427)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))
    beat_s: float = 1.0
    stats_every_s: float = 30.0

    @cached_property
    def members(self) -> tuple[tuple[DemoDevice, Sense], ...]:
        """The devices and what each senses."""
        midnight = self.story.replace(hour=0, minute=0, second=0, microsecond=0)
        return fleet(Story(midnight - self.memory - _BEFORE, midnight, self.zone), places.communes())

    @cached_property
    def gateways(self) -> tuple[Gateway, ...]:
        """The relay antennas."""
        return places.gateways(places.communes())

    @cached_property
    def reaches(self) -> Mapping[str, Reach]:
        """How each device is heard, by its DevEUI."""
        return {
            device.dev_eui: reach_of(device.dev_eui, device.site.position, self.gateways) for device, _ in self.members
        }

    @property
    def past(self) -> datetime:
        """When the first message of the past may be sent."""
        return self.story - self.memory

    def off(self, at: datetime) -> tuple[Gateway, ...]:
        """Return the antennas without power."""
        return () if at < self.story - _POWER_FAILED else (self.gateways[places.DEAD],)

    def alive(self, gateway: Gateway, at: datetime) -> bool:
        """Say whether an antenna has power."""
        return gateway not in self.off(at)


class Declared(Protocol):
    """What the network server knows of a device."""

    @property
    def dev_eui(self) -> str:
        """Return its DevEUI, in lower case."""

    @property
    def name(self) -> str:
        """Return what it is called there."""

    @property
    def profile(self) -> str:
        """Return its device profile's name."""


class Sender(Protocol):
    """What `run` asks of a publisher."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send one message, waiting while there is no room."""


def devices(scenario: Scenario) -> tuple[DemoDevice, ...]:
    """Return the devices to declare, in a fixed order."""
    return tuple(device for device, _ in scenario.members)


def history(scenario: Scenario, start: datetime, end: datetime) -> Iterator[Message]:
    """Yield every message of [start, end) in order of time: each device's at its own period, antennas' stats.

    Frame counters follow the calendar and the session is always the same, so any two calls agree where they
    overlap. A few frames are missing, as on the air.
    """
    stats_from = scenario.story - _STATS_FOR
    for _, message in _calendar(scenario, list(enumerate(scenario.members)), start, end, stats_from):
        yield message


def _calendar(
    scenario: Scenario,
    members: list[tuple[int, tuple[DemoDevice, Sense]]],
    start: datetime,
    end: datetime,
    stats_from: datetime,
) -> Iterator[tuple[datetime, Message]]:
    """Yield (time, message) of what these devices send at their own period, in order of time."""
    many = len(scenario.members)
    first = math.floor((start - _EPOCH) / SLOT)
    last = math.ceil((end - _EPOCH) / SLOT)
    for slot in range(first, last):
        at = _EPOCH + slot * SLOT
        if start <= at < end and at >= stats_from:
            for gateway in scenario.gateways:
                if scenario.alive(gateway, at):
                    yield at, _stats(gateway, at, slot, many // len(scenario.gateways))
        for index, (device, sense) in members:
            turn = slot + index  # those of one period do not all send in one quarter of an hour
            if turn % device.every:
                continue
            moment, number = at + index * SLOT / many, turn // device.every
            if start <= moment < end and unit(scenario.seed + device.dev_eui, number) >= _LOST:
                message = uplink(scenario, device, sense, at=moment, number=number, session="past")
                if message is not None:
                    yield moment, message


async def run(
    publisher: Sender, scenario: Scenario, clock: Clock, stop: asyncio.Event, queues: Queues | None = None
) -> int:
    """Join what tells often, then publish one of its uplinks each beat until `stop`; return how many messages.

    Beats are absolute: a slow moment is caught up, not added. Each run is a new session of these devices (new
    DevAddr, frame counter from 0), as after a power cut. Meters go on in their own time. What waits in `queues` for a
    device leaves after its uplink; one that is told how often to send does so from then on.
    """
    started = clock.now()
    fast = [
        one
        for one in scenario.members
        if one[0].every <= _FAST and _heard(scenario, one[0], scenario.reaches[one[0].dev_eui], started, 0)
    ]
    slow = [one for one in enumerate(scenario.members) if one[1][0].every > _FAST]
    due = _calendar(scenario, slow, started, started + timedelta(days=3650), datetime.max.replace(tzinfo=UTC))
    coming = next(due)
    session, answering = started.isoformat(), Answering(queues)
    sent = await _arrive(publisher, scenario, fast, started, session)
    start, beat, next_stats = clock.monotonic(), 0, 0.0
    while not stop.is_set():
        number, index = divmod(beat, len(fast))
        now = clock.now()
        speaking = answering.due(now)
        if not answering.keeps_own_time(fast[index][0]):
            speaking.append((*fast[index], number))
        messages: list[Message | None] = [*answering.acknowledgements(now)]
        for device, sense, turn in speaking:
            messages.append(uplink(scenario, device, sense, at=now, number=turn, session=session))
            if messages[-1] is not None:
                best = scenario.reaches[device.dev_eui].gateways[0][1].gateway_id
                messages += answering.after(device, sense, turn, best, now)
        while coming[0] <= now:
            messages.append(coming[1])
            coming = next(due)
        if clock.monotonic() - start >= next_stats:
            next_stats += scenario.stats_every_s
            messages += [
                _stats(gateway, now, beat, int(scenario.stats_every_s))
                for gateway in scenario.gateways
                if scenario.alive(gateway, now)
            ]
        for message in messages:
            if message is not None:
                await publisher.publish(*message)
                sent += 1
        beat += 1
        await pause(clock, stop, start + beat * scenario.beat_s - clock.monotonic())
    return sent


async def _arrive(
    publisher: Sender, scenario: Scenario, members: list[tuple[DemoDevice, Sense]], at: datetime, session: str
) -> int:
    for gateway in scenario.gateways:
        await publisher.publish(*chirpstack.gateway_connection(gateway.gateway_id, online=scenario.alive(gateway, at)))
    for device, _ in members:
        await publisher.publish(*join(scenario, device, at=at, session=session))
    return len(scenario.gateways) + len(members)


def join(scenario: Scenario, device: Declared, *, at: datetime, session: str) -> Message:
    """Return the message of a device that entered the network."""
    return chirpstack.join(
        _declared(device),
        at=at,
        deduplication_id=_uuid(scenario.seed, device.dev_eui, session, "join"),
        dev_addr=_dev_addr(scenario, device, session),
    )


def _declared(device: Declared) -> chirpstack.Device:
    return _known(device.dev_eui, device.name, device.profile)


@lru_cache(maxsize=1024)
def _known(dev_eui: str, name: str, profile: str) -> chirpstack.Device:
    return chirpstack.Device(dev_eui=dev_eui, name=name, profile=profile)


def _uuid(*parts: str) -> str:
    return str(uuid.UUID(bytes=digest(*parts), version=4))


def _dev_addr(scenario: Scenario, device: Declared, session: str) -> str:
    """Return a DevAddr of the experimental NwkID 0 (prefix 00), one for each session."""
    return _addr(scenario.seed, device.dev_eui, session)


@lru_cache(maxsize=1024)
def _addr(seed: str, dev_eui: str, session: str) -> str:
    return "00" + digest(seed, dev_eui, session).hex()[:6]


def uplink(
    scenario: Scenario,
    device: Declared,
    sense: Sense,
    *,
    at: datetime,
    number: int,
    session: str,
    reach: Reach | None = None,
) -> Message | None:
    """Return the message, None when no antenna with power hears the frame. `reach` is the device's own, unless said."""
    reach = reach or scenario.reaches[device.dev_eui]
    heard = _heard(scenario, device, reach, at, number)
    if not heard:
        return None
    dev_addr = _dev_addr(scenario, device, session)
    frame = sense(scenario.seed + device.dev_eui, at, number)
    return chirpstack.uplink(
        _declared(device),
        at=at,
        deduplication_id=_uuid(scenario.seed, device.dev_eui, dev_addr, str(number)),
        dev_addr=dev_addr,
        f_cnt=number,
        f_port=frame.f_port,
        payload=frame.payload,
        data_rate=reach.data_rate,
        channel=int(8 * unit(device.dev_eui + "channel", number)),
        heard=heard,
    )


def _heard(scenario: Scenario, device: Declared, reach: Reach, at: datetime, number: int) -> list[chirpstack.Heard]:
    return hearing.heard(scenario.seed, device.dev_eui, reach, number, scenario.off(at))


def _stats(gateway: Gateway, at: datetime, number: int, about: int) -> Message:
    received = {
        channel: int(2 * about / 8 * unit(f"{gateway.gateway_id}{channel}", number))
        for channel in range(len(CHANNELS_HZ))
    }
    return chirpstack.gateway_stats(gateway.gateway_id, at=at, position=gateway.position, received=received)
