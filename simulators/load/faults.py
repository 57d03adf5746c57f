"""What goes wrong in a load, decided from the seed, the device and its uplink's number alone."""

from bisect import bisect_right
from itertools import accumulate
from typing import Final, NamedTuple

from simulators.load.ledger import Fault
from simulators.load.spec import Faults, LoadSpec

_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_SHARES: Final = (
    (Fault.DUPLICATE, "duplicate"),
    (Fault.REDELIVERED, "redeliver"),
    (Fault.NEW_ID, "new_id"),
    (Fault.LATE_RECEPTION, "late_reception"),
    (Fault.REORDERED, "reorder"),
    (Fault.PAYLOAD_TRUNCATED, "truncate_payload"),
    (Fault.PAYLOAD_FLIPPED, "flip_payload"),
    (Fault.MESSAGE_CUT, "cut_message"),
)


def bits(seed: int, device: int, number: int, salt: int = 0) -> int:
    """Return 64 bits that depend on all four: SplitMix64's finaliser (Steele, Lea, Flood 2014) over their mix."""
    value = (seed * 0x9E3779B97F4A7C15 + device * 0xD1B54A32D192ED03 + number * 0x8CB92BA72F3D8DD7 + salt) & _MASK
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def share(seed: int, device: int, number: int, salt: int = 0) -> float:
    """Return a number in [0, 1) made of those bits."""
    return bits(seed, device, number, salt) / 2.0**64


class Lottery:
    """Draws which fault befalls a message: at most one."""

    def __init__(self, faults: Faults) -> None:
        chosen = [(fault, getattr(faults, name)) for fault, name in _SHARES]
        self._limits = list(accumulate(one for _, one in chosen))
        self._faults = [fault for fault, _ in chosen]

    def draw(self, ticket: float) -> Fault:
        """Return the fault of a number in [0, 1)."""
        place = bisect_right(self._limits, ticket)
        return self._faults[place] if place < len(self._faults) else Fault.NONE


class Fate(NamedTuple):
    """What happens to one device during the load. A number of -1 means never."""

    fault: Fault
    drift_ms: int
    first_f_cnt: int
    resets_at: int
    dies_at: int


def fate(spec: LoadSpec, device: int) -> Fate:
    """Return a device's fate; several may befall it, the first of drift, reset and roll-over names it."""
    faults, last = spec.faults, spec.uplinks_per_device
    drifts = share(spec.seed, device, 0, 1) < faults.clock_drift
    resets = share(spec.seed, device, 0, 2) < faults.f_cnt_reset
    rolls = share(spec.seed, device, 0, 3) < faults.roll_over
    dies = share(spec.seed, device, 0, 4) < faults.death
    drift_s = (2 * share(spec.seed, device, 0, 5) - 1) * faults.clock_drift_s if drifts else 0.0
    if drifts:
        named = Fault.CLOCK_DRIFT
    elif resets:
        named = Fault.F_CNT_RESET
    else:
        named = Fault.ROLL_OVER if rolls else Fault.NONE
    return Fate(
        fault=named,
        drift_ms=round(drift_s * 1000),
        first_f_cnt=65_536 - last // 2 if rolls else 0,
        resets_at=last // 3 + bits(spec.seed, device, 0, 6) % max(1, last // 3) if resets else -1,
        dies_at=last // 2 if dies else -1,
    )


def truncated(payload: bytes, chance: int) -> bytes:
    """Return the payload without its end: at least one byte less."""
    return payload[: chance % len(payload)] if payload else payload


def flipped(payload: bytes, chance: int) -> bytes:
    """Return the payload with one bit turned."""
    if not payload:
        return payload
    place, bit = divmod(chance % (len(payload) * 8), 8)
    return payload[:place] + bytes((payload[place] ^ 1 << bit,)) + payload[place + 1 :]
