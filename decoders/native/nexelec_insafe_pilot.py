"""Nexelec Insafe+ Pilot: temperature, humidity.

Source: the vendor's codec and its examples in github.com/actility/device-catalog, vendors/nexelec. Values:
`_nexelec_insafe.py`. Byte map, any port:
  60 BB                 of itself
  61 TT HH .. .. ..     now; indices, not kept
  62 TH TH TH TH TH PP  the past, five samples
  65 TT bb              alert of temperature, thresholds bits 7 and 6
  63, 64, 66            configuration, button, alive
"""

from typing import Final

from decoders.native._nexelec_insafe import HUMIDITY, TEMPERATURE, kind_of, past, sample, status
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="nexelec-insafe-pilot",
    vendor="Nexelec",
    name="Insafe+ Pilot",
    quantities=("temperature", "humidity", "alarm", "battery_low", "device_fault"),
    period_s=3600,
    hints=("insafe pilot", "nexelec pilot"),
)

_VALUES: Final = (TEMPERATURE, HUMIDITY)
_SIZES: Final = {0x60: 2, 0x61: 6, 0x62: 12, 0x63: 11, 0x64: 2, 0x65: 3, 0x66: 1}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the frame says what it is
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    kind = kind_of(payload, _SIZES)
    if kind == 0x60:
        return status(payload[1])
    if kind == 0x61:
        return sample(payload[1:3], _VALUES)
    if kind == 0x62:
        return past(payload, _VALUES)
    if kind == 0x65:
        return [*sample(payload[1:2], (TEMPERATURE,)), Reading("alarm", int(payload[2] & 0xC0 != 0))]
    return []
