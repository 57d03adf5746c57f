"""Nexelec Insafe+ frames: whole bytes, the first saying product (high digit) and message.

Values of a sample are bytes, each with its step: CO2 20 ppm, temperature 0.2 degC, humidity 0.5 %; FF: in error.
"""

from collections.abc import Mapping
from typing import Final

from domain.errors import DecodeError
from domain.readings import Reading

Values = tuple[tuple[str, float], ...]

CO2: Final = ("co2", 20.0)
TEMPERATURE: Final = ("temperature", 0.2)
HUMIDITY: Final = ("humidity", 0.5)
_ERROR: Final = 0xFF


def kind_of(payload: bytes, sizes: Mapping[int, int]) -> int:
    """Return the first byte of a frame of one of these sizes; raise DecodeError for any other."""
    kind, size = payload[0], sizes.get(payload[0])
    if len(payload) != size:
        raise DecodeError(f"frame {kind:#04x} of {len(payload)} bytes, {size or 'unknown'} expected")
    return kind


def sample(raws: bytes, values: Values, age_s: float = 0.0) -> list[Reading]:
    """Return the values of a sample that are not in error."""
    return [
        Reading(quantity, raw * step, 0, age_s)
        for raw, (quantity, step) in zip(raws, values, strict=True)
        if raw != _ERROR
    ]


def past(payload: bytes, values: Values) -> list[Reading]:
    """Return the samples of a message of the past: the oldest first, then their period, bits 7-4 in 10 minutes."""
    size, period_s = len(values), (payload[-1] >> 4) * 600
    last = (len(payload) - 2) // size - 1
    return [
        reading
        for number in range(last + 1)
        for reading in sample(payload[1 + number * size :][:size], values, float((last - number) * period_s))
    ]


def status(flags: int) -> list[Reading]:
    """Return what a product says of itself: battery level bits 7-6 (2 low, 3 critical), fault bit 5."""
    return [Reading("battery_low", int(flags >> 6 >= 2)), Reading("device_fault", flags >> 5 & 1)]
