"""The declaration of accessibility, /accessibilite (décret n° 2019-768): docs/accessibility.md has each criterion."""

from typing import Final

from aiohttp import web

from api.access import PUBLIC, require
from api.context import SETTINGS
from api.pages import rendering

PATH: Final = "/accessibilite"


@require(PUBLIC)
async def show(request: web.Request) -> web.Response:
    """Answer the declaration."""
    return rendering.html(request, "accessibilite.html", contact=request.app[SETTINGS].contact)


ROUTES: Final = (web.get(PATH, show),)
