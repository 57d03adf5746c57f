"""A mapping proposed from the names, units and values in a codec's example answers. Pure; a person confirms it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from decoders.javascript.mapping import Field, general, leaves
from domain.quantities import QUANTITIES, is_plausible

# Words of a field's name -> quantity; the first line whose words all occur decides. A word may be one of several.
_NAMES: Final[tuple[tuple[str, str], ...]] = (
    ("soil temperature|temp", "soil_temperature"),
    ("soil moisture|humidity|hum|vwc|water", "soil_moisture"),
    ("soil conductivity|ec|conduct", "soil_conductivity"),
    ("water temperature|temp", "water_temperature"),
    ("water pressure", "water_pressure"),
    ("water level|depth", "water_level"),
    ("water conductivity", "water_conductivity"),
    ("leak|leakage|flood|waterleak", "water_leak"),
    ("target|setpoint|set|desired temperature|temp|point", "setpoint_temperature"),
    ("dew point|dewpoint", "dew_point"),
    ("dewpoint", "dew_point"),
    ("internal|device|chip|board|mcu temperature|temp", "device_temperature"),
    ("flow temperature|temp", "flow_temperature"),
    ("return temperature|temp", "return_temperature"),
    ("battery|bat|batt|vbat|batv|bv|vdd|batteryvoltage percent|percentage|level|pct|soc|remaining", "battery_level"),
    ("low battery|bat|batt", "battery_low"),
    ("battery|bat|batt|vbat|batv|vdd|batteryvoltage", "battery_voltage"),
    ("temperature|temp|tempc|tmp|temperatur", "temperature"),
    ("humidity|hum|rh|relativehumidity|humi", "humidity"),
    ("co2|carbondioxide|eco2", "co2"),
    ("tvoc|voc", "tvoc"),
    ("differential|delta pressure|p", "differential_pressure"),
    ("pressure|barometer|barometric|baro|atm", "pressure"),
    ("pm2_5|pm25", "pm2_5"),
    ("pm10", "pm10"),
    ("pm1|pm1_0", "pm1"),
    ("hcho|formaldehyde", "formaldehyde"),
    ("o3|ozone", "ozone"),
    ("no2", "no2"),
    ("radon", "radon"),
    ("illuminance|illumination|light|lux|ill|luminosity|brightness", "illuminance"),
    ("uv", "uv_index"),
    ("sound|noise|laeq|spl|lae|leq", "sound_level"),
    ("wind gust", "wind_gust"),
    ("wind speed", "wind_speed"),
    ("wind direction|dir|heading", "wind_direction"),
    ("rain|rainfall|precipitation", "rain"),
    ("solar|irradiance|pyranometer|radiation", "solar_irradiance"),
    ("leaf", "leaf_wetness"),
    ("latitude|lat", "latitude"),
    ("longitude|lon|lng|long", "longitude"),
    ("altitude|alt", "altitude"),
    ("presence|occupancy|occupied|pir|motion", "presence"),
    ("people|person|entries|passage count|counter|in|total", "people_count"),
    ("open|opened|door|contact|magnet|reed", "open"),
    ("tamper|tampered", "tamper"),
    ("ph", "ph"),
    ("turbidity", "turbidity"),
    ("dissolved oxygen", "dissolved_oxygen"),
    ("flow|flowrate", "water_flow"),
    ("distance|dist|ullage", "distance"),
    ("level|depth", "water_level"),
    ("power factor", "power_factor"),
    ("powerfactor|cosphi", "power_factor"),
    ("reactive power", "reactive_power"),
    ("apparent power", "apparent_power"),
    ("power", "active_power"),
    ("export|exported|injected|produced energy|activeenergy", "active_energy_export"),
    ("reactive energy", "reactive_energy_import"),
    ("energy|kwh|wh", "active_energy_import"),
    ("voltage|volt|volts|vrms", "voltage"),
    ("current|irms|ampere|amps", "current"),
    ("frequency|freq", "frequency"),
    ("valve position|opening|openness", "valve_position"),
    ("pulse|pulses|counter|count|index|total", "pulse_count"),
    ("volume|meter|consumption", "water_volume"),
    ("alarm|alert", "alarm"),
)

# UCUM unit of a quantity -> other spellings -> (factor, offset). The first are tried first where none is said.
_UNITS: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "Cel": {"c": (1, 0), "celsius": (1, 0), "degc": (1, 0), "f": (5 / 9, -160 / 9), "k": (1, -273.15)},
    "%": {"percent": (1, 0), "pct": (1, 0), "rh": (1, 0), "%rh": (1, 0)},
    "V": {"v": (1, 0), "volt": (1, 0), "volts": (1, 0), "mv": (0.001, 0)},
    "A": {"a": (1, 0), "ma": (0.001, 0)},
    "W": {"w": (1, 0), "kw": (1000, 0)},
    "kW.h": {"kwh": (1, 0), "wh": (0.001, 0), "mwh": (1000, 0)},
    "hPa": {"hpa": (1, 0), "mbar": (1, 0), "pa": (0.01, 0), "kpa": (10, 0), "bar": (1000, 0)},
    "Pa": {"pa": (1, 0), "hpa": (100, 0), "kpa": (1000, 0)},
    "bar": {"bar": (1, 0), "mbar": (0.001, 0), "kpa": (0.01, 0), "pa": (1e-5, 0)},
    "m": {"m": (1, 0), "mm": (0.001, 0), "cm": (0.01, 0)},
    "mm": {"mm": (1, 0), "cm": (10, 0)},
    "m3": {"m3": (1, 0), "l": (0.001, 0), "litre": (0.001, 0), "liter": (0.001, 0), "liters": (0.001, 0)},
    "m3/h": {"m3/h": (1, 0), "l/h": (0.001, 0), "l/min": (0.06, 0), "lpm": (0.06, 0)},
    "m/s": {"m/s": (1, 0), "ms": (1, 0), "km/h": (1 / 3.6, 0), "kmh": (1 / 3.6, 0), "knots": (1852 / 3600, 0)},
    "uS/cm": {"us/cm": (1, 0), "ms/cm": (1000, 0)},
    "[ppm]": {"ppm": (1, 0)},
    "[ppb]": {"ppb": (1, 0), "ppm": (1000, 0)},
    "lx": {"lux": (1, 0), "lx": (1, 0)},
    "Hz": {"hz": (1, 0), "mhz": (0.001, 0)},
    "dB[A]": {"db": (1, 0), "dba": (1, 0), "db(a)": (1, 0)},
}

_WORDS: Final = re.compile(r"pm\d+(?:_\d+)?|co2|no2|o3|[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_UNIT_MEMBERS: Final = ("unit", "units", "Unit", "_unit")
_VALUE_MEMBERS: Final = frozenset({"value", "val", "_value"})


class Proposal(NamedTuple):
    """A field to confirm. `unit` is what its number is taken to be in; `implausible` are examples that then are."""

    field: Field
    unit: str
    unit_said: bool
    examples: tuple[float, ...]
    implausible: tuple[float, ...]


class Proposed(NamedTuple):
    """What could be proposed, and the paths for which nothing could."""

    proposals: tuple[Proposal, ...]
    unmapped: tuple[str, ...]


def proposed(answers: Sequence[Any]) -> Proposed:
    """Propose a mapping from the answers (`CodecResult.data`) that a codec gave to its examples."""
    values: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    for answer in answers:
        for steps, value in leaves(answer):
            if isinstance(value, bool | int | float):
                path = general(steps)
                values.setdefault(path, []).append(float(value))
                if unit := _said_unit(answer, steps):
                    units[path] = unit
    taken: set[tuple[str, int]] = set()
    found = [(path, _proposal(path, numbers, units.get(path), taken)) for path, numbers in values.items()]
    proposals = tuple(proposal for _, proposal in found if proposal is not None)
    return Proposed(proposals, tuple(path for path, proposal in found if proposal is None))


def _proposal(path: str, numbers: list[float], unit: str | None, taken: set[tuple[str, int]]) -> Proposal | None:
    words = words_of(path)
    quantity = next((name for wanted, name in _NAMES if _occurs(wanted, words)), None)
    if quantity is None:
        return None
    said, factor, offset = _unit(quantity, unit, words, numbers)
    channel = int(words[-1]) if words[-1].isdigit() and len(words[-1]) <= 3 else 0
    while (quantity, channel) in taken:
        channel += 1
    taken.add((quantity, channel))
    known = QUANTITIES[quantity]
    wrong = tuple(number for number in numbers if not is_plausible(known, number * factor + offset))
    field = Field(path, quantity, factor, offset, channel)
    return Proposal(field, said or known.unit, bool(said), tuple(numbers), wrong)


def words_of(path: str) -> list[str]:
    """Return the words of a path's last telling member: camelCase, snake_case and numbers apart."""
    members = [member for member in path.split(".") if member != "*"]
    while len(members) > 1 and members[-1] in _VALUE_MEMBERS:
        members.pop()
    return [word.casefold() for word in _WORDS.findall(members[-1])] or [""]


