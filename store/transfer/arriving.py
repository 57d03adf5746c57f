"""A tenant's rows on their way in: each file is staged as it is, then its words become this database's numbers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg

from domain.errors import SamaraError
from store import rows
from store.batch import Live
from store.newest import latest_of, row_of
from store.partitions import PARTITIONED, ensure_partitions
from store.staging import CREATE_STAGED_LATEST, upsert_latest
from store.transfer.columns import Field, joins
from store.transfer.learning import count_of, learn, learn_decoders, learn_quantities
from store.transfer.leaving import fields_of
from store.transfer.relations import Relation
from store.transfer.words import know_words


class ArrivalError(SamaraError):
    """A tenant cannot arrive here; nothing of it was kept."""


class Arrived(NamedTuple):
    """What became of a file: its rows, and how many of them this database did not have."""

    rows: int
    new: int


CREATE_ARRIVING: Final = """
CREATE TEMP TABLE staged_{name} (line bigint GENERATED ALWAYS AS IDENTITY, {columns}) ON COMMIT DROP
"""

DROP_ARRIVING: Final = """
DROP TABLE staged_{name}
"""

COUNT_ARRIVING: Final = """
SELECT count(*) FROM staged_{name}
"""

SELECT_ARRIVING_MONTHS: Final = """
SELECT DISTINCT date_trunc('month', {time}, 'UTC')::date FROM staged_{name}
"""

# The database gave each new device to its tenant for all time: what follows says since when and until when it was.
DISOWN: Final = """
DELETE FROM ownerships WHERE tenant_id = $1 AND device_id IN (SELECT id FROM word_device)
"""

SELECT_LATEST_ARRIVING: Final = """
SELECT device.id AS device_id, measured_at, received_at, channels, readings,
       ARRAY(SELECT named.id
               FROM unnest(quantities) WITH ORDINALITY AS each (item, place)
               JOIN word_quantity AS named ON named.word = each.item
              ORDER BY place) AS quantity_ids
  FROM staged_latest_frames AS staged
  JOIN word_device AS device ON device.word = staged.device
"""

MARK_HOURS: Final = """
INSERT INTO changed_hours (device_id, hour)
SELECT DISTINCT device.id, date_trunc('hour', measured_at, 'UTC')
  FROM staged_measurements AS staged
  JOIN word_device AS device ON device.word = staged.device
 WHERE measured_at >= $1
"""

# The hour and the day of the first measurement that came: aggregates from then on are made of measurements.
CREATE_BEGINNING: Final = """
CREATE TEMP TABLE measured_from ON COMMIT DROP AS
SELECT coalesce(date_trunc('hour', min(measured_at), 'UTC'), 'infinity') AS hour,
       coalesce(date_trunc('day', min(measured_at), 'Europe/Paris'), 'infinity') AS day
  FROM staged_measurements
"""

SELECT_AGGREGATE: Final = """
SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
  FROM timescaledb_information.continuous_aggregates
 WHERE view_name = $1
"""

# TimescaleDB keeps no unique key of an aggregate: what is there already is not added again.
ONLY_BEFORE: Final = """
 WHERE staged.{time} < (SELECT {time} FROM measured_from)
   AND NOT EXISTS (SELECT FROM {place} AS kept
                    WHERE kept.device_id = device.id AND kept.quantity_id = quantity.id
                      AND kept.channel = staged.channel AND kept.{time} = staged.{time})
