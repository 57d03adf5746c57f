"""From messages to what they say: parse, identify, decode. Pure but for what it asks `Known`.

Each step takes what the one before returned. What a step refuses leaves the path with its reason; its
neighbours go on. `ingest.batching` makes of it what is stored.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from decoders.registry import Decoded, Registry
from domain.errors import MessageError
from domain.events import NetworkEvent, Position, Uplink
from domain.quarantine import TOO_LARGE, UNKNOWN_DEVICE, UNREADABLE
from ingest.codecs import NOT_BY_CODEC, ByCodec, CodecUplink
from ingest.lns import NetworkServer
from ingest.messages import Message
from store.known import Device, Known

_new: Final = tuple.__new__  # what a named tuple's own does in the end, in half the time


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
    """What messages said. `ignored` are those that are known and of no interest."""

    uplinks: list[ReadUplink]
    events: list[ReadEvent]
    refused: list[Refused]
    ignored: list[Message]


class Identified(NamedTuple):
    """An uplink of a declared device, and what its decoder made of it. `answer` is a codec's own object."""

    message: Message
    uplink: Uplink
    device: Device
    decoded: Decoded
    decoder_id: int | None
    answer: Any = None


class IdentifiedEvent(NamedTuple):
    """Another event, and its device when it is of one (else it is of a gateway)."""

    message: Message
    event: NetworkEvent
    device: Device | None


class Understood(NamedTuple):
    """What can be stored, what is refused, and what is only counted."""

    uplinks: list[Identified]
    events: list[IdentifiedEvent]
    refused: list[Refused]
    ignored: list[Message]


def read(messages: Iterable[Message], servers: Mapping[str, NetworkServer]) -> Read:
    """Parse each message; what cannot be read is refused with its reason."""
    found = Read([], [], [], [])
    for message in messages:
        origin, _, topic, body, size, arrived_at, _ = message
        if size > len(body):
            found.refused.append(Refused(message, TOO_LARGE, f"{size} bytes"))
            continue
        try:
            events = servers[origin.lns].parse(topic, body, arrived_at)
        except MessageError as error:
            found.refused.append(Refused(message, error.reason, error.detail))
            continue
        if not events:
            found.ignored.append(message)
        for event in events:
            if type(event) is Uplink:
                found.uplinks.append(_new(ReadUplink, (message, event)))
            else:
                found.events.append(ReadEvent(message, event))  # type: ignore[arg-type]
    return found


def unknown_sources(messages: Iterable[Message], known: Known) -> set[str]:
    """Return the network servers that have no number yet: new in the settings, or gone from them since spooled."""
    return {message.origin.source for message in messages} - known.sources.keys()


def unknown_devices(found: Read, known: Known) -> set[str]:
    """Return the DevEUIs that memory does not hold, nor a neighbour has: to be looked up before they are refused."""
    euis = {one.uplink.dev_eui for one in found.uplinks}
    euis.update(one.event.dev_eui for one in found.events if one.event.dev_eui)
    devices, elsewhere = known.devices, known.elsewhere
    return {eui for eui in euis if eui not in devices and eui not in elsewhere}  # `euis - keys` would walk the fleet


def for_codecs(found: Read, known: Known) -> list[CodecUplink]:
    """Return the uplinks of the devices that a JavaScript codec decodes."""
    wanted = []
    for place, (_, uplink) in enumerate(found.uplinks):
        device = known.devices.get(uplink.dev_eui)
        codec = device and known.codecs.of(*device[:3])
        if device and codec:
            wanted.append(
                CodecUplink(place, codec, uplink.payload, uplink.f_port, uplink.received_at, device.parameters)
            )
    return wanted


def identify(
    found: Read, known: Known, registry: Registry, by_codec: Mapping[int, ByCodec] = NOT_BY_CODEC
) -> Understood:
    """Decode the uplinks of declared devices; what is of a neighbour's is ignored, of another device refused.

    `by_codec` has what JavaScript codecs made of some of the uplinks, by their place.
    """
    understood = Understood([], [], [*found.refused], found.ignored)
    for place, (message, uplink) in enumerate(found.uplinks):
        device = known.devices.get(uplink.dev_eui)
        if device is None:
            if uplink.dev_eui in known.elsewhere:
                understood.ignored.append(message)
            else:
                understood.refused.append(_of_unknown(message, "uplink", uplink.dev_eui, uplink.received_at))
        elif by_codec and place in by_codec:
            understood.uplinks.append(Identified(message, uplink, device, *by_codec[place]))
        else:
            model_id = device.model_id
            decoded = registry.decode(model_id, uplink.payload, uplink.f_port, uplink.decoded, device.parameters)
            decoder_id = known.decoders.get((model_id, decoded.version)) if model_id else None
            understood.uplinks.append(_new(Identified, (message, uplink, device, decoded, decoder_id, None)))
    for message, event in found.events:
        device = known.devices.get(event.dev_eui)
        if event.dev_eui and device is None and event.dev_eui in known.elsewhere:
            understood.ignored.append(message)
        elif event.dev_eui and device is None:
            understood.refused.append(_of_unknown(message, event.kind, event.dev_eui, event.received_at))
        else:
            understood.events.append(IdentifiedEvent(message, event, device))
    return understood


def _of_unknown(message: Message, kind: str, dev_eui: str, received_at: datetime) -> Refused:
    return Refused(message, UNKNOWN_DEVICE, dev_eui, kind, received_at, dev_eui)


def unknown_gateways(understood: Understood, known: Known) -> dict[str, Position | None]:
    """Return the gateways heard for the first time, with the position the network server gives."""
    numbers = known.gateways
    heard = {
        gateway_eui: position
        for one in understood.uplinks
        for gateway_eui, _, _, _, position in one.uplink.receptions
        if gateway_eui not in numbers
    }
    heard.update(
        (event.gateway_eui, event.position)
        for _, event, _ in understood.events
        if event.gateway_eui and event.gateway_eui not in known.gateways
    )
    return heard


def unknown_quantities(understood: Understood, known: Known) -> set[str]:
    """Return the names of readings that have no number yet: a network server's own, or a codec's."""
    names = {
        reading[0]
        for _, _, _, decoded, decoder_id, answer in understood.uplinks
        if decoder_id is None or answer is not None  # what our decoders say is in the vocabulary
        for reading in decoded.readings
    }
    return {name for name in names if name not in known.quantities}


def refused_by_store(message: Message, detail: str) -> Understood:
    """Return a message as refused: the database took its neighbours, and not this one."""
    return Understood([], [], [Refused(message, UNREADABLE, f"the store refused it: {detail}")], [])
