"""Nexelec frames: fields of any number of bits, the first byte saying the product, the second the message.

Source: Nexelec, README of each family in github.com/nexelec/Decoders (August 2026).
Bit map: fields follow one another from the high bit of the first byte on. The highest values of a field say that
it was not measured: sensor at the end of its life, switched off, missing, in error.
"""

from typing import Final

from domain.errors import DecodeError
from domain.readings import Reading

_NOT_MEASURED: Final = 4  # how many of the highest values


class Frame:
    """A frame whose fields are read by their offset and size in bits."""

    __slots__ = ("_bits", "_size", "message", "product")

    def __init__(self, payload: bytes) -> None:
        if len(payload) < 2:
            raise DecodeError(f"{len(payload)} bytes")
        self.product, self.message = payload[0], payload[1]
        self._bits, self._size = int.from_bytes(payload), 8 * len(payload)

    def field(self, offset: int, size: int) -> int:
        """Return a field; raise DecodeError when the frame ends before it."""
        rest = self._size - offset - size
        if rest < 0:
            raise DecodeError(f"message {self.message:#04x} ends early: {self._size // 8} bytes")
        return self._bits >> rest & (1 << size) - 1

    def holds(self, offset: int, size: int) -> bool:
        """Say whether the frame goes that far."""
        return offset + size <= self._size

    def measured(self, offset: int, size: int) -> int | None:
        """Return a field, None when it was not measured."""
        value = self.field(offset, size)
        return None if value >= (1 << size) - _NOT_MEASURED else value


def temperature(raw: int | None, age_s: float = 0.0) -> list[Reading]:
    """Return the reading of a temperature: 0.1 degC from -30."""
    return [] if raw is None else [Reading("temperature", (raw - 300) / 10, 0, age_s)]


def past(frame: Frame, unit_s: int) -> list[tuple[int, float]]:
    """Return the samples of a message of the past, each with its age: 6 bits of number, 8 of period in `unit_s`,
    6 of repetitions, then 10 bits a sample, the newest first; those not measured are left out.
    """  # noqa: D205 - the sentence does not fit one line
    count, period_s = frame.field(16, 6), frame.field(22, 8) * unit_s
    raws = ((number, frame.measured(36 + 10 * number, 10)) for number in range(count))
    return [(raw, float(number * period_s)) for number, raw in raws if raw is not None]
