"""What the page of the environment says: the air of rooms, comfort, weather, levels, noise. Pure."""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from domain.indoor_air import ACT_PPM, WATCH_PPM, Confinement, confinement
from store.reading.consumption import Told
from store.reading.hourly import HourLevel

CO2: Final = "co2"
TEMPERATURE: Final = "temperature"
HUMIDITY: Final = "humidity"
RAIN: Final = "rain"
NOISE: Final = "sound_level"
# What is measured elsewhere than in rooms whose CO2 is known, by subject. Temperature and humidity belong to the
# weather where it is measured, else to rooms.
SUBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "rooms": (TEMPERATURE, HUMIDITY),
    "weather": (RAIN, "wind_speed", "wind_gust", "pressure", "solar_irradiance"),
    "water": ("water_level", "distance"),
    "ground": ("soil_moisture", "soil_temperature"),
    "noise": (NOISE, "sound_level_peak"),
    "outdoor_air": ("pm2_5", "pm10", "no2", "ozone", "radon"),
}
OTHERS: Final = tuple(
    name for subject, names in SUBJECTS.items() if subject != "rooms" for name in names if name != RAIN
)
OUTDOORS: Final = frozenset({"weather", "stadium", "street", "river"})  # kinds of site
SCHOOLS: Final = frozenset({"school", "nursery"})
COLD_C: Final = 18.0  # occupied rooms; Code de l'énergie R241-26: heated to 19 degC on average
WARM_C: Final = 26.0
_OCCUPIED_PPM: Final = 550.0  # where opening hours are not known: somebody breathes


class Room(NamedTuple):
    """A room over the period: CO2 while occupied, the share of occupied hours too cold and too warm, the mean."""

    point_id: int
    air: Confinement | None
    mean_c: float | None
    cold_share: float | None
    warm_share: float | None
    humidity: float | None


class Outside(NamedTuple):
    """What is measured elsewhere: mean and extremes of a quantity over the period, or (rain) what fell in it."""

    point_id: int
    subject: str
    quantity: str
    mean: float | None
    low: float | None
    high: float | None
    total: float | None = None


class Seen(NamedTuple):
    """Rooms, those with the worst air first, and everything else."""

    rooms: list[Room]
    others: list[Outside]


def seen(
    levels: Sequence[HourLevel],
    opened: Mapping[tuple[int, datetime], bool],
    rained: Sequence[Told] = (),
    outdoors: Collection[int] = (),
) -> Seen:
    """Return what hourly levels say; `opened` tells of (site, hour) whether it was open, where that is known.

    `rained` is what fell at each point, mm; `outdoors` are the sites whose temperature is that of the weather.
    """
    by_point: dict[int, dict[str, list[HourLevel]]] = defaultdict(lambda: defaultdict(list))
    for level in levels:
        by_point[level.point_id][level.quantity].append(level)
    rain = {one.point_id: one.increase or 0.0 for one in rained if one.point_id is not None}
    rooms = [_room(point_id, quantities, opened) for point_id, quantities in by_point.items() if CO2 in quantities]
    others = [
        _outside(point_id, quantity, found, is_weather=found[0].site_id in outdoors or point_id in rain)
        for point_id, quantities in by_point.items()
        if CO2 not in quantities
        for quantity, found in quantities.items()
    ]
    others += [Outside(point_id, "weather", RAIN, None, None, None, total) for point_id, total in rain.items()]
    order = list(SUBJECTS)
    others.sort(key=lambda one: (order.index(one.subject), one.point_id))
    return Seen(sorted(rooms, key=lambda room: -(room.air.above_act if room.air else -1)), others)


def _outside(point_id: int, quantity: str, found: Sequence[HourLevel], *, is_weather: bool) -> Outside:
    subject = next(name for name, quantities in SUBJECTS.items() if quantity in quantities)
    means = [one.mean for one in found]
    return Outside(
        point_id,
        "weather" if subject == "rooms" and is_weather else subject,
        quantity,
        _loudness(means) if subject == "noise" else sum(means) / len(means),
        min(one.low for one in found),
        max(one.high for one in found),
    )


def _loudness(levels_db: Sequence[float]) -> float:
    """Return the mean of sound levels as energy has it, dB: twice as long at 60 is not louder (NF S31-110, LAeq)."""
    return 10 * math.log10(sum(10 ** (level / 10) for level in levels_db) / len(levels_db))


def _room(
    point_id: int, quantities: Mapping[str, Sequence[HourLevel]], opened: Mapping[tuple[int, datetime], bool]
) -> Room:
    breathed = {level.start: level.mean for level in quantities[CO2]}

    def occupied(level: HourLevel) -> bool:
        known = opened.get((level.site_id, level.start))
        return breathed.get(level.start, 0.0) > _OCCUPIED_PPM if known is None else known

    warmth = [level.mean for level in quantities.get(TEMPERATURE, ()) if occupied(level)]
    humid = [level.mean for level in quantities.get(HUMIDITY, ())]
    return Room(
        point_id=point_id,
        air=confinement([level.mean for level in quantities[CO2] if occupied(level)]),
        mean_c=sum(warmth) / len(warmth) if warmth else None,
        cold_share=sum(one < COLD_C for one in warmth) / len(warmth) if warmth else None,
        warm_share=sum(one > WARM_C for one in warmth) / len(warmth) if warmth else None,
        humidity=sum(humid) / len(humid) if humid else None,
    )


def verdict(air: Confinement | None) -> str:
    """Return how the air of a room is: good, watch, bad, none."""
    if air is None:
        return "none"
    if air.icone >= 4 or air.mean_ppm > ACT_PPM:
        return "bad"
    return "watch" if air.icone >= 2 or air.mean_ppm > WATCH_PPM else "good"
