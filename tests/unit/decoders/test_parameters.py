"""What is known of one device, and what decoding makes of it."""

from datetime import UTC, datetime

import pytest

from decoders.parameters import counted, problems_of, unused
from decoders.registry import Decoder, Model, Registry
from domain.readings import DECODED, FAILED, Reading

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
COUNTS = [Reading("pulse_count", 100.0), Reading("pulse_count", 7.0, 1, 3600.0), Reading("battery_low", 0.0)]
LITRES = {"pulse_weight": "10", "pulse_unit": "L"}


def indexes(parameters: dict[str, str], readings: list[Reading] = COUNTS) -> list[tuple[str, int, float]]:
    return [(one.quantity, one.channel, one.value) for one in counted(readings, parameters)[len(readings) :]]


def test_a_pulse_is_worth_what_is_known_of_it() -> None:
    assert indexes({}) == indexes({"other": "1"}) == []
    assert indexes(LITRES) == [("water_volume", 0, 1.0), ("water_volume", 1, 0.07)]
    assert indexes({"pulse_weight": "1", "pulse_unit": "Wh"})[0] == ("active_energy_import", 0, 0.1)
    assert indexes(LITRES | {"pulse_quantity": "gas_volume"})[0] == ("gas_volume", 0, 1.0)
    assert indexes(LITRES | {"pulse_offset": "500"})[0] == ("water_volume", 0, 1.5)


def test_a_channel_has_its_own_where_it_is_said() -> None:
    heat = {"pulse_weight_1": "0.1", "pulse_unit_1": "MWh", "pulse_quantity_1": "heat_energy", "pulse_offset_1": "2"}
    assert indexes(heat) == [("heat_energy", 1, pytest.approx(2700.0))]
    assert indexes(LITRES | heat) == [("water_volume", 0, 1.0), ("heat_energy", 1, pytest.approx(2700.0))]


def test_an_index_is_of_the_time_of_its_count() -> None:
    past = [Reading("pulse_count", 1.0, 0, 0.0, WHEN), Reading("pulse_count", 2.0, 1, 60.0)]
    assert [(one.age_s, one.measured_at) for one in counted(past, LITRES)[2:]] == [(0.0, WHEN), (60.0, None)]


def test_what_the_device_says_itself_is_not_told_twice() -> None:
    assert indexes(LITRES, [Reading("pulse_count", 5.0), Reading("water_volume", 1.0)]) == []


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"pulse_weight": "10"}, "pulse_unit is missing"),
        ({"pulse_weight": "10", "pulse_unit": "gallon"}, "pulse_unit gallon"),
        ({"pulse_weight": "ten", "pulse_unit": "L"}, "ten"),
        ({"pulse_weight": "inf", "pulse_unit": "L"}, "not finite"),
        (LITRES | {"pulse_quantity": "heat_energy"}, "no counter in m3"),
        (LITRES | {"pulse_quantity": "nonsense"}, "no counter in m3"),
        ({"pulse_weight_2": "1", "pulse_unit": "x"}, "pulse_unit x"),
        ({"pmin": "low"}, "pmin 'low' is not a number"),
        ({"x": "y" * 300}, "200 characters"),
    ],
)
def test_what_will_not_do_is_told(parameters: dict[str, str], problem: str) -> None:
    assert problem in " ".join(problems_of(parameters, ("pmin",)))


def test_what_will_do_is_not_complained_of() -> None:
    assert problems_of(LITRES | {"pmin": "-1", "free": "text"}, ("pmin",)) == []
    assert unused(LITRES | {"pmin": "-1", "free": "text"}, ("pmin",)) == ["free"]


def test_a_decoder_gets_its_constants_and_says_which_are_missing() -> None:
    def decode(_payload: bytes, _f_port: int, constants: dict[str, float]) -> list[Reading]:
        return [Reading("pulse_count", constants["k"])] if "k" in constants else []

    registry = Registry([Decoder(Model("acme", "Acme", "A", ()), decode, "v", ("k",))])  # type: ignore[arg-type]
    known = registry.decode("acme", b"\1", 1, None, {"k": "1,5", **LITRES})
    assert (known.outcome, known.detail) == (DECODED, "")
    assert [(one.quantity, one.value) for one in known.readings] == [("pulse_count", 1.5), ("water_volume", 0.015)]
    unknown = registry.decode("acme", b"\1", 1)
    assert (unknown.outcome, unknown.readings) == (DECODED, [])
    assert unknown.detail.startswith("not known of this device: k;")
    assert registry.decode("acme", b"\1", 1, None, {"k": "?"}).outcome == FAILED


def test_how_often_a_device_is_set_up_to_speak_is_whole_seconds_of_a_month_at_most() -> None:
    assert problems_of({"period_s": "43200"}, ()) == []
    assert unused({"period_s": "43200"}, ()) == []
    for wrong in ("0", "-5", "1.5", "²", "2678401", ""):
        assert len(problems_of({"period_s": wrong}, ())) == 1, wrong
