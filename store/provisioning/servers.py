"""Which network server and application a tenant's devices go to, and what its models are called there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError
from store.access.sealing import Keyring, Sealed
from store.installing import RefusedError


class Server(NamedTuple):
    """The network server of a tenant. `address` is https://host[:port]; its token is not told."""

    kind: str
    address: str
    application: str
    changed_at: datetime
    listed_at: datetime | None
    trouble: str
    profiles: Mapping[str, str]


class Serving(NamedTuple):
    """What serves a tenant: its own network server or that of `owner_id`, a tenant above it."""

    owner_id: int
    kind: str
    listed_at: datetime | None
    trouble: str


class Access(NamedTuple):
    """How to speak to a network server. It holds its token: it is told to nobody and written to no log."""

    owner_id: int
    kind: str
    address: str
    application: str
    token: str

    def __repr__(self) -> str:
        """Leave the token out."""
        return f"Access({self.kind}, {self.address}, {self.application})"


def owner_of_token(tenant_id: int) -> str:
    """Return what a token is sealed with."""
    return f"token of the network server of tenant {tenant_id}"


SELECT_SERVER: Final = """
SELECT kind, address, application, changed_at, listed_at, trouble
  FROM network_servers
 WHERE tenant_id = $1
"""

SELECT_SERVER_HELD: Final = f"{SELECT_SERVER} FOR UPDATE"

SELECT_PROFILES: Final = """
SELECT model_id, profile FROM network_profiles WHERE tenant_id = $1 ORDER BY model_id
"""


async def server(connection: asyncpg.Connection, tenant_id: int, *, held: bool = False) -> Server:
    """Return the network server that a tenant has of its own; `held` keeps others from changing it meanwhile.

    Raises NotFoundError.
    """
    row = await connection.fetchrow(SELECT_SERVER_HELD if held else SELECT_SERVER, tenant_id)
    if row is None:
        raise NotFoundError
    profiles = await connection.fetch(SELECT_PROFILES, tenant_id)
    return Server(**row, profiles={one["model_id"]: one["profile"] for one in profiles})


SELECT_SAME: Final = """
SELECT (kind, address, application) = ($2, $3, $4) FROM network_servers WHERE tenant_id = $1 FOR UPDATE
"""

INSERT_SERVER: Final = """
INSERT INTO network_servers (tenant_id, kind, address, application, changed_at) VALUES ($1, $2, $3, $4, $5)
"""

UPDATE_CHANGED: Final = """
UPDATE network_servers SET changed_at = $2, trouble = '' WHERE tenant_id = $1
"""

DELETE_SERVER: Final = """
DELETE FROM network_servers WHERE tenant_id = $1
"""

DELETE_PROFILES: Final = """
DELETE FROM network_profiles WHERE tenant_id = $1
"""

INSERT_PROFILES: Final = """
INSERT INTO network_profiles (tenant_id, model_id, profile)
SELECT $1, model_id, profile FROM unnest($2::text[], $3::text[]) AS given (model_id, profile)
"""

SELECT_PUT: Final = """
SELECT put_network_token($1, $2, $3, $4)
"""

# As the database's owner, of whom nobody asks who it is.
UPSERT_AS_OWNER: Final = """
INSERT INTO network_secrets AS known (tenant_id, kind, master, wrapped, sealed) VALUES ($1, 'token', $2, $3, $4)
ON CONFLICT ON CONSTRAINT network_secrets_key
DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped, sealed = excluded.sealed
"""


async def set_server(
    connection: asyncpg.Connection,
    keyring: Keyring,
    tenant_id: int,
    *,
    kind: str,
    address: str,
    application: str,
    profiles: Mapping[str, str],
    token: str | None,
    now: datetime,
    as_owner: bool = False,
) -> None:
    """Say which network server a tenant's devices go to; `token` None keeps the one there is.

    `as_owner`: the connection is the owner's of the database, and not of somebody who administers the tenant.
    A token is of one address and application: with another, what was there is forgotten, and the token with it.
    Raises RefusedError for a model that nobody knows, and when a token is needed.
    """
    same = await connection.fetchval(SELECT_SAME, tenant_id, kind, address, application)
    if not same:
        if token is None:
            raise RefusedError("Another address or application needs its token.")
        if same is not None:
            await connection.execute(DELETE_SERVER, tenant_id)
        await connection.execute(INSERT_SERVER, tenant_id, kind, address, application, now)
    else:
        await connection.execute(UPDATE_CHANGED, tenant_id, now)
    await connection.execute(DELETE_PROFILES, tenant_id)
    try:
        await connection.execute(INSERT_PROFILES, tenant_id, list(profiles), list(profiles.values()))
    except asyncpg.ForeignKeyViolationError as error:
        raise RefusedError("A profile is given for a model that is not known.") from error
    if token is not None:
        sealed = keyring.seal(token.encode(), owner_of_token(tenant_id))
        await connection.execute(UPSERT_AS_OWNER if as_owner else SELECT_PUT, tenant_id, *sealed)


