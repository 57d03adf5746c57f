"""What people fill in of a kind of rule: a form made from its definition, with labels. Pure.

The definition is what decides; this says of each field what a form needs to ask for it.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from alerting.rules._base import Definition
from alerting.rules._words import Language, Texts, label

Ask = Literal["number", "integer", "duration", "quantity", "choice", "point", "time", "condition"]


class Field(NamedTuple):
    """One field. `default` None: it may be left out unless it is `required`; a duration is asked in seconds.

    `common`: all kinds have it, and its default suits nearly always.
    """

    name: str
    label: Texts
    ask: Ask
    required: bool
    default: Any
    least: float | None
    most: float | None
    choices: tuple[str, ...]
    common: bool


def fields(kind: type[Definition]) -> tuple[Field, ...]:
    """Return the fields of a kind: its own first, then those that all kinds have."""
    schema = kind.model_json_schema()
    required = set(schema.get("required", ()))
    own = [name for name in schema["properties"] if name not in Definition.model_fields]
    common = [name for name in schema["properties"] if name in Definition.model_fields]
    return tuple(
        _field(name, schema["properties"][name], required=name in required, common=name in common)
        for name in [*own, *common]
    )


def _field(name: str, schema: Mapping[str, Any], *, required: bool, common: bool) -> Field:
    said = {**schema}
    for one in schema.get("anyOf", ()):
        if one.get("type") != "null":
            said |= one
    choices = tuple(said.get("enum", [said["const"]] if "const" in said else []))
    return Field(
        name,
        LABELS[name],
        _ask(name, said, choices),
        required,
        said.get("default"),
        said.get("minimum", said.get("exclusiveMinimum")),
        said.get("maximum", said.get("exclusiveMaximum")),
        choices,
        common,
    )


def _ask(name: str, said: Mapping[str, Any], choices: tuple[str, ...]) -> Ask:
    if choices:
        return "choice"
    by_name: dict[str, Ask] = {"quantity": "quantity", "when": "condition", "outdoor_point_id": "point"}
    if name in by_name:
        return by_name[name]
    if name.endswith("_s"):
        return "duration"
    if said.get("format") == "time":
        return "time"
    return "integer" if said.get("type") == "integer" else "number"


def choice_label(choice: str, language: Language) -> str:
    """Return what one of a field's choices is called."""
    return _CHOICES[choice][language] if choice in _CHOICES else label(choice, language)


