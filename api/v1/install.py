"""What technicians declare: sites, devices, and which device measures which point since when.

A body names what may be given, and no more: whose a thing is comes from the address, its id from the store.
"""

from datetime import datetime
from typing import Annotated, Any, Final

import asyncpg
from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from api import models, pagination, tenancy
from api.access import HEALTH, INSTALL, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, patch, post
from api.models import Resource, Site
from api.parameters import Asked, DevEui, Id, IdPath, OfTenant, PagedOfTenant, Text
from api.problems import CONFLICT, ProblemError
from store import installing
from store.assignments import assign, release
from store.reading.pages import page_of

SITES: Final = "/api/v1/sites"
DEVICES: Final = "/api/v1/devices"
ASSIGNMENTS: Final = "/api/v1/assignments"

SiteKind = Annotated[str, StringConstraints(pattern="^[a-z_]{1,32}$")]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
ModelId = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9._-]{0,62}$")]


class NewSite(Asked):
    """A place to be."""

    name: Text
    kind: SiteKind = "other"
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None


class ChangedSite(Asked):
    """What is to be otherwise of a place; the rest stays."""

    name: Text = ""
    kind: SiteKind = ""
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None


class NewDevice(Asked):
    """A LoRaWAN end device. Its keys are not told here."""

    dev_eui: DevEui
    name: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""
    model_id: ModelId | None = None


class ChangedDevice(Asked):
    """What is to be otherwise of a device; the rest stays."""

    name: Text = ""
    model_id: ModelId | None = None


class DeclaredDevice(models.Answer):
    """A device as it is declared."""

    dev_eui: str
    name: str
    model_id: str | None


class DevEuiPath(Asked):
    """One device."""

    dev_eui: DevEui


class NewAssignment(Asked):
    """A device that measures a point from a moment on: now, unless said. Whatever it or the point did before ends."""

    dev_eui: DevEui
    point_id: Id
    started_at: AwareDatetime | None = None


class EndedAssignment(Asked):
    """When a device measured a point for the last time: now, unless said."""

    ended_at: AwareDatetime | None = None


class Assignment(Resource):
    """Which device measures which point; null when it always did, and when it still does."""

    id: int
    dev_eui: str
    point_id: int
    started_at: datetime | None
    ended_at: datetime | None


class AssignmentsQuery(PagedOfTenant):
    """Of which device or point."""

    dev_eui: DevEui | None = None
    point_id: Id | None = None


@require(INSTALL)
async def create_site(request: web.Request, connection: asyncpg.Connection, body: NewSite) -> Site:
    """Make a site."""
    tenant = await tenancy.tenant_of(request, connection)
    site_id = await installing.add_site(connection, tenant.tenant_id, body.model_dump())
    return Site(id=site_id, **body.model_dump())


@require(HEALTH)
async def get_site(request: web.Request, path: IdPath) -> Site:
    """Tell one site."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _site(await installing.site(connection, tenant.tenant_id, path.id))


async def _held_site(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> Site:
    tenant = await tenancy.tenant_of(request, connection)
    return _site(await installing.site(connection, tenant.tenant_id, path.id, held=True))


def _site(found: dict[str, Any]) -> Site:
    return Site(id=found["site_id"], **{name: value for name, value in found.items() if name != "site_id"})


@require(INSTALL)
async def change_site(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: ChangedSite) -> Site:
    """Change what is given of a site."""
    tenant = await tenancy.tenant_of(request, connection)
    found = await installing.change_site(connection, tenant.tenant_id, path.id, body.model_dump(exclude_unset=True))
    return _site(found)


@require(INSTALL)
async def delete_site(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Take away a site that has no points."""
    tenant = await tenancy.tenant_of(request, connection)
    await installing.remove_site(connection, tenant.tenant_id, path.id)


@require(INSTALL)
async def create_device(request: web.Request, connection: asyncpg.Connection, body: NewDevice) -> DeclaredDevice:
    """Declare a device."""
    tenant = await tenancy.tenant_of(request, connection)
    await installing.add_device(connection, tenant.tenant_id, body.dev_eui, body.name, body.model_id)
    return DeclaredDevice(**body.model_dump())


