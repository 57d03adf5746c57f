"""Simulated devices that `make demo` shows moving, and the past that fills its charts.

    devices(scenario)               what to declare
    gateways(scenario)              the relay antennas that hear them
    history(scenario, start, end)   past messages, the same at each call: publishing them twice stores them once
    run(publisher, scenario, …)     one message a second, for ever

All messages are ChirpStack v4's. Same seed, same messages.
"""

import asyncio
import hashlib
import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from domain.events import Position
from simulators import chirpstack
from simulators.clock import Clock, pause
from simulators.demo_fleet import DemoDevice, Sense, fleet
from simulators.processes import unit

Message = tuple[str, bytes]
_EPOCH: Final = datetime(2024, 1, 1, tzinfo=UTC)
_DEMODULATED_SNR_DB: Final = -7.5  # SF7, SX1276 datasheet
_LOST: Final = 0.004  # of the past's frames: what a good radio link loses


class Gateway(NamedTuple):
    """A relay antenna."""

    gateway_id: str
    name: str
    position: Position


GATEWAYS: Final = (
    Gateway("025a4dfffe000001", "Château d'eau de Croixval", Position(49.9688, 2.3391, 128.0)),
    Gateway("025a4dfffe000002", "Clocher de Mareuville", Position(49.9334, 2.2841, 63.0)),
    Gateway("025a4dfffe000003", "Silo de la Vallée", Position(49.9475, 2.3105, 92.0)),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """What a run depends on. `beat_s` is the time between two live messages, over all devices."""

    seed: str = "samara"
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))
    beat_s: float = 1.0
    stats_every_s: float = 30.0
    history_every: timedelta = timedelta(minutes=15)


class Sender(Protocol):
    """What `run` asks of a publisher."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send one message, waiting while there is no room."""


def devices(scenario: Scenario) -> tuple[DemoDevice, ...]:
    """Return the devices to declare, in a fixed order."""
    return tuple(device for device, _ in fleet(scenario.zone))


def gateways(_scenario: Scenario) -> tuple[Gateway, ...]:
    """Return the gateways that hear them."""
    return GATEWAYS


def history(scenario: Scenario, start: datetime, end: datetime) -> Iterator[Message]:
    """Yield every message of [start, end) in order of time: an uplink a device and a stats a gateway each period.

    Frame counters follow the calendar and the session is always the same, so any two calls agree where they
    overlap. A few frames are missing, as on the air.
    """
    every_s = scenario.history_every.total_seconds()
    first = math.floor((start - _EPOCH).total_seconds() / every_s)
    last = math.ceil((end - _EPOCH).total_seconds() / every_s)
    members = fleet(scenario.zone)
    for slot in range(first, last):
        at = _EPOCH + timedelta(seconds=slot * every_s)
        if start <= at < end:
            yield from (_stats(gateway, at, slot, len(members)) for gateway in GATEWAYS)
        for index, (device, sense) in enumerate(members):
            moment = at + timedelta(seconds=index * every_s / len(members))
            if start <= moment < end and unit(scenario.seed + device.dev_eui, slot) >= _LOST:
                yield _uplink(scenario, device, sense, at=moment, number=slot, session="past")


async def run(publisher: Sender, scenario: Scenario, clock: Clock, stop: asyncio.Event) -> int:
    """Join every device, then publish one uplink each beat, in turn, until `stop`; return how many messages.

    Beats are absolute: a slow moment is caught up, not added. Each run is a new session of each device (new
    DevAddr, frame counter from 0), as after a power cut.
    """
    members, started = fleet(scenario.zone), clock.now()
    session = started.isoformat()
    sent = await _arrive(publisher, scenario, members, started, session)
    start, beat, next_stats = clock.monotonic(), 0, 0.0
    while not stop.is_set():
        number, index = divmod(beat, len(members))
        device, sense = members[index]
        await publisher.publish(*_uplink(scenario, device, sense, at=clock.now(), number=number, session=session))
        sent += 1
        if clock.monotonic() - start >= next_stats:
            next_stats += scenario.stats_every_s
            for gateway in GATEWAYS:
                await publisher.publish(*_stats(gateway, clock.now(), beat, int(scenario.stats_every_s)))
                sent += 1
        beat += 1
        await pause(clock, stop, start + beat * scenario.beat_s - clock.monotonic())
    return sent


