"""Adeunis Temp: one or two temperature probes (versions 1 to 4).

Source: Adeunis TEMP LoRaWAN user guide, "Frame description". Frames common to all products: `_adeunis.py`.
Byte map, big-endian; temperatures int16 0.1 degC, 0x8000 when there is no probe:
  43  CC SS ii T1 T1 jj T2 T2                   versions 1 and 2; i, j identify the probes; 30 in the same form
  57  CC SS T1 T1 [T2 T2] ..                    versions 3 and 4; status bit 4: two probes; then older samples
  58  CC SS A1 T1 T1 [A2 T2 T2]                 alarm: 1 above, 2 below, 0 none
  30  CC SS T1 T1 [T2 T2]                       alive, versions 3 and 4: told from the first by its size
"""

from typing import Final

from decoders.native._adeunis import battery_low, decode_common, require, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-temp",
    vendor="Adeunis",
    name="Temp",
    quantities=("temperature", "alarm", "digital_input", "pulse_count", "battery_low"),
    period_s=3600,
    hints=("adeunis temp",),
)

_SIZE_OF_FIRST_VERSIONS: Final = 8


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    battery, code = battery_low(payload), payload[0]
    two = payload[1] >> 4 & 1
    if code == 0x43 or (code == 0x30 and len(payload) == _SIZE_OF_FIRST_VERSIONS and not two):
        require(payload, _SIZE_OF_FIRST_VERSIONS)
        return [battery, *temperature(payload, 3, 1), *temperature(payload, 6, 2)]
    if code in {0x57, 0x30}:
        require(payload, 4 + 2 * two)
        return [battery, *temperature(payload, 2, 1), *(temperature(payload, 4, 2) if two else ())]
    if code == 0x58:
        require(payload, 5 + 3 * two)
        readings = [battery, Reading("alarm", int(payload[2] != 0), 1), *temperature(payload, 3, 1)]
        if two:
            readings += [Reading("alarm", int(payload[5] != 0), 2), *temperature(payload, 6, 2)]
        return readings
    return decode_common(payload)
