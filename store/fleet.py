"""Declare tenants, sites, points and devices, and who measures what. Declaring again what is so changes nothing."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.errors import NotFoundError, SamaraError
from domain.events import Position
from domain.uses import Use
from store.assignments import assign
from store.parameters import NO_PARAMETERS, Parameters
from store.parts import PartError, tell_part


class DeclarationError(SamaraError):
    """What was declared contradicts what is; nothing of it was kept."""


class Model(NamedTuple):
    """A device model as the registry of decoders knows it. `period_s` is the usual time between two uplinks."""

    model_id: str
    vendor: str
    name: str
    period_s: int | None


class TenantDeclaration(NamedTuple):
    """A tenant by its slug. `parent` is the slug of the tenant above it."""

    slug: str
    name: str
    kind: str
    parent: str | None = None
    insee: str | None = None
    siren: str | None = None
    time_zone: str = "Europe/Paris"


class DeviceDeclaration(NamedTuple):
    """A device of a tenant by its DevEUI, and the point that it measures, if any: `site` and `point` are names.

    The kind of place (school, town_hall, …) and the position, WGS 84 degrees, are the site's. `parameters` are what
    its decoder needs to know of it. `use` is what it meters for, `part_of` the point of the site that counts it as
    well.
    """

    dev_eui: str
    name: str = ""
    model_id: str | None = None
    site: str | None = None
    point: str | None = None
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    parameters: Parameters = NO_PARAMETERS
    site_kind: str | None = None
    use: Use | None = None
    part_of: str | None = None


@contextmanager
def _refused(what: str) -> Iterator[None]:
    """Say in our words that the schema refused it: a check, an unknown model, or text that no database can hold."""
    try:
        yield
    except (asyncpg.CheckViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise DeclarationError(f"{what}: refused by {error.constraint_name}") from error
    except asyncpg.DataError as error:
        raise DeclarationError(f"{what}: {error}") from error


UPSERT_TENANT: Final = """
INSERT INTO tenants AS known (slug, name, kind, parent_id, insee, siren, time_zone)
VALUES ($1, $2, $3, (SELECT tenant_id FROM tenants WHERE slug = $4), $5, $6, $7)
ON CONFLICT (slug) DO UPDATE
   SET name = excluded.name, kind = excluded.kind, parent_id = excluded.parent_id, insee = excluded.insee,
       siren = excluded.siren, time_zone = excluded.time_zone
RETURNING tenant_id, parent_id
"""


async def declare_tenant(connection: asyncpg.Connection, declared: TenantDeclaration) -> int:
    """Make or change one tenant and return its id. Raises DeclarationError, NotFoundError for the parent."""
    with _refused(f"tenant {declared.slug[:64]!r}"):
        async with connection.transaction():
            row = await connection.fetchrow(
                UPSERT_TENANT,
                declared.slug,
                declared.name,
                declared.kind,
                declared.parent,
                declared.insee,
                declared.siren,
                declared.time_zone,
            )
            assert row is not None
            if declared.parent is not None and row["parent_id"] is None:
                raise NotFoundError(f"no tenant {declared.parent!r} above {declared.slug!r}")
    tenant_id: int = row["tenant_id"]
    return tenant_id


SELECT_TENANT_IDS: Final = """
SELECT slug, tenant_id FROM tenants
"""


async def tenant_ids(connection: asyncpg.Connection) -> dict[str, int]:
    """Return the id of each tenant by its slug."""
    return {row["slug"]: row["tenant_id"] for row in await connection.fetch(SELECT_TENANT_IDS)}


UPSERT_MODELS: Final = """
INSERT INTO models AS known (model_id, vendor, name, period_s)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[])
ON CONFLICT (model_id) DO UPDATE
   SET vendor = excluded.vendor, name = excluded.name, period_s = excluded.period_s
 WHERE (known.vendor, known.name, known.period_s) IS DISTINCT FROM (excluded.vendor, excluded.name, excluded.period_s)
"""


async def sync_models(connection: asyncpg.Connection, models: Collection[Model]) -> None:
    """Make or change these models. Those that are no longer known stay: devices may refer to them."""
    if models:
        await connection.execute(UPSERT_MODELS, *map(list, zip(*models, strict=True)))


UPSERT_SITE: Final = """
INSERT INTO sites AS known (tenant_id, name, latitude_deg, longitude_deg, kind)
VALUES ($1, $2, $3, $4, coalesce($5, 'other'))
ON CONFLICT (tenant_id, name) DO UPDATE
   SET kind = coalesce($5, known.kind),
       latitude_deg = coalesce(excluded.latitude_deg, known.latitude_deg),
       longitude_deg = coalesce(excluded.longitude_deg, known.longitude_deg)
