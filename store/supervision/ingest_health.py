"""How ingest does, as the database knows it: rate, delay, what became of messages, what could not be read."""

from datetime import date, datetime
from typing import Final, NamedTuple

from store.reading.pages import Reader


class Round(NamedTuple):
    """What maintenance noted in a round: messages since the day before began, and the last frames' delay, seconds."""

    at: datetime
    received: int
    latency_p50_s: float | None
    latency_p95_s: float | None


SELECT_ROUNDS: Final = """
(SELECT at, received, latency_p50_s, latency_p95_s FROM ingest_rounds ORDER BY at DESC LIMIT 1)
UNION ALL
(SELECT at, received, latency_p50_s, latency_p95_s FROM ingest_rounds WHERE at <= $1 ORDER BY at DESC LIMIT 1)
ORDER BY at DESC
"""


async def rounds(reader: Reader, before: datetime) -> list[Round]:
    """Return the last round, and the last one before a moment: the rate is the difference."""
    return [Round(*row) for row in await reader.fetch(SELECT_ROUNDS, before)]


class Worker(NamedTuple):
    """What an ingest process said of itself last: messages not yet durable, bytes of its spool, sources not heard."""

    worker: str
    at: datetime
    held: int
    held_bytes: int
    spool_bytes: int
    deaf: list[str]


SELECT_WORKERS: Final = """
SELECT worker, at, held, held_bytes, spool_bytes, deaf
  FROM ingest_workers
 WHERE at >= $1
 ORDER BY worker
 LIMIT $2
"""


async def workers(reader: Reader, since: datetime, limit: int) -> list[Worker]:
    """Return the ingest processes that said something of themselves since then."""
    return [Worker(*row) for row in await reader.fetch(SELECT_WORKERS, since, limit)]


SELECT_OUTCOMES: Final = """
SELECT outcome, sum(messages)::bigint FROM ingest_accounts WHERE day >= $1 GROUP BY outcome
"""


async def outcomes(reader: Reader, since: date) -> dict[str, int]:
    """Return messages by what became of them since a UTC day."""
    return {row[0]: row[1] for row in await reader.fetch(SELECT_OUTCOMES, since)}


SELECT_QUARANTINE: Final = """
SELECT reason, count(*)
  FROM (SELECT reason FROM quarantine WHERE replayed_at IS NULL LIMIT $1) AS open
 GROUP BY reason
 ORDER BY count(*) DESC
"""


async def quarantined(reader: Reader, most: int) -> dict[str, int]:
    """Return the messages that nobody looked at yet, by reason: of `most` of them at most."""
    return {row[0]: row[1] for row in await reader.fetch(SELECT_QUARANTINE, most)}


class Undecoded(NamedTuple):
    """A model of which frames gave no reading: of the frames of each device's last seven days."""

    model_id: str
    vendor: str | None
    name: str | None
    devices: int
    frames: int
    undecoded: int


SELECT_UNDECODED: Final = """
SELECT model_id, vendor, models.name, sum(devices)::bigint, sum(heard)::bigint, sum(undecoded)::bigint
  FROM fleet_counts
  LEFT JOIN models USING (model_id)
 GROUP BY model_id, vendor, models.name
HAVING sum(undecoded) > 0
 ORDER BY sum(undecoded) DESC
 LIMIT $1
"""


async def undecoded(reader: Reader, limit: int) -> list[Undecoded]:
    """Return the models with frames that gave no reading, the worst first."""
    return [Undecoded(*row) for row in await reader.fetch(SELECT_UNDECODED, limit)]
