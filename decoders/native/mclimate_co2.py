"""MClimate CO2 Sensor and Notifier: CO2, temperature, humidity.

Source: docs.mclimate.eu, "CO2 Sensor LoRaWAN device communication protocol", page "Keep-alive". Frame:
`_mclimate.py`.
Byte map:  .. 01 CC CC TT TT HH BB
  C  CO2          uint16 1 ppm
  T  temperature  uint16 0.1 degC from -40 degC
  H  humidity     uint8 100/256 %
  B  battery      uint8 8 mV from 1.6 V
"""

from typing import Final

from decoders.native._mclimate import battery, humidity, keep_alive, temperature
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-co2",
    vendor="MClimate",
    name="CO2 Sensor and Notifier",
    quantities=("co2", "temperature", "humidity", "battery_voltage"),
    period_s=600,
    hints=("mclimate co2", "mclimate co2 sensor", "mclimate co2 notifier"),
)

_SIZES: Final = {0x01: 7}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    co2 = Reading("co2", int.from_bytes(frame[1:3]))
    return [co2, temperature(frame, 3), humidity(frame, 5), battery(frame, 6)]
