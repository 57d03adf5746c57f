"""Sensors that do as they are told: what leaves after an uplink, what they acknowledge, and how often they send since.

Source: LoRaWAN 1.0.4, section 12 (class A: a device listens after its own uplink). It acknowledges some seconds later,
as devices do that do not wait for something to say.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from simulators import chirpstack
from simulators.chirpstack import Item
from simulators.demo.senses import Sense
from simulators.payloads.told import period_s

Message = tuple[str, bytes]
ACKNOWLEDGED_AFTER_S: Final = 6.0


class Queues(Protocol):
    """What waits for devices: `simulators.network_server.Network`."""

    def leaving(self, dev_eui: str, now: datetime) -> Item | None:
        """Return what leaves after an uplink of this device, None for nothing."""


class Told(Protocol):
    """A device that can be told something."""

    @property
    def dev_eui(self) -> str:
        """Return what it is called."""

    @property
    def name(self) -> str:
        """Return what the network server calls it."""

    @property
    def model(self) -> str:
        """Return which commands it understands."""

    @property
    def profile(self) -> str:
        """Return its device profile's name."""


class _Own(NamedTuple):
    """A device that keeps a time of its own: its next frame, and when."""

    device: Told
    sense: Sense
    number: int
    due_at: datetime
    period: timedelta


class Answering:
    """The sensors' side. Without queues nobody is told anything."""

    def __init__(self, queues: Queues | None) -> None:
        self._queues = queues
        self._own: dict[str, _Own] = {}
        self._acknowledgements: list[tuple[datetime, Message]] = []
        self._sent = 0

    def keeps_own_time(self, device: Told) -> bool:
        """Say whether a device was told how often to send."""
        return device.dev_eui in self._own

    def period_s(self, device: Told, usual_s: float) -> float:
        """Return how often a device was told to send, in seconds, and otherwise what is usual."""
        own = self._own.get(device.dev_eui)
        return usual_s if own is None else own.period.total_seconds()

    def due(self, now: datetime) -> list[tuple[Told, Sense, int]]:
        """Return those whose time has come, each with the counter of its frame."""
        found = [one for one in self._own.values() if one.due_at <= now]
        for one in found:
            self._own[one.device.dev_eui] = one._replace(number=one.number + 1, due_at=now + one.period)
        return [(one.device, one.sense, one.number) for one in found]

    def after(self, device: Told, sense: Sense, number: int, gateway_id: str, now: datetime) -> list[Message]:
        """Return what the network server tells after the frame `number` of a device that a gateway heard."""
        item = self._queues.leaving(device.dev_eui, now) if self._queues is not None else None
        if item is None:
            return []
        self._sent += 1
        declared = chirpstack.Device(dev_eui=device.dev_eui, name=device.name, profile=device.profile)
        if item.confirmed:
            at = now + timedelta(seconds=ACKNOWLEDGED_AFTER_S)
            self._acknowledgements.append((at, chirpstack.ack(declared, at=at, item_id=item.item_id, f_cnt=self._sent)))
        told_s = period_s(device.model, item.payload)
        if told_s:
            period = timedelta(seconds=told_s)
            self._own[device.dev_eui] = _Own(device, sense, number + 1, now + period, period)
        sent = chirpstack.txack(
            declared, at=now, item_id=item.item_id, gateway_id=gateway_id, f_cnt=self._sent
        )  # fmt: skip
        return [sent]

    def acknowledgements(self, now: datetime) -> list[Message]:
        """Return what was acknowledged by now, once."""
        found = [message for at, message in self._acknowledgements if at <= now]
        self._acknowledgements = [one for one in self._acknowledgements if one[0] > now]
        return found
