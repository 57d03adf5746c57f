"""M-Bus records, as LoRaWAN heat and water meters send them: each value says its size, its unit and its moment.

Source: EN 13757-3:2018 (records, annex F compact profiles) and EN 13757-7 (headers), as quoted with examples in
Diehl, CMi4160 LoRaWAN module, user manual, 02/2021, section 6.7, and in Kamstrup's codec in
github.com/actility/device-catalog, vendors/kamstrup.
Byte map of a record, little-endian:  DD [EE ..] VV [WW ..] [LL] data
  D  bits 3-0 how the data are coded; 5-4 0 now, 1 the highest, 2 the lowest, 3 in error; 6 storage; 7 E follows
  E  bits 3-0 storage, 5-4 tariff, 6 sub-unit, 7 another E follows
  V  unit and power of ten; bit 7 says that W follows: FB and FD second tables, FF the maker's own
  L  length, where D says that it varies
"""

import math
import struct
from datetime import UTC, datetime
from typing import Final, NamedTuple

from domain.errors import DecodeError

NOW: Final = 0
_NOTHING, _REAL, _VARIABLE, _SPECIAL = 0x0, 0x5, 0xD, 0xF
_BCD: Final = frozenset((0x9, 0xA, 0xB, 0xC, 0xE))
_SIZES: Final = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0)
# Of a record by its first byte: the size of its value, 0 where more bytes tell it, or there is none.
_PLAIN_SIZES: Final = tuple(0 if form & 0x80 else _SIZES[form & 0x0F] for form in range(256))
_CODES: Final = tuple(bytes([unit]) for unit in range(256))
_FILLER: Final = 0x2F
_MAKERS_END: Final = frozenset((0x0F, 0x1F))
_UNIT_IN_LETTERS: Final = 0x7C


class Scale(NamedTuple):
    """What a unit measures, in kW.h, m3, W, m3/h or degC, and the fraction that its numbers are multiplied by."""

    dimension: str
    times: int
    over: int


class Record(NamedTuple):
    """One record: `code` is its unit's bytes as sent, `data` its value's."""

    function: int
    storage: int
    tariff: int
    subunit: int
    coding: int
    code: bytes
    data: bytes


# First code of a run of powers of ten (after FB: of the second table), how many, and the scale of the first.
_RUNS: Final = (
    (b"\x00", 8, Scale("energy", 1, 10**6)),  # from 0.001 W.h
    (b"\x08", 8, Scale("energy", 1, 3_600_000)),  # from 1 J
    (b"\xfb\x00", 2, Scale("energy", 100, 1)),  # from 0.1 MW.h
    (b"\xfb\x08", 2, Scale("energy", 10**8, 3_600_000)),  # from 0.1 GJ
    (b"\xfb\x0c", 4, Scale("energy", 1163, 10**4)),  # from 0.1 Mcal
    (b"\x10", 8, Scale("volume", 1, 10**6)),  # from 1 mL
    (b"\x28", 8, Scale("power", 1, 1000)),  # from 0.001 W
    (b"\x30", 8, Scale("power", 1, 3600)),  # from 1 J/h
    (b"\x38", 8, Scale("flow", 1, 10**6)),  # from 1 mL/h
    (b"\x58", 4, Scale("flow temperature", 1, 1000)),
    (b"\x5c", 4, Scale("return temperature", 1, 1000)),
)

SCALES: Final = {
    first[:-1] + bytes([first[-1] + power]): scale._replace(times=scale.times * 10**power)
    for first, count, scale in _RUNS
    for power in range(count)
}


def split(data: bytes) -> list[Record]:
    """Return the records of an application layer; raise DecodeError if one is cut or of an unknown form."""
    found: list[Record] = []
    at, end = 0, len(data)
    try:
        while at < end:
            form = data[at]
            if form == _FILLER:
                at += 1
            elif form in _MAKERS_END:
                break
            elif (size := _PLAIN_SIZES[form]) and (unit := data[at + 1]) < _UNIT_IN_LETTERS and at + 2 + size <= end:
                # Most records: one byte of form, one of unit.
                function, storage, coding = form >> 4 & 3, form >> 6, form & 0x0F
                value = data[at + 2 : at + 2 + size]
                found.append(Record(function, storage, 0, 0, coding, _CODES[unit], value))
                at += 2 + size
            else:
                record, at = _record(data, at)
                found.append(record)
    except IndexError:
        raise DecodeError(f"a record is cut at byte {end}") from None
    return found


def _record(data: bytes, at: int) -> tuple[Record, int]:
    start, form = at, data[at]
    function, coding, storage, tariff, subunit = form >> 4 & 3, form & 0x0F, form >> 6 & 1, 0, 0
    count = 0
    while data[at] & 0x80:
        at += 1
        storage |= (data[at] & 0x0F) << 1 + 4 * count
        tariff |= (data[at] >> 4 & 3) << 2 * count
        subunit |= (data[at] >> 6 & 1) << count
        count += 1
    at += 1
    code_at = at
    if data[at] & 0x7F == _UNIT_IN_LETTERS or coding == _SPECIAL:
        raise DecodeError(f"a record of an unknown form at byte {start}")
    while data[at] & 0x80:
        at += 1
    at += 1
    code, size = data[code_at:at], _SIZES[coding]
    if coding == _VARIABLE:
        size = _variable_size(data[at])
        at += 1
    value = data[at : at + size]
    if len(value) < size:
        raise DecodeError(f"a record is cut at byte {len(data)}")
    return Record(function, storage, tariff, subunit, coding, code, value), at + size


def _variable_size(length: int) -> int:
    if length <= 0xBF:
        return length
    if length <= 0xEF:
        return length & 0x0F
    raise DecodeError(f"length {length:#04x}")


def number(record: Record) -> float | None:
    """Return a record's number, before its scale; None if it has none, or says that it is not valid."""
    if record.coding in _BCD:
        return _bcd(record.data)
    if record.coding in (_NOTHING, _VARIABLE) or not record.data:
        return None
    if record.coding == _REAL:
        real = struct.unpack("<f", record.data)[0]
        return float(real) if math.isfinite(real) else None
    value = int.from_bytes(record.data, "little", signed=True)
    return None if value == -(1 << 8 * len(record.data) - 1) else value


def _bcd(data: bytes) -> int | None:
    digits = data[::-1].hex()
    # A first digit F is the sign of a value below zero; any other letter says that the value is not valid.
    sign, digits = (-1, digits[1:]) if digits.startswith("f") else (1, digits)
    return sign * int(digits) if digits.isdecimal() else None


def scaled(record: Record, scale: Scale) -> float | None:
    """Return a record's value in its dimension's unit; None if it has none."""
    value = number(record)
    return None if value is None else value * scale.times / scale.over


def moment(record: Record) -> datetime | None:
    """Return the date that a record of unit 6C or 6D holds, taken for UTC; None if it is not a valid one."""
    value = int.from_bytes(record.data, "little")
    try:
        if record.code == b"\x6d" and len(record.data) == 4 and not value & 0x80:
            century = value >> 13 & 3
            year = (value >> 28) << 3 | value >> 21 & 7
            # Meters older than the century bits leave them at 0: a year up to 80 is then of this century.
            year += 2000 if not century and year <= 80 else 1900 + 100 * century
            return datetime(year, value >> 24 & 15, value >> 16 & 31, value >> 8 & 31, value & 63, tzinfo=UTC)
        if record.code == b"\x6c" and len(record.data) == 2:
            return datetime(2000 + (value >> 12 << 3 | value >> 5 & 7), value >> 8 & 15, value & 31, tzinfo=UTC)
    except ValueError:
        return None
    return None
