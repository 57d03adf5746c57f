"""How well the network hears each site of a tenant: by gateway and spreading factor, with the margin that is left."""

from datetime import datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import Field

from api import models, tenancy
from api.access import HEALTH, require
from api.context import CLOCK, reader
from api.endpoint import get
from api.parameters import OfTenant, Period
from api.problems import NO_SUCH_MOMENT, ProblemError
from domain.commissioning import REQUIRED_SNR_DB
from store.reading import frames

PATH: Final = "/api/v1/coverage"
LASTING: Final = timedelta(days=1)
LONGEST: Final = timedelta(days=31)


class CoverageQuery(OfTenant, Period):
    """Over which period: by default the last day, 31 days at most."""


class Heard(models.Answer):
    """How one gateway heard the frames of one site at one spreading factor. Figures are means, and the least."""

    site_id: int
    latitude_deg: models.LatitudeDeg | None
    longitude_deg: models.LongitudeDeg | None
    gateway_eui: str | None
    gateway_latitude_deg: models.LatitudeDeg | None
    gateway_longitude_deg: models.LongitudeDeg | None
    spreading_factor: int | None
    frames: int
    rssi_dbm: float | None
    rssi_min_dbm: float | None
    snr_db: float | None
    snr_min_db: float | None
    margin_db: Annotated[float | None, Field(description="mean SNR less what this spreading factor needs")]


class Coverage(models.Answer):
    """The whole period, site by site."""

    start: datetime
    end: datetime
    items: list[Heard]


@require(HEALTH)
async def read_coverage(request: web.Request, query: CoverageQuery) -> Coverage:
    """Tell how well each site is heard, by gateway and spreading factor."""
    async with reader(request) as connection:
        tenant = await tenancy.tenant_of(request, connection)
        start, end = query.bounds(ZoneInfo(tenant.time_zone), request.app[CLOCK](), LASTING)
        if end - start > LONGEST:
            raise ProblemError(NO_SUCH_MOMENT, f"Ask {LONGEST.days} days at most.")
        found = await frames.heard(connection, tenant.tenant_id, start, end)
    return Coverage(start=start, end=end, items=[_to_model(one) for one in found])


def _to_model(one: frames.Heard) -> Heard:
    return Heard(**one._asdict(), margin_db=margin_db(one.snr_db, one.spreading_factor))


def margin_db(snr_db: float | None, spreading_factor: int | None) -> float | None:
    """Return how much SNR is left before a frame is lost; None when one of the two is not known."""
    required = REQUIRED_SNR_DB.get(spreading_factor or 0)
    return None if snr_db is None or required is None else snr_db - required


ROUTES: Final = (get(PATH, read_coverage),)
