"""MClimate T-Valve: water valve with leak detection.

Source: docs.mclimate.eu, "T-Valve LoRaWAN communication protocol", page "Keep-alive" (the words under its short
example contradict its table on the valve's bit: the table is followed).
Byte map, 2 bytes:  WW AA
  W  water temperature  uint8 0.5 degC
  A  bit 7 1 valve open; bits 6-0 air temperature, 0.5 degC from -10 degC
Byte map, 5 bytes:  SS FF CC OO BB
  S  state    bits 7-5 why it was sent; 3 box opened; 2 leak wire not working; 1 leak; 0 magnet
  F C O       modes, firmware and times
  B  battery  uint8 8 mV from 1.6 V
"""

from typing import Final

from decoders.native._mclimate import battery
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-t-valve",
    vendor="MClimate",
    name="T-Valve",
    quantities=(
        "valve_position",
        "water_temperature",
        "temperature",
        "water_leak",
        "tamper",
        "device_fault",
        "battery_voltage",
    ),
    period_s=300,
    hints=("t valve", "mclimate t valve"),
)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if len(payload) == 2:
        water, air = payload
        return [
            Reading("valve_position", 100 * (air >> 7)),
            Reading("water_temperature", water / 2),
            Reading("temperature", ((air & 0x7F) - 20) / 2),
        ]
    if len(payload) == 5:
        state = payload[0]
        return [
            Reading("water_leak", state >> 1 & 1),
            Reading("device_fault", state >> 2 & 1),
            Reading("tamper", state >> 3 & 1),
            battery(payload, 4),
        ]
    raise DecodeError(f"{len(payload)} bytes, not 2 or 5")