RETURNING site_id
"""


async def declare_site(
    connection: asyncpg.Connection,
    tenant_id: int,
    name: str,
    *,
    kind: str | None = None,
    latitude_deg: float | None = None,
    longitude_deg: float | None = None,
) -> int:
    """Make a site, or say its kind or position, and return its id. Raises DeclarationError."""
    with _refused(f"site {name[:64]!r}"):
        site_id: int = await connection.fetchval(UPSERT_SITE, tenant_id, name, latitude_deg, longitude_deg, kind)
    return site_id


UPSERT_POINT: Final = """
INSERT INTO points (site_id, name)
VALUES ($1, $2)
ON CONFLICT (site_id, name) DO UPDATE SET name = excluded.name
RETURNING point_id
"""


async def declare_point(connection: asyncpg.Connection, site_id: int, name: str) -> int:
    """Make a point of a site and return its id. Raises DeclarationError."""
    with _refused(f"point {name[:64]!r}"):
        point_id: int = await connection.fetchval(UPSERT_POINT, site_id, name)
    return point_id


# A device of another tenant conflicts, and no row comes back.
UPSERT_DEVICE: Final = """
INSERT INTO devices AS known (dev_eui, tenant_id, name, model_id, parameters)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (dev_eui) DO UPDATE
   SET name = CASE WHEN excluded.name = '' THEN known.name ELSE excluded.name END,
       model_id = coalesce(excluded.model_id, known.model_id),
       parameters = CASE WHEN excluded.parameters = '{}' THEN known.parameters ELSE excluded.parameters END
 WHERE known.tenant_id = excluded.tenant_id
RETURNING device_id
"""


async def declare_device(
    connection: asyncpg.Connection,
    tenant_id: int,
    dev_eui: str,
    *,
    name: str = "",
    model_id: str | None = None,
    parameters: Parameters = NO_PARAMETERS,
) -> int:
    """Make or change a device of a tenant and return its id; what is not given stays as it was.

    Raises DeclarationError if the DevEUI is not one, the model is unknown, or the device is another tenant's.
    """
    with _refused(f"device {dev_eui[:32]!r}"):
        device_id: int | None = await connection.fetchval(
            UPSERT_DEVICE, dev_eui, tenant_id, name, model_id, json.dumps(dict(parameters))
        )
    if device_id is None:
        raise DeclarationError(f"device {dev_eui!r} cannot be declared here")
    return device_id


async def declare_devices(
    connection: asyncpg.Connection, tenant_id: int, declared: Iterable[DeviceDeclaration], now: datetime
) -> int:
    """Declare the devices of a tenant, with their sites and points, all or none; return how many there were.

    A device declared with another point than before leaves the former at `now`. Raises DeclarationError and
    AssignmentError.
    """
    count = 0
    async with connection.transaction():
        for count, one in enumerate(declared, start=1):  # noqa: B007 - counted, for the caller
            device_id = await declare_device(
                connection, tenant_id, one.dev_eui, name=one.name, model_id=one.model_id, parameters=one.parameters
            )
            if one.site is None or one.point is None:
                continue
            site_id = await declare_site(
                connection,
                tenant_id,
                one.site,
                kind=one.site_kind,
                latitude_deg=one.latitude_deg,
                longitude_deg=one.longitude_deg,
            )
            point_id = await declare_point(connection, site_id, one.point)
            await assign(connection, device_id, point_id, now)
            whole_id = await declare_point(connection, site_id, one.part_of) if one.part_of else None
            await _tell_part(connection, point_id, one.use, whole_id)
    return count


async def _tell_part(connection: asyncpg.Connection, point_id: int, use: Use | None, whole_id: int | None) -> None:
    if use is None and whole_id is None:
        return
    try:
        await tell_part(connection, point_id, use, whole_id)
    except PartError as error:
        raise DeclarationError(f"the point cannot be a part of that one: {error}") from error


UPSERT_GATEWAY: Final = """
INSERT INTO gateways AS known (gateway_eui, name, latitude_deg, longitude_deg, altitude_m)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (gateway_eui) DO UPDATE SET name = excluded.name WHERE known.name = ''
"""


async def declare_gateway(connection: asyncpg.Connection, gateway_eui: str, name: str, position: Position) -> None:
    """Say what people call an antenna, and where it stands when it was never heard. A name that it has stays."""
    await connection.execute(UPSERT_GATEWAY, gateway_eui, name, *position)
