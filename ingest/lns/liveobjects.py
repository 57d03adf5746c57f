"""Orange Live Objects, over MQTT (FIFO and router) and by HTTP push: the same JSON data message.

Source: the Live Objects manual (liveobjects.orange-business.com/doc) and a capture.
  fifo/<name>    a FIFO of the operator's: its name goes into the settings' `topics`
  router/~event/v1/data/new/typ/+/dev/+/con/lora/evt/+/grp/#    new data of every LoRa device, not kept when we are away

`timestamp` is the network's time of the frame and the same by every route, so it also stands for the
deduplication id. `value.payload` is hexadecimal; when Live Objects decodes (`metadata.encoding`), `value` holds
the decoded fields. There is no DevAddr and no list of gateways: the figures are the best gateway's, and where it
is not named either (`bestGatewayId`), the network as a whole stands for it as `liveobjects`.
Messages of other connectors (MQTT, SMS, …) are of no interest.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from domain.errors import MessageError
from domain.events import Event, Reception, Uplink
from domain.identifiers import dev_eui
from domain.quarantine import UNREADABLE
from domain.times import first_plausible
from ingest.lns import _fields as fields

NAME: Final = "liveobjects"
TOPICS: Final = ("router/~event/v1/data/new/typ/+/dev/+/con/lora/evt/+/grp/#",)

_HERTZ_A_MEGAHERTZ: Final = 1_000_000


class _Lora(Struct, frozen=True, gc=False, rename={"dev_eui": "devEUI", "best_gateway_id": "bestGatewayId"}):
    dev_eui: str
    port: fields.FPort | None = None
    fcnt: fields.FCnt = 0
    rssi: fields.Decibels | None = None
    snr: fields.Decibels | None = None
    sf: fields.SpreadingFactor | None = None
    frequency: Annotated[float, Meta(ge=0, le=4000)] | None = None
    best_gateway_id: Annotated[str, Meta(max_length=64)] | None = None
    message_type: Annotated[str, Meta(max_length=64)] = msgspec.field(name="messageType", default="")


class _Network(Struct, frozen=True, gc=False):
    lora: _Lora | None = None


class _Metadata(Struct, frozen=True, gc=False):
    connector: str = ""
    encoding: str = ""
    network: _Network | None = None


class _DataMessage(Struct, frozen=True, gc=False):
    metadata: _Metadata
    timestamp: fields.Identifier = ""
    created: str = ""
    value: dict[str, Any] | None = None


_DATA_MESSAGE: Final = msgspec.json.Decoder(_DataMessage)


def parse(topic: str, body: bytes, now: datetime) -> Sequence[Event]:  # noqa: ARG001 - the body says all
    """Return the events of one message: see `ingest.lns.NetworkServer.parse`."""
    message = fields.read(_DATA_MESSAGE, body)
    network = message.metadata.network
    if network is None or network.lora is None:
        if message.metadata.connector in ("", "lora"):
            raise MessageError(UNREADABLE, "no metadata.network.lora")
        return ()
    return (_uplink(message, network.lora, body, now),)


def _uplink(message: _DataMessage, lora: _Lora, body: bytes, now: datetime) -> Uplink:
    value = dict(message.value or {})
    payload = value.pop("payload", None)
    said = (message.timestamp, message.created)
    return Uplink(
        dev_eui=dev_eui(lora.dev_eui),
        received_at=first_plausible(tuple([fields.moment(time) for time in said]), now),
        deduplication_id=message.timestamp or fields.digest(body),
        f_cnt=lora.fcnt,
        f_port=lora.port,
        payload=fields.hexadecimal(payload) if isinstance(payload, str) else b"",
        confirmed=lora.message_type == "CONFIRMED_DATA_UP",
        spreading_factor=lora.sf,
        frequency_hz=round(lora.frequency * _HERTZ_A_MEGAHERTZ) if lora.frequency is not None else None,
        receptions=(_reception(lora),),
        decoded=fields.codec_object(value) if value else None,
        model_hint=message.metadata.encoding,
    )


def _reception(lora: _Lora) -> Reception:
    return Reception(gateway_eui=(lora.best_gateway_id or NAME).lower(), rssi_dbm=lora.rssi, snr_db=lora.snr)
