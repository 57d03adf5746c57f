"""How large what is stored is, and how fast it grows: the facts that `samara capacity` reckons with."""

from typing import Final, NamedTuple

import asyncpg

from store.migrate import has_timescale

KEPT: Final = ("uplinks", "receptions", "measurements", "network_events", "measurements_hourly", "measurements_daily",
               "radio_accounts")  # fmt: skip


class Size(NamedTuple):
    """One relation. `rows` is the planner's estimate; `row_bytes` include the indexes, None where there are no rows."""

    relation: str
    rows: int
    total_bytes: int
    row_bytes: float | None


class Fleet(NamedTuple):
    """What the fleet sends: uplinks a day by the usual period of each model, and what each uplink brings."""

    devices: int
    uplinks_per_day: float
    measurements_per_uplink: float
    receptions_per_uplink: float
    series: int


SELECT_PLAIN_SIZES: Final = """
WITH RECURSIVE parts AS (
  SELECT oid AS root, oid FROM pg_class WHERE oid = ANY ($1::text[]::regclass[])
   UNION ALL
  SELECT parts.root, inhrelid FROM parts JOIN pg_inherits ON inhparent = parts.oid
)
SELECT root::regclass::text AS relation, sum(greatest(reltuples, 0)) FILTER (WHERE relkind <> 'p')::bigint AS rows,
       sum(pg_total_relation_size(parts.oid))::bigint AS total_bytes
  FROM parts
  JOIN pg_class ON pg_class.oid = parts.oid
 GROUP BY root
"""

SELECT_TIMESCALE_SIZES: Final = """
SELECT name AS relation, greatest(coalesce(approximate_row_count(place::regclass), 0), 0) AS rows,
       CASE WHEN is_hyper THEN hypertable_size(place::regclass) ELSE pg_total_relation_size(place::regclass) END
         AS total_bytes
  FROM (SELECT wanted AS name,
               CASE WHEN aggregate.view_name IS NULL THEN wanted
                    ELSE format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
                END AS place,
               aggregate.view_name IS NOT NULL OR hyper.hypertable_name IS NOT NULL AS is_hyper
          FROM unnest($1::text[]) AS wanted
          LEFT JOIN timescaledb_information.continuous_aggregates AS aggregate ON aggregate.view_name = wanted
          LEFT JOIN timescaledb_information.hypertables AS hyper ON hyper.hypertable_name = wanted) AS placed
"""


async def sizes(connection: asyncpg.Connection) -> list[Size]:
    """Return the size of each relation of KEPT, largest first."""
    statement = SELECT_TIMESCALE_SIZES if await has_timescale(connection) else SELECT_PLAIN_SIZES
    records = await connection.fetch(statement, list(KEPT))
    found = []
    for relation, rows, total_bytes in records:
        found.append(Size(relation, rows, total_bytes, total_bytes / rows if rows else None))
    return sorted(found, key=lambda one: -one.total_bytes)


SELECT_FLEET: Final = """
WITH recent AS (
  SELECT count(*)::float8 AS uplinks FROM uplinks
   WHERE received_at >= $1::timestamptz - interval '1 day' AND received_at < $1
), told AS (
  SELECT count(*)::float8 AS measurements FROM measurements
   WHERE received_at >= $1::timestamptz - interval '1 day' AND received_at < $1
     AND measured_at >= $1::timestamptz - interval '8 days' AND measured_at < $1
), hearings AS (
  SELECT count(*)::float8 AS receptions FROM receptions
   WHERE received_at >= $1::timestamptz - interval '1 day' AND received_at < $1
)
SELECT (SELECT count(*) FROM devices) AS devices,
       greatest(uplinks, (SELECT coalesce(sum(86400.0 / period_s), 0)
                            FROM devices JOIN models USING (model_id)))::float8 AS uplinks_per_day,
       coalesce(measurements / nullif(uplinks, 0), $2) AS measurements_per_uplink,
       coalesce(receptions / nullif(uplinks, 0), $3) AS receptions_per_uplink,
       (SELECT coalesce(sum(cardinality(quantity_ids)), 0) FROM latest_frames) AS series
  FROM recent, told, hearings
"""


async def fleet(
    connection: asyncpg.Connection, now: object, *, measurements_per_uplink: float, receptions_per_uplink: float
) -> Fleet:
    """Return what the fleet sends, by its last day or by its models' periods, whichever is more.

    The two figures given are assumed where the last day has no uplinks.
    """
    record = await connection.fetchrow(SELECT_FLEET, now, measurements_per_uplink, receptions_per_uplink)
    assert record is not None
    return Fleet(*record)
