"""Fludia FM432e (electricity), FM432g (gas) and FM432p (pulses): optical and pulse readers of meters.

Source: Fludia, github.com/Fludia-IoT/LoRaWAN-decoders (April 2026), README and one decoder a product:
FM432e v54, v57, v60; FM432g v32, v33; FM432p v3.3.2, v3.3.6.
Byte map, big-endian, f_port 129; the header tells product and message apart:
  periodic, fixed step   HH II II II dd dd x8      20, 21, 22 FM432e; 1D, 1E, 1F FM432g; 2B, 2C, 2D FM432p:
                                                   every 10, 15, 60 minutes
  periodic, any step     HH MM II II II II dd dd.. 69 FM432e, 6D FM432g, 6B FM432p; M minutes, 1 to 20 steps
  periodic, 1 minute     5B II II II II pp pp x20  FM432e; the window ended 10 minutes before
  technical              51 (12), 0E (12), 6A (16) FM432e; 10 (12), 6E (15) FM432g; 29 (10), 6C (11) FM432p
                         starts, battery, index: see `_TECHNICAL`
  other                  01, 5F start; 12, 13, 2E, 2F installation: nothing measured
  I  index at the end of the last step: FM432e 1 Wh, FM432g 0.1 turn of the drum, FM432p 1 pulse; from 0 when
     the device started
  d  what the index grew by in each step, the oldest first, uint16
  p  mean power of each minute, the oldest first, uint16 W
The index has 24 bits in a message of fixed step and 32 in a technical one: of those products the lower 24 bits
are taken everywhere, so that the counter rolls over in one way.
What a turn or a pulse is worth is a parameter of the device.
"""

from typing import Final, NamedTuple

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = ("active_energy_import", "active_power", "pulse_count", "battery_low", "device_restart_count")

MODELS: Final = (
    Model("fludia-fm432e", "Fludia", "FM432e", _QUANTITIES, 3600, ("fm432e",)),
    Model("fludia-fm432g", "Fludia", "FM432g", _QUANTITIES, 3600, ("fm432g",)),
    Model("fludia-fm432p", "Fludia", "FM432p", _QUANTITIES, 3600, ("fm432p",)),
)

_PORT: Final = 129
_ENERGY: Final = ("active_energy_import", 1000)  # quantity, and what divides the index
_TURNS: Final = ("pulse_count", 10)
_PULSES: Final = ("pulse_count", 1)

_FIXED_SIZE: Final = 20
_STEPS_S: Final = (600, 900, 3600)
_FIXED: Final = {
    first + number: (what, step_s)
    for first, what in ((0x20, _ENERGY), (0x1D, _TURNS), (0x2B, _PULSES))
    for number, step_s in enumerate(_STEPS_S)
}
_ANY_STEP: Final = {0x69: _ENERGY, 0x6D: _TURNS, 0x6B: _PULSES}
_NOT_MEASURED: Final = frozenset((0x01, 0x5F, 0x12, 0x13, 0x2E, 0x2F))
_MINUTES_SIZE: Final = 45
_MINUTES_DELAY_S: Final = 600


class _Technical(NamedTuple):
    """Where the fields of a technical message stand; -1 when it has none."""

    size: int
    what: tuple[str, int]
    index_at: int
    starts_at: int = -1
    battery_at: int = -1
    index_bits: int = 32


_TECHNICAL: Final = {
    0x51: _Technical(12, _ENERGY, 5, starts_at=1, battery_at=4),
    0x0E: _Technical(12, _ENERGY, 5, starts_at=1, battery_at=4, index_bits=24),
    0x6A: _Technical(16, _ENERGY, 8, starts_at=1, battery_at=7),
    0x10: _Technical(12, _TURNS, 5, starts_at=1, index_bits=24),
    0x6E: _Technical(15, _TURNS, 8, starts_at=1),
    0x29: _Technical(10, _PULSES, 4, index_bits=24),
    0x6C: _Technical(11, _PULSES, 4),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    header, size = (payload[0] if payload else -1), len(payload)
    if f_port == _PORT:
        if header in _FIXED and size == _FIXED_SIZE:
            what, step_s = _FIXED[header]
            return _indexes(payload, 1, 24, what, step_s)
        if header in _ANY_STEP and 8 <= size <= 46 and not size % 2 and payload[1]:
            return _indexes(payload, 2, 32, _ANY_STEP[header], payload[1] * 60)
        if header == 0x5B and size == _MINUTES_SIZE:
            return _minutes(payload)
        if header in _TECHNICAL and size == _TECHNICAL[header].size:
            return _technical(payload, _TECHNICAL[header])
        if header in _NOT_MEASURED:
            return []
    raise DecodeError(f"f_port {f_port}, header {header:#04x}, {size} bytes")


def _indexes(payload: bytes, at: int, bits: int, what: tuple[str, int], step_s: int) -> list[Reading]:
    """Return the index at the end of each step, the newest first."""
    quantity, divisor = what
    first = at + bits // 8
    index, readings = int.from_bytes(payload[at:first]), []
    for age, place in enumerate(range(len(payload) - 2, first - 1, -2)):
        readings.append(Reading(quantity, index / divisor, 0, float(age * step_s)))
        index = index - int.from_bytes(payload[place : place + 2]) & (1 << bits) - 1
    return readings


def _minutes(payload: bytes) -> list[Reading]:
    quantity, divisor = _ENERGY
    index = Reading(quantity, int.from_bytes(payload[1:5]) / divisor, 0, float(_MINUTES_DELAY_S))
    powers = [
        Reading(
            "active_power",
            int.from_bytes(payload[5 + 2 * place : 7 + 2 * place]),
            0,
            float(_MINUTES_DELAY_S + 60 * (20 - place)),
        )
        for place in range(20)
    ]
    return [index, *powers]


def _technical(payload: bytes, form: _Technical) -> list[Reading]:
    quantity, divisor = form.what
    index = int.from_bytes(payload[form.index_at : form.index_at + 4]) & (1 << form.index_bits) - 1
    readings = [Reading(quantity, index / divisor)]
    if form.starts_at >= 0:
        readings.append(Reading("device_restart_count", payload[form.starts_at]))
    if form.battery_at >= 0:
        readings.append(Reading("battery_low", payload[form.battery_at] & 1))
    return readings
