"""The page of opening hours, /t/<slug>/regles/horaires: when each site is open, which rules go by."""

from datetime import time
from typing import Any, Final, NamedTuple

from aiohttp import web

from alerting.rules import DAYS, OpeningHours
from api.access import MANAGE, require
from api.context import reader, writer
from api.pages import rendering
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from api.pagination import everything
from api.query import MAX_ID
from api.tenancy import tenant_of
from domain.errors import NotFoundError
from store.access import audit
from store.alerting.rules import calendar, set_calendar
from store.alerting.subjects import is_foreign
from store.reading import territory
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/regles/horaires"
_SPANS: Final = 2  # a morning and an afternoon


class Day(NamedTuple):
    """A day of the week as the form shows it: from when to when, twice, "" where it is closed."""

    name: str
    label: str
    spans: list[tuple[str, str]]


@require(MANAGE)
async def show(request: web.Request) -> web.Response:
    """Answer the hours of a site (`site`), or of all sites that have none of their own."""
    site_id = rendering.query(request, "site").integer("site", low=1, high=MAX_ID)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        if await is_foreign(connection, tenant.tenant_id, point_ids=(), site_id=site_id, gateway_id=None):
            raise NotFoundError
        sites = await everything(lambda **page: territory.sites(connection, tenant.tenant_id, **page))
        found = await calendar(connection, tenant.tenant_id, site_id)
    hours = OpeningHours(weekly={}) if found is None else OpeningHours.model_validate_json(found)
    return _page(request, tenant, sites, site_id, hours, said=found is not None)


def _page(
    request: web.Request,
    tenant: Tenant,
    sites: list[territory.Site],
    site_id: int | None,
    hours: OpeningHours,
    *,
    said: bool,
) -> web.Response:
    texts = rendering.catalogue_of(request)
    return rendering.html(
        request,
        "horaires.html",
        tenant=tenant,
        here="regles",
        crumbs=[Crumb(texts("nav.regles"), rendering.tenant_address(tenant, "regles"))],
        sites=sites,
        site_id=site_id,
        days=[_day(name, hours, texts) for name in DAYS],
        public=[(one, texts(f"horaires.public.{one}")) for one in ("closed", "open")],
        school=[(one, texts(f"horaires.school.{one}")) for one in ("open", "A", "B", "C")],
        hours=hours,
        said=said,
    )


def _day(name: str, hours: OpeningHours, texts: Texts) -> Day:
    known = [(f"{one.opens:%H:%M}", f"{one.closes:%H:%M}") for one in hours.weekly.get(name, ())]  # type: ignore[call-overload]
    return Day(name, texts(f"horaires.day.{name}"), [*known, *[("", "")] * (_SPANS - len(known))])


@require(MANAGE)
async def save(request: web.Request) -> web.Response:
    """Keep the hours. Exceptions, which other programs say, stay as they are."""
    names = [f"{day}_{place}_{edge}" for day in DAYS for place in range(_SPANS) for edge in ("opens", "closes")]
    given = await form(request, "site", "public_holidays", "school_holidays", *names)
    site_id = int(given["site"]) if given["site"].isascii() and given["site"].isdigit() else None
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        if site_id is not None and await is_foreign(
            connection, tenant.tenant_id, point_ids=(), site_id=min(site_id, MAX_ID), gateway_id=None
        ):
            raise NotFoundError
        found = await calendar(connection, tenant.tenant_id, site_id)
        before = OpeningHours(weekly={}) if found is None else OpeningHours.model_validate_json(found)
        hours = _hours(given, before)
        address = rendering.tenant_address(tenant, "regles", "horaires") + (f"?site={site_id}" if site_id else "")
        if hours is None:
            return rendering.onward(address, done="no_such_hours")
        await set_calendar(connection, tenant.tenant_id, site_id, hours.model_dump_json())
        await audit.append_own(
            connection, "hours.set", tenant_id=tenant.tenant_id, subject="" if site_id is None else str(site_id)
        )
    return rendering.onward(address, done="saved")


def _hours(given: dict[str, str], before: OpeningHours) -> OpeningHours | None:
    """Return what the form says, with the exceptions that there were; None when it says no hours."""
    weekly: dict[str, list[dict[str, time]]] = {}
    try:
        for day in DAYS:
            for place in range(_SPANS):
                opens, closes = given[f"{day}_{place}_opens"], given[f"{day}_{place}_closes"]
                if opens or closes:
                    span = {"opens": time.fromisoformat(opens), "closes": time.fromisoformat(closes)}
                    weekly.setdefault(day, []).append(span)
        said: dict[str, Any] = {
            "weekly": weekly,
            "public_holidays": given["public_holidays"] or "closed",
            "school_holidays": given["school_holidays"] or "open",
        }
        return OpeningHours.model_validate(before.model_dump() | said)
    except ValueError:
        return None


ROUTES: Final = (web.get(PATH, show), web.post(PATH, save))
