"""Devices on both sides: as Samara has them, and as a network server was last seen to have them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.provisioning import There, Wanted, name_there


class Sides(NamedTuple):
    """One device of a tenant, on both sides. `there` None: the network server has it not, as far as is known."""

    here: Wanted
    model_id: str | None
    there: There | None


SELECT_SIDES: Final = """
SELECT dev_eui, name, join_eui, model_id, profile, there_name, there_profile, there_join_eui
  FROM network_compared($1)
 WHERE $2::text[] IS NULL OR dev_eui = ANY ($2)
 ORDER BY dev_eui
"""


async def sides(connection: asyncpg.Connection, tenant_id: int, dev_euis: Sequence[str] | None = None) -> list[Sides]:
    """Return the devices of a tenant, those that are named or all, on both sides."""
    return [
        Sides(
            _here(row),
            row["model_id"],
            None
            if row["there_name"] is None
            else There(row["dev_eui"], row["there_name"], row["there_profile"], row["there_join_eui"]),
        )
        for row in await connection.fetch(SELECT_SIDES, tenant_id, None if dev_euis is None else list(dev_euis))
    ]


SELECT_PROFILED: Final = """
SELECT network_profiled($1)
"""


async def profiled(connection: asyncpg.Connection, tenant_id: int) -> frozenset[str] | None:
    """Return the models that have a profile where a tenant's devices go, None where no network server serves it."""
    found = await connection.fetchval(SELECT_PROFILED, tenant_id)
    return None if found is None else frozenset(found)


def _here(row: asyncpg.Record) -> Wanted:
    name = name_there(row["name"], row["dev_eui"])
    return Wanted(row["dev_eui"], name, row["profile"] or "", row["join_eui"] or "")


SELECT_STRANGERS: Final = """
SELECT dev_eui, name, profile, join_eui FROM network_strangers($1) ORDER BY dev_eui
"""


async def strangers(connection: asyncpg.Connection, tenant_id: int) -> list[There]:
    """Return what a tenant's own network server has, and no tenant of Samara."""
    return [There(*row) for row in await connection.fetch(SELECT_STRANGERS, tenant_id)]


INSERT_ADOPTED: Final = """
INSERT INTO devices (dev_eui, tenant_id, name, model_id, join_eui)
SELECT dev_eui, $1, CASE WHEN name = dev_eui THEN '' ELSE name END, model_id, nullif(join_eui, '')
  FROM network_strangers($1)
 WHERE dev_eui = ANY ($2::text[])
    ON CONFLICT (dev_eui) DO NOTHING
"""

# A model is taken over only where the profile says another: several models may share one.
UPDATE_ADOPTED: Final = """
UPDATE devices
   SET name = CASE WHEN there_name = devices.dev_eui THEN '' ELSE there_name END,
       join_eui = coalesce(nullif(there_join_eui, ''), devices.join_eui),
       model_id = CASE WHEN profile IS DISTINCT FROM there_profile THEN coalesce(there_model_id, devices.model_id)
                       ELSE devices.model_id END
  FROM network_compared($1) AS known
 WHERE devices.tenant_id = $1
   AND devices.dev_eui = known.dev_eui
   AND devices.dev_eui = ANY ($2::text[])
   AND there_name IS NOT NULL
"""


async def adopt(connection: asyncpg.Connection, tenant_id: int, dev_euis: Sequence[str]) -> tuple[int, int]:
    """Take over what the network server says of devices; return how many are new here, and how many were changed."""
    made = await connection.execute(INSERT_ADOPTED, tenant_id, list(dev_euis))
    changed = await connection.execute(UPDATE_ADOPTED, tenant_id, list(dev_euis))
    declared = int(made.rsplit(maxsplit=1)[-1])
    return declared, int(changed.rsplit(maxsplit=1)[-1]) - declared