@require(HEALTH)
async def get_device(request: web.Request, path: DevEuiPath) -> DeclaredDevice:
    """Tell a device as it is declared; the list tells how it was last heard."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _device(path.dev_eui, await installing.device(connection, tenant.tenant_id, path.dev_eui))


async def _held_device(request: web.Request, connection: asyncpg.Connection, path: DevEuiPath) -> DeclaredDevice:
    tenant = await tenancy.tenant_of(request, connection)
    return _device(path.dev_eui, await installing.device(connection, tenant.tenant_id, path.dev_eui, held=True))


def _device(dev_eui: str, found: dict[str, Any]) -> DeclaredDevice:
    return DeclaredDevice(dev_eui=dev_eui, name=found["name"], model_id=found["model_id"])


@require(INSTALL)
async def change_device(
    request: web.Request, connection: asyncpg.Connection, path: DevEuiPath, body: ChangedDevice
) -> DeclaredDevice:
    """Change what is given of a device."""
    tenant = await tenancy.tenant_of(request, connection)
    given = body.model_dump(exclude_unset=True)
    found = await installing.change_device(connection, tenant.tenant_id, path.dev_eui, given)
    return _device(path.dev_eui, found)


@require(HEALTH)
async def list_assignments(request: web.Request, query: AssignmentsQuery) -> models.Page[Assignment]:
    """List which device measures, or measured, which point of the tenant."""
    asked = pagination.asked(query, "assignments")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await installing.assignments(
            connection,
            tenant.tenant_id,
            dev_eui=query.dev_eui,
            point_id=query.point_id,
            after=asked.after or 0,
            limit=asked.limit + 1,
        )
    page = page_of(found, [one.assignment_id for one in found], asked.limit)
    return pagination.answer(models.Page[Assignment], "assignments", page, _assignment)


def _assignment(found: installing.Assignment) -> Assignment:
    fields = found._asdict()
    return Assignment(id=fields.pop("assignment_id"), **fields)


@require(INSTALL)
async def create_assignment(request: web.Request, connection: asyncpg.Connection, body: NewAssignment) -> Assignment:
    """Let a device measure a point. A replaced device keeps what it measured, and the point its history."""
    tenant = await tenancy.tenant_of(request, connection)
    device_id, point_id = await installing.ids(connection, tenant.tenant_id, body.dev_eui, body.point_id)
    await assign(connection, device_id, point_id, _moment(body.started_at, request))
    found = await installing.assignments(connection, tenant.tenant_id, dev_eui=body.dev_eui, point_id=point_id)
    return _assignment(next(one for one in reversed(found) if one.ended_at is None))


@require(INSTALL)
async def end_assignment(
    request: web.Request, connection: asyncpg.Connection, path: IdPath, body: EndedAssignment
) -> None:
    """End an assignment that goes on."""
    tenant = await tenancy.tenant_of(request, connection)
    device_id = await installing.device_assigned(connection, tenant.tenant_id, path.id)
    await release(connection, device_id, _moment(body.ended_at, request))


def _moment(given: datetime | None, request: web.Request) -> datetime:
    now = request.app[CLOCK]()
    if given is not None and given > now:
        raise ProblemError(CONFLICT, "What begins or ends in the future is declared when it does.")
    return given or now


ROUTES: Final = (
    post(SITES, create_site, query=OfTenant),
    get(f"{SITES}/{{id}}", get_site, query=OfTenant),
    patch(f"{SITES}/{{id}}", change_site, query=OfTenant, held=_held_site),
    delete(f"{SITES}/{{id}}", delete_site, query=OfTenant, held=_held_site),
    post(DEVICES, create_device, query=OfTenant),
    get(f"{DEVICES}/{{dev_eui}}", get_device, query=OfTenant),
    patch(f"{DEVICES}/{{dev_eui}}", change_device, query=OfTenant, held=_held_device),
    get(ASSIGNMENTS, list_assignments),
    post(ASSIGNMENTS, create_assignment, query=OfTenant),
    post(f"{ASSIGNMENTS}/{{id}}/end", end_assignment, query=OfTenant),
)
