"""How sites fare, what is to be looked at, how a sensor is received, and which period of a point is shown."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.pages import fare, point_view, radio, ranges, rhythm
from api.pages.fare import Fleet
from api.pages.rhythm import Around
from api.pages.texts import texts
from store.reading.attention import Attention
from store.reading.hourly import Hour
from store.reading.point import Measurer, Watched
from store.reading.seen import Seen
from store.reading.territory import Site

NOW = datetime(2025, 11, 20, 12, 0, tzinfo=UTC)  # a Thursday, 13 h in Paris
PARIS = ZoneInfo("Europe/Paris")
FR = texts("fr")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def site(site_id: int, name: str, kind: str = "school") -> Site:
    return Site(site_id, name, kind, None, None)


def seen(point_id: int, site_id: int = 1, *, age: timedelta | None = HOUR, period_s: int | None = 3600) -> Seen:
    return Seen(point_id, site_id, f"Point {point_id}", period_s, None if age is None else NOW - age)


def incident(
    site_id: int | None = 1, *, kind: str = "threshold", severity: str = "warning", point_id: int | None = 1
) -> Attention:
    definition = {"quantity": "co2", "above": 1000} if kind == "threshold" else {}
    reason = {"value": 1250.0, "level": 1000.0} if kind == "threshold" else {"silent_s": 9e4, "code": "silent"}
    return Attention(
        7, severity, NOW - 2 * HOUR, None, 1, site_id, point_id, "Air", "CO2 en classe", kind, definition, reason
    )


def test_an_alert_is_told_with_its_place_its_figures_and_what_to_do() -> None:
    fleet = Fleet([site(1, "École")], [seen(1)], [incident()])
    (item,) = fare.items(fleet, "/t/x", NOW, FR)
    assert item.title == "CO2 en classe (École, Air)"
    assert item.detail.replace("\u00a0", " ").replace("\u202f", " ").startswith("CO2 : 1 250 ppm")
    assert item.action.startswith("Vérifier sur place")
    assert (item.kind, item.href, item.since) == ("watch", "/t/x/points/1", "il y a 2 heures")


def test_silent_sensors_are_one_thing_to_look_at_and_named() -> None:
    fleet = Fleet([site(1, "École")], [seen(n, age=2 * DAY) for n in range(1, 6)], [])
    (item,) = fare.items(fleet, "/t/x", NOW, FR)
    assert item.title == "5 capteurs sans nouvelles"
    assert item.detail == "Point 1 (École), Point 2 (École), Point 3 (École) et 2 autres"
    assert item.href == "/t/x/sites"


def test_what_never_spoke_is_awaited_and_not_late() -> None:
    fleet = Fleet([site(1, "École")], [seen(1, age=None)], [])
    assert fare.items(fleet, "/t/x", NOW, FR) == []
    assert fare.places(fleet, "/t/x", NOW, FR)[0].status == "none"


def test_a_site_fares_as_the_worst_of_it() -> None:
    sites = [site(2, "Mairie"), site(1, "École"), site(3, "Stade"), site(4, "Église")]
    points = [seen(1), seen(2, 2, age=DAY), seen(3, 3)]
    fleet = Fleet(sites, points, [incident(3, severity="critical")])
    found = {place.name: place.status for place in fare.places(fleet, "/t/x", NOW, FR)}
    assert list(found) == ["École", "Église", "Mairie", "Stade"]
    assert found == {"École": "good", "Église": "none", "Mairie": "watch", "Stade": "bad"}


def test_a_kind_of_site_that_nobody_knows_is_told_as_it_is() -> None:
    assert [fare.site_kind(kind, FR) for kind in ("school", "other", "lavoir")] == ["École", "", "lavoir"]


def measurer(*, sf: int | None = 7, snr: float | None = 8.0, heard: int | None = 100, lost: int | None = 0) -> Measurer:
    return Measurer(1, "0" * 16, "", None, None, None, None, None, NOW, sf, -90.0, snr, 2, heard, lost)


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (measurer(), "good"),
        (measurer(sf=12, snr=-9.0), "good"),  # 11 dB above what SF12 needs
        (measurer(sf=12, snr=-15.0), "watch"),
        (measurer(sf=7, snr=-6.0), "bad"),
        (measurer(lost=20), "watch"),
        (measurer(lost=60), "bad"),
        (measurer(sf=None, snr=None), "good"),
        (measurer(sf=None, snr=None, heard=None, lost=None), "none"),
    ],
)
def test_a_signal_is_the_worse_of_its_margin_and_its_losses(one: Measurer, status: str) -> None:
    assert radio.signal(one, FR).status == status


def test_a_signal_is_told_in_plain_words_and_then_in_figures() -> None:
    told = radio.signal(measurer(lost=25), FR)
    assert told.words == "Signal correct"
    assert (
        told.figures == "80 messages reçus sur 100 cette semaine. 2 antennes l'entendent. SF7, RSSI -90 dBm, SNR 8 dB"
    )


def test_levels_that_rules_watch_are_those_of_the_quantity_shown() -> None:
    co2 = Watched(1, "CO2 en classe", "co2_occupied", {})
    frost = Watched(2, "Gel", "frost", {})
    assert [level.value for level in point_view.levels([co2, frost], "co2", 0, FR)] == [800, 1500]
    assert [level.value for level in point_view.levels([co2, frost], "temperature", 0, FR)] == [1.0]
    assert point_view.levels([co2], "co2", 1, FR) == []


def test_periods_of_days_begin_at_midnight_and_the_year_with_a_month() -> None:
    assert ranges.named("24h", NOW, PARIS).start == NOW - DAY
    assert ranges.named("7d", NOW, PARIS).start == datetime(2025, 11, 13, 23, tzinfo=UTC)
    assert ranges.named("1y", NOW, PARIS).start == datetime(2024, 10, 31, 23, tzinfo=UTC)


def test_periods_lie_around_the_one_shown_and_none_in_the_future() -> None:
    shown = ranges.Range("custom", NOW - 3 * DAY, NOW - DAY)
    around = {name: (one.start, one.end) for name, one in ranges.moved(shown, NOW).items()}
    assert around == {
        "earlier": (NOW - 5 * DAY, NOW - 3 * DAY),
        "later": (NOW - DAY, NOW),
        "closer": (NOW - 2.5 * DAY, NOW - 1.5 * DAY),
        "wider": (NOW - 4 * DAY, NOW),
    }
    assert set(ranges.moved(ranges.named("24h", NOW, PARIS), NOW)) == {"earlier", "closer", "wider"}
    assert set(ranges.moved(ranges.Range("custom", NOW - HOUR, NOW - HOUR / 4), NOW)) == {"earlier", "wider"}


@pytest.mark.parametrize(
    ("kind", "days", "compared", "every"),
    [
        ("gauge", 1, False, "raw"),
        ("gauge", 1, True, "1h"),
        ("gauge", 7, False, "1h"),
        ("gauge", 365, False, "1d"),
        ("gauge", 2000, False, "1mo"),
        ("counter", 1, False, "1h"),
        ("counter", 30, False, "1d"),
        ("counter", 365, True, "1mo"),
        ("state", 7, False, "raw"),
        ("state", 7, True, "1d"),
    ],
)
def test_a_period_is_cut_as_suits_it(kind: str, days: int, compared: bool, every: str) -> None:  # noqa: FBT001 - a case
    assert ranges.every(kind, days * DAY, compared=compared) == every


def hours(quantity: str, count: int, increase: float, *, today: float | None = None) -> list[Hour]:
    """An index that grows by so much each hour, today by `today`; the last hour is 11 h UTC."""
    found = []
    for ago in range(1, count + 1):
        at = NOW - ago * HOUR
        grown = today if today is not None and at.astimezone(PARIS).date() == NOW.date() else increase
        found.append(Hour(quantity, None, at, grown, None))
    return found


def around() -> Around:
    return Around(NOW, PARIS, rhythm.is_open(None, PARIS), FR)


@pytest.mark.parametrize(
    ("today", "said"), [(1.0, "Comme d'habitude"), (0.5, "Moins que d'habitude"), (2.0, "Plus que d'habitude")]
)
def test_today_is_told_against_the_same_hours_of_the_same_weekday(today: float, said: str) -> None:
    (one,) = rhythm.uses(hours("water_volume", 28 * 24, 1.0, today=today), around())
    assert one.status_words.startswith(said)
    assert one.usual.startswith("13")


def test_two_weeks_are_needed_for_what_is_usual() -> None:
    (one,) = rhythm.uses(hours("water_volume", 10 * 24, 1.0), around())
    assert (one.usual, one.status) == ("", "none")


def test_hours_outside_occupation_are_counted_by_its_hours() -> None:
    (one,) = rhythm.uses(hours("active_energy_import", 28 * 24, 1.0), around())
    assert one.closed_share.replace("\u00a0", " ") == "72 %"  # open ten hours, five days a week but on 11 November


def test_comfort_is_of_the_occupied_hours() -> None:
    told = [
        Hour("co2", 1, at, None, 1200.0 if rhythm.is_open(None, PARIS)(at) else 400.0)
        for at in (NOW - n * HOUR for n in range(1, 72))
    ]
    (one,) = rhythm.comfort(told, {1: "CM2"}, around())
    assert (one.label, one.status, one.mean.replace("\u00a0", " ").replace("\u202f", " ")) == (
        "CM2",
        "bad",
        "1 200 ppm",
    )


def test_what_is_for_information_is_not_to_be_looked_at() -> None:
    fleet = Fleet([site(1, "École")], [seen(1)], [incident(severity="info")])
    assert fare.items(fleet, "/t/x", NOW, FR) == []
    assert [place.status for place in fare.places(fleet, "/t/x", NOW, FR)] == ["good"]
