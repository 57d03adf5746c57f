"""The pages of a list of sensors that comes as a file, /t/<slug>/import: its columns, a preview, its rows taken."""

import asyncio
from typing import Final
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from api import bulk, problems, sheets
from api.access import INSTALL, account_of, refuse_cross_site, require
from api.bulk_orders import Asker
from api.context import CLOCK, reader, writer
from api.exports.delimited import attachment
from api.pages import importer_view, rendering
from api.pages.forms import form
from api.pages.navigation import Entry
from api.pages.network_words import count
from api.pages.rendering import Crumb
from api.parameters import Asked, Id, Slug, of_path
from api.problems import ProblemError
from api.sheets import Sheet, SheetError
from api.signing import KEYRING
from api.tenancy import tenant_of
from domain.sensor_list import FIELDS, NEEDED, propose
from store import import_files
from store.access import audit
from store.provisioning import following, import_keys, servers
from store.reading.territory import Tenant

PATH: Final = "/t/{slug}/import"
ONE: Final = PATH + "/{id}"
TAKE: Final = ONE + "/prise"
FORGET: Final = ONE + "/oubli"
REFUSED: Final = ONE + "/refus.csv"
FAILED: Final = ONE + "/echecs.csv"
EXAMPLE: Final = PATH + "/exemple.csv"
_LISTED: Final = 10
_PREVIEWED: Final = 8  # the first rows, and the first that cannot be taken
_SHOWN: Final = 100  # refused rows on the page; the file has all
_SIMULATED: Final = 5000  # rows of a whole list: some seconds
_MAX_NAME: Final = 200


