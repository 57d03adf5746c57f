"""What is measured at the sites of a tenant, or at one of them: told, and declared by technicians."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Final

import asyncpg
from aiohttp import web
from pydantic import Field

from api import models, pagination, tenancy
from api.access import HEALTH, INSTALL, require
from api.context import reader
from api.endpoint import get, patch, post
from api.parameters import Asked, Id, IdPath, OfTenant, PagedOfTenant, Text
from api.problems import NO_SUCH_PART, ProblemError
from domain.uses import Use
from store import installing
from store.parts import PartError
from store.reading import territory

PATH: Final = "/api/v1/points"
_ONE: Final = f"{PATH}/{{id}}"
_WHY_NOT_PART: Final[Mapping[str, str]] = {
    "absent": "The tenant has no such point.",
    "ring": "That point is this one, or a part of it.",
    "quantity": "The two count nothing alike.",
}


class PointsQuery(PagedOfTenant):
    """Which points of a tenant."""

    site_id: Annotated[Id | None, Field(description="those of one site")] = None


class NewPoint(Asked):
    """What is to be measured at a site."""

    site_id: Id
    name: Text
    is_individual: bool | None = None
    use: Use | None = None
    part_of: Id | None = None


class ChangedPoint(Asked):
    """What is to be otherwise of a point; the rest stays."""

    name: Text = ""
    is_individual: bool | None = None
    use: Use | None = None
    part_of: Id | None = None


@require(HEALTH)
async def list_points(request: web.Request, query: PointsQuery) -> models.Page[models.Point]:
    """List the points of a tenant. A site of another tenant has none, as an absent one."""
    asked = pagination.asked(query, "points")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        page = await territory.points(connection, tenant.tenant_id, query.site_id, after=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[models.Point], "points", page, to_model)


def to_model(point: territory.Point) -> models.Point:
    """Return what the API says of a point."""
    return models.Point(
        id=point.point_id,
        site_id=point.site_id,
        name=point.name,
        dev_eui=point.dev_eui,
        is_individual=point.is_individual,
        use=point.use,
        part_of=point.part_of,
    )


@require(INSTALL)
async def create_point(request: web.Request, connection: asyncpg.Connection, body: NewPoint) -> models.Point:
    """Make a point at a site of the tenant."""
    tenant = await tenancy.tenant_of(request, connection)
    told = body.model_dump(exclude={"site_id", "name"})
    with _parted():
        return _point(await installing.add_point(connection, tenant.tenant_id, body.site_id, body.name, **told))


@require(HEALTH)
async def get_point(request: web.Request, path: IdPath) -> models.Point:
    """Tell one point."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        return _point(await installing.point(connection, tenant.tenant_id, path.id))


async def _held_point(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> models.Point:
    tenant = await tenancy.tenant_of(request, connection)
    return _point(await installing.point(connection, tenant.tenant_id, path.id, held=True))


@require(INSTALL)
async def change_point(
    request: web.Request, connection: asyncpg.Connection, path: IdPath, body: ChangedPoint
) -> models.Point:
    """Change what is given of a point. Its history stays."""
    tenant = await tenancy.tenant_of(request, connection)
    given = body.model_dump(exclude_unset=True)
    with _parted():
        return _point(await installing.change_point(connection, tenant.tenant_id, path.id, given))


@contextmanager
def _parted() -> Iterator[None]:
    try:
        yield
    except PartError as error:
        raise ProblemError(NO_SUCH_PART, _WHY_NOT_PART[error.why], why=error.why) from error


def _point(found: installing.Point) -> models.Point:
    fields = found._asdict()
    return models.Point(id=fields.pop("point_id"), **fields)


ROUTES: Final = (
    get(PATH, list_points),
    post(PATH, create_point, query=OfTenant),
    get(_ONE, get_point, query=OfTenant),
    patch(_ONE, change_point, query=OfTenant, held=_held_point),
)
