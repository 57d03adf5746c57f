"""Whether a commune lets itself be compared, /t/<slug>/comparaison: its agreement, and how many live there."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import MANAGE, require
from api.context import CLOCK, reader, writer
from api.pages import forms, rendering, words
from api.pages.navigation import Entry
from api.tenancy import tenant_of
from api.v1.comparison import decide, tell_population
from store import comparing

PATH: Final = "/t/{slug}/comparaison"
POPULATION_PATH: Final = f"{PATH}/population"
_MOST: Final = 99_999_999
_FIRST_YEAR: Final = 1990


@require(MANAGE)
async def show(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    return await _page(request, None, {})


async def _page(request: web.Request, given: Mapping[str, str] | None, errors: Mapping[str, str]) -> web.Response:
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await comparing.standing(connection, tenant.tenant_id)
    zone = ZoneInfo(tenant.time_zone)
    kept = {"inhabitants": str(found.inhabitants or ""), "year": str(found.year or "")}
    return rendering.html(
        request,
        "comparaison.html",
        status=422 if errors else 200,
        tenant=tenant,
        found=found,
        since=None if found.agreed_at is None else words.day(found.agreed_at.astimezone(zone).date(), texts),
        given=kept if given is None else given,
        errors=errors,
    )


@require(MANAGE)
async def save(request: web.Request) -> web.Response:
    """Agree, or withdraw; who manages the tenant from above alone is refused."""
    given = await forms.form(request, "agrees")
    agrees = given["agrees"] == "yes"
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await decide(request, connection, tenant, agrees=agrees)
    done = "comparison_agreed" if agrees else "comparison_withdrawn"
    return rendering.onward(rendering.tenant_address(tenant, "comparaison"), done=done)


@require(MANAGE)
async def save_population(request: web.Request) -> web.Response:
    """Keep how many live there."""
    given = await forms.form(request, "inhabitants", "year")
    texts, this_year = rendering.catalogue_of(request), request.app[CLOCK]().year
    inhabitants, year = _whole(given["inhabitants"], 1, _MOST), _whole(given["year"], _FIRST_YEAR, this_year)
    errors = {
        name: texts(f"comparaison.error.{name}")
        for name, value in (("inhabitants", inhabitants), ("year", year))
        if value is None
    }
    if inhabitants is None or year is None:
        return await _page(request, given, errors)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        await tell_population(connection, tenant, inhabitants, year)
    return rendering.onward(rendering.tenant_address(tenant, "comparaison"), done="saved")


def _whole(text: str, least: int, most: int) -> int | None:
    """Return a whole number as people write it, with or without spaces; None when it is none, or out of bounds."""
    digits = "".join(text.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(_MOST))):
        return None
    return int(digits) if least <= int(digits) <= most else None


ROUTES: Final = (web.get(PATH, show), web.post(PATH, save), web.post(POPULATION_PATH, save_population))
NAVIGATION: Final = (Entry("comparaison", PATH, "map", 96, needs=MANAGE, kinds=frozenset({"commune"})),)
