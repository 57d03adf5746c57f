"""What the page of the environment says: the air of rooms, comfort, weather, levels, noise. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from domain.indoor_air import ACT_PPM, WATCH_PPM, Confinement, confinement
from store.reading.hourly import HourLevel

CO2: Final = "co2"
TEMPERATURE: Final = "temperature"
HUMIDITY: Final = "humidity"
OTHERS: Final = (
    "water_level",
    "distance",
    "rain",
    "wind_speed",
    "soil_moisture",
    "sound_level",
    "pm2_5",
    "pm10",
    "radon",
)
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
    """What is measured in the open or in the ground: mean and extremes of a quantity over the period."""

    point_id: int
    quantity: str
    mean: float
    low: float
    high: float


class Seen(NamedTuple):
    """Rooms, those with the worst air first, and everything else."""

    rooms: list[Room]
    others: list[Outside]


def seen(levels: Sequence[HourLevel], opened: Mapping[tuple[int, datetime], bool]) -> Seen:
    """Return what hourly levels say; `opened` tells of (site, hour) whether it was open, where that is known."""
    by_point: dict[int, dict[str, list[HourLevel]]] = defaultdict(lambda: defaultdict(list))
    for level in levels:
        by_point[level.point_id][level.quantity].append(level)
    rooms = [_room(point_id, quantities, opened) for point_id, quantities in by_point.items() if CO2 in quantities]
    others = [
        Outside(
            point_id,
            quantity,
            sum(one.mean for one in found) / len(found),
            min(one.low for one in found),
            max(one.high for one in found),
        )
        for point_id, quantities in by_point.items()
        for quantity, found in quantities.items()
        if CO2 not in quantities and (quantity in OTHERS or quantity == TEMPERATURE)
    ]
    return Seen(sorted(rooms, key=lambda room: -(room.air.above_act if room.air else -1)), others)


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
