"""From a codec's answer to readings, declared and proposed."""

from datetime import UTC, datetime

import pytest

from decoders.javascript.calls import Codec, CodecResult
from decoders.javascript.mapping import MAX_READINGS, Field, applied, problems_of, unmapped
from decoders.javascript.proposing import proposed
from decoders.javascript.uplinks import ActiveCodec, answered, version_of
from domain.readings import DECODED, FAILED, MALFORMED, Reading


def readings(data: object, *fields: Field) -> list[Reading]:
    return applied(fields, data).readings


def test_a_number_becomes_a_reading_in_the_quantitys_unit() -> None:
    fields = (Field("t", "temperature", 0.1, -10), Field("inner.bat", "battery_voltage", 0.001, channel=2))
    assert readings({"t": 250, "inner": {"bat": 3600}}, *fields) == [
        Reading("temperature", 15.0),
        Reading("battery_voltage", 3.6, 2),
    ]


def test_words_and_booleans_are_states() -> None:
    field = Field("door", "open", words={"open": 1, "closed": 0})
    assert [readings({"door": said}, field)[0].value for said in ("open", "closed", True)] == [1, 0, 1]
    mapped = applied([field], {"door": "ajar"})
    assert mapped.readings == []
    assert mapped.problems == ("door: 'ajar' is no number",)


def test_a_history_goes_to_its_own_times() -> None:
    field = Field("history.*.t", "temperature", time="history.*.timestamp", time_form="epoch_s")
    data = {"history": [{"t": 1, "timestamp": 1665561758}, {"t": 2, "timestamp": 1665561759}, {"t": 3}]}
    when = datetime.fromtimestamp(1665561758, UTC)
    found = readings(data, field)
    assert [(one.value, one.measured_at) for one in found] == [
        (1, when),
        (2, when.replace(second=when.second + 1)),
        (3, None),
    ]


def test_samples_are_chosen_by_a_member() -> None:
    field = Field("samples.[variable=temperature].value", "temperature", time="samples.[variable=temperature].date")
    data = {
        "samples": [
            {"variable": "humidity", "value": 40},
            {"variable": "temperature", "value": 20.5, "date": "2024-05-06T07:08:09+02:00"},
        ]
    }
    mapped = applied([field], data)
    assert mapped.readings == [Reading("temperature", 20.5, measured_at=datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC))]
    assert unmapped(data, mapped.taken) == ("samples.*.value",)


@pytest.mark.parametrize(
    ("said", "form", "age_s", "measured_at"),
    [
        (90, "age_s", 90, None),
        (1665561758000, "epoch_ms", 0, datetime.fromtimestamp(1665561758, UTC)),
        ("2024-01-01T00:00:00", "iso", 0, datetime(2024, 1, 1, tzinfo=UTC)),
    ],
)
def test_forms_of_time(said: object, form: str, age_s: float, measured_at: datetime | None) -> None:
    (one,) = readings({"t": 1, "at": said}, Field("t", "temperature", time="at", time_form=form))  # type: ignore[arg-type]
    assert (one.age_s, one.measured_at) == (age_s, measured_at)


@pytest.mark.parametrize(
    ("said", "form"), [(-1, "age_s"), (12, "epoch_s"), ("soon", "iso"), ("soon", "epoch_ms"), (1e300, "epoch_s")]
)
def test_an_unreadable_time_is_a_problem_and_no_reading(said: object, form: str) -> None:
    mapped = applied([Field("t", "temperature", time="at", time_form=form)], {"t": 1, "at": said})  # type: ignore[arg-type]
    assert mapped.readings == []
    assert len(mapped.problems) == 1


def test_what_nobody_mapped_is_listed_once() -> None:
    data = {"t": 1, "x": {"y": True, "z": "word"}, "list": [{"n": 1}, {"n": 2}], "none": None}
    assert unmapped(data, applied([Field("t", "temperature")], data).taken) == ("x.y", "list.*.n")


@pytest.mark.parametrize(
    "data", [[], {}, {"t": None}, {"t": [1]}, {"t": {}}, {"t": float("inf")}, {"t": 10**400}, {"t": "1"}]
)
def test_what_is_no_number_is_no_reading(data: object) -> None:
    assert readings(data, Field("t", "temperature")) == []


def test_readings_are_bounded() -> None:
    assert len(readings({"t": list(range(10_000))}, Field("t.*", "temperature"))) == MAX_READINGS


