"""Which frames never reached the store, told by the frame counters: whose, how many, and between which moments.

The judgement is that of `store.maintenance.radio`, on the same frames; there it is counted per day, here it is
placed in time, so that a network server that keeps a history can be asked for it. SQL folds what came without a
break into runs, so that what is judged here is the breaks alone.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

import asyncpg

from store.maintenance.radio import MAX_GAP, MAX_LATE, TURN, counter_of

OPENING: Final = timedelta(days=31)  # how long before the span the frame may be that a gap begins with
_DEVICES: Final = 500  # whose runs are held in memory at once


class Run(NamedTuple):
    """Frames of one device received one after the other, each counter one more than the last."""

    dev_addr: str
    first: int
    last: int
    first_at: datetime
    last_at: datetime


class Gap(NamedTuple):
    """Counters that never came, and the moments between which the device sent them."""

    frames: int
    after: datetime
    before: datetime


class DeviceGaps(NamedTuple):
    """The gaps of one device, in the order of their time."""

    device_id: int
    dev_eui: str
    gaps: list[Gap]


class _Missing(NamedTuple):
    """A gap, by its counters."""

    first: int
    last: int
    after: datetime
    before: datetime


class _Session:
    """What was heard and what is missing of one run of a device's counter; see `store.maintenance.radio`."""

    def __init__(self, run: Run) -> None:
        self.dev_addr = run.dev_addr
        self.first = run.first
        self.highest = run.last
        self.highest_at = run.last_at
        self.turns = 0
        self.missing: list[_Missing] = []  # by counter
        self.earlier: set[int] = set()  # late frames from before `first`

    def take(self, run: Run) -> Run | None:
        """Take the run; return the part of it that is of a new session."""
        if run.dev_addr != self.dev_addr:
            return run
        for f_cnt in range(run.first, run.last + 1):
            counter = counter_of(f_cnt, self.turns, self.highest)
            step = counter - self.highest
            if step > MAX_GAP + 1:
                return run._replace(first=f_cnt)
            if step > 0:  # and so do all that follow it
                if step > 1:
                    self.missing.append(_Missing(self.highest + 1, counter - 1, self.highest_at, run.first_at))
                self.highest, self.highest_at = counter + run.last - f_cnt, run.last_at
                self.turns = (counter - f_cnt) // TURN
                return None
            if step < 0 and (f_cnt == 0 or step < -MAX_LATE or not self._fill(counter)):
                return run._replace(first=f_cnt)
        return None

    def _fill(self, counter: int) -> bool:
        """Note a late frame; return whether it is new."""
        if counter < self.first:
            is_new = counter not in self.earlier
            self.earlier.add(counter)
            return is_new
        for at in range(len(self.missing) - 1, -1, -1):
            gap = self.missing[at]
            if gap.last < counter:
                return False
            if gap.first <= counter:
                parts = (gap._replace(last=counter - 1), gap._replace(first=counter + 1))
                self.missing[at : at + 1] = [part for part in parts if part.first <= part.last]
                return True
        return False


def gaps_of(runs: Iterable[Run]) -> Iterator[Gap]:
    """Yield the gaps of one device's runs, given in the order of their reception."""
    session: _Session | None = None
    for run in runs:
        rest = run if session is None else session.take(run)
        if rest is not None:
            if session is not None:
                yield from _gaps(session)
            session = _Session(rest)
    if session is not None:
        yield from _gaps(session)


def _gaps(session: _Session) -> Iterator[Gap]:
    for (after, before), parts in groupby(session.missing, lambda one: (one.after, one.before)):
        yield Gap(sum(part.last - part.first + 1 for part in parts), after, before)


