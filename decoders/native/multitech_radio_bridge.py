"""MultiTech (Radio Bridge) wireless sensors: RBS301-TEMP, -DWS, -CON, -WAT, RBS305-ATH, RBS306-ATH.

Source: MultiTech, Radio Bridge LoRaWAN Wireless Sensor Air Temperature Humidity Sensor User Guide, chapters
"Common Messages" and "Sensor-Specific Messages"; Radio Bridge support pages "How do I decode a sensor's
Supervisory Message", "... an External Probe Temperature Sensor Event"; github.com/RadioBridge/Packet-Decoder,
DecoderDocs, March 2024 (inner temperature, contact, water).

Byte map, on the port the sensor is configured for (1 or 2 as delivered):  PC TT xx xx ...
  P   protocol version  high nibble, 1
  C   packet counter    low nibble
  TT  message type:
  00  reset             II HH FF FF ..        sensor type, hardware and firmware version, reset code
  01  supervisory       EE SS BB XX XX XX XX AA AA
        E  bit 4 tamper since reset, 3 tamper switch closed, 2 error with last downlink, 1 battery low,
           0 radio fault
        S, X  sensor state, which MultiTech deprecates: it disagrees with the events
        B  battery           two decimal digits, 0.1 V
        A  events since the last supervisory message; not an index
  02  tamper            00 switch opened, 01 switch closed
  03  door or window    00 closed, 01 open
  07  contact           00 closed, 01 open
  08  water             00 present, 01 absent, then its relative level
  09  probe temperature EE TT RR              T int8 degC; 0x7F and 0x80 out of range; R raw scale
  0D  air               EE TT t0 HH h0        T bit 7 sign, bits 6-0 degC, t tenths; H %, h tenths
        T 0x7F or 0x80 without tenths is out of range; 0x80 with tenths is between -1 and 0 degC, where frost begins
  19  inner temperature EE TT t0              as in 0D
  FA  device information, FE reserved, FF downlink acknowledgement: nothing measured
  FB  link quality      SS RR NN              sub-band, RSSI int8 dBm (0: no downlink was heard), SNR int8 dB
"""

from collections.abc import Callable
from typing import Final

from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

QUANTITIES: Final = (
    "temperature",
    "humidity",
    "open",
    "water_leak",
    "battery_voltage",
    "battery_low",
    "tamper",
    "device_fault",
    "downlink_rssi",
    "downlink_snr",
)
_VENDOR: Final = "MultiTech (Radio Bridge)"

# A frame says by itself what it carries, so each model understands every type: sensors are often declared
# under a sister model's profile.
MODELS: Final = tuple(
    Model(f"multitech-{name.lower()}", _VENDOR, name, QUANTITIES, hints=(name,))
    for name in ("RBS301-TEMP", "RBS301-DWS", "RBS301-CON", "RBS301-WAT", "RBS305-ATH", "RBS306-ATH")
)

_OUT_OF_RANGE: Final = (0x7F, 0x80)


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if len(payload) < 2 or payload[0] >> 4 != 1:
        raise DecodeError(f"not a Radio Bridge frame of protocol 1: {len(payload)} bytes")
    entry = _TYPES.get(payload[1])
    if entry is None:
        raise DecodeError(f"message type {payload[1]:#04x} is not documented")
    size, read = entry
    if len(payload) < size:
        raise DecodeError(f"message type {payload[1]:#04x} of {len(payload)} bytes, {size} expected")
    return read(payload)


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


def _decimal(whole: int, fraction: int) -> float:
    """Return whole + tenths; the tenths stand in the high nibble."""
    tenths = fraction >> 4
    if tenths > 9:
        raise DecodeError(f"{tenths} tenths")
    return (whole * 10 + tenths) / 10


def _temperature(payload: bytes) -> list[Reading]:
    whole = payload[3]
    magnitude = _decimal(whole & 0x7F, payload[4])
    if whole in _OUT_OF_RANGE and magnitude in (0.0, 127.0):  # but 0x80 with tenths is a little below zero
        return []
    return [Reading("temperature", -magnitude if whole & 0x80 else magnitude)]


def _air(payload: bytes) -> list[Reading]:
    return [*_temperature(payload), Reading("humidity", _decimal(payload[5], payload[6]))]


def _probe_temperature(payload: bytes) -> list[Reading]:
    return [] if payload[3] in _OUT_OF_RANGE else [Reading("temperature", _signed(payload[3]))]


def _supervisory(payload: bytes) -> list[Reading]:
    errors, volts, tenths = payload[2], payload[4] >> 4, payload[4] & 0x0F
    if volts > 9 or tenths > 9:
        raise DecodeError(f"battery {payload[4]:#04x} is not two decimal digits")
    return [
        Reading("battery_voltage", (volts * 10 + tenths) / 10),
        Reading("battery_low", errors >> 1 & 1),
        Reading("tamper", ~errors >> 3 & 1),
        Reading("device_fault", errors & 1),
    ]


def _tamper(payload: bytes) -> list[Reading]:
    return [Reading("tamper", 1 - _bit(payload[2]))]


def _door(payload: bytes) -> list[Reading]:
    return [Reading("open", _bit(payload[2]))]


def _water(payload: bytes) -> list[Reading]:
    return [Reading("water_leak", 1 - _bit(payload[2]))]


def _bit(byte: int) -> int:
    if byte > 1:
        raise DecodeError(f"state {byte:#04x}")
    return byte


def _link_quality(payload: bytes) -> list[Reading]:
    if not payload[3]:
        return []
    return [Reading("downlink_rssi", _signed(payload[3])), Reading("downlink_snr", _signed(payload[4]))]


def _nothing(_payload: bytes) -> list[Reading]:
    return []


# Message type -> its least size in bytes, and what reads it.
_TYPES: Final[dict[int, tuple[int, Callable[[bytes], list[Reading]]]]] = {
    0x00: (6, _nothing),
    0x01: (5, _supervisory),
    0x02: (3, _tamper),
    0x03: (3, _door),
    0x07: (3, _door),
    0x08: (3, _water),
    0x09: (5, _probe_temperature),
    0x0D: (7, _air),
    0x19: (5, _temperature),
    0xFA: (2, _nothing),
    0xFB: (5, _link_quality),
    0xFE: (2, _nothing),
    0xFF: (3, _nothing),
}
