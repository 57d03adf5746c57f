"""Adeunis Comfort: air temperature and humidity.

Source: Adeunis COMFORT LoRaWAN user guide, "Frame description". Frames common to all products: `_adeunis.py`.
Byte map, big-endian; T int16 0.1 degC, H uint8 1 %:
  4C  CC SS TT TT HH ..                         then older samples in the same form
  4D  CC SS AA TT TT HH                         alarm: bit 4 temperature, bit 0 humidity
  30  CC SS ..                                  alive
"""

from typing import Final

from decoders.native._adeunis import battery_low, decode_common, require, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-comfort",
    vendor="Adeunis",
    name="Comfort",
    quantities=("temperature", "humidity", "alarm", "digital_input", "pulse_count", "battery_low"),
    period_s=3600,
    hints=("adeunis comfort",),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    battery, code = battery_low(payload), payload[0]
    if code == 0x4C:
        require(payload, 5)
        return [battery, *temperature(payload, 2), Reading("humidity", payload[4])]
    if code == 0x4D:
        require(payload, 6)
        alarm = Reading("alarm", int(payload[2] != 0))
        return [battery, alarm, *temperature(payload, 3), Reading("humidity", payload[5])]
    return [battery] if code == 0x30 else decode_common(payload)
