"""From messages to the rows of a batch: parse, identify, decode, check. Pure but for what it asks `Known`.

Each step takes what the one before returned. What a step refuses leaves the path with its reason; its
neighbours go on.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from decoders.registry import Decoded, Registry
from domain.errors import MessageError
from domain.events import NetworkEvent, Position, Uplink
from domain.quarantine import BAD_TIME, IMPLAUSIBLE, TOO_LARGE, UNKNOWN_DEVICE, UNREADABLE
from domain.readings import DECODED, EMPTY
from domain.times import EARLIEST
from ingest.lns import NetworkServer
from ingest.messages import Message
from store.batch import (
    AccountKey,
    Batch,
    EventRow,
    Frame,
    Measured,
    QuarantineRow,
    SetAside,
    event_key,
    frame,
    measured_at,
    quarantine_row,
    uplink_key,
)
from store.known import Device, Known
from store.rows import UplinkFields, microseconds

_DEVICE_CLOCK_TOLERANCE: Final = timedelta(days=1)


class Refused(NamedTuple):
    """A message, or an event of it, that cannot be stored. `kind` is "message" when it could not be read."""

    message: Message
    reason: str
    detail: str
    kind: str = "message"
    received_at: datetime | None = None
    dev_eui: str | None = None


class ReadUplink(NamedTuple):
    """An uplink and the message that brought it."""

    message: Message
    uplink: Uplink


class ReadEvent(NamedTuple):
    """Another event and the message that brought it."""

    message: Message
    event: NetworkEvent


class Read(NamedTuple):
    """What messages said."""

    uplinks: list[ReadUplink]
    events: list[ReadEvent]
    refused: list[Refused]


class Identified(NamedTuple):
    """An uplink of a declared device, and what its decoder made of it."""

    message: Message
    uplink: Uplink
    device: Device
    decoded: Decoded


class IdentifiedEvent(NamedTuple):
    """Another event, and its device when it is of one (else it is of a gateway)."""

    message: Message
    event: NetworkEvent
    device: Device | None


class Understood(NamedTuple):
    """What can be stored, and what is refused."""

    uplinks: list[Identified]
    events: list[IdentifiedEvent]
    refused: list[Refused]


def read(messages: Iterable[Message], servers: Mapping[str, NetworkServer], now: datetime) -> Read:
    """Parse each message; what cannot be read is refused with its reason."""
    found = Read([], [], [])
    for message in messages:
        if message.size > len(message.body):
            found.refused.append(Refused(message, TOO_LARGE, f"{message.size} bytes"))
            continue
        try:
            events = servers[message.origin.lns].parse(message.topic, message.body, now)
        except MessageError as error:
            found.refused.append(Refused(message, error.reason, error.detail))
            continue
        for event in events:
            if type(event) is Uplink:
                found.uplinks.append(ReadUplink(message, event))
            else:
                found.events.append(ReadEvent(message, event))  # type: ignore[arg-type]
    return found


def unknown_devices(found: Read, known: Known) -> set[str]:
    """Return the DevEUIs that memory does not hold: to be looked up before they are refused."""
    euis = {one.uplink.dev_eui for one in found.uplinks}
    euis.update(one.event.dev_eui for one in found.events if one.event.dev_eui)
    return euis - known.devices.keys()


def identify(found: Read, known: Known, registry: Registry) -> Understood:
    """Decode the uplinks of declared devices; what is of another device is refused."""
    understood = Understood([], [], [*found.refused])
    for message, uplink in found.uplinks:
        device = known.devices.get(uplink.dev_eui)
        if device is None:
            understood.refused.append(_of_unknown(message, "uplink", uplink.dev_eui, uplink.received_at))
        else:
            decoded = registry.decode(device.model_id, uplink.payload, uplink.f_port, uplink.decoded)
            understood.uplinks.append(Identified(message, uplink, device, decoded))
    for message, event in found.events:
        device = known.devices.get(event.dev_eui)
        if event.dev_eui and device is None:
            understood.refused.append(_of_unknown(message, event.kind, event.dev_eui, event.received_at))
        else:
            understood.events.append(IdentifiedEvent(message, event, device))
    return understood


def _of_unknown(message: Message, kind: str, dev_eui: str, received_at: datetime) -> Refused:
    return Refused(message, UNKNOWN_DEVICE, dev_eui, kind, received_at, dev_eui)


def unknown_gateways(understood: Understood, known: Known) -> dict[str, Position | None]:
    """Return the gateways heard for the first time, with the position the network server gives."""
    heard = {
        reception.gateway_eui: reception.position
        for one in understood.uplinks
        for reception in one.uplink.receptions
        if reception.gateway_eui not in known.gateways
    }
    heard.update(
        (event.gateway_eui, event.position)
        for _, event, _ in understood.events
        if event.gateway_eui and event.gateway_eui not in known.gateways
    )
    return heard


def unknown_quantities(understood: Understood, known: Known) -> set[str]:
    """Return the names of readings that have no number yet: a network server's own."""
    return {
        reading.quantity
        for one in understood.uplinks
        for reading in one.decoded.readings
        if reading.quantity not in known.quantities
    }


