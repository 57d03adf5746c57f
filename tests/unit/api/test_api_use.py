"""The month that is told of, what was used in it, and how it compares."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.pages import months, periods, use, words
from api.pages.months import Month
from api.pages.texts import texts
from store.reading.consumption import Told

PARIS = ZoneInfo("Europe/Paris")
FR, EN = texts("fr"), texts("en")
MONTH = Month(date(2025, 11, 1), date(2025, 11, 10), PARIS)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def test_the_month_ends_yesterday_and_on_its_first_day_is_the_one_before() -> None:
    assert months.to_date(utc(2025, 11, 22, 9), PARIS)[:2] == (date(2025, 11, 1), date(2025, 11, 21))
    assert months.to_date(utc(2025, 11, 1, 9), PARIS)[:2] == (date(2025, 10, 1), date(2025, 10, 31))
    assert months.to_date(utc(2025, 10, 31, 23, 30), PARIS).last == date(2025, 10, 31)  # in Paris it is November


def test_a_month_is_bounded_by_the_midnights_of_its_zone() -> None:
    october = Month(date(2025, 10, 1), date(2025, 10, 31), PARIS)
    assert october.bounds == (utc(2025, 9, 30, 22), utc(2025, 10, 31, 23))
    assert october.days == 31


@pytest.mark.parametrize(
    ("last", "before"),
    [
        (date(2025, 11, 21), date(2024, 11, 21)),
        (date(2024, 2, 29), date(2023, 2, 28)),
        (date(2025, 12, 31), date(2024, 12, 31)),
    ],
)
def test_a_year_before_are_the_same_days(last: date, before: date) -> None:
    assert months.year_before(Month(last.replace(day=1), last, PARIS))[:2] == (before.replace(day=1), before)


def of_point(
    point_id: int, increase: float, *, period: int = use.NOW, days: int = 10, quantity: str = "water_volume"
) -> Told:
    return Told(quantity, point_id, period, None, days, increase, None, None)


def compared(*told: Told) -> use.Compared:
    return use.compared(use.totals(told), MONTH, FR)


@pytest.mark.parametrize(
    ("now", "status", "said"),
    [
        (92, "good", "\u22128 % par rapport à novembre 2024"),
        (100.4, "good", "Comme en novembre 2024"),
        (104, "good", "+4 % par rapport à novembre 2024"),
        (115, "watch", "+15 % par rapport à novembre 2024"),
        (150, "bad", "+50 % par rapport à novembre 2024"),
    ],
)
def test_a_month_is_compared_with_the_same_days_a_year_before(now: float, status: str, said: str) -> None:
    found = compared(of_point(1, now), of_point(1, 100, period=use.BEFORE))
    assert (found.status, plain(found.words)) == (status, said)


def test_a_new_meter_is_no_increase() -> None:
    found = compared(of_point(1, 90), of_point(1, 100, period=use.BEFORE), of_point(2, 500))
    assert found.ratio == pytest.approx(-0.1)
    half = compared(of_point(1, 90), of_point(1, 50, period=use.BEFORE, days=5))
    assert (half.ratio, half.status) == (None, "none")


def test_a_tile_says_figure_words_and_a_bar_for_each_day() -> None:
    days = [
        Told("water_volume", None, use.NOW, MONTH.bounds[0] + timedelta(days=n), 1, float(n), None, None)
        for n in (0, 1, 9)
    ]
    (tile,) = use.tiles([*days, of_point(1, 10.0)], MONTH, FR)
    assert (tile.title, tile.number, plain(tile.unit)) == ("Eau", "10", " m³")
    assert plain(tile.spark_words) == "Le plus haut : 9 m³, lun. 10 nov."
    assert [bar.split()[0] for bar in tile.spark.split("z")[:-1]] == ["M0.0", "M12.0", "M108.0"]


def test_air_is_told_by_the_peak_of_its_days() -> None:
    def tile(peak: float) -> use.Tile:
        day = Told("co2", None, use.NOW, MONTH.bounds[0], 1, None, 500.0, peak)
        return use.tiles([day, Told("co2", 1, use.NOW, None, 1, None, 500.0, peak)], MONTH, FR)[0]

    assert [tile(peak).compared.status for peak in (800, 801, 1500, 1501)] == ["good", "watch", "watch", "bad"]
    assert plain(tile(1240).number + tile(1240).unit) == "1 240 ppm"


def test_a_sub_meter_alone_makes_no_tile() -> None:
    """Its general meter was not heard this month: what was used is not known."""
    behind = of_point(2, 5.0)._replace(site_id=1, weight=0, part_of=1)
    assert use.tiles([behind], MONTH, FR) == []
    assert use.figure(use.KINDS[3], [behind], MONTH, FR) == "—"
    assert compared(behind, of_point(2, 4.0, period=use.BEFORE)._replace(weight=0)).ratio is None


def test_nothing_measured_makes_no_tile() -> None:
    assert use.tiles([], MONTH, FR) == []
    assert use.figure(use.KINDS[0], [], MONTH, FR) == "—"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Abbeville", "Mairie d'Abbeville"),
        ("Épehy", "Mairie d'Épehy"),
        ("Le Crotoy", "Mairie du Crotoy"),
        ("Les Authieux", "Mairie des Authieux"),
        ("La Chaussée-Tirancourt", "Mairie de La Chaussée-Tirancourt"),
        ("Corbie", "Mairie de Corbie"),
        ("Mairie de Corbie", "Mairie de Corbie"),
    ],
)
def test_a_town_hall_is_named_as_french_does(name: str, said: str) -> None:
    assert words.town_hall(name, FR) == said
    assert words.town_hall(name, EN) == name


def test_numbers_have_the_digits_that_are_worth_reading() -> None:
    said = [plain(words.rounded(value, FR)) for value in (0.123, 1.26, 19.96, 20.4, 1234.5, 0.0)]
    assert said == ["0,12", "1,3", "20", "20", "1 235", "0"]
    assert words.span(date(2025, 11, 1), date(2025, 11, 21), FR) == "1er au 21 novembre"


def test_all_pages_tell_of_the_same_month_and_of_the_same_days_a_year_before() -> None:
    for n in range(4 * 366):
        now = utc(2027, 1, 1, 9) + timedelta(days=n)
        month, period = months.to_date(now, PARIS), periods.period("mois", now, PARIS)
        assert (period.start, period.end) == month.bounds
        assert (period.start_before, period.end_before) == months.year_before(month).bounds