async def _arrive(
    publisher: Sender, scenario: Scenario, members: tuple[tuple[DemoDevice, Sense], ...], at: datetime, session: str
) -> int:
    for gateway in GATEWAYS:
        await publisher.publish(*chirpstack.gateway_connection(gateway.gateway_id, online=True))
    for device, _ in members:
        message = chirpstack.join(
            _declared(device),
            at=at,
            deduplication_id=_uuid(scenario.seed, device.dev_eui, session, "join"),
            dev_addr=_dev_addr(scenario, device, session),
        )
        await publisher.publish(*message)
    return len(GATEWAYS) + len(members)


def _declared(device: DemoDevice) -> chirpstack.Device:
    return chirpstack.Device(dev_eui=device.dev_eui, name=device.name, profile=device.profile)


def _digest(*parts: str) -> bytes:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


def _uuid(*parts: str) -> str:
    return str(uuid.UUID(bytes=_digest(*parts), version=4))


def _dev_addr(scenario: Scenario, device: DemoDevice, session: str) -> str:
    """Return a DevAddr of the experimental NwkID 0 (prefix 00), one for each session."""
    return "00" + _digest(scenario.seed, device.dev_eui, session).hex()[:6]


def _uplink(
    scenario: Scenario, device: DemoDevice, sense: Sense, *, at: datetime, number: int, session: str
) -> Message:
    dev_addr = _dev_addr(scenario, device, session)
    frame = sense(scenario.seed + device.dev_eui, at, number)
    heard = _heard(scenario, device, number)
    return chirpstack.uplink(
        _declared(device),
        at=at,
        deduplication_id=_uuid(scenario.seed, device.dev_eui, dev_addr, str(number)),
        dev_addr=dev_addr,
        f_cnt=number,
        f_port=frame.f_port,
        payload=frame.payload,
        data_rate=5,
        channel=int(8 * unit(device.dev_eui + "channel", number)),
        heard=heard,
        decoded=frame.decoded,
    )


def _heard(scenario: Scenario, device: DemoDevice, number: int) -> list[chirpstack.Heard]:
    """Return who hears a frame, best first: at least one, at most three.

    Path loss as measured around Oulu (Petäjäjärvi 2015), up to 16 dB of walls, ±3 dB from frame to frame.
    """
    heard = []
    for gateway in GATEWAYS:
        distance_km = max(0.05, _distance_km(device.site.position, gateway.position))
        fading_db = 6 * unit(f"{scenario.seed}{device.dev_eui}{gateway.gateway_id}", number) - 3
        walls_db = 16 * unit(device.dev_eui + gateway.gateway_id, 0)
        rssi_dbm = 26 - (128.95 + 23.2 * math.log10(distance_km)) - walls_db + fading_db
        snr_db = round(min(12.0, rssi_dbm + 115) * 4) / 4
        context = _digest(gateway.gateway_id, str(number))
        one = chirpstack.Heard(
            gateway.gateway_id,
            round(rssi_dbm),
            snr_db,
            gateway.position,
            uplink_id=int.from_bytes(context[:2], "big"),
            rf_chain=number & 1,
            context=context[:4],
        )
        heard.append(one)
    best_first = sorted(heard, key=lambda one: -one.snr_db)
    return [one for one in best_first if one.snr_db > _DEMODULATED_SNR_DB] or best_first[:1]


def _distance_km(one: Position, other: Position) -> float:
    """Return the distance on a plane tangent at the first: right to a metre over a few kilometres."""
    north = (other.latitude_deg - one.latitude_deg) * 111.32
    east = (other.longitude_deg - one.longitude_deg) * 111.32 * math.cos(math.radians(one.latitude_deg))
    return math.hypot(north, east)


def _stats(gateway: Gateway, at: datetime, number: int, about: int) -> Message:
    received = {
        channel: int(2 * about / 8 * unit(f"{gateway.gateway_id}{channel}", number))
        for channel in range(len(chirpstack.CHANNELS_HZ))
    }
    return chirpstack.gateway_stats(gateway.gateway_id, at=at, position=gateway.position, received=received)
