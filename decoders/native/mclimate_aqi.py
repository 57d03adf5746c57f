"""MClimate AQI Sensor and Notifier: air quality, pressure, temperature, humidity.

Source: docs.mclimate.eu, "AQI Sensor LoRaWAN device communication protocol", page "Keep-alive". Frame:
`_mclimate.py`.
Byte map:  .. 01, then 71 bits from the high one, then two of accuracy, and BB; widths and what they hold:
  9 static AQI, 16: channel 1 of iaq_index
  5 AQI, 16: channel 0
  10 CO2 equivalent, 32 ppm: computed from the volatile compounds, not measured: not kept
  8 volatile compounds, 4 ppm: an equivalent too, not kept
  8 humidity, 0.4 %
  11 pressure, 40 Pa from 30000 Pa
  11 temperature, 0.1 degC from -40 degC
  2 accuracy of the air quality: 0 is not to be relied on, the AQI is not kept
  B  battery, uint8 8 mV from 1.6 V
"""

from typing import Final

from decoders.native._mclimate import battery, keep_alive
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="mclimate-aqi",
    vendor="MClimate",
    name="AQI Sensor and Notifier",
    quantities=("iaq_index", "pressure", "temperature", "humidity", "battery_voltage"),
    period_s=180,
    hints=("mclimate aqi",),
)

_SIZES: Final = {0x01: 10}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    frame = keep_alive(payload, _SIZES)
    bits = int.from_bytes(frame[1:9])
    readings = [
        Reading("temperature", ((bits >> 2 & 0x7FF) - 400) / 10),
        Reading("pressure", ((bits >> 13 & 0x7FF) * 40 + 30000) / 100),
        Reading("humidity", (bits >> 24 & 0xFF) * 4 / 10),
        battery(frame, 9),
    ]
    if bits & 3:
        readings += [Reading("iaq_index", (bits >> 50 & 0x1F) * 16), Reading("iaq_index", (bits >> 55) * 16, 1)]
    return readings
