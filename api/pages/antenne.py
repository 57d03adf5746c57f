"""The page of one antenna, /reseau/antennes/<eui>: what it hears and sends, and what its loss would silence."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Final, NamedTuple
from urllib.parse import quote

from aiohttp import web

from api.access import SUPERVISE, require
from api.context import CLOCK, reader, writer
from api.pages import antennas_view, network_words, rendering
from api.pages.forms import form
from api.pages.history_view import History, history
from api.pages.network_words import Cell
from api.pages.rendering import Crumb
from api.pages.texts import Texts
from store.access import audit
from store.supervision import antennas
from store.supervision.antennas import Antenna, Dependent, HeardDay, Served

PATH: Final = "/reseau/antennes/{eui}"
_DAYS: Final = 7
_HISTORY: Final = 90  # days of levels drawn; maintenance keeps 92
_LISTED: Final = 200
_MAX_NAME: Final = 100
# The longest frame that an antenna sends often: a join accept of 33 bytes at SF12, 125 kHz (Semtech AN1200.13).
_LONGEST_US: Final = 1_810_432


class SubBand(NamedTuple):
    """A sub-band of EU868 and its duty cycle, percent (ERC recommendation 70-03, annex 1)."""

    low_hz: int
    high_hz: int
    percent: float


SUB_BANDS: Final = (
    SubBand(863_000_000, 865_000_000, 0.1),
    SubBand(865_000_000, 868_000_000, 1.0),
    SubBand(868_000_000, 868_600_000, 1.0),
    SubBand(868_700_000, 869_200_000, 0.1),
    SubBand(869_400_000, 869_650_000, 10.0),
    SubBand(869_700_000, 870_000_000, 1.0),
)


@require(SUPERVISE)
async def show(request: web.Request) -> web.Response:
    """Answer the page."""
    rendering.query(request)
    texts, now = rendering.catalogue_of(request), request.app[CLOCK]()
    today = now.astimezone(UTC).date()
    since = antennas_view.first_hour(now)
    async with reader(request) as connection:
        found = await antennas.antenna(connection, request.match_info["eui"], since)
        served = await antennas.served(connection, [found.gateway_id])
        kept = await antennas.heard_days(connection, found.gateway_id, today - timedelta(days=_HISTORY - 1))
        sent = await antennas.sent_by_frequency(connection, found.gateway_id, since)
        dependents = await antennas.dependents(connection, found.gateway_id, _LISTED)
    heard = [one for one in kept if one.day > today - timedelta(days=_DAYS)]
    judged = antennas_view.state(found, now)
    return rendering.html(
        request,
        "antenne.html",
        here="reseau",
        crumbs=[Crumb(texts("nav.reseau"), "/reseau")],
        name=antennas_view.called(found),
        eui=found.gateway_eui,
        known_as=found.name,
        line=antennas_view.line(found, judged, served, now, texts),
        loss=_loss(found, served, texts),
        figures=_figures(found, texts),
        communes=[_commune(one, texts) for one in served],
        factors=_factors(heard, texts),
        days=_days(heard, texts),
        levels=_levels(kept, texts),
        levels_of=_HISTORY,
        duty=_duty(sent, now - since, texts),
        dependents=[_dependent(one, texts) for one in dependents],
        more=found.alone > len(dependents),
    )


@require(SUPERVISE)
async def call(request: web.Request) -> web.Response:
    """Keep the name by which people know the antenna."""
    given, eui = await form(request, "name"), request.match_info["eui"]
    name = "".join(one for one in given["name"] if one.isprintable()).strip()[:_MAX_NAME]
    async with writer(request) as connection:
        await antennas.call(connection, eui, name)
        await audit.append_own(connection, "gateway.named", subject=eui, detail={"name": name})
    return rendering.onward(f"/reseau/antennes/{quote(eui, safe='')}", done="saved")


def _loss(antenna: Antenna, served: Sequence[Served], texts: Texts) -> str:
    """Return what would be silent without it."""
    if not antenna.alone:
        return texts("net.loss_none")
    return texts.plural("net.loss", antenna.alone, of=antenna.devices, communes=sum(one.alone > 0 for one in served))


def _figures(antenna: Antenna, texts: Texts) -> list[tuple[str, str]]:
    """Return what its network server counted in the last 24 hours."""
    return [
        (texts("net.received"), network_words.count(antenna.received, texts)),
        (texts("net.intact"), network_words.count(antenna.intact, texts)),
        (texts("net.asked"), network_words.count(antenna.asked, texts)),
        (texts("net.sent"), network_words.count(antenna.sent, texts)),
        (texts("net.altitude"), network_words.NONE if antenna.altitude_m is None else f"{antenna.altitude_m:.0f} m"),
        (texts("net.position"), _position(antenna)),
    ]


def _position(antenna: Antenna) -> str:
    if antenna.latitude_deg is None or antenna.longitude_deg is None:
        return network_words.NONE
    return f"{antenna.latitude_deg:.5f} ; {antenna.longitude_deg:.5f}"


def _commune(one: Served, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name, "href": f"/reseau/couverture?commune={quote(one.slug)}"},
        network_words.count(one.devices, texts),
        network_words.count(one.alone, texts),
        network_words.decibels(one.margin_db, texts),
    ]


def _factors(heard: Sequence[HeardDay], texts: Texts) -> list[tuple[str, ...]]:
    """Return frames and time in the air by spreading factor."""
    frames: Counter[int] = Counter()
    airtime_us: Counter[int] = Counter()
    for one in heard:
        frames[one.spreading_factor] += one.frames
        airtime_us[one.spreading_factor] += one.airtime_us
    total, days = frames.total(), len({one.day for one in heard})
    return [
        (
            f"SF{factor}" if factor else texts("net.factor_unknown"),
            network_words.count(frames[factor], texts),
            network_words.share(frames[factor], total, texts),
            network_words.duty(airtime_us[factor], timedelta(days=days), texts),
        )
        for factor in sorted(frames)
    ]


def _days(heard: Sequence[HeardDay], texts: Texts) -> list[tuple[str, ...]]:
    """Return each day: frames, mean RSSI and SNR, and the noise that they leave between them."""
    return [
        (
            network_words.day(day, texts),
            network_words.count(sum(one.frames for one in that), texts),
            network_words.power(rssi, texts),
            network_words.decibels(snr, texts),
            network_words.power(None if rssi is None or snr is None else rssi - snr, texts),
        )
        for day, that, rssi, snr in sorted(_by_day(heard), reverse=True)
    ]


def _by_day(heard: Sequence[HeardDay]) -> list[tuple[date, list[HeardDay], float | None, float | None]]:
    """Return what was heard of each day, with its mean RSSI and SNR over all frames."""
    found: dict[date, list[HeardDay]] = {}
    for one in heard:
        found.setdefault(one.day, []).append(one)
    return [
        (
            day,
            that,
            _mean([(one.rssi_dbm, one.frames) for one in that]),
            _mean([(one.snr_db, one.frames) for one in that]),
        )
        for day, that in found.items()
    ]


def _levels(heard: Sequence[HeardDay], texts: Texts) -> History | None:
    """Return how RSSI and noise went day by day, drawn."""
    known = [(day, rssi, snr) for day, _, rssi, snr in _by_day(heard) if rssi is not None]
    series = (
        ("rssi", texts("net.rssi"), {day: rssi for day, rssi, _ in known}),
        ("noise", texts("net.noise"), {day: rssi - snr for day, rssi, snr in known if snr is not None}),
    )
    return history(series, 10.0, lambda value: network_words.power(value, texts), texts)


def _mean(pairs: Sequence[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in pairs if value is not None]
    whole = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / whole if whole else None


def _duty(sent: Mapping[int, int], over: timedelta, texts: Texts) -> list[tuple[str, ...]]:
    """Return what it sent in the last 24 hours by sub-band, and for how long at most."""
    rows: list[tuple[str, ...]] = []
    for band in SUB_BANDS:
        frames = sum(many for hz, many in sent.items() if band.low_hz <= hz < band.high_hz)
        if frames:
            rows.append(
                (
                    f"{band.low_hz / 1e6:.1f} - {band.high_hz / 1e6:.2f} MHz",
                    network_words.count(frames, texts),
                    network_words.duty(frames * _LONGEST_US, over, texts),
                    f"{band.percent:g} %",
                )
            )
    return rows


def _dependent(one: Dependent, texts: Texts) -> list[Cell]:
    return [
        {"text": one.name or one.dev_eui, "href": f"/reseau/capteurs/{one.dev_eui}"},
        one.tenant,
        network_words.decibels(one.margin_db, texts),
    ]


ROUTES: Final = (web.get(PATH, show), web.post(PATH, call))
