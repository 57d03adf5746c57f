"""What tenants used, month by month: what a syndicat bills its members by."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import hdrs, web
from pydantic import BeforeValidator, Field, WithJsonSchema

from api import models, pagination, tenancy
from api.access import MANAGE, require
from api.context import CLOCK, reader
from api.endpoint import get
from api.exports.delimited import written
from api.parameters import Asked, Paged, Slug
from api.problems import NO_SUCH_CURSOR, NO_SUCH_MOMENT, ProblemError
from store.reading.usage import BEGINNING, After, Usage, usage

PATH: Final = "/api/v1/usage"
FILE: Final = "/api/v1/exports/usage"
_ZONE: Final = ZoneInfo("Europe/Paris")
_MONTH: Final = re.compile(r"2[01]\d{2}-(0[1-9]|1[0-2])", re.ASCII)


def _month(value: object) -> date:
    if _MONTH.fullmatch(str(value)) is None:
        raise ValueError("not a month")
    return date.fromisoformat(f"{value}-01")


Month = Annotated[
    date,
    BeforeValidator(_month),
    WithJsonSchema({"type": "string", "pattern": f"^{_MONTH.pattern}$", "examples": ["2025-11"]}),
    Field(description="a month: 2025-11"),
]


class Months(Asked):
    """Which months, both included, of one tenant or of all that the account manages: by default the present one."""

    tenant: Slug | None = None
    from_: Annotated[Month | None, Field(alias="from")] = None
    to: Month | None = None


class UsageQuery(Months, Paged):
    """A page of months."""


class UsageFileQuery(Months):
    """A file of months."""

    form: Annotated[
        Literal["csv", "csv-fr"],
        Field(description="csv (RFC 4180), csv-fr (semicolons, decimal commas, byte order mark)"),
    ] = "csv"


class MonthOfUsage(models.Resource):
    """What one tenant used in one month. Reckoned every 6 hours, until a week after the month's end."""

    tenant: str
    name: str
    insee: str | None
    siren: str | None
    month: Annotated[str, Field(description="2025-11")]
    devices: Annotated[int, Field(description="that measured a point, for some of the month")]
    uplinks: Annotated[int, Field(description="stored, by UTC day")]
    measurements: Annotated[int, Field(description="made in the month, and kept")]
    disk_bytes: Annotated[int | None, Field(description="share, by rows, of what is stored at the month's end")]
    emails: int
    sms: int
    sms_segments: Annotated[int, Field(description="what SMS are billed as")]
    exports: int
    reckoned_at: datetime


class Span(NamedTuple):
    """Months, both included."""

    first: date
    last: date


def span_of(query: Months, now: datetime) -> Span:
    """Return which months are asked; raise ProblemError when they are in the wrong order."""
    present = now.astimezone(_ZONE).date().replace(day=1)
    last = query.to or max(present, query.from_ or present)
    first = query.from_ or min(present, last)
    if first > last:
        raise ProblemError(NO_SUCH_MOMENT, "`from` is after `to`, which is the present month by default.")
    return Span(first, last)


async def _read(
    request: web.Request, connection: asyncpg.Connection, query: Months, **page: Any
) -> tuple[Span, list[Usage]]:
    tenant_id = None if query.tenant is None else (await tenancy.tenant_of(request, connection)).tenant_id
    span = span_of(query, request.app[CLOCK]())
    return span, await usage(connection, tenant_id, first=span.first, last=span.last, **page)


@require(MANAGE)
async def list_usage(request: web.Request, query: UsageQuery) -> models.Page[MonthOfUsage]:
    """List what tenants used, month by month: of one tenant, or of all that the account manages."""
    async with reader(request) as connection:
        _, found = await _read(request, connection, query, after=_after(query), limit=query.limit + 1)
    more = None
    if len(found) > query.limit:
        end = found[query.limit - 1]
        more = pagination.encode("usage", end.month.toordinal(), end.tenant_id)
    return models.Page[MonthOfUsage](items=[to_model(one) for one in found[: query.limit]], next_cursor=more)


def _after(query: UsageQuery) -> After:
    if query.cursor is None:
        return BEGINNING
    day, tenant_id = pagination.numbers("usage", query.cursor, 2)
    if not (0 < day <= date.max.toordinal() and 0 <= tenant_id < 2**31):
        raise ProblemError(NO_SUCH_CURSOR, "Give the `next_cursor` of the page before, unchanged.")
    return After(date.fromordinal(day), tenant_id)


def to_model(one: Usage) -> MonthOfUsage:
    """Return what the API says of a month."""
    fields = one._asdict()
    del fields["tenant_id"]
    return MonthOfUsage(tenant=fields.pop("slug"), month=fields.pop("month").strftime("%Y-%m"), **fields)


@require(MANAGE)
async def export_usage(request: web.Request, query: UsageFileQuery) -> web.Response:
    """Send what tenants used as a file, one line a tenant and month."""
    async with reader(request) as connection:
        span, found = await _read(request, connection, query)
    body = table(found, french=query.form == "csv-fr")
    name = f"usage-{span.first:%Y-%m}-{span.last:%Y-%m}.csv"
    return web.Response(
        body=body,
        headers={
            hdrs.CONTENT_TYPE: "text/csv; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
            hdrs.CACHE_CONTROL: "private, no-store",
        },
    )


def table(found: Sequence[Usage], *, french: bool) -> bytes:
    """Return the months as CSV, with a header."""
    rows = [list(to_model(one).model_dump().values()) for one in found]
    return written([list(MonthOfUsage.model_fields), *rows], french=french)


ROUTES: Final = (
    get(PATH, list_usage, problems=(NO_SUCH_MOMENT,)),
    get(FILE, export_usage, media=("text/csv",), problems=(NO_SUCH_MOMENT,)),
)
