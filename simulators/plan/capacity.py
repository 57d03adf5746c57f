"""How many sensors an antenna carries: the engine run on one gateway, over crowds of several sizes."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from simulators.radio import engine, thresholds, traffic
from simulators.radio.traffic import Talk

_POWER_MW: Final = 10**1.4
_FRAMES: Final = 8000


class Crowd(NamedTuple):
    """One point of the curve: devices about one antenna, the share stuck at SF12, what is delivered."""

    devices: int
    stuck_share: float
    delivery: float
    delivery_sf12: float


def curve(
    sizes: Sequence[int],
    *,
    stuck_share: float,
    period_s: float = 3600.0,
    payload_bytes: int = 20,
    capture: str = "goursaud",
    spread_db: float = 25.0,
    hours: float | None = None,
    seed: int = 1,
) -> list[Crowd]:
    """Return delivery over crowds of these sizes.

    A `stuck_share` sends at SF12, the others at the factors that an even spread of `spread_db` of signal above SF12's
    sensitivity allows. Nothing else is lost: what is missing are collisions and demodulators.
    Small crowds are followed for longer (`hours` None), so that all points rest on thousands of frames.
    """
    return [
        _crowd(
            size,
            stuck_share,
            period_s,
            payload_bytes,
            capture,
            spread_db,
            hours or min(6.0, max(1.0, _FRAMES * period_s / 3600 / size)),
            seed,
        )
        for size in sizes
    ]


def _crowd(  # noqa: PLR0917 - one call, just above
    size: int, stuck_share: float, period_s: float, payload_bytes: int, capture: str, spread_db: float, hours: float,
    seed: int,
) -> Crowd:  # fmt: skip
    sensitivity_dbm = np.array(thresholds.sensitivity_dbm("sx1301"))
    rank = (np.arange(size) + 0.5) / size
    level_dbm = sensitivity_dbm[-1] + 1.0 + spread_db * ((rank * 7919) % 1.0)
    gains = np.power(10.0, (level_dbm - 10 * np.log10(_POWER_MW)) / 10).astype(np.float32)[None, :]
    sensitivity_mw = np.power(10.0, sensitivity_dbm / 10)
    factor = engine.fastest_factors(gains[0], _POWER_MW, sensitivity_mw, 0.5)
    factor[rank < stuck_share] = 5
    talk = Talk(
        period_s=np.full(size, period_s),
        factor=factor,
        airtime_us=traffic.airtimes_us(np.full(size, payload_bytes), factor),
        lock_us=traffic.locks_us(factor),
        power_mw=np.full(size, _POWER_MW, dtype=np.float32),
        jitter=0.2,
        pattern=traffic.POISSON,
        channels=8,
        seed=seed,
    )
    air = thresholds.air(gains, sensitivity_dbm.tolist(), capture, seed=seed)
    result = engine.run(talk, air, duration_us=round(hours * engine.HOUR_US))
    slow = result.by_factor[5]
    return Crowd(size, stuck_share, result.delivery, float(slow[-1] / max(1, slow.sum())))