UPDATE_JOIN_EUIS: Final = """
UPDATE devices
   SET join_eui = given.join_eui
  FROM unnest($2::text[], $3::text[]) AS given (dev_eui, join_eui)
 WHERE devices.tenant_id = $1 AND devices.dev_eui = given.dev_eui AND devices.join_eui IS DISTINCT FROM given.join_eui
"""


async def set_join_euis(connection: asyncpg.Connection, tenant_id: int, join_euis: dict[str, str]) -> None:
    """Keep the JoinEUI of devices of a tenant, by DevEUI."""
    await connection.execute(UPDATE_JOIN_EUIS, tenant_id, list(join_euis), list(join_euis.values()))


UPSERT_THERE: Final = """
INSERT INTO network_devices AS known (tenant_id, dev_eui, name, profile, join_eui) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, dev_eui) DO UPDATE
   SET name = excluded.name, profile = excluded.profile, join_eui = coalesce(excluded.join_eui, known.join_eui)
"""


async def put_there(connection: asyncpg.Connection, owner_id: int, there: There) -> None:
    """Remember what a network server has."""
    await connection.execute(UPSERT_THERE, owner_id, there.dev_eui, there.name, there.profile, there.join_eui)


DELETE_THERE: Final = """
DELETE FROM network_devices WHERE tenant_id = $1 AND dev_eui = $2
"""


async def gone_there(connection: asyncpg.Connection, owner_id: int, dev_eui: str) -> None:
    """Remember that a network server no longer has a device."""
    await connection.execute(DELETE_THERE, owner_id, dev_eui)


# What was done there while the list was read stays.
DELETE_OTHERS: Final = """
DELETE FROM network_devices
 WHERE tenant_id = $1
   AND dev_eui <> ALL ($2::text[])
   AND NOT EXISTS (SELECT FROM network_orders
                    WHERE network_orders.dev_eui = network_devices.dev_eui AND ended_at >= $3)
"""

UPSERT_LISTED: Final = """
INSERT INTO network_devices AS known (tenant_id, dev_eui, name, profile, join_eui)
SELECT $1, dev_eui, name, profile, join_eui
  FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS given (dev_eui, name, profile, join_eui)
ON CONFLICT (tenant_id, dev_eui) DO UPDATE
   SET name = excluded.name, profile = excluded.profile, join_eui = excluded.join_eui
 WHERE (known.name, known.profile, known.join_eui) IS DISTINCT FROM (excluded.name, excluded.profile, excluded.join_eui)
"""

UPDATE_LISTED: Final = """
UPDATE network_servers SET listed_at = $2, trouble = '' WHERE tenant_id = $1
"""


async def listed(connection: asyncpg.Connection, owner_id: int, found: Sequence[There], began_at: datetime) -> None:
    """Keep the whole of what a network server has, as it was read from `began_at` on."""
    euis, names = [one.dev_eui for one in found], [one.name for one in found]
    profiles, join_euis = [one.profile for one in found], [one.join_eui for one in found]
    async with connection.transaction():
        await connection.execute(DELETE_OTHERS, owner_id, euis, began_at)
        await connection.execute(UPSERT_LISTED, owner_id, euis, names, profiles, join_euis)
        await connection.execute(UPDATE_LISTED, owner_id, began_at)


SELECT_UNJOINED: Final = """
SELECT dev_eui
  FROM devices
 WHERE join_eui IS NULL AND network_server_of(tenant_id) = $1
"""


async def without_join_eui(connection: asyncpg.Connection, owner_id: int) -> frozenset[str]:
    """Return the devices that a network server serves and whose JoinEUI Samara was not told: it is not compared."""
    return frozenset(row["dev_eui"] for row in await connection.fetch(SELECT_UNJOINED, owner_id))


UPDATE_TROUBLE: Final = """
UPDATE network_servers SET trouble = $2 WHERE tenant_id = $1 AND trouble <> $2
"""


async def set_trouble(connection: asyncpg.Connection, owner_id: int, trouble: str) -> None:
    """Remember why a network server cannot be spoken to, '' when it can."""
    await connection.execute(UPDATE_TROUBLE, owner_id, trouble)
