"""Files of the fleet, /reseau/parc/<list>.<form>: all sensors, batteries to change, silent sensors; CSV and XLSX."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg
from aiohttp import hdrs, web

from api.access import SUPERVISE, require
from api.context import CLOCK, EXPORTS, reader, writer
from api.exports.delimited import Delimited
from api.exports.spreadsheet import Spreadsheet
from api.pages import rendering
from api.pages.network_words import PARIS
from api.pages.texts import Texts
from store.access import audit
from store.supervision import fleet_list, fleets

LISTS: Final = ("capteurs", "piles", "muets")
FORMS: Final = ("csv", "xlsx")
PATH: Final = "/reseau/parc/{what:capteurs|piles|muets}.{form:csv|xlsx}"
_SOON: Final = timedelta(days=60)
_LATER: Final = timedelta(days=180)
_MOST: Final = 200_000
_AT_ONCE: Final = 2_000
_COLUMNS: Final = {
    "capteurs": (
        "commune", "site", "point", "eui", "sensor", "vendor", "model", "seen", "period", "heard", "lost", "undecoded",
        "sf12", "margin", "antennas", "battery", "unit", "end", "silent",
    ),
    "piles": (
        "commune", "site", "point", "latitude", "longitude", "eui", "sensor", "model", "battery", "unit", "end",
        "urgent",
    ),
    "muets": ("commune", "site", "eui", "sensor", "model", "since", "cause"),
}  # fmt: skip

Rows = AsyncIterator[Sequence[Sequence[object]]]


class Asked(NamedTuple):
    """Which list, and what it is written with."""

    what: str
    texts: Texts
    now: datetime


@require(SUPERVISE)
async def send(request: web.Request) -> web.StreamResponse:
    """Send a list as a file, as it is read."""
    rendering.query(request)
    asked = Asked(request.match_info["what"], rendering.catalogue_of(request), request.app[CLOCK]())
    columns = [asked.texts(f"net.column.{name}") for name in _COLUMNS[asked.what]]
    with request.app[EXPORTS].one():
        async with writer(request) as connection:
            await audit.append_own(connection, "export.fleet", subject=f"{asked.what}.{request.match_info['form']}")
        form = (
            Delimited(french=True, columns=columns)
            if request.match_info["form"] == "csv"
            else Spreadsheet(columns=columns)
        )
        try:
            answer = _answer(form, asked.what)
            async with reader(request) as connection:
                await answer.prepare(request)
                await answer.write(form.begin())
                async for rows in _rows(connection, asked):
                    await answer.write(await asyncio.to_thread(form.add, rows))
            rest = form.end()
            while (chunk := await asyncio.to_thread(next, rest, None)) is not None:
                await answer.write(chunk)
        finally:
            await asyncio.to_thread(form.close)
    await answer.write_eof()
    return answer


def _answer(form: Delimited | Spreadsheet, what: str) -> web.StreamResponse:
    return web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: form.media_type,
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{what}.{form.suffix}"',
            hdrs.CACHE_CONTROL: "private, no-cache",
        }
    )


async def _rows(connection: asyncpg.Connection, asked: Asked) -> Rows:
    texts = asked.texts
    if asked.what == "capteurs":
        async for found in fleet_list.fleet(connection, _AT_ONCE):
            yield [_device(one, texts) for one in found]
    elif asked.what == "piles":
        today = asked.now.astimezone(UTC).date()
        for_tour = await fleets.batteries(connection, today + _LATER, None, _MOST)
        yield [_battery(one, today, texts) for one in for_tour]
    else:
        mute = await fleets.silent(connection, None, None, _MOST)
        yield [
            (one.tenant, one.site, one.dev_eui, one.name, one.model, _local(one.since),
             texts(f"net.cause.{one.cause}"))
            for one in mute
        ]  # fmt: skip


def _device(one: fleet_list.Listed, texts: Texts) -> tuple[object, ...]:
    return (
        one.tenant, one.site, one.point, one.dev_eui, one.name, one.vendor, one.model, _local(one.last_seen_at),
        one.period_s, one.heard, one.lost, one.undecoded, one.sf12, _rounded(one.margin_db), one.gateways,
        _rounded(one.battery), _unit(one.battery_kind), _day(one.battery_end_on),
        texts(f"net.cause.{one.silent}") if one.silent else None,
    )  # fmt: skip


def _battery(one: fleets.Battery, today: date, texts: Texts) -> tuple[object, ...]:
    return (
        one.tenant, one.site, one.point, one.latitude_deg, one.longitude_deg, one.dev_eui, one.name, one.model,
        _rounded(one.battery), _unit(one.kind), _day(one.end_on),
        texts("net.yes") if one.end_on < today + _SOON else texts("net.no"),
    )  # fmt: skip


def _local(at: datetime | None) -> datetime | None:
    """Return a moment as a spreadsheet of ours has it: Paris time, to the second."""
    return None if at is None else at.astimezone(PARIS).replace(tzinfo=None, microsecond=0)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 2)


def _unit(kind: str | None) -> str | None:
    return None if kind is None else "%" if kind == "level" else "V"


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


ROUTES: Final = (web.get(PATH, send),)
