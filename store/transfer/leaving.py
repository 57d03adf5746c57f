"""A tenant's rows on their way out: one CSV file a relation, all as of one moment."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.transfer.columns import OWN, Column, Field, fields, select
from store.transfer.relations import RELATIONS, Relation
from store.transfer.words import know_words

Sink = Callable[[bytes], Coroutine[Any, Any, None]]


class Leaver(NamedTuple):
    """The tenant itself; `parent` is the slug of the one above it."""

    tenant_id: int
    slug: str
    name: str
    kind: str
    parent: str | None
    insee: str | None
    siren: str | None
    time_zone: str


SELECT_LEAVER: Final = """
SELECT one.tenant_id, one.slug, one.name, one.kind, above.slug AS parent, one.insee, one.siren, one.time_zone
  FROM tenants AS one
  LEFT JOIN tenants AS above ON above.tenant_id = one.parent_id
 WHERE one.slug = $1
"""


async def find(connection: asyncpg.Connection, slug: str) -> Leaver:
    """Return the tenant. Raises NotFoundError."""
    row = await connection.fetchrow(SELECT_LEAVER, slug)
    if row is None:
        raise NotFoundError(f"no tenant {slug!r}")
    return Leaver(*row)


SELECT_COLUMNS: Final = """
SELECT attname, format_type(atttypid, atttypmod), attidentity <> ''
  FROM pg_attribute
 WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
 ORDER BY attnum
"""


async def fields_of(connection: asyncpg.Connection, relation: Relation) -> tuple[list[Field], bool]:
    """Return the fields of a relation's file as this database has it, and whether its rows name their tenant."""
    columns = [Column(*row) for row in await connection.fetch(SELECT_COLUMNS, relation.name)]
    return fields(relation, columns), any(one.name == OWN for one in columns)


class Departure:
    """What one transaction sees of a tenant, which it may write again and again."""

    def __init__(self, connection: asyncpg.Connection, tenant_id: int, since: datetime | None) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._since = since

    async def write(self, relation: Relation, sink: Sink) -> tuple[list[str], int]:
        """Send the relation's rows as CSV with a header; return its fields, and how many rows there were."""
        made, _ = await fields_of(self._connection, relation)
        lately = self._since is not None and relation.time != ""
        statement = select(relation, made, lately=lately)
        status = await self._connection.copy_from_query(
            statement,
            *([self._tenant_id] if "$1" in statement else []),
            *([self._since] if lately else []),
            output=sink,
            format="csv",
            header=True,
            timeout=None,
        )
        return [one.name for one in made], int(status.rsplit(maxsplit=1)[-1])


LOCK_ALERTING: Final = """
LOCK TABLE rules, rule_states, incidents, alerts, transitions, outbox, contacts, deliveries IN EXCLUSIVE MODE
"""


async def _still(connection: asyncpg.Connection, within_s: float) -> None:
    await connection.execute(f"SET LOCAL lock_timeout = '{within_s:g}s'")
    await connection.execute(LOCK_ALERTING)


@asynccontextmanager
async def departing(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    since: datetime | None = None,
    stilled_within_s: float | None = None,
) -> AsyncIterator[Departure]:
    """Give what the tenant has at this moment, however long it takes to write it down.

    `since`: of what the sensors said, only what was received from then on. `stilled_within_s`: nobody evaluates, tells,
    or changes what is watched until the end; raises asyncpg.LockNotAvailableError when that is not had in time.
    """
    async with connection.transaction(isolation="repeatable_read"):
        if stilled_within_s is not None:
            await _still(connection, stilled_within_s)  # before the first look: what is seen is then what is
        await know_words(connection, tenant_id, of_frames=stilled_within_s is None)
        yield Departure(connection, tenant_id, since)


def of_groups(groups: Iterable[str]) -> list[Relation]:
    """Return the relations of these groups, in the order in which they arrive."""
    wanted = set(groups)
    return [one for one in RELATIONS if one.group in wanted]


SELECT_SHARED_PAST: Final = """
SELECT devices.dev_eui
  FROM ownerships AS own
  JOIN devices USING (device_id)
 WHERE own.tenant_id = $1
   AND EXISTS (SELECT FROM ownerships AS others
                WHERE others.device_id = own.device_id AND others.tenant_id <> own.tenant_id)
 ORDER BY devices.dev_eui
"""


async def shared_devices(connection: asyncpg.Connection, tenant_id: int) -> list[str]:
    """Return the DevEUIs that this tenant had or has, and another tenant too."""
    return [row["dev_eui"] for row in await connection.fetch(SELECT_SHARED_PAST, tenant_id)]
