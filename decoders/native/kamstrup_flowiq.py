"""Kamstrup flowIQ 2200: ultrasonic water meter.

Source: Kamstrup's codec and examples (one of them of its integration guide) in github.com/actility/device-catalog,
vendors/kamstrup/drivers/generic; EN 13757-3 and EN 13757-7. Records: `_mbus.py`.
Byte map:  HH .., then records
  H  78 no header; 7A and 4 bytes; 72 and 12 bytes: their last two say how the rest is encrypted. Encrypted frames
     (the utility's choice) are refused: Samara does not keep the meters' keys
Records that are kept:
  volume of now, or of the date that has the same storage number; with 3C after it, the reverse volume
  flow of now
  FF 25        bits: 0 dry, 1 reverse, 2 leak, 3 burst, 4 tamper, 5 battery low, 6 and 7 ambient temperature; of now,
               or of the day (its highest)
  volume and 13  the past, from the volume of the same storage number backwards: the byte S, its bits 7-6 1 what it
               grew by, 2 what it fell by, 3 either; 5-4 seconds, minutes, hours or days; 3-0 size of each; then how
               many of them between two; then the differences. All ones (8000 where signed) ends it
Dates are taken for UTC, as the vendor's codec does. The lowest and highest of the day are not kept.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from decoders.native._mbus import NOW, SCALES, Record, moment, number, scaled, split
from decoders.registry import Model
from domain.errors import DecodeError
from domain.readings import Reading

MODEL: Final = Model(
    id="kamstrup-flowiq-2200",
    vendor="Kamstrup",
    name="flowIQ 2200",
    quantities=(
        "water_volume",
        "water_volume_reverse",
        "water_flow",
        "water_leak",
        "alarm",
        "tamper",
        "battery_low",
    ),
    period_s=86400,
    hints=("flowiq 2200", "flowiq"),
)

_HEADERS: Final = {0x78: 1, 0x7A: 5, 0x72: 13}
_INFO: Final = b"\xff\x25"
_INFO_FUNCTIONS: Final = (NOW, 1)  # the day's highest has every bit that was set in the day
_REVERSE, _PROFILE = 0x3C, 0x13
_STEPS_S: Final = (1, 60, 3600, 86400)
_FELL, _EITHER = 2, 3


def decode(payload: bytes, f_port: int) -> list[Reading]:  # noqa: ARG001 - the port is the installer's choice
    """Return the readings of one frame; raise DecodeError if it is malformed."""
    size = _HEADERS.get(payload[0]) if payload else None
    if size is None or len(payload) < size:
        raise DecodeError(f"no header in {len(payload)} bytes")
    if size > 1 and payload[size - 1] & 0x1F:
        raise DecodeError(f"encrypted, mode {payload[size - 1] & 0x1F}")
    records = split(payload[size:])
    dates = {record.storage: date for record in records if record.function == NOW and (date := moment(record))}
    readings: list[Reading] = []
    for record in records:
        if record.code == _INFO and record.function in _INFO_FUNCTIONS:
            readings += _info(record.data, dates.get(record.storage))
        if record.function != NOW:
            continue
        readings += _readings(record, dates.get(record.storage))
        if len(record.code) == 2 and record.code[1] == _PROFILE:
            readings += _past(record, records, dates.get(record.storage))
    return readings


def _readings(record: Record, date: datetime | None) -> list[Reading]:
    if record.storage and date is None:
        return []
    code = record.code
    reverse = len(code) == 2 and code[1] == _REVERSE
    scale = SCALES.get(bytes([code[0] & 0x7F]) if reverse else code)
    value = None if scale is None else scaled(record, scale)
    if scale is None or value is None:
        return []
    if scale.dimension == "volume":
        return [Reading("water_volume_reverse" if reverse else "water_volume", value, measured_at=date)]
    if scale.dimension == "flow" and not reverse:
        return [Reading("water_flow", value, measured_at=date)]
    return []


def _info(data: bytes, date: datetime | None) -> Iterator[Reading]:
    bits = int.from_bytes(data, "little")
    yield Reading("water_leak", int(bool(bits & 0x0C)), measured_at=date)
    yield Reading("alarm", int(bool(bits & 0xC3)), measured_at=date)
    yield Reading("tamper", bits >> 4 & 1, measured_at=date)
    yield Reading("battery_low", bits >> 5 & 1, measured_at=date)


def _past(profile: Record, records: Sequence[Record], date: datetime | None) -> Iterator[Reading]:
    unit = bytes([profile.code[0] & 0x7F])
    bases = [
        number(record)
        for record in records
        if (record.function, record.code, record.storage) == (NOW, unit, profile.storage)
    ]
    scale = SCALES.get(unit)
    if date is None or not bases or bases[0] is None or scale is None or len(profile.data) < 2:
        raise DecodeError("a profile without its date or its volume")
    control, spacing, *_ = profile.data
    kind, size = control >> 6, control & 0x0F
    if not kind or not 1 <= size <= 4 or not 1 <= spacing <= 250 or scale.dimension != "volume":
        return  # whole values, months, other quantities: forms that the vendor's examples do not show
    step = timedelta(seconds=spacing * _STEPS_S[control >> 4 & 3])
    signed, sign = kind == _EITHER, 1 if kind == _FELL else -1
    end_mark = -(1 << 8 * size - 1) if signed else (1 << 8 * size) - 1
    value, data, (_, times, over) = bases[0], profile.data, scale
    for at in range(2, len(data) - size + 1, size):
        difference = int.from_bytes(data[at : at + size], "little", signed=signed)
        if difference == end_mark:
            return
        value += sign * difference
        date -= step
        yield Reading("water_volume", value * times / over, 0, 0.0, date)
