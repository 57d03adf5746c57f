"""What each use took: meters less what is counted behind them, which adds up to the totals."""

import pytest

from api.pages import breakdown, use
from api.pages.breakdown import REST, UNSAID, Excess, Part, Worth
from api.pages.texts import texts
from api.units import Written
from domain.uses import USES
from store.reading.consumption import Told

POWER, GAS = "active_energy_import", "gas_volume"
FR = texts("fr")


def meter(
    point: int, amount: float, *, part_of: int | None = None, name: str | None = None, site: int = 1, weight: int = 1
) -> Told:
    return Told(POWER, point, use.NOW, None, 20, amount, None, None, site, weight, part_of, name)


def uses(*told: Told) -> dict[tuple[int, str], float]:
    return {(one.site_id, one.use): one.amount for one in breakdown.breakdown(told).parts}


def test_what_no_sub_meter_counted_is_the_rest_and_all_add_up_to_the_general_meter() -> None:
    told = [
        meter(1, 100),
        meter(2, 30, part_of=1, name="heating", weight=0),
        meter(3, 12, part_of=1, name="kitchen", weight=0),
        meter(4, 5, part_of=3, name="lighting", weight=0),
    ]
    assert uses(*told) == {(1, REST): 58, (1, "heating"): 30, (1, "kitchen"): 7, (1, "lighting"): 5}
    assert sum(uses(*told).values()) == 100
    assert breakdown.breakdown(told).excess == []


def test_a_meter_of_which_nothing_is_said_is_no_rest() -> None:
    found = breakdown.breakdown([meter(1, 100), meter(2, 40, site=2)])
    assert {one.use for one in found.parts} == {UNSAID}
    assert not found.is_told
    assert breakdown.shown(found, {POWER: Worth(1, None)}, [], {}, Written("kWh", 0, 0), texts=FR) is None


def test_behind_a_meter_of_another_site_each_site_has_its_own() -> None:
    told = [meter(1, 100), meter(2, 30, part_of=1, site=2), meter(2, 30, part_of=1, site=1, weight=-1)]
    assert uses(*told) == {(1, REST): 70, (2, REST): 30}


def test_sub_meters_that_counted_more_leave_nothing_and_it_is_said() -> None:
    found = breakdown.breakdown([meter(1, 100), meter(2, 130, part_of=1, name="heating", weight=0)])
    assert found.parts == [Part(1, POWER, "heating", 130), Part(1, POWER, REST, 0)]
    assert found.excess == [Excess(1, POWER, 30)]
    within = breakdown.breakdown([meter(1, 100), meter(2, 101, part_of=1, name="heating", weight=0)])
    assert within.excess == []  # two indexes are not read at the same second
    silent = breakdown.breakdown([meter(2, 5, part_of=1, name="heating", weight=0)])
    assert silent.excess == [Excess(1, POWER, 5)]


def test_tables_say_amount_cost_and_share() -> None:
    told = [
        meter(1, 100),
        meter(2, 30, part_of=1, name="heating", weight=0),
        Told(GAS, 9, use.NOW, None, 20, 10.0, None, None, 1, 1, None, "heating"),
        meter(7, 50, site=2),
    ]
    worth = {POWER: Worth(1.0, 0.2), GAS: Worth(10.0, None)}
    shown = breakdown.shown(
        breakdown.breakdown(told), worth, [(1, "École", "/e"), (2, "Gymnase", "/g")], {}, Written("kWh", 0, 0), texts=FR
    )
    assert shown is not None
    plain = [[str(cell).replace("\u00a0", " ").replace("\u202f", " ") for cell in row] for row in shown.rows]
    assert plain == [
        ["Chauffage", "130 kWh", "—", "52 %"],
        ["Autres usages", "70 kWh", "14 €", "28 %"],
        ["Usage non précisé", "50 kWh", "10 €", "20 %"],
    ]
    assert [row[0]["text"] for row in shown.site_rows] == ["École"] * 3  # nothing is said of the other
    said = [row[1] for row in shown.site_rows]
    assert said == [
        "Chauffage (électricité)",
        "Chauffage (gaz)",
        "Autres usages (électricité)",
    ]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_use_has_words(language: str) -> None:
    assert all(texts(language)(f"breakdown.use.{name}") for name in (*USES, REST, UNSAID))
