"""The page of one device, /reseau/capteurs/<DevEUI>: whether it is the sensor, the radio or the antenna."""

from datetime import UTC, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from api.access import HEALTH, require
from api.context import CLOCK, reader
from api.pages import antennas_view, rendering, sensor_view
from api.pages.rendering import Crumb
from api.parameters import Asked, DevEui, of_path
from domain.diagnosis import diagnose
from domain.events import JOIN
from store.supervision import antennas, sensors

PATH: Final = "/reseau/capteurs/{dev_eui}"
_ZONE: Final = ZoneInfo("Europe/Paris")
_DAYS: Final = 30
_FRAMES: Final = 50
_FRAMES_SINCE: Final = timedelta(days=30)
_EVENTS: Final = 30


class SensorPath(Asked):
    """One device."""

    dev_eui: DevEui


@require(HEALTH)
async def show(request: web.Request) -> web.Response:
    """Answer the page. What frames say is shown to who may read the tenant's measurements, by the database."""
    rendering.query(request)
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
    away = sum(antennas_view.is_away(at, now) for at in known.values())
    judged = diagnose(sensor_view.facts(found, away, sum(one.kind == JOIN for one in told), now))
    return rendering.html(
        request,
        "capteur.html",
        here="parc",
        crumbs=[Crumb(texts("nav.parc"), "/reseau/parc")],
        name=found.name or found.dev_eui,
        verdict=sensor_view.verdict(judged, texts),
        figures=sensor_view.figures(found, now, texts),
        gateways=sensor_view.gateways(heard, texts),
        days=sensor_view.days(days, texts),
        frames=sensor_view.frames(frames, _ZONE, texts),
        events=sensor_view.events(told, _ZONE, texts),
        hides=any(one.payload is None for one in frames),
    )


ROUTES: Final = (web.get(PATH, show),)
