"""Tektelic Industrial Transceiver: air, and inputs for other makers' sensors.

Source: Tektelic, github.com/TektelicCommunications/data-converters, converter industrial-transceiver v2.1.
Frame: `_tektelic.py`.
Channels:
  00 FF  battery       int16 0.01 V
  03 67  temperature   int16 0.1 degC           04 68  humidity uint8 0.5 %
  05 00  input 1       1 or FF closed           08 04  its counter: not said from when it counts, not kept
  06 02  input 2       uint16 0.001 mA          07 02  input 3 uint16 0.001 V
  09 67  of the device int16 0.1 degC           01 01, 02 01  outputs, not kept
"""

from typing import Final

from decoders.native._channels import Channels, Part
from decoders.native._tektelic import AIR, BATTERY, decode_channels
from decoders.registry import Model
from domain.readings import Reading

MODEL: Final = Model(
    id="tektelic-industrial",
    vendor="Tektelic",
    name="Industrial Transceiver",
    quantities=(
        *("temperature", "humidity", "digital_input", "analog_current", "analog_voltage"),
        *("device_temperature", "battery_voltage"),
    ),
    period_s=3600,
    hints=("tektelic industrial transceiver", "industrial transceiver"),
)


_CHANNELS: Final[Channels] = {
    **BATTERY,
    **AIR,
    (0x01, 0x01): (Part(1),),
    (0x02, 0x01): (Part(1),),
    (0x05, 0x00): (Part(1, "digital_input", mask=0xFF),),
    (0x06, 0x02): (Part(2, "analog_current", 1000),),
    (0x07, 0x02): (Part(2, "analog_voltage", 1000),),
    (0x08, 0x04): (Part(2),),
    (0x09, 0x67): (Part(2, "device_temperature", 10, signed=True),),
}


def decode(payload: bytes, f_port: int) -> list[Reading]:
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    return decode_channels(payload, f_port, _CHANNELS)
