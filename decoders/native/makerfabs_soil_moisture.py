"""Makerfabs AgroSense soil moisture sensor AGLWSM01, and its elder with an air sensor.

Source: Makerfabs, AgroSense Soil Moisture Sensor LoRaWAN Manual V1.2 (2024-11-06), section 3.1.2, for the
first five bytes; github.com/Makerfabs/Agrosense-Decoder, for the later firmwares; Makerfabs' AHT20 codec in
the LoRaWAN device repository, for the air sensor of the elder, whose 9 bytes were seen in the field.
Byte map, big-endian, f_port 2, told apart by their size:
  5 bytes   NN NN MM MM BB
  9 bytes   NN NN MM MM BB HH HH TT TT            the elder
  10 bytes  NN NN MM MM BB II II II II 00         firmware that says its interval
  14 bytes  NN NN MM MM BB II II II II CC CC CC CC 00   and its clock
  N  frame number     uint16
  M  soil moisture    uint16  12-bit reading of the capacitive probe, uncalibrated: less is wetter
  B  battery          uint8   0.1 V
  H  air humidity     uint16  0.1 %
  T  air temperature  int16   0.1 degC
  I  interval         uint32  0.001 s
  C  device clock     uint32  seconds since 1970; the frame is sent at once, so it is not needed
"""

import struct
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="makerfabs-soil-moisture",
    vendor="Makerfabs",
    name="AgroSense soil moisture (AGLWSM01)",
    quantities=("soil_moisture_raw", "humidity", "temperature", "battery_voltage"),
    period_s=3600,
    hints=("makerfabs soil moisture", "agrosense soil moisture", "aglwsm01"),
)

_SIZES: Final = (5, 9, 10, 14)
_AIR: Final = struct.Struct(">Hh")


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if f_port != 2 or len(payload) not in _SIZES:
        raise DecodeError(f"f_port {f_port}, {len(payload)} bytes")
    readings = [
        Reading("soil_moisture_raw", int.from_bytes(payload[2:4])),
        Reading("battery_voltage", payload[4] / 10),
    ]
    if len(payload) == 9:
        humidity, temperature = _AIR.unpack_from(payload, 5)
        readings += Reading("humidity", humidity / 10), Reading("temperature", temperature / 10)
    return readings
