"""A report as a PDF, by weasyprint: tagged for screen readers; it reads nothing from the network nor the disk."""

import asyncio
from typing import Final

import jinja2

from api.pages.texts import Texts
from api.reports.air import Assessed
from api.reports.words import Told
from domain.errors import SamaraError

_MISSING: Final = "no PDF: weasyprint needs Pango; on Debian, apt-get install libpango-1.0-0 libpangoft2-1.0-0"
_ONE_AT_A_TIME: Final = asyncio.Semaphore(1)  # a second of a core each
_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("api.reports", "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class PdfError(SamaraError):
    """The machine lacks what draws a PDF."""


def html(told: Told | Assessed, texts: Texts) -> str:
    """Return a report as one HTML document that needs nothing else."""
    name = "month.html" if isinstance(told, Told) else "air.html"
    return _TEMPLATES.get_template(name).render(told=told, t=texts, language=texts.language)


async def made(document: str) -> bytes:
    """Return the PDF of a document. Raises PdfError."""
    async with _ONE_AT_A_TIME:
        return await asyncio.to_thread(_pdf, document)


def _pdf(document: str) -> bytes:
    try:
        import weasyprint  # type: ignore[import-untyped]  # noqa: PLC0415 - it loads Pango, which may be missing
    except OSError as error:
        raise PdfError(_MISSING) from error
    nothing = weasyprint.urls.URLFetcher(allowed_protocols=())
    drawn: bytes = weasyprint.HTML(string=document, url_fetcher=nothing).write_pdf(pdf_variant="pdf/ua-1")
    return drawn
