"""Axioma Qalcosonic W1: ultrasonic water meter.

Source: Axioma Metering, W1 LoRa Payload (Long) "Extended", V01.8, 2020-04-06; the examples of the vendor's codec
in github.com/actility/device-catalog, vendors/axioma.
Byte map, little-endian:
f_port 100, 17 bytes and 2 more for each hour:  CC CC CC CC SS VV VV VV VV TT TT TT TT LL LL LL LL dd dd ..
  C  clock        uint32  seconds since 1970
  S  status       bit 2 battery low, 3 permanent fault, 4 a temporary alarm: with bits 7-5
                  10 empty pipe, 30 leak, 70 backflow, 90 frost, B0 burst
  V  volume now   uint32  1 L
  T  time of L    uint32  seconds since 1970
  L  volume at T  uint32  1 L
  d  what the volume grew by in each hour from T on, uint16 1 L
f_port 103, 5 bytes:  CC CC CC CC SS  an alarm, as it happens
f_port 101: the configuration, nothing measured
A frame whose past is not within 40 days before its own clock is damaged, and refused. Imperial meters send ounces
in the same form: their volumes are then not cubic metres.
"""

import struct
from datetime import UTC, datetime
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="axioma-w1",
    vendor="Axioma Metering",
    name="Qalcosonic W1",
    quantities=("water_volume", "water_leak", "alarm", "device_fault", "battery_low"),
    period_s=43200,
    hints=("qalcosonic w1", "axioma w1"),
)

_HEAD: Final = struct.Struct("<IBIII")
_ALARM: Final = struct.Struct("<IB")
_HOUR_S: Final = 3600
_PAST_S: Final = 40 * 24 * _HOUR_S
_LEAKS: Final = (0x30, 0xB0)


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if f_port == 101:
        return []
    if f_port == 103 and len(payload) == _ALARM.size:
        return _status(_ALARM.unpack(payload)[1])
    if f_port == 100 and len(payload) >= _HEAD.size and len(payload) % 2:
        return _volumes(payload)
    raise DecodeError(f"f_port {f_port}, {len(payload)} bytes")


def _volumes(payload: bytes) -> list[Reading]:
    clock, status, now_l, then, volume_l = _HEAD.unpack_from(payload)
    growths = struct.unpack_from(f"<{(len(payload) - _HEAD.size) // 2}H", payload, _HEAD.size)
    if not 0 <= clock - then <= _PAST_S or then + _HOUR_S * len(growths) > clock + _HOUR_S or volume_l > now_l:
        raise DecodeError(f"clock {clock}, {now_l} L; past {then}, {volume_l} L, {len(growths)} hours")
    readings = [*_status(status), Reading("water_volume", now_l / 1000)]
    for growth_l in (0, *growths):
        volume_l += growth_l
        readings.append(Reading("water_volume", volume_l / 1000, measured_at=datetime.fromtimestamp(then, UTC)))
        then += _HOUR_S
    return readings


def _status(status: int) -> list[Reading]:
    temporary = status & 0xF0 if status & 0x10 else 0
    return [
        Reading("battery_low", status >> 2 & 1),
        Reading("device_fault", status >> 3 & 1),
        Reading("alarm", int(temporary != 0)),
        Reading("water_leak", int(temporary in _LEAKS)),
    ]
