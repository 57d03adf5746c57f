"""How far a sensor is that was put in service: frames and joins since are read here, domain.commissioning decides."""

from datetime import datetime, timedelta
from typing import Final

from domain.commissioning import Heard, Progress, progress
from store.reading import frames
from store.reading.installations import Installation
from store.reading.pages import Reader

_FRAMES: Final = 20
_JOINS: Final = 20
_AHEAD: Final = timedelta(hours=1)  # clocks of network servers


async def progress_of(reader: Reader, tenant_id: int, done: Installation, now: datetime) -> Progress:
    """Return how far the device of an act is. Its tenant is the one whose point it measures."""
    before = frames.Before(now + _AHEAD, 2**63 - 1)
    asked = frames.Asked(tenant_id, done.dev_eui, done.done_at, now + _AHEAD, before, _FRAMES)
    found = await frames.frames(reader, asked)
    joins = await frames.events(reader, asked._replace(limit=_JOINS), "join")
    return progress(
        done.done_at, done.period_s, [_heard(one) for one in found], [one.received_at for one in joins], now
    )


def _heard(frame: frames.Frame) -> Heard:
    snrs = [one.snr_db for one in frame.receptions if one.snr_db is not None]
    rssis = [one.rssi_dbm for one in frame.receptions if one.rssi_dbm is not None]
    return Heard(
        frame.received_at,
        frame.spreading_factor,
        len(frame.receptions),
        max(snrs, default=None),
        max(rssis, default=None),
        frame.outcome,
    )
