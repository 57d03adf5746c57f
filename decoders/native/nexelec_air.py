"""Nexelec indoor air sensors: Feel, Rise, Move, Wave, Sign, Echo, View (X5), and the "+" of them, Sense+, Atmo+ (X2).

Source: Nexelec, README_X2_Frames and X5_General_README in github.com/nexelec/Decoders (August 2026); the examples
of the vendor's codec in github.com/actility/device-catalog, vendors/nexelec. Frame: `_nexelec.py`.
Products: A9 Feel, AA Rise, AB Move, AC Wave, AD Sign, C9 Echo, CA View; B9 Feel+, BA Rise+, BB Wave+, C6 Move+,
C7 Sign+, C8 Sense+, CD Atmo+
Messages, offset and size in bits:
  01  now: temperature 16 10, humidity 26 10 0.1 %, CO2 36 14 1 ppm, VOC 50 14 1 ug/m3 (X5), light 64 10 5 lx, button
      74 1, mean noise 75 7 and its peak 82 7 1 dB, activity 89 7 1 %; X2: presence 118 1; Sense+, Atmo+: PM1 119 16,
      PM2.5 135 16, PM10 151 16 1 ug/m3, pressure 247 10 1 hPa from 300, formaldehyde 257 10 1 ppb
  02, 03, 04  the past of CO2 (5 ppm), temperature, humidity; its period in 10 minutes, as the vendor's codecs of
      both families read it (the README of X2 says minutes)
  05  status: battery 34 10 5 mV, its level 44 3 (2 low, 3 critical), fault 47 1
  06, 07  configuration          08  presence 16 1: 0 occupied, 1 vacant
Formaldehyde is given in ug/m3: 1 ppb is 1.23 ug/m3 at 25 degC and 1013 hPa.
"""

from typing import Final

from decoders.native._nexelec import Frame, past, temperature
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = (
    *("temperature", "humidity", "co2", "tvoc_concentration", "illuminance", "sound_level", "sound_level_peak"),
    *("presence", "pm1", "pm2_5", "pm10", "pressure", "formaldehyde", "battery_voltage", "battery_low"),
    "device_fault",
)
_X5: Final = {0xA9: "Feel", 0xAA: "Rise", 0xAB: "Move", 0xAC: "Wave", 0xAD: "Sign", 0xC9: "Echo", 0xCA: "View"}
_X2: Final = {0xB9: "Feel+", 0xBA: "Rise+", 0xBB: "Wave+", 0xC6: "Move+", 0xC7: "Sign+", 0xC8: "Sense+", 0xCD: "Atmo+"}


def _model(name: str) -> Model:
    word = name.lower().replace("+", " plus")
    return Model(f"nexelec-{word.replace(' ', '-')}", "Nexelec", name, _QUANTITIES, 600, (f"nexelec {word}",))


MODELS: Final = tuple(_model(name) for name in (*_X5.values(), *_X2.values()))

_WITH_PARTICLES: Final = (0xC8, 0xCD)
_FORMALDEHYDE_UG_M3_PER_PPB: Final = 1.23
_CONFIGURATION: Final = (0x06, 0x07)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the frame says what it is
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = Frame(payload)
    if frame.product not in _X5 and frame.product not in _X2:
        raise DecodeError(f"product {frame.product:#04x}")
    if frame.message == 0x01:
        return _now(frame)
    if frame.message in {0x02, 0x03, 0x04}:
        return _past(frame)
    if frame.message == 0x05:
        return _status(frame)
    if frame.message == 0x08:
        return [Reading("presence", 1 - frame.field(16, 1))]
    if frame.message in _CONFIGURATION:
        return []
    raise DecodeError(f"message {frame.message:#04x}")


def _now(frame: Frame) -> list[Reading]:
    readings = [
        *temperature(frame.measured(16, 10)),
        *_number("humidity", frame.measured(26, 10), 0.1),
        *_number("co2", frame.measured(36, 14)),
        *_number("illuminance", frame.measured(64, 10), 5),
        *_number("sound_level", frame.measured(75, 7)),
        *_number("sound_level_peak", frame.measured(82, 7)),
    ]
    if frame.product in _X5:
        return readings + _number("tvoc_concentration", frame.measured(50, 14))
    readings.append(Reading("presence", frame.field(118, 1)))
    if frame.product in _WITH_PARTICLES:
        pressure = frame.measured(247, 10)
        readings += [
            *_number("pm1", frame.measured(119, 16)),
            *_number("pm2_5", frame.measured(135, 16)),
            *_number("pm10", frame.measured(151, 16)),
            *_number("pressure", None if pressure is None else pressure + 300),
            *_number("formaldehyde", frame.measured(257, 10), _FORMALDEHYDE_UG_M3_PER_PPB),
        ]
    return readings


def _number(quantity: str, raw: int | None, factor: float = 1, age_s: float = 0.0) -> list[Reading]:
    if raw is None:
        return []
    return [Reading(quantity, raw / 10 if factor == 0.1 else raw * factor, 0, age_s)]


def _past(frame: Frame) -> list[Reading]:
    samples = past(frame, 600)
    if frame.message == 0x03:
        return [reading for raw, age_s in samples for reading in temperature(raw, age_s)]
    quantity, factor = ("co2", 5) if frame.message == 0x02 else ("humidity", 0.1)
    return [reading for raw, age_s in samples for reading in _number(quantity, raw, factor, age_s)]


def _status(frame: Frame) -> list[Reading]:
    return [
        Reading("battery_voltage", frame.field(34, 10) * 5 / 1000),
        Reading("battery_low", int(frame.field(44, 3) >= 2)),
        Reading("device_fault", frame.field(47, 1)),
    ]