def batch(understood: Understood, known: Known, now: datetime) -> Batch:
    """Return the rows of everything that was understood, and of everything that was refused."""
    rows = Batch.empty()
    for one in understood.uplinks:
        rows.frames.append(_frame(one, known, rows.quarantined, now))
    rows.events.extend(_event_row(event, known, now) for event in understood.events)
    rows.quarantined.extend(_refused_row(refused, known, now) for refused in understood.refused)
    return rows


def _frame(one: Identified, known: Known, quarantined: list[QuarantineRow], now: datetime) -> Frame:
    message, uplink, device, decoded = one
    source = message.origin.source
    source_id = known.sources[source]
    kept = decoded.outcome in (DECODED, EMPTY)
    return frame(
        uplink.received_at,
        key=uplink_key(source, uplink),
        ingested_us=microseconds(now),
        fields=UplinkFields(
            uplink.f_cnt,
            uplink.frequency_hz,
            device.device_id,
            known.decoders.get((device.model_id or "", decoded.version)),
            uplink.bandwidth_hz,
            source_id,
            uplink.f_port,
            uplink.spreading_factor,
            uplink.data_rate,
            uplink.confirmed,
            uplink.adr,
            uplink.dev_addr,
            decoded.outcome,
            decoded.detail[:500].replace("\0", "\ufffd"),
            uplink.payload,
            None if kept or not uplink.decoded else to_jsonb(uplink.decoded),
        ),
        measured=_measured(one, known, quarantined, now),
        gateways=_gateways(uplink, known),
        account=AccountKey(uplink.received_at.date(), source_id, device.tenant_id, "uplink"),
    )


def _measured(one: Identified, known: Known, quarantined: list[QuarantineRow], now: datetime) -> list[Measured]:
    received = one.uplink.received_at
    measured = []
    for reading in one.decoded.readings:
        quantity = known.quantities.get(reading.quantity)
        if quantity is None:  # beyond the bound on a network server's own names
            quarantined.append(_reading_row(one, known, IMPLAUSIBLE, f"{reading.quantity[:80]}: too many names", now))
            continue
        value = reading.value
        if not quantity.low <= value <= quantity.high:
            said = f"{reading.quantity} {value!r}, not within {quantity.low} to {quantity.high}"
            quarantined.append(_reading_row(one, known, IMPLAUSIBLE, said, now))
            continue
        at = measured_at(reading, received)
        if at is not received and not EARLIEST <= at <= received + _DEVICE_CLOCK_TOLERANCE:
            quarantined.append(_reading_row(one, known, BAD_TIME, f"{reading.quantity} at {at}", now))
            continue
        measured.append(Measured(quantity.quantity_id, reading.channel, at, value))
    return measured


def _gateways(uplink: Uplink, known: Known) -> list[tuple[int, float | None, float | None, int | None]]:
    """Return one row a gateway: the strongest, where two antennas of one gateway heard the frame."""
    rows: dict[int, tuple[int, float | None, float | None, int | None]] = {}
    for eui, rssi_dbm, snr_db, channel, _ in uplink.receptions:
        number = known.gateways[eui]
        other = rows.get(number)
        if other is None or (other[1] is not None and rssi_dbm is not None and rssi_dbm > other[1]):
            rows[number] = (number, rssi_dbm, snr_db, channel)
    return list(rows.values())


def _event_row(one: IdentifiedEvent, known: Known, now: datetime) -> EventRow:
    message, event, device = one
    source_id = known.sources[message.origin.source]
    row = (
        event.received_at,
        event_key(message.origin.source, event),
        now,
        device.device_id if device else None,
        None if device else known.gateways[event.gateway_eui],
        source_id,
        event.kind,
        to_jsonb(event.data),
    )
    tenant_id = device.tenant_id if device else None
    return EventRow(row, AccountKey(event.received_at.date(), source_id, tenant_id, event.kind))


def _refused_row(one: Refused, known: Known, now: datetime) -> QuarantineRow:
    origin = one.message.origin
    source_id = known.sources[origin.source]
    day = (one.received_at or now.astimezone(UTC)).date()
    return quarantine_row(
        SetAside(
            origin.source, source_id, origin.lns, one.message.topic, one.message.body, one.message.size, one.dev_eui
        ),
        reason=one.reason,
        detail=one.detail,
        at=now,
        account=AccountKey(day, source_id, None, one.kind),
    )


def _reading_row(one: Identified, known: Known, reason: str, detail: str, now: datetime) -> QuarantineRow:
    origin, message = one.message.origin, one.message
    source_id = known.sources[origin.source]
    return quarantine_row(
        SetAside(origin.source, source_id, origin.lns, message.topic, message.body, message.size, one.uplink.dev_eui),
        reason=reason,
        detail=detail,
        at=now,
        account=None,
        tenant_id=one.device.tenant_id,
    )


def refused_by_store(message: Message, detail: str) -> Understood:
    """Return a message as refused: the database took its neighbours, and not this one."""
    return Understood([], [], [Refused(message, UNREADABLE, f"the store refused it: {detail}")])


def to_jsonb(value: object) -> str:
    """Return JSON that PostgreSQL's jsonb accepts: it has no NUL, which becomes U+FFFD."""
    return msgspec.json.encode(value).decode("utf-8", "replace").replace("\\u0000", "\\ufffd")
