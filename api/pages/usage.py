"""What tenants used, month by month: /usage for who manages several, /t/<slug>/usage for one."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import ADMINISTER, MANAGE, require
from api.context import CLOCK, reader
from api.pages import rendering, words
from api.pages.navigation import Entry
from api.pages.texts import Texts
from api.problems import invalid_parameter
from api.tenancy import tenant_of
from api.units import Written
from api.v1.usage import FILE
from store.partitions import month_after
from store.reading.usage import Usage, usage

ALL_PATH: Final = "/usage"
PATH: Final = "/t/{slug}/usage"
MONTHS: Final = 12
_MONTH: Final = re.compile(r"2[01]\d{2}-(0[1-9]|1[0-2])\Z", re.ASCII)
_COUNT: Final = Written("", 0, 0)
_MEGABYTE: Final = 1e6
_FIGURES: Final = ("devices", "uplinks", "measurements", "disk", "emails", "sms", "exports")


@require(ADMINISTER)
async def of_all(request: web.Request) -> web.Response:
    """Answer what each tenant used in one month, the present one unless `month` says another."""
    asked = rendering.query(request, "month")
    present = _present(request.app[CLOCK](), words.PARIS)
    given = asked.text("month", "a month: 2025-11", default=f"{present:%Y-%m}")
    if _MONTH.match(given) is None:
        raise invalid_parameter("month", "it is not accepted", "a month: 2025-11")
    month, texts = date.fromisoformat(f"{given}-01"), rendering.catalogue_of(request)
    async with reader(request) as connection:
        found = await usage(connection, None, first=month, last=month)
    found.sort(key=lambda one: words.sort_key(one.name))
    rows = [[{"text": one.name, "href": f"/t/{one.slug}/usage"}, *_figures(one, texts)] for one in found]
    choices = [
        {
            "href": rendering.address(request, month=f"{one:%Y-%m}"),
            "label": _said(one, texts),
            "chosen": one == month,
        }
        for one in (month_after(present, -back) for back in range(MONTHS))
    ]
    return rendering.html(
        request,
        "usage.html",
        title=texts("usage.of_all", month=_said(month, texts)),
        columns=[texts("usage.tenant"), *_columns(texts)],
        rows=rows,
        choices=choices,
        file=_file(month, month),
        reckoned=_reckoned(found, words.PARIS, texts),
    )


@require(MANAGE)
async def of_one(request: web.Request) -> web.Response:
    """Answer what one tenant used in each of the last twelve months, the newest first."""
    rendering.query(request)
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        zone = ZoneInfo(tenant.time_zone)
        last = _present(request.app[CLOCK](), zone)
        first = month_after(last, 1 - MONTHS)
        found = await usage(connection, tenant.tenant_id, first=first, last=last)
    return rendering.html(
        request,
        "usage.html",
        tenant=tenant,
        title=texts("usage.of_one", name=tenant.name),
        columns=[texts("usage.month"), *_columns(texts)],
        rows=[[_said(one.month, texts), *_figures(one, texts)] for one in reversed(found)],
        choices=[],
        file=_file(first, last, tenant=tenant.slug),
        reckoned=_reckoned(found, zone, texts),
    )


def _present(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date().replace(day=1)


def _said(month: date, texts: Texts) -> str:
    return f"{texts('moment.months').split()[month.month - 1]} {month.year}"


def _columns(texts: Texts) -> list[str]:
    return [texts(f"usage.{name}") for name in _FIGURES]


def _figures(one: Usage, texts: Texts) -> list[str]:
    """Return the figures of a month in the order of _FIGURES. SMS are told with what they are billed as."""
    megabytes = Written(texts("usage.megabytes"), 0, 1)
    disk = "—" if one.disk_bytes is None else words.quantity(one.disk_bytes / _MEGABYTE, megabytes, texts)
    told = {
        name: words.number(getattr(one, name), _COUNT, texts)
        for name in ("devices", "uplinks", "measurements", "emails", "exports")
    }
    sms = texts("usage.segments", n=one.sms, segments=one.sms_segments) if one.sms else "0"
    return [{**told, "disk": disk, "sms": sms}[name] for name in _FIGURES]


def _file(first: date, last: date, **tenant: str) -> str:
    return f"{FILE}?" + urlencode({"form": "csv-fr", "from": f"{first:%Y-%m}", "to": f"{last:%Y-%m}", **tenant})


def _reckoned(found: Sequence[Usage], zone: ZoneInfo, texts: Texts) -> str:
    if not found:
        return ""
    return texts("usage.reckoned", at=words.moment(max(one.reckoned_at for one in found), zone, "minute", texts))


ROUTES: Final = (web.get(ALL_PATH, of_all), web.get(PATH, of_one))
NAVIGATION: Final = (
    Entry("usage", PATH, "report", 96, needs=MANAGE),
    Entry("usage_of_all", ALL_PATH, "report", 130, needs=ADMINISTER),
)
