"""Sensible rules for the usual places of a commune, for the quantities that are measured there. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from alerting.rules._calendar import OpeningHours, weekdays
from alerting.rules._words import DAY_S, HOUR_S, MINUTE_S, Texts

Severity = str  # info, warning, critical


class Proposal(NamedTuple):
    """A rule that suits a place where `quantity` is measured ('': wherever there is a sensor)."""

    name: Texts
    kind: str
    quantity: str
    severity: Severity
    values: Mapping[str, Any]


class Template(NamedTuple):
    """What suits one kind of place. `hours` are proposed where the place has no opening hours yet."""

    title: Texts
    proposals: tuple[Proposal, ...]
    hours: OpeningHours | None


def _named(french: str, english: str) -> Texts:
    return {"fr": french, "en": english}


_SILENCE: Final = Proposal(_named("Capteur silencieux", "Silent sensor"), "silent_sensor", "", "warning", {})
_BATTERIES: Final = (
    Proposal(
        _named("Pile bientôt vide", "Battery running low"),
        "battery_forecast",
        "battery_level",
        "info",
        {"quantity": "battery_level", "empty": 10, "days_left": 60},
    ),
)
_FROST_INDOORS: Final = Proposal(
    _named("Risque de gel à l'intérieur", "Frost indoors"),
    "frost",
    "temperature",
    "critical",
    {"level": 4, "near": 7, "for_s": 30 * MINUTE_S},
)
_WATER: Final = (
    Proposal(
        _named("Fuite d'eau la nuit", "Water leak at night"),
        "night_flow",
        "water_volume",
        "critical",
        {"above": 0.02, "nights": 3},
    ),
    Proposal(
        _named("Débit d'eau continu", "Continuous water flow"),
        "continuous_flow",
        "water_volume",
        "warning",
        {"for_s": DAY_S},
    ),
    Proposal(_named("Retour d'eau", "Back-flow"), "back_flow", "water_volume_reverse", "critical", {}),
)
_ENERGY: Final = (
    Proposal(
        _named("Consommation hors occupation", "Energy outside opening hours"),
        "energy_closed",
        "active_energy_import",
        "info",
        {"above": 3000, "for_s": 2 * HOUR_S},
    ),
    Proposal(
        _named("Dérive de consommation", "Energy use above usual"),
        "energy_baseline",
        "active_energy_import",
        "info",
        {"percent": 30},
    ),
)
_LEAK: Final = Proposal(
    _named("Présence d'eau", "Water on the floor"),
    "threshold",
    "water_leak",
    "critical",
    {"quantity": "water_leak", "above": 0.5},
)
_SCHOOL_HOURS: Final = OpeningHours(
    weekly=weekdays(("08:30", "16:30"), days=("mon", "tue", "thu", "fri")), school_holidays="B"
)
_OFFICE_HOURS: Final = OpeningHours(weekly=weekdays(("08:30", "12:00"), ("13:30", "17:30")))

TEMPLATES: Final[Mapping[str, Template]] = {
    "school": Template(
        _named("École", "School"),
        (
            Proposal(_named("CO2 trop élevé en classe", "CO2 too high in class"), "co2_occupied", "co2", "warning", {}),
            Proposal(
                _named("Classe trop froide", "Class too cold"),
                "threshold",
                "temperature",
                "warning",
                {
                    "quantity": "temperature",
                    "below": 17,
                    "clear": 18,
                    "for_s": HOUR_S,
                    "watch": "open",
                    "hold_s": 2 * HOUR_S,
                },
            ),
            _FROST_INDOORS,
            *_WATER,
            *_ENERGY,
            _LEAK,
            *_BATTERIES,
            _SILENCE,
        ),
        _SCHOOL_HOURS,
    ),
    "swimming_pool": Template(
        _named("Piscine", "Swimming pool"),
        (
            Proposal(
                _named("Eau du bassin trop froide", "Pool too cold"),
                "threshold",
                "water_temperature",
                "warning",
                {"quantity": "water_temperature", "below": 25, "clear": 26, "for_s": HOUR_S, "hold_s": 3 * HOUR_S},
            ),
            Proposal(
                _named("pH de l'eau trop haut", "pH of the water too high"),
                "threshold",
                "ph",
                "critical",
                {"quantity": "ph", "above": 7.7, "clear": 7.6, "for_s": 30 * MINUTE_S, "hold_s": 3 * HOUR_S},
            ),
            Proposal(
                _named("pH de l'eau trop bas", "pH of the water too low"),
                "threshold",
                "ph",
                "critical",
                {"quantity": "ph", "below": 6.9, "clear": 7.0, "for_s": 30 * MINUTE_S, "hold_s": 3 * HOUR_S},
            ),
            Proposal(
                _named("Air trop humide", "Air too humid"),
                "threshold",
                "humidity",
                "info",
                {"quantity": "humidity", "above": 80, "clear": 70, "for_s": 3 * HOUR_S},
            ),
            *_WATER,
            *_ENERGY,
            _LEAK,
            *_BATTERIES,
            _SILENCE,
        ),
        None,
    ),
    "water_network": Template(
        _named("Réseau d'eau", "Water network"),
        (
            *_WATER,
            Proposal(
                _named("Compteur arrêté", "Meter that stopped"),
                "no_consumption",
                "water_volume",
                "info",
                {"for_s": 7 * DAY_S},
            ),
            Proposal(
                _named("Pression trop basse", "Pressure too low"),
                "threshold",
                "water_pressure",
                "critical",
                {"quantity": "water_pressure", "below": 2, "clear": 2.3, "for_s": 15 * MINUTE_S},
            ),
            Proposal(
                _named("Niveau du réservoir bas", "Tank low"),
                "tank_level",
                "water_level",
                "critical",
                {"low": 1.0, "very_low": 0.5},
            ),
            *_BATTERIES,
            _SILENCE,
        ),
        None,
    ),
    "town_hall": Template(
        _named("Mairie", "Town hall"),
        (
            Proposal(
                _named("Bureaux trop froids", "Offices too cold"),
                "threshold",
                "temperature",
                "info",
                {
                    "quantity": "temperature",
                    "below": 17,
                    "clear": 18,
                    "for_s": HOUR_S,
                    "watch": "open",
                    "hold_s": 2 * HOUR_S,
                },
            ),
            _FROST_INDOORS,
            *_WATER,
            *_ENERGY,
            _LEAK,
            *_BATTERIES,
            _SILENCE,
        ),
        _OFFICE_HOURS,
    ),
    "street_lighting": Template(
        _named("Éclairage public", "Street lighting"),
        (
            Proposal(
                _named("Éclairage allumé en plein jour", "Lights on in daytime"),
                "energy_closed",
                "active_energy_import",
                "info",
                {"above": 200, "for_s": 2 * HOUR_S, "watch": "open"},
            ),
            Proposal(
                _named("Éclairage éteint : plus de consommation", "Lights off: no consumption"),
                "no_consumption",
                "active_energy_import",
                "warning",
                {"quantity": "active_energy_import", "for_s": DAY_S},
            ),
            Proposal(
                _named("Dérive de consommation", "Energy use above usual"),
                "energy_baseline",
                "active_energy_import",
                "info",
                {"percent": 30},
            ),
            *_BATTERIES,
            _SILENCE,
        ),
        OpeningHours(
            weekly=weekdays(("10:00", "16:00"), days=("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
            public_holidays="open",
        ),
    ),
}


def proposals(template: Template, measured: AbstractSet[str]) -> list[Proposal]:
    """Return what a template proposes where these quantities are measured."""
    return [one for one in template.proposals if one.quantity in measured or (not one.quantity and measured)]
