"""What a tenant publishes as open data, and what may not be."""

from datetime import datetime
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web
from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from api import models, pagination, tenancy
from api.access import MANAGE, READ, require
from api.context import CLOCK, reader
from api.endpoint import delete, get, post
from api.parameters import Asked, IdPath, OfTenant, PagedOfTenant, Text, When, clamped
from api.problems import CONFLICT, NO_SUCH_MOMENT, TOO_PERSONAL, ProblemError
from domain.personal import refusal
from domain.quantities import QUANTITIES
from store import open_data
from store.access import audit
from store.reading.pages import page_of

PATH: Final = "/api/v1/datasets"


def _known(name: str) -> str:
    if name not in QUANTITIES:
        raise ValueError("not a quantity of the vocabulary")
    return name


Known = Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": sorted(QUANTITIES)})]
Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]+$")]
Name = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]


class NewOpenDataset(Asked):
    """What to publish, under the Licence Ouverte 2.0, from a day on: the first of this month unless said."""

    name: Annotated[Name, Field(description="a word of its address: air-des-ecoles")]
    title: Text
    description: Paragraph
    quantities: Annotated[list[Known], Field(min_length=1, max_length=20)]
    grain: Literal["point", "site"] = "site"
    every: Literal["hour", "day"] = "day"
    since: When | None = None


class OpenDataset(models.Resource):
    """What a tenant publishes. `refused` says why nothing of it is; `published_to` is null until something was."""

    id: int
    name: str
    title: str
    description: str
    quantities: list[str]
    grain: str
    every: str
    since: datetime
    published_to: datetime | None
    refused: str


@require(READ)
async def list_datasets(request: web.Request, query: PagedOfTenant) -> models.Page[OpenDataset]:
    """List what a tenant publishes, or is about to."""
    asked = pagination.asked(query, "datasets")
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        found = await open_data.datasets(connection, tenant.tenant_id, after=asked.after or 0, limit=asked.limit + 1)
    page = page_of(found, [one.dataset_id for one in found], asked.limit)
    return pagination.answer(models.Page[OpenDataset], "datasets", page, _told)


@require(READ)
async def get_dataset(request: web.Request, path: IdPath, query: OfTenant) -> OpenDataset:
    """Tell one dataset."""
    del query
    async with reader(request) as connection:
        return await _held_dataset(request, connection, path)


async def _held_dataset(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> OpenDataset:
    tenant = await tenancy.tenant_of(request, connection)
    return _told(await open_data.dataset_of(connection, tenant.tenant_id, path.id))


def _told(one: open_data.Dataset) -> OpenDataset:
    return OpenDataset(
        id=one.dataset_id,
        name=one.name,
        title=one.title,
        description=one.description,
        quantities=list(one.quantities),
        grain=one.grain,
        every=one.every,
        since=one.since,
        published_to=one.published_to,
        refused=one.refused,
    )


@require(MANAGE)
async def create_dataset(request: web.Request, connection: asyncpg.Connection, body: NewOpenDataset) -> OpenDataset:
    """Publish quantities of a tenant. Refused where it would tell how somebody lives."""
    tenant = await tenancy.tenant_of(request, connection)
    now, zone = request.app[CLOCK](), ZoneInfo(tenant.time_zone)
    month = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = month if body.since is None else clamped(body.since.in_zone(zone))
    if since > now:
        raise ProblemError(NO_SUCH_MOMENT, "`since` is in the future.")
    series = await open_data.series_of(connection, tenant.tenant_id, body.quantities)
    why = refusal(body.grain, body.every, [one.candidate for one in series])
    if why:
        raise ProblemError(TOO_PERSONAL, why)
    wanted = open_data.Wanted(body.name, body.title, body.description, body.quantities, body.grain, body.every, since)
    dataset_id = await open_data.add_dataset(connection, tenant.tenant_id, wanted)
    if dataset_id is None:
        raise ProblemError(CONFLICT, "There is a dataset of that name.")
    await audit.append_own(connection, "open_data.published", tenant_id=tenant.tenant_id, subject=body.name)
    return OpenDataset(id=dataset_id, published_to=None, refused="", **wanted._asdict())


@require(MANAGE)
async def delete_dataset(request: web.Request, connection: asyncpg.Connection, path: IdPath) -> None:
    """Publish it no more: its address answers 404 from now on, and what was published is deleted."""
    tenant = await tenancy.tenant_of(request, connection)
    await open_data.remove_dataset(connection, tenant.tenant_id, path.id)
    await audit.append_own(connection, "open_data.withdrawn", tenant_id=tenant.tenant_id, subject=str(path.id))


ROUTES: Final = (
    get(PATH, list_datasets),
    post(PATH, create_dataset, query=OfTenant, problems=(NO_SUCH_MOMENT, TOO_PERSONAL)),
    get(f"{PATH}/{{id}}", get_dataset),
    delete(f"{PATH}/{{id}}", delete_dataset, query=OfTenant, held=_held_dataset),
)
