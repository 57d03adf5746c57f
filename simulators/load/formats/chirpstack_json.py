"""ChirpStack v4, JSON marshaler. Presence of fields as in `simulators/chirpstack.py`, which a test compares."""

import json
from binascii import b2a_base64
from typing import Final

from domain.events import Position
from simulators.load.formats import Sent
from simulators.load.formats.air import (
    GPS_OFFSET_S,
    Seconds,
    channel_of,
    gateway_id,
    gateway_position,
    grades,
    hearing,
)
from simulators.load.frames import Kind
from simulators.load.ledger import deduplication_text
from simulators.load.spec import LoadSpec
from simulators.lorawan.eu868 import CHANNELS_HZ

APPLICATION_ID: Final = "5a3a0a2e-0000-4000-8000-000000000010"
_INFO: Final = (
    b'"deviceInfo":{"tenantId":"5a3a0a2e-0000-4000-8000-000000000003","tenantName":"Simulateur",'
    b'"applicationId":"%b","applicationName":"Charge","deviceProfileId":"5a3a0a2e-0000-4000-8000-000000000011",'
    b'"deviceProfileName":"%%b","deviceName":"load %%07d","devEui":"%%016x","deviceClassEnabled":"CLASS_A","tags":{}}'
) % APPLICATION_ID.encode()
_UP: Final = (
    b'{"deduplicationId":"%b","time":"%b.%03d+00:00",'
    + _INFO
    + b',"devAddr":"%08x","adr":true,"dr":%d,"fCnt":%d,"fPort":%d,"confirmed":%b,"data":"%b","rxInfo":[%b],'
    b'"txInfo":{"frequency":%d,"modulation":{"lora":{"bandwidth":125000,"spreadingFactor":%d,"codeRate":"CR_4_5"}}},'
    b'"regionConfigId":"eu868"}'
)
_JOIN: Final = (
    b'{"deduplicationId":"%b","time":"%b.%03d000000+00:00",' + _INFO + b',"devAddr":"%08x","regionConfigId":"eu868"}'
)
_CONFIRMED: Final = (b"false", b"true")
_LOG: Final = (
    b'{"time":"%b.%03d000000+00:00",'
    + _INFO
    + b',"level":"ERROR","code":"UPLINK_F_CNT_RESET","description":"Frame-counter reset or rollover detected",'
    b'"context":{"deduplication_id":"%b"}}'
)
_HEARD: Final = (
    b'{"gatewayId":"%b","uplinkId":%d,"nsTime":"%b.%03d417000+00:00","timeSinceGpsEpoch":"%d.%03ds",%b'
    b'"location":%b,"context":"AAECAw==","crcStatus":"CRC_OK"}'
)


class ChirpStackJson:
    """Encodes a load as ChirpStack would."""

    def __init__(self, spec: LoadSpec) -> None:
        self._spec = spec
        self._seconds = Seconds()
        self._gateways = [gateway_id(number).encode() for number in range(spec.gateways)]
        self._places = [_place(gateway_position(spec, number)) for number in range(spec.gateways)]
        self._topics: dict[int, str] = {}
        self._heard = [[_said(*grade, channel) for channel in range(8)] for grade in grades(spec.seed)]

    def _topic(self, device: int, event: str) -> str:
        return f"application/{APPLICATION_ID}/device/{self._spec.first_dev_eui + device:016x}/event/{event}"

    def uplink(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:
        """Return an `up` event."""
        device, number, variant, dev_addr, f_cnt, received_ms, payload, late, air = sent
        second, ms = divmod(received_ms, 1000)
        text = self._seconds.text(second)
        if air is None:
            channel, heard = hearing(self._spec, device, number, late=late)
            spreading_factor, frequency_hz = 7, CHANNELS_HZ[channel]
            said = [(gateway, self._heard[grade][channel]) for gateway, grade in heard]
        else:
            spreading_factor, frequency_hz = air.spreading_factor, air.frequency_hz
            channel = channel_of(frequency_hz)
            said = [(gateway, _said(rssi_dbm, snr_db, channel)) for gateway, rssi_dbm, snr_db in air.heard]
        receptions = b",".join(
            [
                _HEARD
                % (
                    self._gateways[gateway], number & 0xFFFF | 1, text, ms, second - GPS_OFFSET_S, ms,
                    scalars, self._places[gateway],
                )
                for gateway, scalars in said
            ]
        )  # fmt: skip
        message = _UP % (
            deduplication_text(self._spec.seed, device, number, variant), text, ms,
            kind.profile.encode(), device, self._spec.first_dev_eui + device,
            dev_addr, 12 - spreading_factor, f_cnt, kind.f_port, _CONFIRMED[air is not None and air.confirmed],
            b2a_base64(payload, newline=False), receptions,
            frequency_hz, spreading_factor,
        )  # fmt: skip
        topic = self._topics.get(device)
        if topic is None:
            topic = self._topics[device] = self._topic(device, "up")
        return topic, message

    def join(self, sent: Sent, kind: Kind) -> tuple[str, bytes]:
        """Return a `join` event."""
        second, ms = divmod(sent.received_ms, 1000)
        message = _JOIN % (
            deduplication_text(self._spec.seed, sent.device, sent.number, 0xFFF), self._seconds.text(second), ms,
            kind.profile.encode(), sent.device, self._spec.first_dev_eui + sent.device, sent.dev_addr,
        )  # fmt: skip
        return self._topic(sent.device, "join"), message

    def log(self, sent: Sent, kind: Kind) -> tuple[str, bytes] | None:
        """Return a `log` event."""
        second, ms = divmod(sent.received_ms, 1000)
        message = _LOG % (
            self._seconds.text(second), ms, kind.profile.encode(), sent.device, self._spec.first_dev_eui + sent.device,
            deduplication_text(self._spec.seed, sent.device, sent.number, 0xFFE),
        )  # fmt: skip
        return self._topic(sent.device, "log"), message

    def connection(self, gateway: int, received_ms: int, *, online: bool) -> tuple[str, bytes] | None:  # noqa: ARG002
        """Return a gateway's `state/conn`; OFFLINE is the zero of its enumeration, and left out."""
        state = ',"state":"ONLINE"' if online else ""
        message = f'{{"gatewayId":"{gateway_id(gateway)}"{state}}}'
        return f"eu868/gateway/{gateway_id(gateway)}/state/conn", message.encode()

    def stats(self, gateway: int, received_ms: int, frames: int) -> tuple[str, bytes] | None:
        """Return a gateway's `stats` (the gateway bridge's message, the same in both marshalers' JSON form)."""
        said = {
            "gatewayId": gateway_id(gateway),
            "time": self._seconds.text(received_ms // 1000).decode() + "Z",
            "location": json.loads(self._places[gateway]),
            "rxPacketsReceived": frames,
            "rxPacketsReceivedOk": frames,
            "metadata": {"region_config_id": "eu868"},
        }
        message = json.dumps({name: value for name, value in said.items() if value != 0}, separators=(",", ":"))
        return f"eu868/gateway/{gateway_id(gateway)}/event/stats", message.encode()


def _place(position: Position) -> bytes:
    latitude, longitude, altitude = position
    return json.dumps(
        {"latitude": latitude, "longitude": longitude, "altitude": altitude}, separators=(",", ":")
    ).encode()


def _said(rssi_dbm: int, snr_db: float, channel: int) -> bytes:
    """Return the scalars that may be zero, and are then left out."""
    fields = (("rssi", rssi_dbm), ("snr", snr_db), ("channel", channel))
    return "".join(f'"{name}":{value},' for name, value in fields if value).encode()
