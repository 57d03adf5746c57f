"""Dragino LHT65, LHT65N and LHT65S: air temperature and humidity, and an external sensor.

Source: Dragino, LHT65N LoRaWAN Temperature & Humidity Sensor Manual, section 2.4 "Uplink Payload";
github.com/dragino/dragino-end-node-decoder, folder LHT65N, v1.5.6.
Byte map, big-endian:
f_port 2, 11 bytes:  BB BB TT TT HH HH EE XX XX XX XX
  B  battery      bits 13-0 of uint16  0.001 V; bits 15-14 its state
  T  temperature  int16   0.01 degC
  H  humidity     bits 11-0 of uint16  0.1 %
  E  bit 7 the external sensor is not connected, bit 6 the past, bits 3-0 its kind
  X  by the kind: 1, 2 temperature int16 0.01 degC, 0x7FFF not connected; 4 level, interrupt;
     5 illuminance uint16 1 lx; 6 voltage uint16 0.001 V; 7 count uint16; 8 count uint32
  kinds 9 and 10: the external temperature stands in B, and X is the time, seconds since 1970
f_port 2, n x 11 bytes with bit 6 of E, the past:  OO OO TT TT HH HH EE CC CC CC CC
  O  external value, as X of kinds 1, 2, 5, 6, 7; C clock, seconds since 1970
f_port 5, 7 bytes:  0B VV VV FF SS BB BB  firmware, band, battery uint16 0.001 V
The outer temperature is channel 1, the air's channel 0.
"""

from datetime import UTC, datetime
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="dragino-lht65",
    vendor="Dragino",
    name="LHT65",
    quantities=(
        *("temperature", "humidity", "illuminance", "analog_voltage", "pulse_count", "digital_input"),
        "battery_voltage",
    ),
    period_s=1200,
    hints=("lht65", "lht65n", "lht65s"),
)

_RECORD_SIZE: Final = 11
_NOT_CONNECTED: Final = 0x7FFF
_TEMPERATURES: Final = (1, 2)
_TIMED_TEMPERATURES: Final = (9, 10)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    size = len(payload)
    if f_port == 5 and size == 7 and payload[0] == 0x0B:
        return [Reading("battery_voltage", int.from_bytes(payload[5:7]) / 1000)]
    if f_port != 2 or not size or size % _RECORD_SIZE:
        raise DecodeError(f"f_port {f_port}, {size} bytes")
    if payload[6] & 0x40:
        return [reading for at in range(0, size, _RECORD_SIZE) for reading in _past(payload[at : at + _RECORD_SIZE])]
    if size != _RECORD_SIZE:
        raise DecodeError(f"{size} bytes, none of the past")
    return _present(payload)


def _present(payload: bytes) -> list[Reading]:
    kind = payload[6] & 0x0F
    if kind in _TIMED_TEMPERATURES:
        return [*_air(payload, None), *_external(payload[0:2], 1, None)]
    battery = Reading("battery_voltage", (int.from_bytes(payload[0:2]) & 0x3FFF) / 1000)
    readings = [battery, *_air(payload, None)]
    if payload[6] & 0x80:
        return readings
    if kind == 4:
        return [*readings, Reading("digital_input", int(payload[7] != 0))]
    if kind == 8:
        return [*readings, Reading("pulse_count", int.from_bytes(payload[7:11]))]
    return readings + _external(payload[7:9], kind, None)


def _past(record: bytes) -> list[Reading]:
    moment = datetime.fromtimestamp(int.from_bytes(record[7:11]), UTC)
    return [*_air(record, moment), *_external(record[0:2], record[6] & 0x0F, moment)]


def _air(record: bytes, moment: datetime | None) -> list[Reading]:
    return [
        Reading("temperature", int.from_bytes(record[2:4], signed=True) / 100, measured_at=moment),
        Reading("humidity", (int.from_bytes(record[4:6]) & 0x0FFF) / 10, measured_at=moment),
    ]


def _external(raw: bytes, kind: int, moment: datetime | None) -> list[Reading]:
    value = int.from_bytes(raw)
    if kind in _TEMPERATURES:
        if value == _NOT_CONNECTED:
            return []
        return [Reading("temperature", int.from_bytes(raw, signed=True) / 100, 1, measured_at=moment)]
    if kind == 5:
        return [Reading("illuminance", value, measured_at=moment)]
    if kind == 6:
        return [Reading("analog_voltage", value / 1000, measured_at=moment)]
    return [Reading("pulse_count", value, measured_at=moment)] if kind == 7 else []
