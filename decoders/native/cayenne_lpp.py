"""Cayenne Low Power Payload: any device that speaks it, with the types that RAK and others added.

Source: myDevices, "Cayenne Low Power Payload" (docs.mydevices.com, LoRa section); the added types:
github.com/ElectronicCats/CayenneLPP, README, table of types, which RAKwireless's modules use.
Byte map, big-endian, any port: a channel, a type, its data, and so on.
  00 digital input, 01 output uint8                    02 analogue input, 03 output int16 0.01 V
  65 illuminance uint16 1 lx    66 presence uint8      67 temperature int16 0.1 degC    68 humidity uint8 0.5 %
  71 accelerometer 3 x int16 0.001 g                   73 pressure uint16 0.1 hPa       86 gyrometer 6 bytes
  88 position int24 0.0001 deg, 0.0001 deg, 0.01 m
  added: 64 generic uint32      74 voltage uint16 0.01 V          75 current uint16 0.001 A
         76 frequency uint32 1 Hz   78 percentage uint8           79 altitude int16 1 m
         7D concentration uint16 1 ppm (CO2 in practice)          80 power uint16 1 W
         82 distance uint32 0.001 m 83 energy uint32 0.001 kW.h   84 direction uint16 1 deg
         85 time uint32             87 colour 3 bytes             8E switch uint8
What has no meaning of its own (generic, percentage, outputs, gyrometer, time, colour) is not kept.
"""

from typing import Final, NamedTuple

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="cayenne-lpp",
    vendor="generic",
    name="Cayenne LPP",
    quantities=(
        *("digital_input", "analog_voltage", "illuminance", "presence", "temperature", "humidity"),
        *("acceleration_x", "acceleration_y", "acceleration_z", "pressure", "latitude", "longitude", "altitude"),
        *("voltage", "current", "frequency", "co2", "active_power", "distance", "active_energy_import"),
        *("wind_direction", "on"),
    ),
    hints=("cayenne lpp", "cayenne"),
)


class _Part(NamedTuple):
    size: int
    quantity: str = ""
    divisor: int = 1
    signed: bool = True


_TYPES: Final[dict[int, tuple[_Part, ...]]] = {
    0x00: (_Part(1, "digital_input", signed=False),),
    0x01: (_Part(1),),
    0x02: (_Part(2, "analog_voltage", 100),),
    0x03: (_Part(2),),
    0x64: (_Part(4),),
    0x65: (_Part(2, "illuminance", signed=False),),
    0x66: (_Part(1, "presence", signed=False),),
    0x67: (_Part(2, "temperature", 10),),
    0x68: (_Part(1, "humidity", 2, signed=False),),
    0x71: tuple(_Part(2, f"acceleration_{axis}", 1000) for axis in "xyz"),
    0x73: (_Part(2, "pressure", 10, signed=False),),
    0x74: (_Part(2, "voltage", 100, signed=False),),
    0x75: (_Part(2, "current", 1000, signed=False),),
    0x76: (_Part(4, "frequency", signed=False),),
    0x78: (_Part(1),),
    0x79: (_Part(2, "altitude"),),
    0x7D: (_Part(2, "co2", signed=False),),
    0x80: (_Part(2, "active_power", signed=False),),
    0x82: (_Part(4, "distance", 1000, signed=False),),
    0x83: (_Part(4, "active_energy_import", 1000, signed=False),),
    0x84: (_Part(2, "wind_direction", signed=False),),
    0x85: (_Part(4),),
    0x86: (_Part(6),),
    0x87: (_Part(3),),
    0x88: (_Part(3, "latitude", 10_000), _Part(3, "longitude", 10_000), _Part(3, "altitude", 100)),
    0x8E: (_Part(1, "on", signed=False),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the device's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    readings: list[Reading] = []
    at, end = 0, len(payload)
    while at < end:
        if end - at < 2 or payload[at + 1] not in _TYPES:
            raise DecodeError(f"no known type at byte {at + 1} of {end}")
        channel, kind = payload[at], payload[at + 1]
        at += 2
        for part in _TYPES[kind]:
            if part.quantity:
                value = int.from_bytes(payload[at : at + part.size], signed=part.signed)
                readings.append(Reading(part.quantity, value / part.divisor, channel))
            at += part.size
        if at > end:
            raise DecodeError(f"channel {channel} of type {kind:#04x} ends early")
    return readings
