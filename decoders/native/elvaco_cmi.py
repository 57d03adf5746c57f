"""Elvaco CMi41xx: LoRaWAN modules of heat meters (Landis+Gyr, Itron, Kamstrup MULTICAL, Diehl SHARKY, Engelmann).

Source: Diehl, CMi4160 LoRaWAN module, user manual, 02/2021, section 6.7; Elvaco, CMi4110 user manual V1.3,
2018-06, section 6.6. Records: `_mbus.py`.
Byte map:  MM, then records, or a JSON object
  M  message format: which records the installer chose; FA the clock alone
Records that are kept are those of now, without tariff:
  energy, volume, power, flow, flow and return temperatures, each with its unit
  unit 8x FF 02 (or FB 8x FF 02)    energy for cooling: channel 1 of heat_energy
  unit FF A0 NN, 8 bytes            flow and return temperature int16 0.01 degC, flow int16, power int16; NN bits
                                    6-4 power's power of ten from 1 mW, bits 2-0 flow's from 1 mL/h
  unit FD 17, or the first byte of FF 21   error flags
  a pulse input's volume            channel 1 and on of water_volume
A record "in error" is not kept: the module could not read its meter, and that is a fault.
JSON: E energy, U its unit, ID. Values at midnight, at due dates and of tariffs are not kept: the meter's clock is
local, and its offset is not in the frame.
"""

import json
from typing import Final

from decoders.native._mbus import NOW, SCALES, Record, scaled, split
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

_QUANTITIES: Final = (
    "heat_energy",
    "water_volume",
    "heat_power",
    "water_flow",
    "flow_temperature",
    "return_temperature",
    "device_fault",
)

MODELS: Final = (
    Model("elvaco-cmi4110", "Elvaco", "CMi4110 (Landis+Gyr)", _QUANTITIES, None, ("cmi4110",)),
    Model("elvaco-cmi4111", "Elvaco", "CMi4111 (Landis+Gyr)", _QUANTITIES, None, ("cmi4111",)),
    Model("elvaco-cmi4130", "Elvaco", "CMi4130 (Itron)", _QUANTITIES, None, ("cmi4130",)),
    Model("elvaco-cmi4140", "Elvaco", "CMi4140 (Kamstrup)", _QUANTITIES, None, ("cmi4140",)),
    Model("elvaco-cmi4160", "Elvaco", "CMi4160 (Diehl)", _QUANTITIES, None, ("cmi4160",)),
    Model("elvaco-cmi4170", "Elvaco", "CMi4170 (Engelmann)", _QUANTITIES, None, ("cmi4170",)),
)

_DIMENSIONS: Final = {
    "energy": "heat_energy",
    "volume": "water_volume",
    "power": "heat_power",
    "flow": "water_flow",
    "flow temperature": "flow_temperature",
    "return temperature": "return_temperature",
}
_COOLING: Final = b"\xff\x02"
_COMBINED: Final = b"\xff\xa0"
_ERROR_FLAGS, _IDENTITY = b"\xfd\x17", b"\xff\x21"
_IDENTITY_SIZE, _COMBINED_SIZE = 9, 8
_IN_ERROR: Final = 3
_CLOCK: Final = 0xFA
_KWH: Final = {
    "Wh": 1e-3,
    "kWh": 1,
    "MWh": 1e3,
    "GWh": 1e6,
    "J": 1 / 3.6e6,
    "kJ": 1 / 3600,
    "MJ": 1 / 3.6,
    "GJ": 1 / 3.6e-3,
    "Cal": 1.163e-6,
    "kCal": 1.163e-3,
    "MCal": 1.163,
    "GCal": 1163,
}


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    if len(payload) < 2:
        raise DecodeError(f"{len(payload)} bytes")
    if payload[1:2] == b"{":
        return [_json_energy(payload[1:])]
    records = split(payload[1:])
    if payload[0] == _CLOCK:
        return []
    now = [record for record in records if not record.storage and not record.tariff]
    readings = [reading for record in now if record.function == NOW for reading in _values(record)]
    faults = [fault for record in now if (fault := _fault(record)) is not None]
    return [*readings, Reading("device_fault", int(any(faults)))] if faults else readings


def _fault(record: Record) -> bool | None:
    """Say whether a record tells of a fault, or of none; None if it does not tell."""
    if record.function == _IN_ERROR:
        return True
    if record.code == _ERROR_FLAGS:
        return any(record.data)
    if record.code == _IDENTITY and len(record.data) == _IDENTITY_SIZE:
        return record.data[0] != 0
    return None


def _values(record: Record) -> list[Reading]:
    code = record.code
    if code.startswith(_COMBINED) and len(record.data) == _COMBINED_SIZE:
        return _combined(code[-1], record.data)
    if code.endswith(_COOLING) and len(code) > len(_COOLING):
        unit = code[:-3] + bytes([code[-3] & 0x7F])
        return _scaled(record, unit, channel=1) if unit in SCALES else []
    return _scaled(record, code, record.subunit) if code in SCALES else []


def _scaled(record: Record, unit: bytes, channel: int) -> list[Reading]:
    scale = SCALES[unit]
    quantity = _DIMENSIONS.get(scale.dimension)
    value = scaled(record, scale)
    return [] if quantity is None or value is None else [Reading(quantity, value, channel)]


def _combined(powers: int, data: bytes) -> list[Reading]:
    forward, back, flow, power = (int.from_bytes(data[at : at + 2], "little", signed=True) for at in (0, 2, 4, 6))
    return [
        Reading("flow_temperature", forward / 100),
        Reading("return_temperature", back / 100),
        Reading("water_flow", flow * 10 ** (powers & 7) / 1e6),
        Reading("heat_power", power * 10 ** (powers >> 4 & 7) / 1e3),
    ]


def _json_energy(text: bytes) -> Reading:
    try:
        told = json.loads(text)
        return Reading("heat_energy", int(told["E"]) * _KWH[told["U"]])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DecodeError("a JSON message without its energy") from None
