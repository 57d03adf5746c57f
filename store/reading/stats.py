"""The counts that tell whether anything was lost: what came in, and what became of it."""

from typing import Final, NamedTuple

from store.reading.pages import Reader


class MessageCount(NamedTuple):
    """Messages of one kind and what became of them: received = stored + duplicate + quarantined + ignored."""

    kind: str
    received: int
    stored: int
    duplicate: int
    quarantined: int
    ignored: int


class Stats(NamedTuple):
    """What the store holds.

    `rows` is by relation, `events` network events by kind, `uplinks` by outcome, `quarantine` messages set
    aside (each repetition counted) by reason.
    """

    messages: list[MessageCount]
    rows: dict[str, int]
    events: dict[str, int]
    uplinks: dict[str, int]
    quarantine: dict[str, int]


SELECT_MESSAGES: Final = """
SELECT kind,
       sum(messages)::bigint AS received,
       coalesce(sum(messages) FILTER (WHERE outcome = 'stored'), 0)::bigint AS stored,
       coalesce(sum(messages) FILTER (WHERE outcome = 'duplicate'), 0)::bigint AS duplicate,
       coalesce(sum(messages) FILTER (WHERE outcome = 'quarantined'), 0)::bigint AS quarantined,
       coalesce(sum(messages) FILTER (WHERE outcome = 'ignored'), 0)::bigint AS ignored
  FROM ingest_accounts
 GROUP BY kind
 ORDER BY kind
"""

SELECT_ROWS: Final = """
SELECT 'uplinks' AS name, count(*) AS count FROM uplinks
UNION ALL SELECT 'receptions', count(*) FROM receptions
UNION ALL SELECT 'measurements', count(*) FROM measurements
UNION ALL SELECT 'network_events', count(*) FROM network_events
UNION ALL SELECT 'devices', count(*) FROM devices
UNION ALL SELECT 'gateways', count(*) FROM gateways
"""

SELECT_EVENTS: Final = """
SELECT kind AS name, count(*) AS count FROM network_events GROUP BY kind ORDER BY kind
"""

SELECT_OUTCOMES: Final = """
SELECT outcome AS name, count(*) AS count FROM uplinks GROUP BY outcome ORDER BY outcome
"""

SELECT_QUARANTINE: Final = """
SELECT reason AS name, sum(times)::bigint AS count FROM quarantine GROUP BY reason ORDER BY reason
"""


async def stats(reader: Reader) -> Stats:
    """Return the counts of the whole store. It reads every row once: for a person, not for a loop."""
    return Stats(
        messages=[MessageCount(*row) for row in await reader.fetch(SELECT_MESSAGES)],
        rows=await _counts(reader, SELECT_ROWS),
        events=await _counts(reader, SELECT_EVENTS),
        uplinks=await _counts(reader, SELECT_OUTCOMES),
        quarantine=await _counts(reader, SELECT_QUARANTINE),
    )


async def _counts(reader: Reader, statement: str) -> dict[str, int]:
    return {row["name"]: row["count"] for row in await reader.fetch(statement)}
