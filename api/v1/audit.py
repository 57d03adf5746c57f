"""The audit log, as whoever administers a tenant reads it: who did what there."""

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import hdrs, web
from pydantic import Field

from api import models, pagination, problems, tenancy
from api.access import ADMINISTER, require
from api.context import CLOCK, reader, writer
from api.endpoint import get
from api.exports.delimited import harmless
from api.models import Resource
from api.parameters import Paged, Period, Slug
from api.problems import ProblemError
from store.access import audit, members
from store.access.audit import Chosen, Entry

PATH: Final = "/api/v1/audit"
EXPORT: Final = "/api/v1/exports/audit"
LASTING: Final = timedelta(days=366)
_AT_ONCE: Final = 1_000
_COLUMNS: Final = ("id", "at", "actor", "action", "tenant_id", "object", "detail", "digest")
_UTC: Final = ZoneInfo("UTC")


class AuditFilter(Period):
    """Which entries: of a tenant, or of all that one administers; of actions that begin so; between two moments."""

    tenant: Slug | None = None
    action: Annotated[
        str | None, Field(min_length=1, max_length=60, pattern=r"^[a-z_.]+$", description="how an action begins")
    ] = None


class AuditQuery(AuditFilter, Paged):
    """Which page of them."""


class AuditExport(AuditFilter):
    """Which of them as a file."""

    form: Annotated[Literal["csv", "jsonl"], Field(description="csv (RFC 4180), or jsonl: one object a line")] = "csv"


class AuditEntry(Resource):
    """Who did what. `digest` is SHA-256 of the entry before and of this one, hexadecimal."""

    id: int
    at: datetime
    actor: str
    action: str
    tenant_id: int | None
    object: str
    detail: dict[str, Any]
    digest: str


async def chosen(request: web.Request, connection: asyncpg.Connection, query: AuditFilter) -> Chosen:
    """Return which entries are asked. Raises ProblemError, NotFoundError."""
    tenant = None
    if query.tenant is not None:
        tenant = await tenancy.tenant_of(request, connection)
    elif not await members.administers_all(connection):
        raise ProblemError(problems.FORBIDDEN, "Name a `tenant`.")
    zone = _UTC if tenant is None else ZoneInfo(tenant.time_zone)
    start, end = query.bounds(zone, request.app[CLOCK](), LASTING) if query.from_ or query.to else (None, None)
    return Chosen(None if tenant is None else tenant.tenant_id, query.action, start, end)


@require(ADMINISTER)
async def list_audit(request: web.Request, query: AuditQuery) -> models.Page[AuditEntry]:
    """List who did what, the newest first. What is of no tenant (sign-ins) is told to who administers all of them."""
    asked = pagination.asked(query, "audit")
    async with reader(request) as connection:
        wanted = await chosen(request, connection, query)
        page = await audit.newest(connection, wanted, before=asked.after, limit=asked.limit)
    return pagination.answer(models.Page[AuditEntry], "audit", page, _entry)


def _entry(found: Entry) -> AuditEntry:
    return AuditEntry(
        id=found.entry_id,
        at=found.at,
        actor=found.actor,
        action=found.action,
        tenant_id=found.tenant_id,
        object=found.object,
        detail=json.loads(found.detail),
        digest=found.digest.hex(),
    )


@require(ADMINISTER)
async def export_audit(request: web.Request, query: AuditExport) -> web.StreamResponse:
    """Send the entries as a file, the newest first, of any length."""
    async with writer(request) as connection:
        wanted = await chosen(request, connection, query)
        await audit.append_own(connection, "export.audit", tenant_id=wanted.tenant_id, detail={"form": query.form})
    written = _WRITERS[query.form]
    media = "text/csv" if query.form == "csv" else "application/jsonl"
    answer = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: f"{media}; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="audit.{query.form}"',
            hdrs.CACHE_CONTROL: "private, no-store",
        }
    )
    async with reader(request) as connection:
        wanted = await chosen(request, connection, query)
        await answer.prepare(request)
        held = [_COLUMNS] if query.form == "csv" else []
        lines: list[str] = [_csv(columns) for columns in held]
        async for found in audit.chosen_entries(connection, wanted):
            lines.append(written(_entry(found)))
            if len(lines) >= _AT_ONCE:
                await answer.write("".join(lines).encode())
                lines = []
        await answer.write("".join(lines).encode())
    await answer.write_eof()
    return answer


def _csv(cells: tuple[str, ...]) -> str:
    held = io.StringIO(newline="")
    csv.writer(held, lineterminator="\r\n").writerow(cells)
    return held.getvalue()


def _csv_line(entry: AuditEntry) -> str:
    told = entry.model_dump(mode="json") | {"detail": json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)}
    return _csv(
        tuple(
            harmless(cell) if isinstance(cell, str) else str("" if cell is None else cell)
            for cell in (told[name] for name in _COLUMNS)
        )
    )


def _json_line(entry: AuditEntry) -> str:
    return entry.model_dump_json() + "\n"


_WRITERS: Final[dict[str, Callable[[AuditEntry], str]]] = {"csv": _csv_line, "jsonl": _json_line}

ROUTES: Final = (
    get(PATH, list_audit),
    get(EXPORT, export_audit, media=("text/csv", "application/jsonl")),
)
