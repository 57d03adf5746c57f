"""Adeunis Pulse: two pulse inputs (versions 1 to 4).

Source: Adeunis PULSE LoRaWAN user guide, "Frame description". Frames common to all products: `_adeunis.py`.
Byte map, big-endian:
  46  CC SS AA AA AA AA BB BB BB BB             indexes of inputs A and B, uint32
  5A  CC SS AA AA AA AA dd dd ..                index of A, and what it grew by, going back
  5B  CC SS BB BB BB BB dd dd ..                index of B, likewise
  47  CC SS FF FF FF FF                         a flow over its limit, per hour: an alarm
  30  CC SS LL ..                               alive: bits of L 0-1 flow, 2-3 tamper, 4-5 leak, of A and B
  48  daily history of the first versions, refused: the frame does not say of which day
What a pulse is worth (litres, watt-hours) is a parameter of the device.
"""

from typing import Final

from decoders.native._adeunis import battery_low, decode_common, require
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="adeunis-pulse",
    vendor="Adeunis",
    name="Pulse",
    quantities=("pulse_count", "alarm", "tamper", "water_leak", "digital_input", "battery_low"),
    period_s=86400,
    hints=("adeunis pulse",),
)

_INPUT_A, _INPUT_B = 1, 2


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the code tells frames apart
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    battery, code = battery_low(payload), payload[0]
    if code == 0x46:
        require(payload, 10)
        return [battery, _index(payload, 2, _INPUT_A), _index(payload, 6, _INPUT_B)]
    if code in {0x5A, 0x5B}:
        require(payload, 6)
        return [battery, _index(payload, 2, _INPUT_A if code == 0x5A else _INPUT_B)]
    if code == 0x47:
        require(payload, 6)
        return [battery, Reading("alarm", 1)]
    if code == 0x30:
        require(payload, 3)
        return [battery, *_alive(payload[2])]
    return decode_common(payload)


def _index(payload: bytes, at: int, channel: int) -> Reading:
    return Reading("pulse_count", int.from_bytes(payload[at : at + 4]), channel)


def _alive(flags: int) -> list[Reading]:
    return [
        Reading("alarm", int(flags & 3 != 0)),
        *(Reading("tamper", flags >> 1 + channel & 1, channel) for channel in (_INPUT_A, _INPUT_B)),
        *(Reading("water_leak", flags >> 3 + channel & 1, channel) for channel in (_INPUT_A, _INPUT_B)),
    ]
