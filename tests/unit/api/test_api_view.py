from datetime import UTC, datetime, timedelta
from itertools import count

from api.pages import view
from api.pages.texts import texts
from store.reading.latest import LatestValue
from store.reading.seen import Seen

NOW = datetime(2025, 11, 22, 9, 0, tzinfo=UTC)
FR, EN = texts("fr"), texts("en")


def point(point_id: int = 1, name: str = "Chaufferie", period_s: int | None = None) -> Seen:
    return Seen(point_id, 1, name, period_s, None)


def latest(quantity: str, value: float, *, channel: int = 0, age_s: float = 60, point_id: int = 1) -> LatestValue:
    at = NOW - timedelta(seconds=age_s)
    return LatestValue(point_id, quantity, channel, value, measured_at=at, received_at=at)


def card(*values: LatestValue, period_s: int | None = None) -> view.Card:
    (shown,) = view.cards([point(period_s=period_s)], values, NOW, FR)
    return shown


def test_what_is_measured_comes_before_the_sensor_s_own_state() -> None:
    shown = card(latest("battery_voltage", 3.6), latest("humidity", 45), latest("temperature", 21.25))
    assert shown.main is not None
    assert (shown.main.label, shown.main.number, shown.main.unit) == ("Température", "21,3", "\u00a0°C")
    assert [value.label for value in shown.others] == ["Humidité de l'air"]
    assert [value.label for value in shown.device] == ["Tension de pile"]


def test_states_are_words() -> None:
    assert card(latest("open", 1)).values[0].number == "Ouvert"
    assert view.said("open", 0.0, EN) == ("Closed", "")
    assert view.said("open", 0.5, FR) == ("1", "")  # no state that we know: told as a number


def test_several_channels_of_a_quantity_are_told_apart() -> None:
    shown = card(latest("temperature", 20, channel=1), latest("temperature", 30, channel=2), latest("humidity", 40))
    assert [value.label for value in shown.values] == [
        "Température (voie 1)",
        "Température (voie 2)",
        "Humidité de l'air",
    ]


def test_a_foreign_number_bears_its_own_name_unless_we_know_better() -> None:
    shown = card(latest("ns:strange_index", 1.5), latest("ns:temperature", 21), latest("temperature", 21))
    assert [(value.quantity, value.label) for value in shown.values] == [
        ("temperature", "Température"),
        ("ns:strange_index", "Strange index (unité inconnue)"),
    ]
    alone = card(latest("ns:temperature", 21))
    assert [(value.label, value.unit) for value in alone.values] == [("Température", "")]


def test_what_only_technicians_read_is_not_shown() -> None:
    assert card(latest("downlink_rssi", -100), latest("device_restart_count", 3)).values == []


def test_a_point_is_late_after_three_periods_of_its_sensor_and_an_hour_at_least() -> None:
    def status(age_s: float, period_s: int | None) -> str:
        return card(latest("temperature", 20, age_s=age_s), period_s=period_s).status

    assert [status(3 * 3600, 3600), status(3 * 3600 + 1, 3600)] == [view.FRESH, view.LATE]
    assert [status(3600, 60), status(3601, 60)] == [view.FRESH, view.LATE]
    assert [status(25 * 3600, None), status(25 * 3600 + 1, None)] == [view.FRESH, view.LATE]
    assert card().status == view.NEVER


def test_the_newest_value_of_a_point_says_its_age() -> None:
    shown = card(latest("temperature", 20, age_s=7200), latest("humidity", 40, age_s=180))
    assert shown.age == "il y a 3 minutes"


def test_points_are_by_name_whatever_its_accents() -> None:
    points = [point(1, "Zinc"), point(2, "Écran"), point(3, "Fenêtre")]
    assert [one.name for one in view.cards(points, [], NOW, FR)] == ["Écran", "Fenêtre", "Zinc"]


def sentence(names: str, late: str) -> str:
    numbers = count(1)
    points = [point(next(numbers), name) for name in names]
    values = [latest("temperature", 20, point_id=one.point_id, age_s=1e6 if one.name in late else 1) for one in points]
    said = view.summary(view.cards(points, values, NOW, FR), FR)
    assert said is not None
    return said.words.replace("\u00a0", " ")


def test_the_sentence_at_the_top_names_what_to_look_at() -> None:
    assert sentence("abc", late="") == "Tout va bien : les 3 points de mesure donnent des nouvelles."
    assert sentence("a", late="") == "Tout va bien : le point de mesure donne des nouvelles."
    assert sentence("abc", late="b") == "1 point à regarder sur 3 : b."
    assert sentence("abcd", late="abcd") == "4 points à regarder sur 4 : a, b, c et 1 autre."
    assert view.summary([], FR) is None
