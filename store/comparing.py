"""Whether a tenant agreed to be compared with others by name, and by how many inhabitants."""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from store.reading.pages import Reader


class Standing(NamedTuple):
    """What is known of a tenant. `agreed_at` and `agreed_by` are None while it has not agreed.

    `inhabitants` is the legal population that came into force on 1 January of `year`. `may_agree` says whether who
    reads speaks for this very tenant.
    """

    agreed_at: datetime | None
    agreed_by: str | None
    inhabitants: int | None
    year: int | None
    may_agree: bool


SELECT_STANDING: Final = """
SELECT agreed_at, agreed_by, inhabitants, year, speaks_for($1) AS may_agree
  FROM (SELECT $1::integer AS tenant_id) AS one
  LEFT JOIN comparison_consents USING (tenant_id)
  LEFT JOIN populations USING (tenant_id)
"""


async def standing(reader: Reader, tenant_id: int) -> Standing:
    """Return what a tenant said."""
    row = await reader.fetchrow(SELECT_STANDING, tenant_id)
    assert row is not None
    return Standing(**row)


INSERT_CONSENT: Final = """
INSERT INTO comparison_consents (tenant_id, account_id, agreed_by)
VALUES ($1, $2, $3)
ON CONFLICT (tenant_id) DO NOTHING
"""


async def agree(connection: asyncpg.Connection, tenant_id: int, account_id: int | None, name: str) -> None:
    """Agree in the name of a tenant; the database refuses who does not speak for it. Agreeing again changes nothing."""
    await connection.execute(INSERT_CONSENT, tenant_id, account_id, name)


DELETE_CONSENT: Final = """
DELETE FROM comparison_consents WHERE tenant_id = $1
"""


async def withdraw(connection: asyncpg.Connection, tenant_id: int) -> None:
    """Agree no more: from now on nobody sees the tenant compared."""
    await connection.execute(DELETE_CONSENT, tenant_id)


UPSERT_POPULATION: Final = """
INSERT INTO populations (tenant_id, inhabitants, year)
VALUES ($1, $2, $3)
ON CONFLICT (tenant_id) DO UPDATE SET inhabitants = excluded.inhabitants, year = excluded.year
"""


async def set_population(connection: asyncpg.Connection, tenant_id: int, inhabitants: int, year: int) -> None:
    """Say how many live there."""
    await connection.execute(UPSERT_POPULATION, tenant_id, inhabitants, year)
