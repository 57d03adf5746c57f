import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from api.pages import words
from api.pages.texts import texts
from api.units import UNITS, written
from domain.quantities import QUANTITIES

PARIS = ZoneInfo("Europe/Paris")
FR, EN = texts("fr"), texts("en")
NNBSP, NBSP = "\u202f", "\u00a0"


def test_each_quantity_s_unit_has_a_way_to_be_written() -> None:
    assert {quantity.unit for quantity in QUANTITIES.values()} <= UNITS.keys()


@pytest.mark.parametrize(
    ("quantity", "unit", "value", "french", "english"),
    [
        ("temperature", "Cel", 21.25, f"21,3{NBSP}°C", f"21.3{NBSP}°C"),
        ("temperature", "Cel", -0.04, f"0,0{NBSP}°C", f"0.0{NBSP}°C"),
        ("temperature", "Cel", -12.5, f"-12,5{NBSP}°C", f"-12.5{NBSP}°C"),
        ("humidity", "%", 44.5, f"45{NBSP}%", "45%"),
        ("water_volume", "m3", 1234.5678, f"1{NNBSP}234,568{NBSP}m³", f"1,234.568{NBSP}m³"),
        ("active_energy_import", "kW.h", 1234567.0, f"1{NNBSP}234{NNBSP}567,0{NBSP}kWh", f"1,234,567.0{NBSP}kWh"),
        ("wind_direction", "deg", 270.0, "270°", "270°"),
        ("latitude", "deg", 49.894067, "49,89407°", "49.89407°"),
        ("ph", "[pH]", 7.25, "7,3", "7.3"),
        ("ns:anything", "1", 2.5, "2,5", "2.5"),
        ("ns:anything", "1", 2.0, "2", "2"),
        ("ns:anything", "1", 1 / 3, "0,333", "0.333"),
        ("ns:anything", "furlong", 3.0, f"3{NBSP}furlong", f"3{NBSP}furlong"),
    ],
)
def test_numbers_are_written_as_people_do(quantity: str, unit: str, value: float, french: str, english: str) -> None:
    how = written(quantity, unit)
    assert words.quantity(value, how, FR) == french
    assert words.quantity(value, how, EN) == english


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash(value: float) -> None:
    assert words.number(value, written("temperature", "Cel"), FR) == "—"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "à l'instant"),
        (59, "à l'instant"),
        (60, "il y a 1 minute"),
        (3 * 60, "il y a 3 minutes"),
        (3599, "il y a 59 minutes"),
        (3600, "il y a 1 heure"),
        (26 * 3600, "il y a 1 jour"),
        (45 * 86400, "il y a 1 mois"),
        (100 * 86400, "il y a 3 mois"),
        (800 * 86400, "il y a 2 ans"),
    ],
)
def test_ages(seconds: float, said: str) -> None:
    assert words.age(seconds, FR) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (10, "1 minute"),
        (90 * 60, "90 minutes"),
        (4.4 * 3600, "4 heures"),
        (30 * 3600, "30 heures"),
        (3 * 86400, "3 jours"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert words.lasting(seconds, FR) == said


def test_moments_are_the_zone_s() -> None:
    at = datetime(2025, 10, 31, 23, 5, tzinfo=UTC)
    assert words.moment(at, PARIS, "minute", FR) == f"sam. 1er nov., 0{NBSP}h{NBSP}05"
    assert words.moment(at, PARIS, "minute", EN) == "Sat 1 Nov, 00:05"
    assert words.moment(at, PARIS, "hour", FR) == f"sam. 1er nov., 0{NBSP}h"
    assert words.moment(at, ZoneInfo("America/Cayenne"), "day", FR) == "ven. 31 oct."


def test_a_moment_of_another_year_tells_it() -> None:
    at, now = datetime(2024, 12, 31, 23, 5, tzinfo=UTC), datetime(2025, 11, 1, tzinfo=UTC)
    assert words.moment(at, PARIS, "day", FR, now) == "mer. 1er janv."  # of 2025, in Paris
    assert words.moment(at, ZoneInfo("America/Cayenne"), "day", FR, now) == "mar. 31 déc. 2024"
    assert words.moment(at, ZoneInfo("America/Cayenne"), "minute", EN, now) == "Tue 31 Dec 2024, 20:05"


def test_names_are_sorted_without_regard_to_accents_or_capitals() -> None:
    assert sorted(["Zone", "Écreux", "doullens", "eclair"], key=words.sort_key) == [
        "doullens",
        "eclair",
        "Écreux",
        "Zone",
    ]


def test_a_browser_is_told_by_its_name_and_system() -> None:
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0"
    assert words.browser(edge) == "Edge, Windows"
    assert words.browser("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0") == "Firefox, Linux"
    assert words.browser("curl/8.9") == "curl/8.9"
