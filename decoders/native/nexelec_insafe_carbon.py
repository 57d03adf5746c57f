"""Nexelec Insafe+ Carbon (Carbon): CO2, temperature, humidity.

Source: Nexelec D678C, Insafe+ Carbon LoRa Technical Guide, as the examples in github.com/ZennerIoT/element-parsers
cite it. Values: `_nexelec_insafe.py`. Byte map, any port:
  72 CC TT HH .. .. ..     now; indices, not kept
  73 BB ..                 of itself
  75 CTH CTH CTH PP        the past, three samples
  76 TT bb, 77 CC bb       alerts of temperature, thresholds bits 7 and 6, and of CO2, thresholds bits 4 and 3
  74, 78, 79, 7A           button, configurations, alive
"""

from typing import Final

from decoders.native._nexelec_insafe import CO2, HUMIDITY, TEMPERATURE, kind_of, past, sample, status
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="nexelec-insafe-carbon",
    vendor="Nexelec",
    name="Insafe+ Carbon",
    quantities=("co2", "temperature", "humidity", "alarm", "battery_low", "device_fault"),
    period_s=3600,
    hints=("insafe carbon", "nexelec carbon"),
)

_VALUES: Final = (CO2, TEMPERATURE, HUMIDITY)
_SIZES: Final = {0x72: 7, 0x73: 8, 0x74: 2, 0x75: 11, 0x76: 3, 0x77: 3, 0x78: 9, 0x79: 11, 0x7A: 1}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the frame says what it is
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    kind = kind_of(payload, _SIZES)
    if kind == 0x72:
        return sample(payload[1:4], _VALUES)
    if kind == 0x73:
        return status(payload[1])
    if kind == 0x75:
        return past(payload, _VALUES)
    if kind == 0x76:
        return [*sample(payload[1:2], (TEMPERATURE,)), Reading("alarm", int(payload[2] & 0xC0 != 0))]
    if kind == 0x77:
        return [*sample(payload[1:2], (CO2,)), Reading("alarm", int(payload[2] & 0x18 != 0))]
    return []
