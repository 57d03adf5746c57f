"""The answer that is a report on paper."""

from aiohttp import hdrs, web

from api.pages import rendering
from api.problems import UNAVAILABLE, ProblemError
from api.reports import pdf
from api.reports.air import Assessed
from api.reports.words import Told


async def paper(request: web.Request, told: Told | Assessed, name: str) -> web.Response:
    """Answer a report as a PDF in the reader's language, to be read in the browser or kept as `name`.

    Raises ProblemError (UNAVAILABLE) on a machine that lacks what draws it.
    """
    try:
        drawn = await pdf.made(pdf.html(told, rendering.catalogue_of(request)))
    except pdf.PdfError as error:
        raise ProblemError(UNAVAILABLE, str(error)) from error
    return web.Response(
        body=drawn,
        content_type="application/pdf",
        headers={
            hdrs.CONTENT_DISPOSITION: f'inline; filename="{name}"',
            hdrs.CACHE_CONTROL: "private, no-cache",
        },
    )