class FilePath(Asked):
    """One list of a tenant."""

    slug: Slug
    id: Id


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer the form that takes a file, and the last lists."""
    rendering.query(request)
    return await _start(request)


async def _start(request: web.Request, wrong: str = "") -> web.Response:
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await import_files.files(connection, tenant.tenant_id, _LISTED)
    here = rendering.tenant_address(tenant, "import")
    return rendering.html(
        request, "importer.html", status=422 if wrong else 200, tenant=tenant, wrong=wrong, here_address=here,
        files=[importer_view.listed(one, here, tenant, texts) for one in found], most=count(sheets.MAX_ROWS, texts),
    )  # fmt: skip


@require(INSTALL)
async def send(request: web.Request) -> web.Response:
    """Keep the rows of a file; on to its columns."""
    refuse_cross_site(request)
    texts = rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        known = await import_files.remembered(connection, tenant.tenant_id)
        is_served = await servers.serving(connection, tenant.tenant_id) is not None
    name, content = await _file(request)
    try:
        sheet: Sheet = await asyncio.to_thread(sheets.read, content)
    except SheetError as error:
        return await _start(request, texts(f"importer.file.{error.why}"))
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        import_id = await import_files.keep(
            connection, tenant.tenant_id, account_of(request).account_id, name,
            headings=sheet.headings, fields=propose(sheet.headings, known), rows=sheet.rows, now=request.app[CLOCK](),
        )  # fmt: skip
        if is_served and sheet.keys:
            await import_keys.keep(connection, request.app[KEYRING], import_id, sheet.keys, request.app[CLOCK]())
        detail = {"import": import_id, "rows": len(sheet.rows), "keys": len(sheet.keys) if is_served else 0}
        await audit.append_own(connection, "import.sent", tenant_id=tenant.tenant_id, subject=name, detail=detail)
    address = rendering.tenant_address(tenant, "import", import_id)
    return rendering.onward(address, done=("import_sealed" if is_served else "import_keys") if sheet.keys else "")


async def _file(request: web.Request) -> tuple[str, bytes]:
    """Return the name and the content of the first file of a form. Raises ProblemError for anything else."""
    try:
        parts = await request.multipart()
        part = await parts.next()
        while isinstance(part, BodyPartReader) and part.name != "file":
            await part.release()
            part = await parts.next()
        if not isinstance(part, BodyPartReader):
            raise ProblemError(problems.INVALID_BODY)
        content = bytearray()
        while chunk := await part.read_chunk():
            content += chunk
            if len(content) > sheets.MAX_FILE:
                raise ProblemError(problems.TOO_LARGE)
    except (AssertionError, ValueError):  # aiohttp's: not a form of several parts, or a broken one
        raise ProblemError(problems.INVALID_BODY) from None
    name = "".join(one for one in unquote(part.filename or "") if one.isprintable()).strip()
    return name[:_MAX_NAME] or "?", bytes(content)


@require(INSTALL)
async def show_file(request: web.Request) -> web.Response:
    """Answer what a list's columns are and what its first rows would do; or how far it is, and what was refused.

    `simuler`: what the whole list would do on the network server is reckoned as well.
    """
    rendering.query(request, "simuler")
    return await _show_file(request)


async def _show_file(request: web.Request, wrong: str = "") -> web.Response:
    import_id, texts, now = of_path(request, FilePath).id, rendering.catalogue_of(request), request.app[CLOCK]()
    async with writer(request) as connection:  # the preview does what it shows, and takes it back
        tenant = await tenant_of(request, connection)
        found = await import_files.file(connection, tenant.tenant_id, import_id)
        here = rendering.tenant_address(tenant, "import", import_id)
        common = {
            "whole": count(found.rows, texts),
            "file": found,
            "here_address": here,
            "wrong": wrong,
            "status": 422 if wrong else 200,
        }
        if found.looked_at:
            refused = await import_files.refused(connection, import_id, _SHOWN)
            asked = await following.of_import(connection, tenant.tenant_id, import_id)
            return _page(
                request, tenant, "importer_suite.html", **common, told=importer_view.told(found, texts),
                columns=importer_view.columns(found, texts), rows=importer_view.refused(refused, found, texts),
                is_over=found.looked_at == found.rows, shown=_SHOWN, orders=importer_view.orders(asked, texts),
                waiting=any(one.state == "waiting" for one in asked),
                failed=sum(one.state == "failed" for one in asked),
            )  # fmt: skip
        lines = await import_files.rows(connection, import_id, 0, found.rows)
        is_served = await servers.serving(connection, tenant.tenant_id) is not None
        shown, misread, looked = lines[:_PREVIEWED], 0, bulk.NOTHING
        whole: list[tuple[str, str]] = []
        if NEEDED in found.fields:
            wrong_lines = bulk.misread(found.fields, lines, await bulk.models(connection))
            shown = sorted({line.place: line for line in [*shown, *wrong_lines[:_PREVIEWED]]}.values())
            misread = len(wrong_lines)
            looked = await bulk.preview(connection, tenant.tenant_id, found, shown, now, is_served=is_served)
            if is_served and request.query.get("simuler"):
                all_of_it = await bulk.preview(
                    connection, tenant.tenant_id, found, lines[:_SIMULATED], now, is_served=True
                )  # fmt: skip
                whole = importer_view.whole(all_of_it, texts)
    return _page(
        request, tenant, "importer_fichier.html", **common, choices=importer_view.choices(found, lines, texts),
        fields=[("", texts("importer.field.none")), *((name, texts(f"importer.field.{name}")) for name in FIELDS)],
        columns=importer_view.columns(found, texts, is_served=is_served),
        rows=importer_view.preview(shown, looked, found, texts, is_served=is_served), is_served=is_served, plan=whole,
        simulated=count(min(found.rows, _SIMULATED), texts), misread=misread, is_ready=NEEDED in found.fields,
    )  # fmt: skip


def _page(request: web.Request, tenant: Tenant, template: str, **values: object) -> web.Response:
    texts = rendering.catalogue_of(request)
    crumbs = [Crumb(texts("nav.importer"), rendering.tenant_address(tenant, "import"))]
    return rendering.html(request, template, tenant=tenant, here="importer", crumbs=crumbs, **values)  # type: ignore[arg-type] # what the template names


@require(INSTALL)
async def read_as(request: web.Request) -> web.Response:
    """Keep what the columns are, and show the rows again."""
    path, texts = of_path(request, FilePath), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await import_files.file(connection, tenant.tenant_id, path.id)
    names = [f"column_{place}" for place in range(len(found.headings))]
    given = await form(request, *names)
    fields = [given[name] if given[name] in FIELDS else "" for name in names]
    twice = next((field for field in FIELDS if fields.count(field) > 1), None)
    if twice:
        return await _show_file(request, texts("importer.twice", field=texts(f"importer.field.{twice}")))
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        held = await import_files.file(connection, tenant.tenant_id, path.id, held=True)
        if not held.looked_at:
            await import_files.read_as(connection, tenant.tenant_id, held, fields)
            await audit.append_own(connection, "import.mapped", tenant_id=tenant.tenant_id, subject=held.name)
    return rendering.onward(rendering.tenant_address(tenant, "import", path.id) + "#apercu")


@require(INSTALL)
async def take(request: web.Request) -> web.Response:
    """Take the next rows; on to how far the list is. Before the first, the form says what of the network server."""
    given = await form(request, "registers", "keep_keys")
    path = of_path(request, FilePath)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await import_files.file(connection, tenant.tenant_id, path.id)
        if NEEDED in found.fields:
            if not found.looked_at:
                served = await servers.serving(connection, tenant.tenant_id)
                await import_files.set_registers(
                    connection, tenant.tenant_id, path.id, keep_keys=given["keep_keys"] == "1",
                    registers=given["registers"] == "1" and served is not None,
                )  # fmt: skip
            asker = Asker(request.app[KEYRING], account_of(request).account_id, request.app[CLOCK]())
            await bulk.take(connection, tenant.tenant_id, path.id, asker)
    return rendering.onward(rendering.tenant_address(tenant, "import", path.id))


@require(INSTALL)
async def forget(request: web.Request) -> web.Response:
    """Drop a list."""
    await form(request)
    path = of_path(request, FilePath)
    async with writer(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await import_files.file(connection, tenant.tenant_id, path.id)
        await import_files.forget(connection, tenant.tenant_id, path.id)
        await audit.append_own(connection, "import.forgotten", tenant_id=tenant.tenant_id, subject=found.name)
    return rendering.onward(rendering.tenant_address(tenant, "import"), done="import_forgotten")


@require(INSTALL)
async def refused_file(request: web.Request) -> web.Response:
    """Answer the rows that were not taken, in the columns of their file, each with its reason: to mend and send."""
    rendering.query(request)
    path, texts = of_path(request, FilePath), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await import_files.file(connection, tenant.tenant_id, path.id)
        lines = await import_files.refused(connection, path.id, found.rows)
    headings, rows = importer_view.refused_file(lines, found, texts)
    return attachment("lignes-refusees.csv", headings, rows)


@require(INSTALL)
async def failed_file(request: web.Request) -> web.Response:
    """Answer the rows whose sensor the network server refused, with the reason and without keys: to mend and send."""
    rendering.query(request)
    path, texts = of_path(request, FilePath), rendering.catalogue_of(request)
    async with reader(request) as connection:
        tenant = await tenant_of(request, connection)
        found = await import_files.file(connection, tenant.tenant_id, path.id)
        lines = await import_files.rows(connection, path.id, 0, found.rows)
        asked = await following.of_import(connection, tenant.tenant_id, path.id)
        known = await bulk.models(connection)
    failed = {one.dev_eui or "": one.trouble for one in asked if one.state == "failed"}
    headings, rows = importer_view.failed_file(bulk.of_devices(found.fields, lines, known, failed), found, texts)
    return attachment("serveur-de-reseau-refus.csv", headings, rows)


@require(INSTALL)
async def example(request: web.Request) -> web.Response:
    """Answer a list to begin with: headings that are understood, and one row."""
    rendering.query(request)
    async with reader(request) as connection:
        await tenant_of(request, connection)
    texts = rendering.catalogue_of(request)
    return attachment("capteurs.csv", [texts(f"importer.field.{name}") for name in FIELDS], [importer_view.EXAMPLE])


ROUTES: Final = (
    web.get(PATH, show),
    web.post(PATH, send),
    web.get(EXAMPLE, example),
    web.get(ONE, show_file),
    web.post(ONE, read_as),
    web.post(TAKE, take),
    web.post(FORGET, forget),
    web.get(REFUSED, refused_file),
    web.get(FAILED, failed_file),
)
NAVIGATION: Final = (Entry("importer", PATH, "sheet", 94, INSTALL),)