# The last frame before the span opens it: a gap counts where it is found, as in radio_accounts.
# OFFSET 0 as in store/maintenance/rollups.py.
SELECT_RUNS: Final = """
WITH wanted AS (
  SELECT device_id, dev_eui
    FROM devices
   WHERE device_id > $4 AND ($5::text IS NULL OR dev_eui = $5)
   ORDER BY device_id
   LIMIT $6
), frames AS (
  SELECT device_id, received_at, uplink_key, dev_addr, f_cnt, source_id
    FROM wanted
   CROSS JOIN LATERAL (SELECT received_at, uplink_key, dev_addr, f_cnt, source_id
                         FROM uplinks
                        WHERE uplinks.device_id = wanted.device_id
                          AND received_at >= $1::timestamptz - $7::interval
                          AND received_at < $1
                        ORDER BY received_at DESC, uplink_key DESC
                        LIMIT 1) AS opening
   UNION ALL
  SELECT device_id, received_at, uplink_key, dev_addr, f_cnt, source_id
    FROM wanted
   CROSS JOIN LATERAL (SELECT received_at, uplink_key, dev_addr, f_cnt, source_id
                         FROM uplinks
                        WHERE uplinks.device_id = wanted.device_id AND received_at >= $1 AND received_at < $2
                       OFFSET 0) AS within
), steps AS (
  SELECT *, dev_addr IS DISTINCT FROM lag(dev_addr) OVER sent
            OR f_cnt IS DISTINCT FROM lag(f_cnt) OVER sent + 1 AS begins
    FROM frames
  WINDOW sent AS (PARTITION BY device_id ORDER BY received_at, uplink_key)
), numbered AS (
  SELECT *, count(*) FILTER (WHERE begins) OVER (PARTITION BY device_id ORDER BY received_at, uplink_key) AS run
    FROM steps
)
SELECT device_id, dev_eui, dev_addr, min(f_cnt) AS first, max(f_cnt) AS last, min(received_at) AS first_at,
       max(received_at) AS last_at, bool_or($3::text IS NULL OR sources.name = $3) AS ours
  FROM numbered JOIN wanted USING (device_id) JOIN sources USING (source_id)
 GROUP BY device_id, dev_eui, dev_addr, run
 ORDER BY device_id, run
"""


async def gaps(
    connection: asyncpg.Connection, *, source: str | None, since: datetime, until: datetime, dev_eui: str | None = None
) -> AsyncIterator[DeviceGaps]:
    """Yield the devices that `source` heard and that have gaps which ended between `since` and `until`.

    Of every source when it is None. One short statement for every few hundred devices. Raises what asyncpg raises.
    """
    after = 0
    while True:
        records = await connection.fetch(SELECT_RUNS, since, until, source, after, dev_eui, _DEVICES, OPENING)
        for (device_id, eui), group in groupby(records, lambda record: (record["device_id"], record["dev_eui"])):
            heard = list(group)
            found = list(gaps_of(Run(*record[2:7]) for record in heard))
            if found and any(record["ours"] for record in heard):
                yield DeviceGaps(device_id, eui, found)
        next_after = await connection.fetchval(SELECT_LAST_DEVICE, after, dev_eui, _DEVICES)
        if next_after is None:
            return
        after = next_after


SELECT_LAST_DEVICE: Final = """
SELECT max(device_id)
  FROM (SELECT device_id
          FROM devices
         WHERE device_id > $1 AND ($2::text IS NULL OR dev_eui = $2)
         ORDER BY device_id
         LIMIT $3) AS wanted
"""

SELECT_STORED: Final = """
SELECT device_id, received_at, uplink_key
  FROM unnest($1::integer[], $2::timestamptz[], $3::bigint[]) AS asked (device_id, received_at, uplink_key)
  JOIN uplinks USING (device_id, received_at, uplink_key)
"""

Key = tuple[int, datetime, int]  # device_id, received_at, uplink_key


async def stored(connection: asyncpg.Connection, keys: Collection[Key]) -> set[Key]:
    """Return those of these uplinks that are in the store."""
    if not keys:
        return set()
    records = await connection.fetch(SELECT_STORED, *map(list, zip(*keys, strict=True)))
    return {(record["device_id"], record["received_at"], record["uplink_key"]) for record in records}