def _occurs(wanted: str, words: Sequence[str]) -> bool:
    return all(any(one in words for one in several.split("|")) for several in wanted.split(" "))


def _unit(quantity: str, said: str | None, words: Sequence[str], numbers: Sequence[float]) -> tuple[str, float, float]:
    """Return the unit said by a sibling or by the name; else the first that makes every example plausible, unsaid."""
    known = QUANTITIES[quantity]
    others = _UNITS.get(known.unit, {})
    for spelling in _spellings(said, words):
        if spelling == known.unit.casefold():
            return spelling, 1.0, 0.0
        if spelling in others:
            return (spelling, *others[spelling])
    for factor, offset in others.values():
        if all(is_plausible(known, number * factor + offset) for number in numbers):
            return "", factor, offset
    return "", 1.0, 0.0


def _spellings(said: str | None, words: Sequence[str]) -> Iterator[str]:
    if said:
        yield said.casefold().replace("°", "").replace("³", "3").replace("µ", "u").replace("μ", "u").strip()
    yield from reversed(words[1:])


def _said_unit(answer: Any, steps: tuple[str | int, ...]) -> str | None:
    """Return the unit that stands beside a value: `unit` in the same object, or `<name>_unit`."""
    holder = answer
    for step in steps[:-1]:
        holder = holder[step]
    if not isinstance(holder, Mapping):
        return None
    names = (*(_UNIT_MEMBERS if steps[-1] in _VALUE_MEMBERS else ()), f"{steps[-1]}_unit", f"{steps[-1]}Unit")
    return next((unit for name in names if isinstance(unit := holder.get(name), str)), None)
