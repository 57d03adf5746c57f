"""Adeunis Delta P: differential pressure, and a 0-10 V input.

Source: Adeunis DELTA P LoRaWAN user guide, "Frame description". Frames common to all products: `_adeunis.py`.
Byte map, big-endian; P int16 1 Pa, V int16 0.001 V:
  53  CC SS PP PP ..      54  CC SS AA PP PP    pressure, then older samples; alarm
  55  CC SS VV VV ..      56  CC SS AA VV VV    voltage, likewise
  30  CC SS ..                                  alive
"""

from typing import Final

from decoders.native._adeunis import battery_low, decode_common, require
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-delta-p",
    vendor="Adeunis",
    name="Delta P",
    quantities=(*("differential_pressure", "analog_voltage", "alarm", "digital_input", "pulse_count", "battery_low"),),
    period_s=3600,
    hints=("adeunis delta p", "adeunis deltap"),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    battery, code = battery_low(payload), payload[0]
    if code in {0x53, 0x55}:
        require(payload, 4)
        return [battery, _value(payload, 2, code)]
    if code in {0x54, 0x56}:
        require(payload, 5)
        return [battery, Reading("alarm", int(payload[2] != 0)), _value(payload, 3, code)]
    return [battery] if code == 0x30 else decode_common(payload)


def _value(payload: bytes, at: int, code: int) -> Reading:
    value = int.from_bytes(payload[at : at + 2], signed=True)
    return Reading("differential_pressure", value) if code < 0x55 else Reading("analog_voltage", value / 1000)
