"""Personal data: the register of what is done with it, and its deletion."""

from typing import Annotated, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field

from api import models, tenancy
from api.access import MANAGE, READ, require
from api.context import reader
from api.endpoint import get, patch, post
from api.parameters import WHOLE, Asked, IdPath, OfTenant, Text
from domain.processings import DataClass, Processing
from store import personal
from store.access import audit

PATH: Final = "/api/v1/processings"
ERASURE: Final = "/api/v1/points/{id}/erasure"


class DataClassPath(Asked):
    """One class of personal data."""

    data_class: DataClass


class ChangedProcessing(Asked):
    """What is to be otherwise; the rest stays."""

    purpose: Text = ""
    legal_basis: Text = ""
    keep_months: Annotated[int, Field(ge=1, le=120), WHOLE] = 1
    grain: Literal["hour", "day"] = "day"


class ProcessingOfData(models.Resource):
    """A line of the register: what is done with one class of personal data."""

    data_class: DataClass
    purpose: str
    legal_basis: Annotated[str, Field(description="GDPR, article 6")]
    keep_months: Annotated[int, Field(description="older, it is deleted")]
    grain: Annotated[str, Field(description="the finest that people are shown: `day`, or `hour` where it was chosen")]
    points: Annotated[int, Field(description="said to be a household's (`is_individual`)")]
    unsaid: Annotated[int, Field(description="of which nobody said whose meter it is: nothing is deleted by itself")]


class Register(models.Answer):
    """The register of a tenant."""

    items: list[ProcessingOfData]


class Erasure(Asked):
    """Why."""

    reason: Text


class Erased(models.Answer):
    """How many measurements and frames were deleted."""

    deleted: int


@require(READ)
async def list_processings(request: web.Request, query: OfTenant) -> Register:
    """List what a tenant does with the personal data that its meters make."""
    del query
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await personal.register(connection, tenant.tenant_id)
    return Register(items=[_told(one) for one in found])


@require(READ)
async def get_processing(request: web.Request, path: DataClassPath, query: OfTenant) -> ProcessingOfData:
    """Tell one line of the register."""
    del query
    async with reader(request) as connection:
        return await _held_processing(request, connection, path)


async def _held_processing(
    request: web.Request, connection: asyncpg.Connection, path: DataClassPath
) -> ProcessingOfData:
    tenant = await tenancy.tenant_of(request, connection)
    return _told(await _declared(connection, tenant.tenant_id, path))


async def _declared(connection: asyncpg.Connection, tenant_id: int, path: DataClassPath) -> personal.Declared:
    return {one.data_class: one for one in await personal.register(connection, tenant_id)}[path.data_class]


def _told(one: personal.Declared) -> ProcessingOfData:
    fields = one.processing._asdict()
    del fields["domain"]
    return ProcessingOfData(data_class=one.data_class, points=one.points, unsaid=one.unsaid, **fields)


@require(MANAGE)
async def change_processing(
    request: web.Request, connection: asyncpg.Connection, path: DataClassPath, body: ChangedProcessing
) -> ProcessingOfData:
    """Say what a tenant does with a class of personal data, and how long it keeps it."""
    tenant = await tenancy.tenant_of(request, connection)
    held = await _declared(connection, tenant.tenant_id, path)
    given = body.model_dump(exclude_unset=True)
    wanted: Processing = held.processing._replace(**given)
    await personal.declare_processing(connection, tenant.tenant_id, path.data_class, wanted)
    await audit.append_own(
        connection, "processing.changed", tenant_id=tenant.tenant_id, subject=path.data_class, detail=given
    )
    return _told(held._replace(processing=wanted))


@require(MANAGE)
async def erase_point(request: web.Request, connection: asyncpg.Connection, path: IdPath, body: Erasure) -> Erased:
    """Delete everything that a point measured: measurements, roll-ups, frames, what alerts and open data told of it.

    The point, its name and its assignments stay. Nothing brings it back but a backup, until that expires as well.
    """
    await tenancy.tenant_of(request, connection)
    return Erased(deleted=await personal.erase_point(connection, path.id, body.reason))


ROUTES: Final = (
    get(PATH, list_processings),
    get(f"{PATH}/{{data_class}}", get_processing),
    patch(f"{PATH}/{{data_class}}", change_processing, query=OfTenant, held=_held_processing),
    post(ERASURE, erase_point, query=OfTenant),
)
