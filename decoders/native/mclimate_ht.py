"""MClimate HT Sensor: temperature, humidity, external thermistor.

Source: docs.mclimate.eu, "HT Sensor LoRaWAN device communication protocol", page "Keep-alive". Frame:
`_mclimate.py`.
Byte map:  .. 01 TT TT HH BB EE EE
  T  temperature  uint16 0.1 degC from -40 degC
  H  humidity     uint8 100/256 %
  B  battery      uint8 8 mV from 1.6 V
  E  thermistor   bit 10 broken, bits 9-0 0.1 degC: channel 1
"""

from typing import Final

from decoders.native._mclimate import battery, humidity, keep_alive, temperature, thermistor
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-ht",
    vendor="MClimate",
    name="HT Sensor",
    quantities=("temperature", "humidity", "battery_voltage", "device_fault"),
    period_s=600,
    hints=("mclimate ht",),
)

_SIZES: Final = {0x01: 7}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    # The table gives the thermistor no sign: bit 3 is reserved here, unlike in the open/close sensor.
    outside = thermistor(frame[5] & 7, frame[6], channel=1)
    return [temperature(frame, 1), humidity(frame, 3), battery(frame, 4), *outside]
