"""What the radio let through, told by the frame counters of the uplinks. Arrival order does not matter."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

import asyncpg

MAX_GAP: Final = 16_384  # LoRaWAN 1.0.4, MAX_FCNT_GAP: what jumps further is not the same session
MAX_TURN: Final = 256  # frames that may be lost while a 16-bit counter passes its end
MAX_LATE: Final = 64  # a frame further behind than that is of a counter that began again
TURN: Final = 1 << 16
_DAYS: Final = 500  # days of devices whose frames are held in memory at once


class Heard(NamedTuple):
    """What of an uplink tells the order in which the device sent it."""

    dev_addr: str
    f_cnt: int


class RadioAccount(NamedTuple):
    """A device's day. See the columns of radio_accounts."""

    heard: int = 0
    lost: int = 0
    late: int = 0
    repeated: int = 0
    resets: int = 0


def counter_of(f_cnt: int, turns: int, highest: int) -> int:
    """Return a counter as if it had more than 16 bits, when the network server gives 16.

    `turns`: how often it passed its end before; `highest`: the last one of its session.
    """
    counter = f_cnt + turns * TURN
    if f_cnt < TURN:
        for turned in (counter + TURN, counter - TURN):
            if -MAX_LATE <= turned - highest <= MAX_TURN:
                return turned
    return counter


class _Session:
    """A run of frames with one DevAddr whose counter grows."""

    def __init__(self, frame: Heard) -> None:
        self.dev_addr = frame.dev_addr
        self.first = self.highest = frame.f_cnt
        self.known = {frame.f_cnt}
        self.turns = 0

    def judge(self, frame: Heard) -> RadioAccount | None:
        """Return what the frame adds to the account, or None when it is of a new session."""
        if frame.dev_addr != self.dev_addr:
            return None
        counter = counter_of(frame.f_cnt, self.turns, self.highest)
        step = counter - self.highest
        if step == 0:
            return RadioAccount(repeated=1)
        if step > 0:
            return self._go_on(frame, counter) if step <= MAX_GAP + 1 else None
        if frame.f_cnt == 0 or step < -MAX_LATE or counter in self.known:
            return None
        self.known.add(counter)
        return RadioAccount(heard=1, lost=-1 if counter > self.first else 0, late=1)

    def _go_on(self, frame: Heard, counter: int) -> RadioAccount:
        lost = counter - self.highest - 1
        self.highest = counter
        self.known.add(counter)
        self.turns = (counter - frame.f_cnt) // TURN
        return RadioAccount(heard=1, lost=lost)


def account(opening: Heard | None, frames: Iterable[Heard]) -> RadioAccount:
    """Return the account of one day's frames, in the order of received_at, after the last frame before that day.

    A frame that fills a gap of the day is late, not lost. One that fills a gap of the day before is late, and
    stays in that day's lost.
    """
    session = None if opening is None else _Session(opening)
    totals = [0] * len(RadioAccount._fields)
    for frame in frames:
        added = None if session is None else session.judge(frame)
        if added is None:
            added = RadioAccount(heard=1, resets=0 if session is None else 1)
            session = _Session(frame)
        totals = [total + one for total, one in zip(totals, added, strict=True)]
    return RadioAccount(*totals)


# The marked days, and for each the next day with frames: its first gap begins at the marked day's last frame.
# OFFSET 0 as in store/maintenance/rollups.py.
SELECT_FRAMES: Final = """
WITH marked AS (
  SELECT device_id, day FROM unnest($1::integer[], $2::date[]) AS one (device_id, day)
), days AS (
  SELECT device_id, day FROM marked
   UNION
  SELECT marked.device_id, (received_at AT TIME ZONE 'UTC')::date
    FROM marked
   CROSS JOIN LATERAL (SELECT received_at
                         FROM uplinks
                        WHERE uplinks.device_id = marked.device_id
                          AND received_at >= (marked.day + 1)::timestamp AT TIME ZONE 'UTC'
                        ORDER BY received_at
                        LIMIT 1) AS following
)
SELECT days.device_id, day, true AS opening, received_at, uplink_key, dev_addr, f_cnt
  FROM days
 CROSS JOIN LATERAL (SELECT received_at, uplink_key, dev_addr, f_cnt
                       FROM uplinks
                      WHERE uplinks.device_id = days.device_id
                        AND received_at < day::timestamp AT TIME ZONE 'UTC'
                      ORDER BY received_at DESC, uplink_key DESC
                      LIMIT 1) AS before
 UNION ALL
SELECT days.device_id, day, false, received_at, uplink_key, dev_addr, f_cnt
  FROM days
 CROSS JOIN LATERAL (SELECT received_at, uplink_key, dev_addr, f_cnt
                       FROM uplinks
                      WHERE uplinks.device_id = days.device_id
                        AND received_at >= day::timestamp AT TIME ZONE 'UTC'
                        AND received_at < (day + 1)::timestamp AT TIME ZONE 'UTC'
                     OFFSET 0) AS within
 ORDER BY device_id, day, opening DESC, received_at, uplink_key
"""

UPSERT_ACCOUNTS: Final = """
INSERT INTO radio_accounts AS known (device_id, day, heard, lost, late, repeated, resets)
SELECT * FROM unnest($1::integer[], $2::date[], $3::integer[], $4::integer[], $5::integer[], $6::integer[],
                     $7::integer[])
ON CONFLICT (device_id, day) DO UPDATE
   SET heard = excluded.heard, lost = excluded.lost, late = excluded.late, repeated = excluded.repeated,
       resets = excluded.resets
"""


async def rebuild_accounts(connection: asyncpg.Connection, marks: Collection[tuple[int, datetime]]) -> int:
    """Make anew the accounts of the UTC days of these (device, hour); return how many days that were."""
    days = sorted({(device_id, hour.astimezone(UTC).date()) for device_id, hour in marks})
    made = [await _rebuild(connection, days[at : at + _DAYS]) for at in range(0, len(days), _DAYS)]
    return sum(made)


async def _rebuild(connection: asyncpg.Connection, days: Sequence[tuple[int, date]]) -> int:
    frames = await connection.fetch(SELECT_FRAMES, *map(list, zip(*days, strict=True)))
    accounts = [
        (device_id, day, *_account_of(list(group)))
        for (device_id, day), group in groupby(frames, key=itemgetter("device_id", "day"))
    ]
    accounts = [row for row in accounts if any(row[2:])]
    if accounts:
        await connection.execute(UPSERT_ACCOUNTS, *map(list, zip(*accounts, strict=True)))
    return len(accounts)


def _account_of(records: list[asyncpg.Record]) -> RadioAccount:
    heard = [Heard(record["dev_addr"], record["f_cnt"]) for record in records]
    if records[0]["opening"]:
        return account(heard[0], heard[1:])
    return account(None, heard)
