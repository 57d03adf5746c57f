"""Numbers, durations, days and moments in French and English, for the sentences of rules.

`api` has words of its own for pages; alerting cannot import them, and a message needs fewer.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from domain.quantities import QUANTITIES

Language = Literal["fr", "en"]
Texts = Mapping[Language, str]

LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0

_NO_BREAK: Final = "\u00a0"
_NARROW: Final = "\u202f"

# UCUM code -> symbol, decimals worth saying.
_UNITS: Final[Mapping[str, tuple[str, int]]] = {
    "1": ("", 2),
    "Cel": ("°C", 1),
    "[ppm]": ("ppm", 0),
    "[ppb]": ("ppb", 0),
    "[pH]": ("", 1),
    "[NTU]": ("NTU", 1),
    "[g]": ("g", 2),
    "%": ("%", 0),
    "m3": ("m³", 2),
    "m3/h": ("m³/h", 2),
    "L/h": ("L/h", 0),
    "m3/d": ("m³/jour", 2),
    "ug/m3": ("µg/m³", 0),
    "uS/cm": ("µS/cm", 0),
    "W/m2": ("W/m²", 0),
    "Bq/m3": ("Bq/m³", 0),
    "kW.h": ("kWh", 0),
    "kV.A{r}.h": ("kvarh", 0),
    "V.A": ("VA", 0),
    "V.A{r}": ("var", 0),
    "A.h": ("Ah", 1),
    "deg": ("°", 0),
    "dB[A]": ("dB(A)", 0),
    "W": ("W", 0),
    "V": ("V", 2),
    "m": ("m", 2),
    "bar": ("bar", 1),
    "hPa": ("hPa", 0),
}

_DAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS: Final[Mapping[Language, tuple[str, ...]]] = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip


def number(value: float, language: Language, decimals: int = 2) -> str:
    """Return a number: "1 500,5" in French, "1,500.5" in English; no decimals that say nothing."""
    if not math.isfinite(value):
        return "—"
    text = f"{value:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if text == "-0":
        text = "0"
    if language == "en":
        return text
    return text.replace(",", _NARROW).replace(".", ",")


def unit_of(quantity: str) -> str:
    """Return the UCUM unit of a quantity; "1" for one that is not in the vocabulary."""
    known = QUANTITIES.get(quantity)
    return "1" if known is None else known.unit


def amount(value: float, unit: str, language: Language) -> str:
    """Return a value with its unit: "1 500 ppm"; a small flow in litres an hour, as on a tap."""
    if unit == "m3/h" and 0 < abs(value) < 1:
        value, unit = value * 1000, "L/h"
    symbol, decimals = _UNITS.get(unit, (unit, 2))
    if language == "en":
        symbol = symbol.replace("jour", "day")
    said = number(value, language, max(decimals, 2) if 0 < abs(value) < 1 else decimals)
    if symbol == "%" and language == "en":
        return said + "%"
    return said + (_NO_BREAK + symbol if symbol else "")


def measured(value: float, quantity: str, language: Language) -> str:
    """Return a value of a quantity with its unit."""
    return amount(value, unit_of(quantity), language)


def label(quantity: str, language: Language) -> str:
    """Return what a quantity is called; its own name when it is not in the vocabulary."""
    known = QUANTITIES.get(quantity)
    if known is None:
        return quantity
    return known.label_fr if language == "fr" else known.label_en


# How French speaks of a quantity, by the first word of its label; one that is not here is quoted.
_FEMININE: Final = frozenset((
    "Accélération", "Alarme", "Altitude", "Charge", "Conductivité", "Direction", "Distance", "Entrée",
    "Fréquence", "Fuite", "Humectation", "Humidité", "Intensité", "Latitude", "Longitude", "Ouverture",
    "Pile", "Pluie", "Pression", "Présence", "Puissance", "Période", "Rafale", "Température", "Tension",
    "Turbidité", "Vitesse", "Énergie",
))  # fmt: skip
_MASCULINE: Final = frozenset((
    "Boîtier", "CO2", "Dioxyde", "Débit", "Défaut", "Facteur", "Formaldéhyde", "Index", "Indice", "Monoxyde",
    "Niveau", "Oxygène", "Ozone", "Point", "RSSI", "Radon", "Rayonnement", "Roulis", "SNR", "Tangage", "pH",
    "Éclairement",
))  # fmt: skip
_ELIDED: Final = "AEIOUHÉÈÊ"


def subject(quantity: str, language: Language) -> str:
    """Return a quantity as the subject of a sentence: "la température", "the temperature"."""
    name = _within(label(quantity, language))
    if language == "en":
        return f"the {name}" if quantity in QUANTITIES else name
    first = label(quantity, "fr").partition(" ")[0]
    if first not in _FEMININE | _MASCULINE:
        return f"«{_NO_BREAK}{label(quantity, 'fr')}{_NO_BREAK}»"
    if first[0] in _ELIDED:
        return f"l'{name}"
    return f"{'la' if first in _FEMININE else 'le'} {name}"


# What a meter's index counts the use of.
_USED: Final[Mapping[str, Texts]] = {
    "active_energy_import": {"fr": "d'électricité", "en": "electricity"},
    "water_volume": {"fr": "d'eau", "en": "water"},
    "gas_volume": {"fr": "de gaz", "en": "gas"},
    "heat_energy": {"fr": "de chaleur", "en": "heat"},
}


def use(quantity: str, language: Language) -> str:
    """Return the use of what a meter counts: "la consommation d'eau", "water consumption"."""
    used = _USED.get(quantity)
    if language == "en":
        return f"{used['en']} consumption" if used else f"the consumption of {_within(label(quantity, 'en'))}"
    return f"la consommation {used['fr']}" if used else f"la consommation ({label(quantity, 'fr')})"


def is_state(quantity: str) -> bool:
    """Say whether a quantity is there or not, 1 or 0: a leak, an alarm."""
    known = QUANTITIES.get(quantity)
    return known is not None and known.kind == "state" and known.high == 1


def signalled(quantity: str, language: Language, *, there: bool, where: str = "") -> str:
    """Return that a state is there, or is not: "la fuite d'eau est signalée"; `where` comes after its name."""
    if language == "en":
        return f"“{label(quantity, language)}”{where} is {'' if there else 'not '}reported"
    feminine = label(quantity, "fr").partition(" ")[0] in _FEMININE
    verb = "est" if there else "n'est pas"
    return f"{subject(quantity, 'fr')}{where} {verb} signalé{'e' if feminine else ''}"


def of(quantity: str, language: Language) -> str:
    """Return what something is of: "de température", "of temperature"."""
    name = _within(label(quantity, language))
    if language == "en":
        return f"of {name}"
    return f"d'{name}" if label(quantity, "fr")[:1] in _ELIDED else f"de {name}"


def _within(name: str) -> str:
    """Return a label as it stands within a sentence: a small letter, unless it is an acronym."""
    return name if name[1:2].isupper() or name[:2].isupper() else name[:1].lower() + name[1:]


def lasting(seconds: float, language: Language) -> str:
    """Return a duration in at most two units: "20 minutes", "1 heure 30 minutes"."""
    units = (
        (DAY_S, "jour", "day"),
        (HOUR_S, "heure", "hour"),
        (MINUTE_S, "minute", "minute"),
        (1.0, "seconde", "second"),
    )
    left = round(seconds)
    said: list[str] = []
    for size_s, french, english in units:
        count = int(left // size_s)
        if count and len(said) < 2:
            name = french if language == "fr" else english
            said.append(f"{count}{_NO_BREAK}{name}{'s' if count > 1 else ''}")
            left -= int(count * size_s)
    return " ".join(said) or f"0{_NO_BREAK}{'seconde' if language == 'fr' else 'second'}"


def moment(at_s: float, zone: ZoneInfo, language: Language) -> str:
    """Return a moment of a zone: "dimanche 22 novembre à 14 h 05"."""
    local = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    day, month = _DAYS[language][local.weekday()], _MONTHS[language][local.month - 1]
    if language == "fr":
        first = "1er" if local.day == 1 else str(local.day)
        return f"{day} {first} {month} à {clock(local.hour, local.minute, language)}"
    return f"{day} {local.day} {month} at {clock(local.hour, local.minute, language)}"


def would_have(count: int, over: timedelta, language: Language) -> str:
    """Return how often a rule would have fired in the time before now, without a full stop."""
    days = round(over.total_seconds() / DAY_S)
    if language == "fr":
        times = {0: "ne se serait pas déclenchée", 1: "se serait déclenchée 1 fois"}
        return f"Sur les {days} derniers jours, cette règle {times.get(count, f'se serait déclenchée {count} fois')}"
    times = {0: "would not have fired", 1: "would have fired once"}
    return f"Over the last {days} days, this rule {times.get(count, f'would have fired {count} times')}"


def clock(hour: int, minute: int, language: Language) -> str:
    """Return a time of day: "8 h 30", "08:30"."""
    if language == "en":
        return f"{hour:02d}:{minute:02d}"
    return f"{hour}{_NO_BREAK}h" + (f"{_NO_BREAK}{minute:02d}" if minute else "")
