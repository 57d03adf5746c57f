"""Measurements as a file, of any length: read by a cursor and sent as it goes."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web
from pydantic import Field

from api import tenancy
from api.access import READ, require
from api.context import CLOCK, EXPORTS, reader, writer
from api.endpoint import get
from api.exports.columns import Columns
from api.exports.delimited import Delimited
from api.exports.features import Features
from api.exports.form import Form, Row
from api.exports.spreadsheet import Spreadsheet
from api.parameters import Chosen, OfTenant, Period
from api.problems import FORM_MISSING, TOO_MANY_EXPORTS, ProblemError
from store.access import audit
from store.reading import exporting
from store.reading.usage import count_export

PATH: Final = "/api/v1/exports/measurements"
ROWS: Final = "Samara-Rows"
LASTING: Final = timedelta(days=31)
AT_ONCE: Final = 5_000

FormName = Literal["csv", "csv-fr", "xlsx", "parquet", "geojson"]
_FORMS: Final[Mapping[FormName, Callable[[], Form]]] = {
    "csv": lambda: Delimited(french=False),
    "csv-fr": lambda: Delimited(french=True),
    "xlsx": Spreadsheet,
    "parquet": Columns,
    "geojson": Features,
}
_MEDIA: Final = (
    "text/csv",
    Spreadsheet.media_type,
    Columns.media_type,
    Features.media_type,
)


class ExportQuery(Chosen, OfTenant, Period):
    """What to export: all points and quantities of the last 31 days, unless said."""

    form: Annotated[
        FormName,
        Field(
            description="csv (RFC 4180), csv-fr (semicolons, decimal commas, byte order mark), xlsx, parquet or geojson"
        ),
    ] = "csv"


@require(READ)
async def export_measurements(request: web.Request, query: ExportQuery) -> web.StreamResponse:
    """Send measurements as a file, of any length.

    `Samara-Rows` says at the beginning how many rows will come: what holds fewer was cut. Each file holds a connection
    to the database until it is sent, so only some are written at a time.
    """
    with request.app[EXPORTS].one():
        sent = await _send(request, query)
    async with writer(request) as connection:
        await count_export(connection, sent.tenant_id, query.form, sent.rows, request.app[CLOCK]())
    await sent.answer.write_eof()
    return sent.answer


class Sent(NamedTuple):
    """A file that was written whole, and its rows."""

    answer: web.StreamResponse
    tenant_id: int
    rows: int


async def _send(request: web.Request, query: ExportQuery) -> Sent:
    async with writer(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        detail = {"form": query.form, "points": query.points, "quantity": query.quantity}
        await audit.append_own(connection, "export.measurements", tenant_id=tenant.tenant_id, detail=detail)
    async with reader(request) as connection:
        await tenancy.tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        start, end = query.bounds(zone, request.app[CLOCK](), LASTING)
        chosen = exporting.Chosen(tenant.tenant_id, query.points, query.quantity, start, end)
        parts = await exporting.parts(connection, chosen)
        total = sum([await exporting.count(connection, chosen, part) for part in parts])
        form = _form(query.form)
        try:
            answer = _answer(form, f"{tenant.slug}.{form.suffix}", total)
            await answer.prepare(request)
            await answer.write(form.begin())
            for part in parts:
                async for found in exporting.measurements(connection, chosen, part, at_once=AT_ONCE):
                    rows = [_row(part, one, zone) for one in found]
                    await answer.write(await asyncio.to_thread(form.add, rows))
            rest = form.end()
            while (chunk := await asyncio.to_thread(next, rest, None)) is not None:
                await answer.write(chunk)
        finally:
            await asyncio.to_thread(form.close)
    return Sent(answer, tenant.tenant_id, total)


def _form(name: FormName) -> Form:
    try:
        return _FORMS[name]()
    except ImportError as error:
        raise ProblemError(FORM_MISSING, f"{name}: ask the operator to install it.") from error


def _answer(form: Form, filename: str, total: int) -> web.StreamResponse:
    return web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: form.media_type,
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{filename}"',
            hdrs.CACHE_CONTROL: "private, no-store",
            ROWS: str(total),
        }
    )


def _row(part: exporting.Part, one: exporting.Measurement, zone: ZoneInfo) -> Row:
    return Row(
        site=part.site,
        point=part.point,
        dev_eui=part.dev_eui,
        quantity=one.quantity,
        unit=one.unit,
        channel=one.channel,
        measured_at=one.measured_at,
        local_time=one.measured_at.astimezone(zone).replace(tzinfo=None),
        value=one.value,
        latitude_deg=part.latitude_deg,
        longitude_deg=part.longitude_deg,
    )


ROUTES: Final = (get(PATH, export_measurements, media=_MEDIA, problems=(FORM_MISSING, TOO_MANY_EXPORTS)),)
