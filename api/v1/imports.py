"""Many sensors declared at once: a list of rows, of which those that cannot be taken come back with the reason."""

from typing import Annotated, Final, Literal

import asyncpg
from aiohttp import web
from pydantic import Field, StringConstraints

from api import provisioning, tenancy
from api.access import INSTALL, require
from api.context import CLOCK
from api.endpoint import post
from api.models import Answer
from api.parameters import Asked, DevEui, Latitude, Longitude, ModelId, OfTenant
from api.provisioning import Planned, Registered, Wish
from domain.uses import Use
from store import importing

PATH: Final = "/api/v1/imports"
MOST: Final = 2000  # rows a request
_KEYED: Final = {"join_eui", "app_key", "nwk_key"}

Name = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class Row(Registered):
    """One sensor, and where it measures: `site` and `point` are names, made if they are not there.

    `use` is what it meters for, `part_of` the name of the point of the same site that counts it as well.
    `join_eui` and the keys are for the network server.
    """

    dev_eui: DevEui
    name: Name = ""
    model_id: ModelId | None = None
    site: Name = ""
    point: Name = ""
    latitude_deg: Latitude | None = None
    longitude_deg: Longitude | None = None
    use: Use | None = None
    part_of: Name = ""


class NewImport(Asked):
    """The rows, in order.

    `provision`: the sensors are to be on the network server as well (docs/provisioning.md); `keep_keys` keeps their
    keys here too, sealed. `dry_run`: say what would be done, and do nothing.
    """

    rows: Annotated[list[Row], Field(max_length=MOST)]
    provision: bool = False
    keep_keys: bool = False
    dry_run: bool = False


class RefusedRow(Answer):
    """A row that was not taken, by its place in the list, from 0."""

    row: int
    why: Literal["dev_eui", "model", "occupied", "elsewhere", "twice", "part"]
    detail: str


class Imported(Answer):
    """What became of the rows: new sensors, new assignments, and the rows refused. All others are as they say.

    `orders`: how many are now wanted on the network server; `planned`: what a dry run would do there.
    """

    devices: int
    assignments: int
    refused: list[RefusedRow]
    orders: int
    planned: list[Planned]


@require(INSTALL)
async def create_import(request: web.Request, connection: asyncpg.Connection, body: NewImport) -> Imported:
    """Declare sensors with their sites and points. Sending the same again changes nothing."""
    tenant = await tenancy.tenant_of(request, connection)
    rows = [importing.Row(line, **row.model_dump(exclude=_KEYED)) for line, row in enumerate(body.rows)]
    transaction = connection.transaction()
    await transaction.start()
    found = await importing.import_rows(connection, tenant.tenant_id, rows, request.app[CLOCK]())
    wishes = _wishes(body, {one.line for one in found.refused})
    planned, orders = list[Planned](), list[int]()
    if body.dry_run:
        planned = await provisioning.planned(connection, tenant.tenant_id, wishes)
        await transaction.rollback()
    else:
        if wishes:
            orders = await provisioning.want(
                request, connection, tenant.tenant_id, wishes, keep_keys=body.keep_keys
            )  # fmt: skip
        await transaction.commit()
    return Imported(
        devices=found.devices,
        assignments=found.assignments,
        refused=[RefusedRow(row=one.line, why=one.why, detail=one.detail) for one in found.refused],
        orders=len(orders),
        planned=planned,
    )


def _wishes(body: NewImport, refused: set[int]) -> list[Wish]:
    """Return what is wanted of the network server for the rows that were taken."""
    if not body.provision:
        return []
    return [Wish.of(row.dev_eui, row) for line, row in enumerate(body.rows) if line not in refused]


ROUTES: Final = (post(PATH, create_import, query=OfTenant),)