async def remove_server(connection: asyncpg.Connection, tenant_id: int) -> None:
    """Forget a tenant's network server and its token, if there is one. What it has stays there."""
    await connection.execute(DELETE_SERVER, tenant_id)


SELECT_SERVING: Final = """
SELECT owner_id, kind, listed_at, trouble FROM network_serving($1)
"""


async def serving(connection: asyncpg.Connection, tenant_id: int) -> Serving | None:
    """Return what serves a tenant, None where nothing does."""
    row = await connection.fetchrow(SELECT_SERVING, tenant_id)
    return None if row is None else Serving(*row)


SELECT_ACCESS: Final = """
SELECT one.tenant_id, one.kind, address, application, master, wrapped, sealed
  FROM network_servers AS one
  LEFT JOIN network_secrets AS secret USING (tenant_id)
 WHERE one.tenant_id = network_server_of($1)
"""


async def access(connection: asyncpg.Connection, keyring: Keyring, tenant_id: int) -> Access | None:
    """Return how to speak to the network server that serves a tenant, None where none does. Raises SealError."""
    row = await connection.fetchrow(SELECT_ACCESS, tenant_id)
    if row is None:
        return None
    owner_id, kind, address, application, *sealed = row
    token = "" if sealed[0] is None else keyring.open(Sealed(*sealed), owner_of_token(owner_id)).decode()
    return Access(owner_id, kind, address, application, token)


class Declared(NamedTuple):
    """The network server of a tenant among others; `devices` is how many it was last seen to have."""

    slug: str
    tenant: str
    kind: str
    address: str
    listed_at: datetime | None
    trouble: str
    devices: int


SELECT_DECLARED: Final = """
SELECT slug, tenants.name AS tenant, one.kind, address, listed_at, trouble,
       (SELECT count(*)::integer FROM network_devices WHERE network_devices.tenant_id = one.tenant_id) AS devices
  FROM network_servers AS one
  JOIN tenants USING (tenant_id)
 WHERE one.tenant_id = ANY ((SELECT allowed('administer'))::integer[])
 ORDER BY tenants.name
 LIMIT $1
"""


async def declared(connection: asyncpg.Connection, limit: int) -> list[Declared]:
    """Return the network servers of the tenants that whoever asks administers."""
    return [Declared(**row) for row in await connection.fetch(SELECT_DECLARED, limit)]


SELECT_WITHOUT: Final = """
SELECT slug, name, kind
  FROM tenants
 WHERE tenant_id = ANY ((SELECT allowed('administer'))::integer[])
   AND NOT EXISTS (SELECT FROM network_servers WHERE network_servers.tenant_id = tenants.tenant_id)
   AND ($1 = '' OR insee = $1 OR strpos(lower(name), lower($1)) > 0 OR slug = $1)
 ORDER BY array_position(ARRAY['syndicat', 'departement', 'epci'], kind), name
 LIMIT 20
"""


async def without(connection: asyncpg.Connection, sought: str) -> list[tuple[str, str, str]]:
    """Return tenants that have none of their own, of those that whoever asks administers: slug, name, kind."""
    return [tuple(row) for row in await connection.fetch(SELECT_WITHOUT, sought)]


SELECT_MODELS_USED: Final = """
SELECT DISTINCT model_id FROM devices WHERE model_id IS NOT NULL ORDER BY model_id
"""


async def models_used(connection: asyncpg.Connection) -> list[str]:
    """Return the models of the devices that whoever asks sees."""
    return [row["model_id"] for row in await connection.fetch(SELECT_MODELS_USED)]
