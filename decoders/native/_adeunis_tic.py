"""Adeunis TIC: the customer output (TIC) of French electricity meters, in three variants.

Source: Adeunis TIC LoRaWAN user guide, "Frame description", as delivered: the labels can be configured, a frame
does not say which it carries. Frames common to all products: `_adeunis.py`.
Byte map, big-endian, code 49 after CC SS; uint32, 0x80000000 when the meter does not say it; * not kept:
  Linky mono   *ADCO 12, *OPTARIF 4, BASE, *ISOUSC, IINST, *IMAX, PAPP, HCHC, HCHP, PTEC 4 characters
  Linky tri    *ADCO 12, BASE, IINST1, IINST2, IINST3, *IMAX1, *IMAX2, *IMAX3, *PMAX, PAPP
  PME-PMI      *DATE 6, *EA_s, *ER+_s, *ER-_s, *EAPP_s, PTCOUR1 3 characters, EAP_s, ER+P_s, ER-P_s,
               *EaP-1_s, *ER+P-1_s, *ER-P-1_s
  4A  CC SS label 10, type, value: an alarm      30  alive
Channels: active_energy_import 0 the total, 1 the cheap hours, 2 the dear; PME-PMI the running tariff (`_tic.py`).
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from decoders.native._adeunis import battery_low, decode_common, require
from domain.readings import Reading

FRAME_SIZE: Final = 50
_NOT_SAID: Final = 0x80000000


def decode_tic(payload: bytes, size: int, read: Callable[[bytes], list[Reading]]) -> list[Reading]:
    """Return the readings of one frame, `read` giving those of the data frame; raise DecodeError."""
    battery, code = battery_low(payload), payload[0]
    if code == 0x49:
        require(payload, size)
        return [battery, *read(payload)]
    if code == 0x4A:
        return [battery, Reading("alarm", 1)]
    return [battery] if code == 0x30 else decode_common(payload)


class Number(NamedTuple):
    """A uint32 of the data frame: where it is, and what it measures once it is divided."""

    at: int
    quantity: str
    channel: int = 0
    divisor: int = 1


def numbers(payload: bytes, wanted: Iterable[Number]) -> list[Reading]:
    """Return these numbers, without those that the meter does not say."""
    return [
        Reading(quantity, value / divisor, channel)
        for at, quantity, channel, divisor in wanted
        if (value := int.from_bytes(payload[at : at + 4])) != _NOT_SAID
    ]


def text(payload: bytes, start: int, end: int) -> str:
    """Return a string without its padding."""
    return payload[start:end].decode("latin-1").strip("\0 .")
