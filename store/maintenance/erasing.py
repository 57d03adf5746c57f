"""Personal data that is older than its tenant keeps it is deleted: measurements, roll-ups and frames."""

from datetime import datetime
from typing import Final

import asyncpg

from domain.processings import PROCESSINGS
from store import personal
from store.maintenance.retention import kept_from

_SLICES: Final = 24 * 60  # rounds in a day: one a minute


async def erase_expired(connection: asyncpg.Connection, now: datetime, *, slices: int = _SLICES) -> int:
    """Delete what nobody keeps any longer, of one slice of the devices; return how many measurements."""
    turn, deleted = int(now.timestamp() // 60) % slices, 0
    said = await personal.kept_months(connection)
    for one in await personal.held(connection, slices, turn):
        months = {name: said.get((one.tenant_id, name), default.keep_months) for name, default in PROCESSINGS.items()}
        for name, default in PROCESSINGS.items():
            until = _until(one, kept_from(months[name], now))
            if until is not None:
                deleted += await personal.erase_measured(connection, one, default.domain, until)
        until = _until(one, kept_from(max(months.values()), now))
        if until is not None:
            await personal.erase_frames(connection, one, until)
    return deleted


def _until(one: personal.Held, limit: datetime) -> datetime | None:
    """Return until when to delete what the device said at the point; None when it came later."""
    until = limit if one.until is None else min(limit, one.until)
    return until if one.since is None or one.since < until else None