LABELS: Final[Mapping[str, Texts]] = {
    "quantity": {"fr": "Grandeur mesurée", "en": "Quantity measured"},
    "channel": {"fr": "Voie du capteur", "en": "Channel of the sensor"},
    "above": {"fr": "Au-dessus de", "en": "Above"},
    "below": {"fr": "Au-dessous de", "en": "Below"},
    "clear": {"fr": "Fin de l'alerte au niveau", "en": "The alert ends at"},
    "second": {"fr": "Second niveau, plus grave", "en": "Second level, more serious"},
    "n": {"fr": "Combien de mesures au-delà", "en": "How many measurements beyond"},
    "m": {"fr": "Parmi les dernières mesures", "en": "Out of the last measurements"},
    "rise": {"fr": "Hausse de plus de", "en": "Rises by more than"},
    "fall": {"fr": "Baisse de plus de", "en": "Falls by more than"},
    "within_s": {"fr": "En moins de", "en": "Within"},
    "function": {"fr": "Calcul", "en": "Computed as"},
    "over_s": {"fr": "Sur une durée de", "en": "Over"},
    "within": {"fr": "Même valeur, à ceci près", "en": "Same value, to within"},
    "frozen_s": {"fr": "Valeur inchangée depuis", "en": "Unchanged for"},
    "samples": {"fr": "Sur au moins ce nombre de mesures", "en": "Over at least this many measurements"},
    "period_s": {"fr": "Temps entre deux messages", "en": "Time between two messages"},
    "missed": {"fr": "Nombre de messages manqués", "en": "Messages missed"},
    "at_least_s": {"fr": "Silence d'au moins", "en": "Silent for at least"},
    "limit_s": {"fr": "Silence de plus de", "en": "Silent for more than"},
    "empty": {"fr": "Pile vide à", "en": "Battery empty at"},
    "days_left": {"fr": "Prévenir ce nombre de jours avant", "en": "Days ahead to notify"},
    "level": {"fr": "Gel à partir de (°C)", "en": "Frost at (°C)"},
    "near": {"fr": "Surveiller la pente sous (°C)", "en": "Watch the slope below (°C)"},
    "ahead_s": {"fr": "Prévoir le gel à l'avance de", "en": "Forecast frost ahead by"},
    "slope_over_s": {"fr": "Pente mesurée sur", "en": "Slope measured over"},
    "margin": {"fr": "Marge avant la fin de l'alerte", "en": "Margin before the alert ends"},
    "nights": {"fr": "Nuits de suite", "en": "Nights in a row"},
    "begins": {"fr": "Début de la nuit", "en": "The night begins"},
    "ends": {"fr": "Fin de la nuit", "en": "The night ends"},
    "at_most": {"fr": "Pas plus de (par heure)", "en": "Not more than (per hour)"},
    "outdoor_point_id": {"fr": "Point de température extérieure", "en": "Outdoor temperature point"},
    "percent": {"fr": "Dépassement (%)", "en": "Exceeded by (%)"},
    "days": {"fr": "Jours comparés", "en": "Days compared"},
    "budget": {"fr": "Budget du mois", "en": "Monthly budget"},
    "first_days": {"fr": "Sans rien dire les premiers jours", "en": "Say nothing for the first days"},
    "sensor_height_m": {"fr": "Hauteur du capteur au-dessus du fond (m)", "en": "Sensor's height above the bottom (m)"},
    "low": {"fr": "Niveau bas (m)", "en": "Low (m)"},
    "very_low": {"fr": "Niveau très bas (m)", "en": "Very low (m)"},
    "high": {"fr": "Niveau haut (m)", "en": "High (m)"},
    "very_high": {"fr": "Niveau très haut (m)", "en": "Very high (m)"},
    "mode": {"fr": "Combien de points", "en": "How many points"},
    "count": {"fr": "Nombre de points", "en": "Number of points"},
    "when": {"fr": "Conditions", "en": "Conditions"},
    "for_s": {"fr": "Depuis au moins", "en": "For at least"},
    "keep_firing_s": {"fr": "L'alerte se poursuit encore", "en": "The alert goes on for"},
    "hold_s": {"fr": "Une mesure vaut pendant", "en": "A measurement holds for"},
    "no_data": {"fr": "Si le capteur se tait", "en": "If the sensor falls silent"},
    "watch": {"fr": "Quand surveiller", "en": "When to watch"},
    "flap_count": {"fr": "Alertes rapprochées pour dire qu'elle va et vient", "en": "Alerts that make it come and go"},
    "flap_window_s": {"fr": "Rapprochées en moins de", "en": "Within"},
    "calm_s": {"fr": "Calme retrouvé après", "en": "Calm again after"},
}

_CHOICES: Final[Mapping[str, Texts]] = {
    "mean": {"fr": "moyenne", "en": "average"},
    "min": {"fr": "minimum", "en": "lowest"},
    "max": {"fr": "maximum", "en": "highest"},
    "sum": {"fr": "somme", "en": "sum"},
    "count": {"fr": "nombre", "en": "number"},
    "any": {"fr": "au moins un", "en": "any"},
    "all": {"fr": "tous", "en": "all"},
    "keep": {"fr": "l'alerte reste ouverte", "en": "the alert stays open"},
    "resolve": {"fr": "l'alerte se termine", "en": "the alert ends"},
    "always": {"fr": "toujours", "en": "always"},
    "open": {"fr": "aux heures d'ouverture", "en": "during opening hours"},
    "closed": {"fr": "en dehors des heures d'ouverture", "en": "outside opening hours"},
}
