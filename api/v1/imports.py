"""Many sensors declared at once: a list of rows, of which those that cannot be taken come back with the reason."""

from typing import Annotated, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from api import tenancy
from api.access import INSTALL, require
from api.context import CLOCK
from api.endpoint import post
from api.models import Answer
from api.parameters import Asked, DevEui, OfTenant
from api.v1.install import Latitude, Longitude, ModelId
from store import importing

PATH: Final = "/api/v1/imports"
MOST: Final = 2000  # rows a request

Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class Row(Asked):
    """One sensor, and where it measures: `site` and `point` are names, made if they are not there."""

    dev_eui: DevEui
    name: Name = ""
    model_id: ModelId | None = None
    site: Name = ""
    point: Name = ""
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None


class NewImport(Asked):
    """The rows, in order."""

    rows: Annotated[list[Row], Field(max_length=MOST)]


class RefusedRow(Answer):
    """A row that was not taken, by its place in the list, from 0."""

    row: int
    why: Literal["dev_eui", "model", "occupied", "elsewhere", "twice"]
    detail: str


class Imported(Answer):
    """What became of the rows: new sensors, new assignments, and the rows refused. All others are as they say."""

    devices: int
    assignments: int
    refused: list[RefusedRow]


@require(INSTALL)
async def create_import(request: web.Request, connection: asyncpg.Connection, body: NewImport) -> Imported:
    """Declare sensors with their sites and points. Sending the same again changes nothing."""
    tenant = await tenancy.tenant_of(request, connection)
    rows = [importing.Row(line, **row.model_dump()) for line, row in enumerate(body.rows)]
    found = await importing.import_rows(connection, tenant.tenant_id, rows, request.app[CLOCK]())
    refused = [RefusedRow(row=one.line, why=one.why, detail=one.detail) for one in found.refused]
    return Imported(devices=found.devices, assignments=found.assignments, refused=refused)


ROUTES: Final = (post(PATH, create_import, query=OfTenant),)
