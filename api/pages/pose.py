"""The page on which a technician says which sensor: its code by the camera, by a photo, or typed."""

from typing import Final
from urllib.parse import urlencode

from aiohttp import hdrs, web

from api import security
from api.access import INSTALL, UNASKED, require
from api.demonstration import LABELS
from api.pages import pose_view, rendering, static
from api.pages.forms import form
from api.pages.navigation import Entry
from domain import labels

PATH: Final = "/mettre-en-service"
WORKER: Final = PATH + "/worker.js"


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer the page that reads a code."""
    rendering.query(request)
    return _page(request)


@require(INSTALL)
async def identify(request: web.Request) -> web.Response:
    """Read what a code says: on to where the sensor goes, or exactly why it cannot be used."""
    code = (await form(request, "code"))["code"]
    try:
        label = labels.read(code)
    except labels.LabelError as error:
        return _page(request, code, error)
    known = f"?{urlencode({'join': label.join_eui})}" if label.join_eui else ""
    return rendering.onward(f"{PATH}/{label.dev_eui}{known}", done="has_key" if label.has_key else "")


def _page(request: web.Request, code: str = "", error: labels.LabelError | None = None) -> web.Response:
    texts = rendering.catalogue_of(request)
    answer = rendering.html(
        request,
        "pose.html",
        status=422 if error else 200,
        here="poser",
        steps=pose_view.steps("identify", texts),
        code=code[: labels.MAX_LENGTH],
        has_labels=bool(request.app[LABELS]),
        wrong=texts(f"pose.why.{error.why}", found=error.found) if error else "",
        scan_texts=rendering.island(texts.subset("scan.")),
        queue_texts=rendering.island(texts.subset("queue.", "pose.why.")),
    )
    security.let_scan(answer)
    return answer


@require(UNASKED)
async def worker(_request: web.Request) -> web.Response:
    """Answer the script that lets this page open without a network. It has nothing of anybody."""
    held = static.files()["worker.js"]
    headers = {hdrs.CACHE_CONTROL: "no-cache", "Service-Worker-Allowed": PATH}
    return web.Response(body=held.plain, content_type=held.content_type, charset="utf-8", headers=headers)


ROUTES: Final = (web.get(PATH, show), web.post(PATH, identify), web.get(WORKER, worker))
NAVIGATION: Final = (Entry("poser", PATH, "tool", 110, INSTALL, handy=True),)
