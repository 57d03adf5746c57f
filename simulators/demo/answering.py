"""Sensors that do as they are told: what leaves after an uplink, what they acknowledge, and how often they send since.

Source: LoRaWAN 1.0.4, section 12 (class A: a device listens after its own uplink). It acknowledges some seconds later,
as devices do that do not wait for something to say.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from simulators import chirpstack
from simulators.chirpstack import Item
from simulators.demo.fleet import DemoDevice
from simulators.demo.senses import Sense
from simulators.payloads.told import period_s

Message = tuple[str, bytes]
_ACKNOWLEDGED_AFTER: Final = timedelta(seconds=6)


class Queues(Protocol):
    """What waits for devices: `simulators.network_server.Network`."""

    def leaving(self, dev_eui: str, now: datetime) -> Item | None:
        """Return what leaves after an uplink of this device, None for nothing."""


class _Own(NamedTuple):
    """A device that keeps a time of its own: its next frame, and when."""

    device: DemoDevice
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

    def keeps_own_time(self, device: DemoDevice) -> bool:
        """Say whether a device was told how often to send."""
        return device.dev_eui in self._own

    def due(self, now: datetime) -> list[tuple[DemoDevice, Sense, int]]:
        """Return those whose time has come, each with the counter of its frame."""
        found = [one for one in self._own.values() if one.due_at <= now]
        for one in found:
            self._own[one.device.dev_eui] = one._replace(number=one.number + 1, due_at=now + one.period)
        return [(one.device, one.sense, one.number) for one in found]

    def after(self, device: DemoDevice, sense: Sense, number: int, gateway_id: str, now: datetime) -> list[Message]:
        """Return what the network server tells after the frame `number` of a device that a gateway heard."""
        item = self._queues.leaving(device.dev_eui, now) if self._queues is not None else None
        if item is None:
            return []
        self._sent += 1
        declared = chirpstack.Device(dev_eui=device.dev_eui, name=device.name, profile=device.profile)
        if item.confirmed:
            at = now + _ACKNOWLEDGED_AFTER
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
