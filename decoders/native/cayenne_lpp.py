"""Cayenne Low Power Payload: any device that speaks it, with the types that RAK and others added.

Source: myDevices, "Cayenne Low Power Payload" (docs.mydevices.com, LoRa section); the added types:
github.com/ElectronicCats/CayenneLPP, README, table of types, which RAKwireless's modules use; RAKwireless's own:
github.com/RAKWireless/RAKwireless_Standardized_Payload, README, and docs.rakwireless.com, RAK9154, "Payload decoder".
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
  RAK's: 70 humidity uint16 0.1 %   7E serial number 3 bytes      89 position int32 0.000001 deg, int24 0.01 m
         8A VOC uint16, an index    B8 battery uint8 1 %          B9 current int16 0.01 A   BA battery uint16 0.01 V
         BC soil moisture uint16 0.1 %  BE wind uint16 0.01 m/s   BF its direction uint16 1 deg
         C0 soil uint16 0.001 mS/cm C1 pH uint16 0.01             C2 pH uint16 0.1            C3 sun uint16 1 W/m2
         F3 state of the battery uint16
What has no meaning of its own (generic, percentage, outputs, gyrometer, time, colour, serial, state) is not kept.
"""

from typing import Final

from decoders.native._channels import Part, Parts, value_of
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
        *("wind_direction", "on", "iaq_index", "battery_level", "battery_voltage", "soil_moisture"),
        *("soil_conductivity", "wind_speed", "ph", "solar_irradiance"),
    ),
    hints=("cayenne lpp", "cayenne"),
)

_ALTITUDE: Final = Part(3, "altitude", 100, signed=True)
_TYPES: Final[dict[int, Parts]] = {
    0x00: (Part(1, "digital_input"),),
    0x01: (Part(1),),
    0x02: (Part(2, "analog_voltage", 100, signed=True),),
    0x03: (Part(2),),
    0x64: (Part(4),),
    0x65: (Part(2, "illuminance"),),
    0x66: (Part(1, "presence"),),
    0x67: (Part(2, "temperature", 10, signed=True),),
    0x68: (Part(1, "humidity", 2),),
    0x70: (Part(2, "humidity", 10),),
    0x71: tuple(Part(2, f"acceleration_{axis}", 1000, signed=True) for axis in "xyz"),
    0x73: (Part(2, "pressure", 10),),
    0x74: (Part(2, "voltage", 100),),
    0x75: (Part(2, "current", 1000),),
    0x76: (Part(4, "frequency"),),
    0x78: (Part(1),),
    0x79: (Part(2, "altitude", signed=True),),
    0x7D: (Part(2, "co2"),),
    0x7E: (Part(3),),
    0x80: (Part(2, "active_power"),),
    0x82: (Part(4, "distance", 1000),),
    0x83: (Part(4, "active_energy_import", 1000),),
    0x84: (Part(2, "wind_direction"),),
    0x85: (Part(4),),
    0x86: (Part(6),),
    0x87: (Part(3),),
    0x88: (Part(3, "latitude", 10_000, signed=True), Part(3, "longitude", 10_000, signed=True), _ALTITUDE),
    0x89: (Part(4, "latitude", 1_000_000, signed=True), Part(4, "longitude", 1_000_000, signed=True), _ALTITUDE),
    0x8A: (Part(2, "iaq_index"),),
    0x8E: (Part(1, "on"),),
    0xB8: (Part(1, "battery_level"),),
    0xB9: (Part(2, "current", 100, signed=True),),
    0xBA: (Part(2, "battery_voltage", 100),),
    0xBC: (Part(2, "soil_moisture", 10),),
    0xBE: (Part(2, "wind_speed", 100),),
    0xBF: (Part(2, "wind_direction"),),
    0xC0: (Part(2, "soil_conductivity"),),
    0xC1: (Part(2, "ph", 100),),
    0xC2: (Part(2, "ph", 10),),
    0xC3: (Part(2, "solar_irradiance"),),
    0xF3: (Part(2),),
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
                value = value_of(payload[at : at + part.size], part, "big")
                readings.append(Reading(part.quantity, value, channel))
            at += part.size
        if at > end:
            raise DecodeError(f"channel {channel} of type {kind:#04x} ends early")
    return readings
