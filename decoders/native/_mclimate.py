"""MClimate frames: the answers to commands, if any, then the keep-alive, which has the measurements.

Source: docs.mclimate.eu, "Device communication protocol" of each product, pages "Keep-alive" and "Uplink types".
Byte map:  .. KK ..
  ..  the answers to the commands of the last downlink; their sizes differ, so that they are skipped from the end
  K   keep-alive: 01, or 81 after its form changed; it is the end of the frame and its size is known
"""

from collections.abc import Mapping

from domain.errors import DecodeError
from domain.readings import Reading


def keep_alive(payload: bytes, sizes: Mapping[int, int]) -> bytes:
    """Return the keep-alive of a frame, its first byte included; raise DecodeError if it has none.

    `sizes` gives the size in bytes of each form, by its first byte. A form is looked for from the longest, as
    the end of a longer one may look like a shorter one.
    """
    for command, size in sorted(sizes.items(), key=lambda item: -item[1]):
        if len(payload) >= size and payload[-size] == command:
            return payload[-size:]
    raise DecodeError(f"no keep-alive in {len(payload)} bytes")


def temperature(frame: bytes, at: int) -> Reading:
    """Return the temperature at a place: uint16, 0.1 degC, from -40 degC."""
    return Reading("temperature", (int.from_bytes(frame[at : at + 2]) - 400) / 10)


def humidity(frame: bytes, at: int) -> Reading:
    """Return the humidity at a place: uint8, 100/256 %."""
    return Reading("humidity", frame[at] * 100 / 256)


def battery(frame: bytes, at: int) -> Reading:
    """Return the battery's voltage at a place: uint8, 8 mV, from 1.6 V."""
    return Reading("battery_voltage", (frame[at] * 8 + 1600) / 1000)


def pir_lite(frame: bytes) -> list[Reading]:
    """Return what the lite sensors with a motion detector share.

    From byte 1: bit 2 somebody is there, ten bits of temperature, 0.1 degC from -40 degC, humidity, battery (uint8,
    2200/255 mV, from 1.6 V).
    """
    return [
        Reading("presence", frame[1] >> 2 & 1),
        Reading("temperature", ((frame[1] & 3) << 8 | frame[2]) / 10 - 40),
        humidity(frame, 3),
        lite_battery(frame, 4),
    ]


def lite_battery(frame: bytes, at: int) -> Reading:
    """Return the battery's voltage at a place in a lite sensor: uint8, 2200/255 mV, from 1.6 V."""
    return Reading("battery_voltage", (frame[at] * 2200 / 255 + 1600) / 1000)


def thermistor(high: int, low: int, channel: int = 0) -> list[Reading]:
    """Return what a thermistor says: bit 2 of the first byte broken, bit 3 below zero, ten bits of 0.1 degC."""
    if high & 4:
        return [Reading("device_fault", 1)]
    value = ((high & 3) << 8 | low) / 10
    return [Reading("device_fault", 0), Reading("temperature", -value if high & 8 else value, channel)]