"""

SELECT_DECLARED: Final = """
SELECT dev_eui FROM staged_devices JOIN devices ON devices.dev_eui = staged_devices.device ORDER BY dev_eui LIMIT 5
"""

WATCH: Final = """
INSERT INTO watched_tenants (tenant_id) VALUES ($1) ON CONFLICT DO NOTHING
"""

_MADE_ANEW: Final = {"devices": {"dev_eui": "staged.device"}, "deliveries": {"message_id": "gen_random_uuid()::text"}}
AGGREGATES: Final = {"measurements_hourly": "hour", "measurements_daily": "day"}  # on TimescaleDB, with their time
_TIMES: Final = {"measurements": "measured_at"}


class Arrival:
    """One transaction into which files come, in the order of RELATIONS. `tenant_id` is the tenant's number here."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        aside: asyncpg.Connection,
        tenant_id: int,
        *,
        timescale: bool,
        derive_from: datetime | None,
        again: bool,
    ) -> None:
        self._connection = connection
        self._aside = aside
        self._tenant_id = tenant_id
        self._timescale = timescale
        self._derive_from = derive_from
        self._again = again

    async def read(self, relation: Relation, file: Path, header: Sequence[str]) -> Arrived:
        """Take a relation's file. Raises ArrivalError for fields that this database does not know."""
        fields, is_owned = await fields_of(self._connection, relation)
        known = {one.name: one for one in fields}
        strange = [name for name in header if name not in known]
        if strange:
            raise ArrivalError(
                f"{file.name}: this program does not know {', '.join(strange)}; it is older than the export"
            )
        made = [known[name] for name in header]
        columns = ", ".join(f"{one.name} {one.type}" for one in made)
        await self._connection.execute(CREATE_ARRIVING.format(name=relation.name, columns=columns))
        await self._connection.copy_to_table(
            f"staged_{relation.name}", source=file, columns=list(header), format="csv", header=True, timeout=None
        )
        total = await self._connection.fetchval(COUNT_ARRIVING.format(name=relation.name))
        new = await self._take(relation.name, made, is_owned=is_owned)
        await self._connection.execute(DROP_ARRIVING.format(name=relation.name))
        return Arrived(total, new)

    async def _take(self, name: str, made: Sequence[Field], *, is_owned: bool) -> int:
        if name == "latest_frames":
            return await self._latest()
        if name == "decoders":
            return await learn_decoders(self._connection)
        await self._before(name)
        await learn(self._connection, name, made)
        if self._timescale and name in AGGREGATES:
            place, time = await self._connection.fetchval(SELECT_AGGREGATE, name), AGGREGATES[name]
            only = ONLY_BEFORE.format(time=time, place=place)
            return await self._insert(name, made, is_owned=False, place=place, only=only)
        new = await self._insert(name, made, is_owned=is_owned)
        await self._after(name, new)
        return new

    async def _before(self, name: str) -> None:
        if name == "devices" and not self._again:
            declared = [row["dev_eui"] for row in await self._connection.fetch(SELECT_DECLARED)]
            if declared:
                raise ArrivalError(f"devices.csv: declared here already: {', '.join(declared)} …")
        if name == "ownerships":
            await self._connection.execute(DISOWN, self._tenant_id)
        if name in PARTITIONED:
            await self._make_partitions(name)

    async def _after(self, name: str, new: int) -> None:
        if name == "quantities":
            await learn_quantities(self._connection)
        if name == "rules" and new:
            await self._connection.execute(WATCH, self._tenant_id)
        if name == "measurements" and self._derive_from is not None:
            await self._connection.execute(MARK_HOURS, self._derive_from)
        if name == "measurements" and self._timescale:
            await self._connection.execute(CREATE_BEGINNING)

    async def _make_partitions(self, name: str) -> None:
        time = _TIMES.get(name, "received_at")
        found = await self._connection.fetch(SELECT_ARRIVING_MONTHS.format(name=name, time=time))
        await ensure_partitions(self._aside, name, [row[0] for row in found])

    async def _insert(
        self, name: str, made: Sequence[Field], *, is_owned: bool, place: str = "", only: str = ""
    ) -> int:
        """Insert what is staged, into another place than its relation if need be, and `only` some of it."""
        columns = [one.column for one in made]
        values = [one.back for one in made]
        if is_owned:
            columns.append("tenant_id")
            values.append(str(self._tenant_id))
        for column, value in _MADE_ANEW.get(name, {}).items():
            columns.append(column)
            values.append(value)
        conflict = "ON CONFLICT DO NOTHING" if self._again or name in _MERGED else ""
        status = await self._connection.execute(
            f"INSERT INTO {place or name} ({', '.join(columns)}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - of the catalog
            f"SELECT {', '.join(values)} FROM staged_{name} AS staged {joins(made, table='staged')} "
            f"{only} ORDER BY staged.line {conflict}"
        )
        return count_of(status)

    async def _latest(self) -> int:
        found = await self._connection.fetch(SELECT_LATEST_ARRIVING)
        await self._connection.execute(CREATE_STAGED_LATEST)
        await upsert_latest(
            self._connection,
            [
                row_of(
                    latest_of(
                        one["device_id"],
                        rows.microseconds(one["measured_at"]),
                        rows.microseconds(one["received_at"]),
                        Live(tuple(one["quantity_ids"]), tuple(one["channels"]), tuple(one["readings"])),
                    )
                )
                for one in found
            ],
        )
        return len(found)


_MERGED: Final = frozenset({"models", "quantities", "quarantine"})  # what this database may have of others


@asynccontextmanager
async def arriving(
    connection: asyncpg.Connection,
    aside: asyncpg.Connection,
    tenant_id: int,
    *,
    timescale: bool,
    derive_from: datetime | None,
    again: bool,
) -> AsyncIterator[Arrival]:
    """Give a transaction for what comes.

    `aside` is another connection to the same database, for what others must not wait for until the end.
    `derive_from`: what is derived of measurements from then on is made here. `again`: most rows are here already, the
    others are added.
    """
    async with connection.transaction():
        await know_words(connection, tenant_id, of_frames=False)
        yield Arrival(connection, aside, tenant_id, timescale=timescale, derive_from=derive_from, again=again)
