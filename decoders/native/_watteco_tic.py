"""Watteco (nke Watteco) TIC'S frames: what a French electricity meter says on its customer output (TIC).

Source: Watteco, github.com/Watteco/Codec-API-LoRaWAN (July 2026), clusters_examples/examples_tics.json and the
profiles of codec/tic.js; Enedis-NOI-CPT_54E v3 (Linky) and Enedis-NOI-CPT_02E (the meters before it) for what
the labels mean.
Byte map, big-endian, after the length of the string:  descriptor, then the values of the fields it names.
  Descriptor, 1 byte + ..: bits 4-0 its size with this byte (0: 8 bytes), bit 5: a list of field numbers
  follows, one a byte; else a bit field, field 0 being the lowest bit of the last byte.
  The number of a field is its place in the profile of the cluster; each has a type, listed in `_READERS`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

from domain.errors import DecodeError

Field = float | str | tuple[datetime, float] | None
_Reader = Callable[[bytes, int], tuple[Field, int]]

_TARIFFS: Final = (
    *("!?!", "*", "", " ? ", "000", "HC", "HCD", "HCE", "HCH", "HH", "HH ", "HP", "HP ", "HPD", "HPE", "HPH"),
    *("JA", "JA ", "P", "P  ", "PM", "PM ", "XXX"),
)
_SEASONS: Final = {ord("H"): 1, ord("h"): 1, ord("E"): 2, ord("e"): 2}  # hours ahead of UTC


class Profile(NamedTuple):
    """The fields of one kind of meter, in the order of their numbers: (label, type)."""

    fields: tuple[tuple[str, str], ...]


def read_fields(raw: bytes, profile: Profile) -> Mapping[str, Field]:
    """Return the fields of a TIC value by label. Raises DecodeError."""
    numbers, at = _descriptor(raw)
    found: dict[str, Field] = {}
    for number in numbers:
        if number >= len(profile.fields):
            raise DecodeError(f"TIC: field {number} of {len(profile.fields)}")
        label, kind = profile.fields[number]
        found[label], at = _READERS[kind](raw, at)
        if at > len(raw):
            raise DecodeError(f"TIC: the frame ends inside {label}")
    return found


def _descriptor(raw: bytes) -> tuple[tuple[int, ...], int]:
    if not raw:
        raise DecodeError("TIC: no descriptor")
    size = raw[0] & 0x1F or 8
    if len(raw) < size:
        raise DecodeError(f"TIC: descriptor of {size} bytes in {len(raw)}")
    return _numbers(raw[:size]), size


@lru_cache(maxsize=1024)
def _numbers(descriptor: bytes) -> tuple[int, ...]:
    """Return the numbers of the fields that follow: a device sends the same few descriptors for years."""
    if descriptor[0] & 0x20:
        return tuple(descriptor[1:])
    bits = int.from_bytes(descriptor[1:])
    return tuple(number for number in range(bits.bit_length()) if bits >> number & 1)


def _unsigned(size: int) -> _Reader:
    return lambda raw, at: (int.from_bytes(raw[at : at + size]), at + size)


def _signed(raw: bytes, at: int) -> tuple[Field, int]:
    return int.from_bytes(raw[at : at + 2], signed=True), at + 2


def _skipped(size: int) -> _Reader:
    return lambda _, at: (None, at + size)


def _text(raw: bytes, at: int) -> tuple[Field, int]:
    """Read a string that a zero ends."""
    end = raw.find(0, at)
    if end < 0:
        raise DecodeError("TIC: a string without its end")
    return raw[at:end].decode("latin-1"), end + 1


def _counted(raw: bytes, at: int) -> tuple[Field, int]:
    """Skip bytes that stand after their number."""
    size = raw[at] if at < len(raw) else 0
    return None, at + 1 + size


def _word(raw: bytes, at: int) -> tuple[Field, int]:
    """Read a number in a list of words, or, with bit 7, the size of the word that follows."""
    if at >= len(raw):
        raise DecodeError("TIC: the frame ends before a word")
    code, at = raw[at], at + 1
    if code & 0x80:
        size = code & 0x7F
        return raw[at : at + size].decode("latin-1"), at + size
    return (_TARIFFS[code] if code < len(_TARIFFS) else None), at


def _number_and_word(raw: bytes, at: int) -> tuple[Field, int]:
    number = int.from_bytes(raw[at : at + 3])
    _, at = _word(raw, at + 3)
    return number, at


def _time_and_word(raw: bytes, at: int) -> tuple[Field, int]:
    return None, _word(raw, at + 4)[1]


def _dated(size: int) -> _Reader:
    """Read season, day's date, time, then a number: the time at which it was so, by the meter's clock."""

    def read(raw: bytes, at: int) -> tuple[Field, int]:
        end = at + 7 + size
        if len(raw) < end:
            raise DecodeError("TIC: the frame ends inside a dated value")
        season, year, month, day, hour, minute, second = raw[at : at + 7]
        if season not in _SEASONS:  # blank when the meter has no such value yet
            return None, end
        zone = timezone(timedelta(hours=_SEASONS[season]))
        try:
            moment = datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
        except ValueError as error:
            raise DecodeError(f"TIC: {error}") from None
        return (moment.astimezone(UTC), float(int.from_bytes(raw[at + 7 : end]))), end

    return read


def _calendar(raw: bytes, at: int) -> tuple[Field, int]:
    """Skip eleven entries: hour, minute and two bytes, or 0xFF alone when unused."""
    for _ in range(11):
        if at >= len(raw):
            raise DecodeError("TIC: the frame ends inside a calendar")
        at += 1 if raw[at] == 0xFF else 4
    return None, at


_READERS: Final[Mapping[str, _Reader]] = {
    "u8": _unsigned(1),
    "u16": _unsigned(2),
    "u24": _unsigned(3),
    "u32": _unsigned(4),
    "i16": _signed,
    "char": _skipped(1),
    "float": _skipped(4),
    "bits32": _skipped(4),
    "seconds": _skipped(4),  # since 2000
    "date": _skipped(6),  # day, month, year, hour, minute, second
    "season date": _skipped(7),
    "text": _text,
    "counted": _counted,
    "word": _word,
    "u24 word": _number_and_word,
    "seconds word": _time_and_word,
    "dated u8": _dated(1),
    "dated u16": _dated(2),
    "dated u24": _dated(3),
    "calendar": _calendar,
}


def _same(kind: str, *labels: str) -> tuple[tuple[str, str], ...]:
    return tuple((label, kind) for label in labels)


# Meters before Linky, and Linky in its historical mode.
HISTORICAL: Final = Profile(
    (
        *_same("u16", "ADIR1", "ADIR2", "ADIR3"),
        *_same("text", "ADCO", "OPTARIF"),
        ("ISOUSC", "u8"),
        *_same("u32", "BASE", "HCHC", "HCHP", "EJPHN", "EJPHPM"),
        *_same("u32", "BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR"),
        ("PEJP", "u8"),
        *_same("u32", "GAZ", "AUTRE"),
        *_same("text", "PTEC", "DEMAIN"),
        *_same("u16", "IINST", "IINST1", "IINST2", "IINST3", "ADPS", "IMAX", "IMAX1", "IMAX2", "IMAX3"),
        *_same("u32", "PMAX", "PAPP"),
        ("HHPHC", "char"),
        ("MOTDETAT", "text"),
        ("PPOT", "u8"),
    )
)

# Linky in its standard mode.
STANDARD: Final = Profile(
    (
        ("ADSC", "text"),
        ("VTIC", "u8"),
        ("DATE", "season date"),
        *_same("word", "NGTF", "LTARF"),
        *_same("u32", "EAST", *(f"EASF{number:02}" for number in range(1, 11))),
        *_same("u32", "EASD01", "EASD02", "EASD03", "EASD04", "EAIT", "ERQ1", "ERQ2", "ERQ3", "ERQ4"),
        *_same("u16", "IRMS1", "IRMS2", "IRMS3", "URMS1", "URMS2", "URMS3"),
        *_same("u8", "PREF", "PCOUP"),
        *_same("u24", "SINSTS", "SINSTS1", "SINSTS2", "SINSTS3"),
        *_same("dated u24", "SMAXSN", "SMAXSN1", "SMAXSN2", "SMAXSN3"),
        *_same("dated u24", "SMAXSN-1", "SMAXSN1-1", "SMAXSN2-1", "SMAXSN3-1"),
        ("SINSTI", "u24"),
        *_same("dated u24", "SMAXIN", "SMAXIN-1", "CCASN", "CCASN-1", "CCAIN", "CCAIN-1"),
        *_same("dated u16", "UMOY1", "UMOY2", "UMOY3"),
        ("STGE", "bits32"),
        *_same("dated u8", "DPM1", "FPM1", "DPM2", "FPM2", "DPM3", "FPM3"),
        *_same("text", "MSG1", "MSG2", "PRM"),
        *_same("u8", "RELAIS", "NTARF", "NJOURF", "NJOURF+1"),
        *_same("calendar", "PJOURF+1", "PPOINTE"),
    )
)

# PME-PMI meters, above 36 kVA.
PME_PMI: Final = Profile(
    (
        ("TRAME", "word"),
        ("ADS", "counted"),
        ("MESURES1", "word"),
        ("DATE", "date"),
        *_same("u24", "EA_s", "ER+_s", "ER-_s", "EAPP_s", "EA_i", "ER+_i", "ER-_i", "EAPP_i"),
        *_same("word", "PTCOUR1", "TARIFDYN", "ETATDYN1", "PREAVIS1"),
        *_same("seconds word", "TDYN1CD", "TDYN1CF", "TDYN1FD", "TDYN1FF"),
        *_same("word", "MODE", "CONFIG"),
        ("DATEPA1", "date"),
        *_same("u16", "PA1_s", "PA1_i"),
        *(
            field
            for number in range(2, 7)
            for field in ((f"DATEPA{number}", "seconds"), (f"PA{number}_s", "u16"), (f"PA{number}_i", "u16"))
        ),
        ("DebP", "seconds"),
        *_same("u24", "EAP_s", "EAP_i", "ER+P_s", "ER-P_s", "ER+P_i", "ER-P_i"),
        *_same("seconds", "DebP-1", "FinP-1"),
        *_same("u24", "EaP-1_s", "EaP-1_i", "ER+P-1_s", "ER-P-1_s", "ER+P-1_i", "ER-P-1_i"),
        ("PS", "u24 word"),
        ("PREAVIS", "word"),
        ("PA1MN", "u16"),
        *_same("u24 word", "PMAX_s", "PMAX_i"),
        *_same("float", "TGPHI_s", "TGPHI_i"),
        *_same("word", "MESURES2", "PTCOUR2", "ETATDYN2", "PREAVIS2"),
        *_same("seconds word", "TDYN2CD", "TDYN2CF", "TDYN2FD", "TDYN2FF"),
        ("DebP_2", "seconds"),
        ("EaP_s2", "u24"),
        *_same("seconds", "DebP-1_2", "FinP-1_2"),
        *_same("u24", "EaP-1_s2", "_DDMES1_"),
    )
)
