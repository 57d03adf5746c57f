"""Is a sensor that was just put in place in service? What was heard of it since says so, with reasons.

Source of the floors: Semtech SX1301 datasheet, SNR of the demodulator by spreading factor.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Final, NamedTuple

REQUIRED_SNR_DB: Final = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
COMFORTABLE_DB: Final = 10.0
FRAGILE_DB: Final = 5.0  # below it, frames are lost when the weather or the leaves change
UNKNOWN_PERIOD_S: Final = 3600
GRACE_S: Final = 120  # a join, its answer, and the first frame, on a busy channel
_UNDERSTOOD: Final = frozenset({"decoded", "foreign", "empty", "twin"})

WAITING, JOINED, LATE, HEARD = "waiting", "joined", "late", "heard"
GOOD, FAIR, FRAGILE, UNKNOWN = "good", "fair", "fragile", "unknown"


class Heard(NamedTuple):
    """One frame: by how many antennas, the best SNR, dB, and what became of it."""

    at: datetime
    spreading_factor: int | None
    antennas: int
    snr_db: float | None
    rssi_dbm: float | None
    outcome: str


class Progress(NamedTuple):
    """How far it is. `expected_at` is when the first frame should have come; `advice` is what to try, in words' keys.

    `margin_db` is the median over the frames of the best SNR less what the spreading factor needs.
    """

    state: str  # waiting, joined, late, heard
    expected_at: datetime
    joins: int
    frames: int
    heard_at: datetime | None
    quality: str  # good, fair, fragile, unknown
    margin_db: float | None
    antennas: int
    spreading_factor: int | None
    rssi_dbm: float | None
    advice: tuple[str, ...]

    @property
    def in_service(self) -> bool:
        """Say whether frames come, and well enough to go home."""
        return self.state == HEARD and self.quality != FRAGILE


def progress(
    done_at: datetime, period_s: int | None, frames: Sequence[Heard], joins: Sequence[datetime], now: datetime
) -> Progress:
    """Return how far a sensor is that was put in place at `done_at`; `period_s` is how often its model sends."""
    began = max((done_at, *joins))
    expected_at = began + timedelta(seconds=(period_s or UNKNOWN_PERIOD_S) + GRACE_S)
    if not frames:
        state = LATE if now > expected_at else JOINED if joins else WAITING
        advice = _silent(state, is_joined=bool(joins), is_known=period_s is not None)
        return Progress(state, expected_at, len(joins), 0, None, UNKNOWN, None, 0, None, None, advice)
    margins = [one for one in map(margin_db, frames) if one is not None]
    margin = round(median(margins), 1) if margins else None
    antennas = max(frame.antennas for frame in frames)
    last = max(frames, key=lambda frame: frame.at)
    quality = _quality(margin, antennas)
    return Progress(
        HEARD,
        expected_at,
        len(joins),
        len(frames),
        last.at,
        quality,
        margin,
        antennas,
        last.spreading_factor,
        last.rssi_dbm,
        _heard(quality, antennas, last),
    )


def margin_db(frame: Heard) -> float | None:
    """Return by how much a frame was above what its spreading factor needs, dB; None when that is not known."""
    floor = REQUIRED_SNR_DB.get(frame.spreading_factor or 0)
    return None if floor is None or frame.snr_db is None else frame.snr_db - floor


def _quality(margin: float | None, antennas: int) -> str:
    if margin is None:
        return UNKNOWN
    if margin < FRAGILE_DB:
        return FRAGILE
    return GOOD if margin >= COMFORTABLE_DB and antennas > 1 else FAIR


def _silent(state: str, *, is_joined: bool, is_known: bool) -> tuple[str, ...]:
    found = ["press"] if is_joined else ["wake", "declared", "antenna"]
    if state == LATE:
        found = ["press", "closer"] if is_joined else ["wake", "keys", "declared", "closer"]
    return (*found, *(() if is_known else ("period",)))


def _heard(quality: str, antennas: int, last: Heard) -> tuple[str, ...]:
    found = []
    if quality == FRAGILE:
        found += ["higher", "outside"]
    if antennas == 1:
        found.append("alone")
    if last.outcome not in _UNDERSTOOD:
        found.append("model")
    return tuple(found)
