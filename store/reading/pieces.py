"""What buckets are made of: a sample, or what a roll-up kept of an hour or a day of samples. Pure."""

from datetime import datetime
from typing import Final, NamedTuple

from domain.quantities import Kind


class Segment(NamedTuple):
    """A device that measures a point from `start` until `end` (excluded).

    `since` is when it began to: at `start` or earlier, None if it always did.
    """

    device_id: int
    start: datetime
    end: datetime
    since: datetime | None


class Piece(NamedTuple):
    """Some consecutive samples of one device: how many, their sum and bounds, the first and the last of them."""

    samples: int
    total: float
    low: float
    high: float
    first: float
    first_at: datetime
    last: float
    last_at: datetime


def sample(measured_at: datetime, value: float) -> Piece:
    """Return the piece that is one sample."""
    return Piece(1, value, value, value, value, measured_at, value, measured_at)


# A counter that falls by less than a tenth was corrected (water flowed back, an index was rounded); one that falls
# further began again.
_CORRECTION: Final = 0.9

# A counter of 16, 24 or 32 bits that passes its end does so in a step much smaller than its range.
_MODULI: Final = (2.0**16, 2.0**24, 2.0**32)
_MAX_STEP: Final = 1 / 64


def increase(before: float, after: float) -> float:
    """Return by how much a counter grew between two consecutive samples of one device.

    Restarted from zero: what it counted since. Passed the end of its 16, 24 or 32 bits: the sum across it. Fell by
    less than a tenth: the fall, so that what follows makes up for it.
    """
    if after >= before * _CORRECTION:
        return after - before
    for modulus in _MODULI:
        step = modulus - before + after
        if before < modulus and step <= modulus * _MAX_STEP:
            return step
    return after


def tells_all(piece: Piece, kind: Kind) -> bool:
    """Say whether a piece tells as much as its samples would.

    Of a counter: no two of its samples can be a restart, so that the steps between them add up to last - first.
    Of a state: it did not change.
    """
    if kind == "counter":
        return piece.low >= piece.high * _CORRECTION
    return kind == "gauge" or piece.low == piece.high
