"""What each device of the demonstration sends, made from what happens around it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from simulators import processes as physics
from simulators.demo import buildings
from simulators.demo.buildings import WEATHER, Habits, Room, Story
from simulators.payloads import axioma, dragino, elsys, fludia, makerfabs, milesight, radiobridge
from simulators.recorded import Recorded

_STEPS: Final = 12  # hours that a meter reader tells at once
_HOUR: Final = timedelta(hours=1)
_TURN_L: Final = 10  # litres of gas a turn of the drum


class Frame(NamedTuple):
    """What a device sends."""

    f_port: int
    payload: bytes


# (seed, UTC time, message number) -> what is sent. The last digit moves with the number, as a real sensor's does.
Sense = Callable[[str, datetime, int], Frame]


def _battery(at: datetime) -> float:
    return 3.6 - 0.3 * (at.year - 2024 + at.timetuple().tm_yday / 366) / 5


def _flicker(number: int) -> int:
    return number & 1


def electricity_meter(index_wh: Recorded) -> Sense:
    """Return an FM432e on a meter: twelve hourly steps in a message."""

    def sense(_seed: str, at: datetime, _number: int) -> Frame:
        return Frame(129, fludia.energy(_hours_before(index_wh, at)))

    return sense


def gas_meter(index_l: Recorded) -> Sense:
    """Return an FM432g on a meter whose drum turns once for ten litres."""

    def sense(_seed: str, at: datetime, _number: int) -> Frame:
        return Frame(129, fludia.gas([litres * 10 // _TURN_L for litres in _hours_before(index_l, at)]))

    return sense


def water_meter(index_l: Recorded, *, leaks: bool = False) -> Sense:
    """Return a Qalcosonic W1: the volume now and at the last whole hours."""

    def sense(_seed: str, at: datetime, _number: int) -> Frame:
        hour = at.replace(minute=0, second=0, microsecond=0)
        payload = axioma.volume(
            at, int(index_l.at(at)), hour - _STEPS * _HOUR, _hours_before(index_l, hour), leak=leaks
        )
        return Frame(100, payload)

    return sense


def _hours_before(index: Recorded, at: datetime) -> list[int]:
    return [int(index.at(at - age * _HOUR)) for age in range(_STEPS, -1, -1)]


def room_air(story: Story, habits: Habits, room: Room) -> Sense:
    """Return an ERS CO2 on the wall of a room."""
    co2_ppm, warmth = buildings.room_co2(story, habits, room), buildings.room_temperature(story, habits, room)

    def sense(seed: str, at: datetime, number: int) -> Frame:
        co2 = co2_ppm.at(at) + 12 * physics.drift(seed + "co2", at, 600) + 5 * _flicker(number)
        payload = elsys.room(
            temperature_c=warmth.at(at) + 0.2 * physics.drift(seed + "room", at, 1800),
            humidity_pct=44 + 8 * physics.drift(seed + "rh", at, 7200) + (co2 - 425) / 150,
            light_lx=320 * habits.share(at.astimezone(story.zone)) + 5,
            co2_ppm=co2,
            battery_v=_battery(at),
        )
        return Frame(5, payload)

    return sense


def room_temperature(story: Story, habits: Habits, room: Room) -> Sense:
    """Return an RBS301-TEMP on the wall of a room."""
    warmth = buildings.room_temperature(story, habits, room)

    def sense(seed: str, at: datetime, number: int) -> Frame:
        temperature = warmth.at(at) + 0.2 * physics.drift(seed + "room", at, 900) + 0.1 * _flicker(number)
        return Frame(2, radiobridge.temperature(temperature, counter=number))

    return sense


def room_climate(story: Story, habits: Habits, room: Room) -> Sense:
    """Return an RBS305-ATH in a room."""
    warmth = buildings.room_temperature(story, habits, room)

    def sense(seed: str, at: datetime, number: int) -> Frame:
        temperature = warmth.at(at) + 0.15 * physics.drift(seed + "room", at, 900) + 0.1 * _flicker(number)
        humidity = 47 + 7 * physics.drift(seed + "rh", at, 5400)
        return Frame(2, radiobridge.temperature_humidity(temperature, humidity, counter=number))

    return sense


def outdoors(seed: str, at: datetime, number: int) -> Frame:
    """Sense as an RBS305-ATH in the open, in the shade."""
    temperature = physics.outdoor_temperature(WEATHER, at) + 0.1 * _flicker(number)
    humidity = physics.outdoor_humidity(WEATHER, at) + 0.5 * physics.drift(seed + "rh", at, 1200)
    return Frame(2, radiobridge.temperature_humidity(temperature, min(99.9, humidity), counter=number))


def door(seed: str, at: datetime, number: int) -> Frame:
    """Sense as an RBS301-DWS: often by day, rarely by night; a sign of life each hundred events."""
    if number % 100 == 99:
        return Frame(2, radiobridge.supervisory(_battery(at) - 0.5, counter=number, events=100))
    likely = 0.5 if 6 <= at.hour < 18 else 0.05
    return Frame(2, radiobridge.door(is_open=physics.unit(seed, number) < likely, counter=number))


def socket(story: Story, habits: Habits, index_wh: Recorded) -> Sense:
    """Return a WS523 in a socket."""

    def sense(seed: str, at: datetime, number: int) -> Frame:
        energy = index_wh.at(at)
        power = (energy - index_wh.at(at - _HOUR)) * (1 + 0.04 * physics.drift(seed + "w", at, 300)) + _flicker(number)
        voltage = 231 + 3 * physics.drift(seed + "v", at, 900)
        factor = 0.9 + 0.05 * habits.share(at.astimezone(story.zone))
        payload = milesight.socket(energy_wh=energy, power_w=power, voltage_v=voltage, power_factor=factor)
        return Frame(85, payload)

    return sense


def soil(seed: str, at: datetime, number: int) -> Frame:
    """Sense as an LSE01: water drains between rains, the ground follows the air slowly."""
    moisture = 31 + 9 * physics.drift(seed + "soil", at, 2 * physics.DAY_S) + 0.01 * _flicker(number)
    temperature = 11 + 4 * physics.drift(seed + "ground", at, 3 * physics.DAY_S)
    payload = dragino.soil(
        moisture_pct=moisture, temperature_c=temperature, conductivity_us_cm=8 * moisture, battery_v=_battery(at)
    )
    return Frame(2, payload)


def flower_bed(seed: str, at: datetime, number: int) -> Frame:
    """Sense as a Makerfabs probe in a flower bed."""
    raw = 1450 + 250 * physics.drift(seed + "bed", at, 1.5 * physics.DAY_S) + _flicker(number)
    temperature, humidity = physics.outdoor_temperature(WEATHER, at), physics.outdoor_humidity(WEATHER, at)
    payload = makerfabs.soil(
        number=number, raw=raw, battery_v=3.1, humidity_pct=humidity, temperature_c=temperature + 0.1 * _flicker(number)
    )
    return Frame(2, payload)


def level(empty_m: float, swing_m: float, period_s: float) -> Sense:
    """Return a DDS75-LB looking down at water that rises and falls over `period_s`."""

    def sense(seed: str, at: datetime, number: int) -> Frame:
        distance = empty_m + swing_m * physics.drift(seed + "level", at, period_s) + 0.001 * _flicker(number)
        return Frame(2, dragino.distance(distance, battery_v=_battery(at)))

    return sense


def frozen(sense: Sense, since: datetime) -> Sense:
    """Return a sensor that tells the same values for ever from `since` on, though it goes on telling them."""
    return lambda seed, at, number: sense(seed, min(at, since), 0 if at >= since else number)
