"""The figures of the pages of energy, water and air, from what meters counted."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.pages import air_view, decree, energy_view, periods, water_view
from api.pages.texts import texts
from store.buildings import Building, Price
from store.reading.consumption import Told, Use
from store.reading.hourly import HourLevel, HourUse

FR = texts("fr")
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PERIOD = periods.period("mois", NOW, PARIS)
SCHOOL = Building(1, "École", "school", 1200.0, "school", 2019, 100_000.0)
SMALL = Building(2, "Mairie", "town_hall", None, "", None, None)
ELECTRICITY, GAS = energy_view.ELECTRICITY, energy_view.GAS


def days(quantity: str, amount: float, *, before: bool = False, alike: bool = True) -> list[Use]:
    start = PERIOD.start_before if before else PERIOD.start
    return [
        Use(1, quantity, alike, periods.midnight((start + timedelta(days=n)).date(), PARIS), amount)
        for n in range(PERIOD.days)
    ]


def found(**given: object) -> energy_view.Found:
    empty: dict[str, object] = {
        "now": [], "before": [], "year": [], "hours": [], "buildings": [SCHOOL, SMALL],
        "prices": [], "degree_days": {}, "opened": {}, "zone": PARIS,
    }  # fmt: skip
    return energy_view.Found(**(empty | given))  # type: ignore[arg-type]


def test_gas_counts_in_kilowatt_hours_and_costs_by_the_cubic_metre() -> None:
    prices = [Price(ELECTRICITY, NOW.date().replace(year=2020), 0.2), Price(GAS, NOW.date().replace(year=2020), 1.0)]
    shown = energy_view.figures(found(now=days(ELECTRICITY, 10) + days(GAS, 5), prices=prices))
    assert shown.total.kwh == pytest.approx(21 * (10 + 5 * 11.2))
    assert shown.total.euros == pytest.approx(21 * (10 * 0.2 + 5 * 1.0))
    assert shown.sites[0].kwh_per_m2 == pytest.approx(shown.total.kwh / 1200)
    assert set(shown.by_quantity) == {ELECTRICITY, GAS}


def test_a_price_that_is_not_known_makes_no_cost() -> None:
    assert energy_view.figures(found(now=days(ELECTRICITY, 10))).total.euros is None


def test_a_price_holds_from_the_midnight_of_its_day() -> None:
    prices = [Price(ELECTRICITY, PERIOD.start.date(), 0.2), Price(ELECTRICITY, NOW.date().replace(year=2020), 100.0)]
    first = [use._replace(start=use.start.astimezone(UTC)) for use in days(ELECTRICITY, 10)]  # as the store says it
    assert energy_view.figures(found(now=first, prices=prices)).total.euros == pytest.approx(21 * 10 * 0.2)


def test_only_what_counted_a_year_before_is_compared() -> None:
    now = days(ELECTRICITY, 9) + days(ELECTRICITY, 1000, alike=False)
    shown = energy_view.figures(found(now=now, before=days(ELECTRICITY, 10, before=True)))
    assert shown.total.change == pytest.approx(-0.1)
    assert shown.total.corrected is None  # no weather
    assert energy_view.figures(found(now=now)).total.change is None


def counted(point: int, quantity: str, days: int, *, before: bool = False, amount: float = 1.0) -> Told:
    return Told(quantity, point, int(before), None, days, amount, None, None)


def test_a_point_is_comparable_when_all_of_it_counted_on_four_days_out_of_five_in_both_years() -> None:
    told = [
        *(counted(1, ELECTRICITY, 20), counted(1, ELECTRICITY, 16, before=True)),
        *(counted(2, ELECTRICITY, 20), counted(2, ELECTRICITY, 15, before=True)),
        counted(3, ELECTRICITY, 20),
        *(counted(4, ELECTRICITY, 20), counted(4, ELECTRICITY, 20, before=True), counted(4, GAS, 20)),
    ]
    assert periods.alike(told, 20) == {1}


def test_equal_weather_takes_the_cold_out() -> None:
    """Ten kWh a day and two a degree day in both years, this one colder: nothing changed but the weather."""
    year = periods.period("douze", NOW, PARIS)
    degrees = {}
    uses: dict[bool, list[Use]] = {False: [], True: []}
    for before, start in ((False, year.start), (True, year.start_before)):
        for n in range(365):
            day = periods.midnight((start + timedelta(days=n)).date(), PARIS)
            degrees[day] = (n % 12) + (0 if before else 3)
            uses[before].append(Use(1, ELECTRICITY, alike=True, start=day, amount=10 + 2 * degrees[day]))
    shown = energy_view.figures(found(now=uses[False], before=uses[True], year=uses[False], degree_days=degrees))
    assert shown.total.change is not None
    assert shown.total.change > 0.2
    assert shown.total.corrected == pytest.approx(0, abs=1e-6)


def test_base_load_and_the_share_of_closed_hours() -> None:
    hours = [
        HourUse(1, 1, ELECTRICITY, PERIOD.start + timedelta(hours=n), 2.0 if n % 24 < 12 else 1.0) for n in range(240)
    ]
    opened = {(1, hour.start): hour.amount > 1 for hour in hours}
    site = energy_view.figures(found(now=days(ELECTRICITY, 36), hours=hours, opened=opened)).sites[0]
    assert site.base_load_w == pytest.approx(1000)
    assert site.closed_share == pytest.approx(1 / 3)


def test_the_decree_concerns_large_buildings_and_says_what_is_missing() -> None:
    large = SMALL._replace(floor_area_m2=1000.0)
    first, second = energy_view.decree([SCHOOL, large], {1: 70_000.0}, 2026)
    assert first.on_path is True  # 74,500 this year on the line to 60,000
    assert (first.targets_kwh, second.on_path) == ((60_000, 50_000, 40_000), None)
    assert second.missing == ("activity", "reference", "meter")
    assert energy_view.decree([SMALL], {}, 2026) == []
    heads, told = decree.columns(FR), decree.rows([first, second], FR)
    assert heads[4:7] == [
        f"Objectif {year} (\u2212{share}\u00a0%)" for year, share in ((2030, 40), (2040, 50), (2050, 60))
    ]
    assert [len(row) for row in told] == [len(heads)] * 2
    assert told[1][4:] == [
        "—",
        "—",
        "—",
        {"text": "Il manque\u00a0: l'activité, l'année de référence, un compteur", "status": "none"},
    ]


def test_the_file_for_operat_says_what_a_building_lacks() -> None:
    uses = [Use(1, ELECTRICITY, alike=True, start=NOW, amount=1000.06), Use(1, GAS, alike=True, start=NOW, amount=10)]
    heads, school, hall = decree.file(
        [SCHOOL, SMALL, SMALL._replace(name="Halle", floor_area_m2=900.0)], uses, 2025, FR
    )
    assert heads[0] == "Bâtiment"
    assert school == ["École", "Enseignement primaire", 1200.0, 2019, 100_000.0, 2025, 1000.1, 112.0, None, ""]
    assert hall[0] == "Halle"
    assert hall[-1] == "l'activité, l'année de référence, un compteur"


def night(flow_l: float, nights: int = 6, point: int = 7) -> list[HourUse]:
    return [
        HourUse(1, point, "water_volume", datetime(2026, 11, 21 - n, hour, tzinfo=PARIS), flow_l / 1000)
        for n in range(nights)
        for hour in (2, 3, 4)
    ]


def water(hours: list[HourUse], m3: float, m3_before: float | None = None) -> water_view.Meter:
    prices = [Price("water_volume", NOW.date().replace(year=2020), 4.0)]
    told = [counted(7, "water_volume", 21, amount=m3)]
    if m3_before is not None:
        told.append(counted(7, "water_volume", 21, before=True, amount=m3_before))
    return water_view.meters(water_view.Found(told, hours, prices), PERIOD)[0]


def test_what_runs_every_night_is_a_leak_with_its_cost() -> None:
    meter = water(night(60), 42)
    assert meter.leak is not None
    assert meter.leak.nights == 6
    assert meter.leak_euros == pytest.approx(60 * 24 * 365 / 1000 * 4)
    assert water(night(0), 42).leak is None


def test_a_network_does_not_leak_because_it_runs_at_night() -> None:
    meter = water(night(2500), 1890)
    assert meter.supplies
    assert meter.leak is None


def test_more_than_twice_last_year_is_told() -> None:
    assert water(night(0), 105, 42).is_abnormal
    assert not water(night(0), 84, 42).is_abnormal


def test_what_is_usual_is_the_mean_of_three_years_that_were_counted() -> None:
    assert [end.year - start.year for start, end in PERIOD.years(3)] == [0, 0, 0, 0]
    assert [start.date().isoformat() for start, _ in PERIOD.years(3)] == [
        f"{year}-11-01" for year in range(2026, 2022, -1)
    ]
    years = [(0, 21, 105.0), (1, 21, 42.0), (2, 21, 60.0), (3, 21, 57.0)]  # mean 53: 105 is not twice as much

    def meter(told: list[tuple[int, int, float]]) -> water_view.Meter:
        found = [Told("water_volume", 7, year, None, counted_days, m3, None, None) for year, counted_days, m3 in told]
        return water_view.meters(water_view.Found(found, [], []), PERIOD)[0]

    assert not meter(years).is_abnormal
    assert meter([*years[:2], (2, 5, 60.0), (3, 21, 57.0)]).is_abnormal  # of one of them too few days are known
    assert not meter(years[:1]).is_abnormal


def level(quantity: str, hour: int, mean: float, point: int = 4) -> HourLevel:
    return HourLevel(1, point, quantity, PERIOD.start + timedelta(hours=hour), mean, mean - 1, mean + 1)


def test_a_room_is_judged_while_it_is_occupied() -> None:
    levels = [level("co2", hour, 1800 if hour % 24 in range(9, 17) else 430) for hour in range(96)]
    levels += [level("temperature", hour, 17 if hour % 24 in range(9, 17) else 12) for hour in range(96)]
    levels += [level("sound_level", hour, 40, point=5) for hour in range(4)]
    opened = {(1, one.start): one.start.hour in range(8, 16) for one in levels}
    seen = air_view.seen(levels, {})
    assert seen.rooms[0].air is not None
    assert (seen.rooms[0].air.icone, seen.rooms[0].cold_share) == (5, 1.0)
    assert air_view.verdict(seen.rooms[0].air) == "bad"
    assert [(one.quantity, one.low, one.high) for one in seen.others] == [("sound_level", 39, 41)]
    by_hours = air_view.seen(levels, opened).rooms[0].air
    assert by_hours is not None
    assert by_hours.hours == 32


def mean_of(point: int, quantity: str, mean: float, site: int = 1) -> HourLevel:
    return HourLevel(site, point, quantity, PERIOD.start, mean, mean - 1, mean + 1)


def test_what_is_measured_elsewhere_is_told_by_subject_and_rain_is_what_fell() -> None:
    rained = [Told("rain", 1, 0, None, 20, 42.5, None, None), Told("rain", None, 0, PERIOD.start, 1, 2.0, None, None)]
    levels = [
        mean_of(1, "temperature", 8),
        mean_of(2, "temperature", 19),
        mean_of(3, "water_level", 1.2),
        mean_of(4, "co2", 600),
    ]
    found = air_view.seen([*levels, mean_of(4, "temperature", 20), mean_of(5, "humidity", 80, site=9)], {}, rained, {9})
    told = [(one.subject, one.point_id, one.quantity, one.mean, one.total) for one in found.others]
    assert told == [
        ("rooms", 2, "temperature", 19, None),
        ("weather", 1, "temperature", 8, None),
        ("weather", 1, "rain", None, 42.5),
        ("weather", 5, "humidity", 80, None),
        ("water", 3, "water_level", 1.2, None),
    ]


def test_the_mean_of_noise_is_that_of_its_energy() -> None:
    hours = [mean_of(1, "sound_level", 40), mean_of(1, "sound_level", 60)._replace(start=NOW)]
    (noise,) = air_view.seen(hours, {}).others
    assert noise.mean == pytest.approx(57.03, abs=0.01)