def test_a_mapping_is_checked_before_use() -> None:
    assert problems_of([Field("a", "temperature"), Field("b", "temperature", channel=1)]) == ()
    wrong = [Field("a", "warmth"), Field("b", "co2", 0), Field("c", "humidity"), Field("d", "humidity")]
    assert len(problems_of(wrong)) == 3


def proposal_of(*answers: object) -> dict[str, tuple[str, float, int]]:
    return {
        one.field.path: (one.field.quantity, one.field.factor, one.field.channel) for one in proposed(answers).proposals
    }


@pytest.mark.parametrize(
    ("name", "value", "quantity", "factor"),
    [
        ("temperature", 21.5, "temperature", 1),
        ("TempC_SHT", 21.5, "temperature", 1),
        ("BatV", 3.6, "battery_voltage", 1),
        ("battery_mv", 3600, "battery_voltage", 0.001),
        ("vdd", 3426, "battery_voltage", 0.001),
        ("batteryLevel", 90, "battery_level", 1),
        ("battery_percent", 90, "battery_level", 1),
        ("co2", 800, "co2", 1),
        ("relative_humidity", 40, "humidity", 1),
        ("barometric_pressure", 101325, "pressure", 0.01),
        ("pressure_kpa", 101.3, "pressure", 10),
        ("pm2_5", 4, "pm2_5", 1),
        ("soilMoisture", 30, "soil_moisture", 1),
        ("soil_temperature", 12, "soil_temperature", 1),
        ("distance_mm", 1234, "distance", 0.001),
        ("windSpeed", 3, "wind_speed", 1),
        ("active_power_w", 3, "active_power", 1),
        ("energy_wh", 3, "active_energy_import", 0.001),
        ("illuminance", 300, "illuminance", 1),
        ("water_leak", False, "water_leak", 1),
        ("target_temperature", 20, "setpoint_temperature", 1),
    ],
)
def test_a_name_and_its_values_propose_a_quantity(name: str, value: float, quantity: str, factor: float) -> None:
    found, scaled, _ = proposal_of({name: value})[name]
    assert (found, scaled) == (quantity, factor)


def test_a_unit_that_is_said_decides() -> None:
    answer = {"soil_temperature": {"displayName": "Soil", "value": 50, "unit": "°F"}, "power": 2, "power_unit": "kW"}
    assert proposal_of(answer) == {
        "soil_temperature.value": ("soil_temperature", pytest.approx(5 / 9), 0),
        "power": ("active_power", 1000, 0),
    }


def test_several_of_a_kind_have_channels_of_their_own() -> None:
    found = proposal_of({"temperature_chn1": 20, "temperature_chn2": 21, "temp": 3, "temperatur": 4})
    assert [channel for _, _, channel in found.values()] == [1, 2, 0, 3]


def test_what_is_implausible_in_every_unit_is_said() -> None:
    (one,) = proposed([{"humidity": 40}, {"humidity": 4000}]).proposals
    assert (one.implausible, one.unit_said) == ((4000,), False)


def test_what_has_no_name_known_is_listed() -> None:
    found = proposed([{"frobnication": 3, "text": "x", "temperature": 1}])
    assert found.unmapped == ("frobnication",)
    assert [one.field.path for one in found.proposals] == ["temperature"]


@pytest.mark.parametrize(
    ("result", "outcome", "detail"),
    [
        (CodecResult("data", {"t": 21}), DECODED, ""),
        (CodecResult("data", {"t": "?"}, warnings=("old",)), DECODED, "t: '?' is no number; old"),
        (CodecResult("refused", errors=("bad",), detail="bad"), MALFORMED, "refused: bad"),
        (CodecResult("timeout", detail="stopped"), FAILED, "timeout: stopped"),
        (CodecResult("unavailable"), FAILED, "unavailable"),
    ],
)
def test_a_result_is_an_outcome(result: CodecResult, outcome: str, detail: str) -> None:
    found, answer, is_final = answered(ActiveCodec(Codec.of("x"), (Field("t", "temperature"),), "v"), result)
    assert (found.outcome, found.detail, found.version) == (outcome, detail, "v")
    assert (answer, is_final) == (result.data, result.status != "unavailable")
    assert list(found.readings) == ([Reading("temperature", 21.0)] if result.data == {"t": 21} else [])


def test_a_version_is_of_the_script_and_its_mapping() -> None:
    fields = (Field("t", "temperature"),)
    first = version_of(Codec.of("x"), fields)
    assert first.partition(".")[0] == Codec.of("x").sha256[:12]
    assert len({first, version_of(Codec.of("x"), ()), version_of(Codec.of("y"), fields)}) == 3
