"""The labels of a demonstration's sensors, /etiquettes: QR codes to scan, as makers print them. Elsewhere, no page."""

import io
from typing import Any, Final

import segno
from aiohttp import web
from markupsafe import Markup

from api.access import INSTALL, require
from api.context import reader
from api.demonstration import LABELS, Label
from api.pages import pose_view, rendering
from api.pages.rendering import Crumb
from domain.errors import NotFoundError
from store.reading import installations
from store.reading.installations import Placed

PATH: Final = "/etiquettes"


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer a sheet of labels, each with where its sensor is once it was put in place."""
    rendering.query(request)
    labels, texts = request.app[LABELS], rendering.catalogue_of(request)
    if not labels:
        raise NotFoundError
    async with reader(request) as connection:
        found = await installations.placed(connection, [one.dev_eui for one in labels])
    return rendering.html(
        request, "etiquettes.html", here="poser", crumbs=[Crumb(texts("nav.poser"), "/mettre-en-service")],
        labels=[_told(one, found.get(one.dev_eui)) for one in labels],
    )  # fmt: skip


def _told(label: Label, placed: Placed | None) -> dict[str, Any]:
    return {
        "model": label.model,
        "dev_eui": pose_view.eui(label.dev_eui),
        "code": label.code,
        "picture": _drawn(label.code),
        "place": f"{placed.point}, {placed.site}" if placed else "",
        "href": f"/t/{placed.slug}/mises-en-service/{label.dev_eui}"
        if placed
        else f"/mettre-en-service/{label.dev_eui}",
    }


def _drawn(code: str) -> Markup:
    drawn = io.BytesIO()
    made = segno.make(code, error="m")
    made.save(drawn, kind="svg", scale=4, border=4, xmldecl=False, svgns=False, light="#fff", omitsize=True)
    return Markup(drawn.getvalue().decode())  # noqa: S704 - squares drawn by segno, no text of anybody


ROUTES: Final = (web.get(PATH, show),)
