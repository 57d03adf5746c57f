"""The vocabulary: what can be measured, in which unit."""

from typing import Annotated, Final

from aiohttp import hdrs, web
from pydantic import Field

from api import models
from api.access import PUBLIC, require
from api.endpoint import get
from api.pages.texts import preferred
from api.units import written
from domain.quantities import QUANTITIES, Domain

PATH: Final = "/api/v1/quantities"


class Quantity(models.Resource):
    """One thing that can be measured. `low` and `high` bound what is plausible."""

    name: str
    label: Annotated[str, Field(description="in the language of Accept-Language")]
    unit: models.Unit
    symbol: Annotated[str, Field(description="the unit as people write it")]
    kind: models.Kind
    domain: Domain
    low: float
    high: float


class Quantities(models.Answer):
    """All of them."""

    items: list[Quantity]


@require(PUBLIC)
async def list_quantities(request: web.Request) -> Quantities:
    """List the vocabulary. What a network server's own codec computed has names of its own, `ns:…`."""
    french = preferred(request.headers.get(hdrs.ACCEPT_LANGUAGE) or "en") == "fr"
    return Quantities(
        items=[
            Quantity(
                name=one.name,
                label=one.label_fr if french else one.label_en,
                unit=one.unit,
                symbol=written(one.name, one.unit).symbol,
                kind=one.kind,
                domain=one.domain,
                low=one.low,
                high=one.high,
            )
            for one in QUANTITIES.values()
        ]
    )


ROUTES: Final = (get(PATH, list_quantities),)
