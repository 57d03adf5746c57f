"""Nexelec Insafe+ Origin: a smoke detector that measures the air, of before Origin+.

Source: Nexelec D731D, Insafe+ Origin LoRa Technical Guide; the vendor's codec and its examples in
github.com/actility/device-catalog, vendors/nexelec. Frame: `_nexelec.py`. Product A2.
Messages, offset and size in bits:
  00  status: smoke chamber 40 1 and air sensor 41 1 (1 fault), voltages of two batteries 48 8 and 56 8 5 mV above 2 V,
      battery level 64 2 (2 low, 3 critical)
  01, 02  configuration, alive
  03  alarm: smoke 16 1
  04  the day: least, greatest and mean temperature 24, 32, 40 8 0.2 degC, and humidity 48, 56, 64 8 0.5 %: the means
      are kept
  05  now: temperature 32 9 0.1 degC, humidity 41 8 0.5 %
  06, 07  the past of the temperature (9 bits each) and of the humidity (8): count 16 8, period 24 4 in 10 minutes, then
      from 32 the samples, the oldest first
  08  temperature alert: temperature 16 9, thresholds 25 1 and 26 1
The highest value of a field: in error.
"""

from collections.abc import Callable, Mapping
from typing import Final

from decoders.native._nexelec import Frame
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="nexelec-insafe-origin",
    vendor="Nexelec",
    name="Insafe+ Origin",
    quantities=("temperature", "humidity", "alarm", "battery_voltage", "battery_low", "device_fault"),
    period_s=86_400,
    hints=("insafe origin",),
)

_PRODUCT: Final = 0xA2
_TEMPERATURE: Final = "temperature", 9, 10
_HUMIDITY: Final = "humidity", 8, 2


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the frame says what it is
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = Frame(payload)
    read = _MESSAGES.get(frame.message)
    if frame.product != _PRODUCT or read is None:
        raise DecodeError(f"product {frame.product:#04x}, message {frame.message:#04x}")
    return read(frame)


def _value(frame: Frame, offset: int, form: tuple[str, int, int], age_s: float = 0.0) -> list[Reading]:
    quantity, size, divisor = form
    raw = frame.field(offset, size)
    return [] if raw == (1 << size) - 1 else [Reading(quantity, raw / divisor, 0, age_s)]


def _past(frame: Frame, form: tuple[str, int, int]) -> list[Reading]:
    count, period_s = frame.field(16, 8), frame.field(24, 4) * 600
    return [
        reading
        for number in range(count)
        for reading in _value(frame, 32 + number * form[1], form, float((count - 1 - number) * period_s))
    ]


def _status(frame: Frame) -> list[Reading]:
    voltages = [(2000 + frame.field(offset, 8) * 5) / 1000 for offset in (48, 56)]
    return [
        *(Reading("battery_voltage", voltage, channel) for channel, voltage in enumerate(voltages)),
        Reading("battery_low", int(frame.field(64, 2) >= 2)),
        Reading("device_fault", int(frame.field(40, 2) != 0)),
    ]


_MESSAGES: Final[Mapping[int, Callable[[Frame], list[Reading]]]] = {
    0x00: _status,
    0x01: lambda _: [],
    0x02: lambda _: [],
    0x03: lambda frame: [Reading("alarm", frame.field(16, 1))],
    0x04: lambda frame: [*_value(frame, 40, ("temperature", 8, 5)), *_value(frame, 64, _HUMIDITY)],
    0x05: lambda frame: [*_value(frame, 32, _TEMPERATURE), *_value(frame, 41, _HUMIDITY)],
    0x06: lambda frame: _past(frame, _TEMPERATURE),
    0x07: lambda frame: _past(frame, _HUMIDITY),
    0x08: lambda frame: [*_value(frame, 16, _TEMPERATURE), Reading("alarm", int(frame.field(25, 2) != 0))],
}
