"""Adeunis Comfort CO2: air temperature, humidity and CO2.

Source: Adeunis COMFORT CO2 LoRaWAN user guide, "Frame description"; `_adeunis.py` for what products share.
Byte map, big-endian; T int16 0.1 degC, H uint8 1 %, C uint16 ppm:
  6A  CC SS TT TT HH CC CC ..                   then older samples in the same form
  6B  CC SS AA TT TT HH CC CC                   alarm: bit 5 CO2, bit 4 temperature, bit 0 humidity
  30  CC SS ..                                  extremes and means of the day, not kept: the samples give them
"""

from typing import Final

from decoders.native._adeunis import battery_low, decode_common, require, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-comfort-co2",
    vendor="Adeunis",
    name="Comfort CO2",
    quantities=("temperature", "humidity", "co2", "alarm", "digital_input", "pulse_count", "battery_low"),
    period_s=3600,
    hints=("adeunis comfort co2",),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    battery, code = battery_low(payload), payload[0]
    if code == 0x6A:
        require(payload, 7)
        return [battery, *_air(payload, 2)]
    if code == 0x6B:
        require(payload, 8)
        return [battery, Reading("alarm", int(payload[2] != 0)), *_air(payload, 3)]
    return [battery] if code == 0x30 else decode_common(payload)


def _air(payload: bytes, at: int) -> list[Reading]:
    return [
        *temperature(payload, at),
        Reading("humidity", payload[at + 2]),
        Reading("co2", int.from_bytes(payload[at + 3 : at + 5])),
    ]
