"""The page of one device, /reseau/capteurs/<DevEUI>: whether it is the sensor, the radio or the antenna; commands."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg
from aiohttp import web

from api import downlinks, idempotency
from api.access import HEALTH, INSTALL, require
from api.context import CLOCK, TENANT_ID, reader, writer
from api.downlinks import Wish
from api.pages import antennas_view, commands_view, rendering, sensor_view
from api.pages.forms import form
from api.pages.rendering import Crumb
from api.parameters import Asked, DevEui, Id, of_path
from api.problems import FORBIDDEN, ProblemError
from domain.commands import MAX_PERIOD_S
from domain.diagnosis import diagnose
from domain.events import JOIN
from store.access import audit
from store.access.bearer import narrow
from store.downlinks import asking
from store.supervision import antennas, sensors

PATH: Final = "/reseau/capteurs/{dev_eui}"
COMMANDS: Final = PATH + "/commandes"
CANCEL: Final = COMMANDS + r"/{id:\d+}/annulation"
_ZONE: Final = ZoneInfo("Europe/Paris")
_DAYS: Final = 30
_FRAMES: Final = 50
_FRAMES_SINCE: Final = timedelta(days=30)
_EVENTS: Final = 30


class SensorPath(Asked):
    """One device."""

    dev_eui: DevEui


class CommandPath(SensorPath):
    """One command of a device."""

    id: Id


@require(HEALTH)
async def show(request: web.Request) -> web.Response:
    """Answer the page. What frames say is shown to who may read the tenant's measurements, by the database."""
    rendering.query(request)
    return await _page(request, {})


async def _page(request: web.Request, given: Mapping[str, str], *, wrong: str = "") -> web.Response:
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    asked = of_path(request, SensorPath)
    since = now.astimezone(UTC).date() - timedelta(days=_DAYS - 1)
    async with reader(request) as connection:
        found = await sensors.sensor(connection, asked.dev_eui)
        frames = await sensors.frames(connection, found.device_id, now - _FRAMES_SINCE, _FRAMES)
        days = await sensors.days(connection, found.device_id, since)
        heard = await sensors.heard_by(connection, found.device_id, since)
        told = await sensors.told(connection, found.device_id, now - _FRAMES_SINCE, _EVENTS)
        known = await antennas.heard_at(connection, found.gateway_ids)
        commands = await commands_view.section(
            request, connection, found.tenant_id, asked.dev_eui, texts, given=given, wrong=wrong
        )
    away = sum(antennas_view.is_away(at, now) for at in known.values())
    judged = diagnose(sensor_view.facts(found, away, sum(one.kind == JOIN for one in told), now))
    return rendering.html(
        request,
        "capteur.html",
        status=422 if wrong else 200,
        here="parc",
        crumbs=[Crumb(texts("nav.parc"), "/reseau/parc")],
        name=found.name or found.dev_eui,
        verdict=sensor_view.verdict(judged, texts),
        figures=sensor_view.figures(found, now, texts),
        gateways=sensor_view.gateways(heard, texts),
        days=sensor_view.days(days, texts),
        levels=sensor_view.levels(days, texts),
        factors=sensor_view.factors(days, texts),
        frames=sensor_view.frames(frames, _ZONE, texts),
        events=sensor_view.events(told, _ZONE, texts),
        hides=any(one.payload is None for one in frames),
        commands=commands,
    )


@require(INSTALL)
async def command(request: web.Request) -> web.Response:
    """Tell the sensor what the form says."""
    given, texts = await form(request, *commands_view.FIELDS), rendering.catalogue_of(request)
    asked = commands_view.asked(given)
    if asked is None or not (asked.f_port is None or 1 <= asked.f_port <= 223):
        return await _page(request, given, wrong=texts("downlink.unreadable"))
    if asked.period_s is not None and not 1 <= asked.period_s <= MAX_PERIOD_S:
        return await _page(request, given, wrong=texts("downlink.unreadable"))
    dev_eui = of_path(request, SensorPath).dev_eui
    wish = Wish(asked.command, asked.parameters, None, asked.f_port, confirmed=True, period_s=asked.period_s)
    try:
        async with writer(request) as connection:
            tenant_id = await _tenant_of(request, connection, dev_eui)
            if await idempotency.is_first_time(request, connection, given["feuille"], {"of": dev_eui} | given):
                prepared = await downlinks.prepare(request, connection, tenant_id, dev_eui, wish)
                made = await downlinks.ask(request, connection, tenant_id, wish, prepared)
                told = {"command": asked.command, "made": made}
                await audit.append_own(
                    connection, "device.commanded", tenant_id=tenant_id, subject=dev_eui, detail=told
                )
    except ProblemError as error:
        if error.kind is FORBIDDEN:
            raise
        return await _page(request, given, wrong=commands_view.complaint(error, texts))
    return rendering.onward(f"/reseau/capteurs/{dev_eui}#commandes", done="downlink_asked")


@require(INSTALL)
async def cancel(request: web.Request) -> web.Response:
    """Want a command back that was not sent yet."""
    await form(request)
    path = of_path(request, CommandPath)
    async with writer(request) as connection:
        tenant_id = await _tenant_of(request, connection, path.dev_eui)
        device = await asking.device(connection, tenant_id, path.dev_eui)
        now = request.app[CLOCK]()
        before = await asking.withdraw(connection, tenant_id, device.device_id, path.id, now)
        is_late = before.state not in {"queued", "accepted"}
        if not is_late:
            await audit.append_own(
                connection, "device.command_cancelled", tenant_id=tenant_id, subject=path.dev_eui,
                detail={"downlink": path.id},
            )  # fmt: skip
    done = "downlink_late" if is_late else "downlink_cancelled"
    return rendering.onward(f"/reseau/capteurs/{path.dev_eui}#commandes", done=done)


async def _tenant_of(request: web.Request, connection: asyncpg.Connection, dev_eui: str) -> int:
    """Return whose the device is, for who may install there. Raises NotFoundError, ProblemError."""
    tenant_id = (await sensors.sensor(connection, dev_eui)).tenant_id
    if not await narrow(connection, tenant_id, INSTALL):
        raise ProblemError(FORBIDDEN, f"It takes the permission `{INSTALL}` on the sensor's tenant.")
    request[TENANT_ID] = tenant_id
    return tenant_id


ROUTES: Final = (web.get(PATH, show), web.post(COMMANDS, command), web.post(CANCEL, cancel))
