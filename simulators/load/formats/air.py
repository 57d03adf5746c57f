"""Who hears a frame of a load, and how well: tables that every format shares."""

import time
from typing import Final, NamedTuple

from domain.events import Position
from simulators.load.spec import LoadSpec
from simulators.lorawan.eu868 import CHANNELS_HZ
from simulators.processes import unit

GRADES: Final = 64  # how well a gateway hears: one of so many pairs of RSSI and SNR
GPS_OFFSET_S: Final = 315_964_800 - 18  # GPS epoch in Unix time, less the leap seconds since
SECONDS_KEPT: Final = 100_000


class Grade(NamedTuple):
    """How well a gateway hears."""

    rssi_dbm: int
    snr_db: float


def grades(seed: int) -> tuple[Grade, ...]:
    """Return GRADES pairs, zeros among them: their absence in JSON is a trap to be met."""
    table = [Grade(-40 - number, min(13.5, 30 - number * 0.75)) for number in range(GRADES)]
    table[0] = Grade(0, 13.0 - round(unit(f"{seed}", 0) * 4) / 4)
    table[40] = Grade(-80, 0.0)
    return tuple(table)


def gateway_id(number: int) -> str:
    """Return a gateway's EUI: locally administered, no maker's."""
    return f"025a4cfffe{number:06x}"


def gateway_position(spec: LoadSpec, number: int) -> Position:
    """Return where a load's gateway stands: as the spec says, else on a grid of ten kilometres in the Somme."""
    if number < len(spec.positions):
        return Position(*spec.positions[number])
    return Position(49.75 + 0.09 * (number // 4), 1.7 + 0.14 * (number % 4), 80.0)


def channel_of(frequency_hz: int) -> int:
    """Return a frequency's channel; 0 for one that is none of EU868's eight."""
    return CHANNELS_HZ.index(frequency_hz) if frequency_hz in CHANNELS_HZ else 0


def mixed(device: int, number: int) -> int:
    """Return 32 bits that look like chance, from a device and its uplink's number (a multiplicative hash)."""
    value = (device * 0x9E3779B1 + number * 0x85EBCA77) & 0xFFFF_FFFF
    return (value ^ (value >> 15)) * 0x2C1B3C6D & 0xFFFF_FFFF


def hearing(spec: LoadSpec, device: int, number: int, *, late: bool) -> tuple[int, list[tuple[int, int]]]:
    """Return (channel, [(gateway, grade), …]): the last gateway alone when late, the others when not."""
    bits = mixed(device, number)
    first = device % spec.gateways
    heard = [((first + place) % spec.gateways, (bits >> (8 + 6 * place)) % GRADES) for place in range(spec.receptions)]
    return bits & 7, heard[-1:] if late else heard


class Seconds:
    """The text of a second, made once for all the messages that fall in it."""

    def __init__(self) -> None:
        self._texts: dict[int, bytes] = {}

    def text(self, second: int) -> bytes:
        """Return `2026-01-05T00:00:00` of a Unix time."""
        said = self._texts.get(second)
        if said is None:
            if len(self._texts) >= SECONDS_KEPT:
                self._texts.clear()
            said = self._texts[second] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
        return said
