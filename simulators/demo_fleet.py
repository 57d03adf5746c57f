"""The demonstration's two invented communes: what is measured where, by which model, following which process."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple

from domain.events import Position
from simulators import processes as physics
from simulators.payloads import dragino, makerfabs, milesight, radiobridge

_SCHOOL_DAYS: Final = frozenset((0, 1, 3, 4))
_WEEKDAYS: Final = frozenset(range(5))
_PROFILES: Final = {
    "dragino-dds75-lb": "Dragino DDS75-LB",
    "dragino-lse01": "Dragino LSE01",
    "makerfabs-soil-moisture": "Makerfabs Soil Moisture Sensor",
    "milesight-am103": "Milesight AM103",
    "milesight-em300-di": "Milesight EM300-DI",
    "milesight-ws523": "Milesight WS523",
    "multitech-rbs301-dws": "Multitech RBS301-DWS",
    "multitech-rbs301-temp": "Multitech RBS301-TEMP",
    "multitech-rbs305-ath": "Multitech RBS305-ATH",
}


class Frame(NamedTuple):
    """What a device sends, and what its network server's codec would make of it where Samara has no decoder."""

    f_port: int
    payload: bytes
    decoded: Mapping[str, Any] | None = None


class Site(NamedTuple):
    """A place of a commune."""

    commune: str
    name: str
    kind: str
    position: Position


class DemoDevice(NamedTuple):
    """One device as the demonstration declares it.

    `quantity` names what its page shows first, in the words of `domain.quantities`; `foreign_quantity` the
    same as the network server's own codec calls it, where it has one ('' otherwise).
    """

    dev_eui: str
    name: str
    model: str
    site: Site
    point: str
    quantity: str
    foreign_quantity: str = ""

    @property
    def profile(self) -> str:
        """The device profile's name in the network server."""
        return _PROFILES[self.model]


# (seed, UTC time, message number) -> what is sent. The last digit moves with the number, as a real sensor's does.
Sense = Callable[[str, datetime, int], Frame]

SCHOOL: Final = Site("Mareuville", "École Jules-Verne", "school", Position(49.9312, 2.2871, 38.0))
TOWN_HALL: Final = Site("Mareuville", "Mairie", "town_hall", Position(49.9329, 2.2834, 41.0))
STADIUM: Final = Site("Mareuville", "Stade municipal", "sports", Position(49.9287, 2.2912, 35.0))
BRIDGE: Final = Site("Mareuville", "Pont de la Selle", "street", Position(49.9341, 2.2902, 27.0))
HALL: Final = Site("Croixval", "Salle des fêtes", "hall", Position(49.9655, 2.3420, 74.0))
RESERVOIR: Final = Site("Croixval", "Château d'eau", "reservoir", Position(49.9688, 2.3391, 96.0))


def _battery(at: datetime) -> float:
    return 3.6 - 0.3 * (at.year - 2024 + at.timetuple().tm_yday / 366) / 5


def _flicker(number: int) -> int:
    return number & 1


def classroom(zone: tzinfo, people: float) -> Sense:
    """Return an AM103 in a room of 180 m3 where `people` sit during school hours."""
    lessons = physics.working_hours(8.5, 16.5, _SCHOOL_DAYS)

    def sense(seed: str, at: datetime, number: int) -> Frame:
        outdoor = physics.outdoor_temperature(seed, at)
        co2 = physics.room_co2(at, zone, lessons, people=people, volume_m3=180.0)
        co2 += 12 * physics.drift(seed + "co2", at, 600) + _flicker(number)
        temperature = physics.room_temperature(at, zone, lessons, outdoor_c=outdoor) + (co2 - 425) / 1500
        humidity = 42 + 8 * physics.drift(seed + "rh", at, 7200) + (co2 - 425) / 150
        payload = milesight.indoor_air(temperature_c=temperature, humidity_pct=humidity, co2_ppm=co2, battery_pct=97)
        values = {"battery": 97, "co2": round(co2), "humidity": round(humidity * 2) / 2}
        return Frame(85, payload, values | {"temperature": round(temperature, 1)})

    return sense


def heated_room(zone: tzinfo, first: float, last: float) -> Sense:
    """Return an RBS301-TEMP on the wall of a room heated between two hours."""
    heated = physics.working_hours(first, last, _WEEKDAYS, lunch=False)

    def sense(seed: str, at: datetime, number: int) -> Frame:
        outdoor = physics.outdoor_temperature(seed, at)
        temperature = physics.room_temperature(at, zone, heated, outdoor_c=outdoor)
        temperature += 0.2 * physics.drift(seed + "room", at, 900) + 0.1 * _flicker(number)
        return Frame(2, radiobridge.temperature(temperature, counter=number))

    return sense


def council_room(zone: tzinfo) -> Sense:
    """Return an RBS305-ATH in an office heated in working hours."""
    heated = physics.working_hours(8, 18, _WEEKDAYS, lunch=False)

    def sense(seed: str, at: datetime, number: int) -> Frame:
        outdoor = physics.outdoor_temperature(seed, at)
        temperature = physics.room_temperature(at, zone, heated, outdoor_c=outdoor, night_c=15.0)
        temperature += 0.15 * physics.drift(seed + "room", at, 900) + 0.1 * _flicker(number)
        humidity = 45 + 6 * physics.drift(seed + "rh", at, 5400)
        return Frame(2, radiobridge.temperature_humidity(temperature, humidity, counter=number))

    return sense


def outdoors(seed: str, at: datetime, number: int) -> Frame:
    """Sense as an RBS305-ATH in the open, in the shade."""
    temperature = physics.outdoor_temperature(seed, at) + 0.1 * _flicker(number)
    humidity = physics.outdoor_humidity(seed, at) + 0.5 * physics.drift(seed + "rh", at, 1200)
    return Frame(2, radiobridge.temperature_humidity(temperature, humidity, counter=number))


def door(seed: str, at: datetime, number: int) -> Frame:
    """Sense as an RBS301-DWS: often by day, rarely by night; a sign of life each hundred events."""
    if number % 100 == 99:
        return Frame(2, radiobridge.supervisory(_battery(at) - 0.5, counter=number, events=100))
    likely = 0.5 if 6 <= at.hour < 18 else 0.05
    return Frame(2, radiobridge.door(is_open=physics.unit(seed, number) < likely, counter=number))


def water_meter(zone: tzinfo, day_m3: float, start_m3: float) -> Sense:
    """Return an EM300-DI: working hours take most of `day_m3`, the night never falls below a dripping flush."""
    hourly = tuple(day_m3 * (0.09 if hour % 24 in range(8, 18) and hour < 120 else 0.004) for hour in range(7 * 24))

    def sense(seed: str, at: datetime, number: int) -> Frame:
        volume = physics.weekly_index(seed, at, zone, hourly, start_m3)
        cellar = 12 + 2 * physics.drift(seed + "cellar", at, 86_400) + 0.1 * _flicker(number)
        payload = milesight.water(volume_m3=volume, temperature_c=cellar, humidity_pct=68.0, battery_pct=92)
        return Frame(
            85, payload, {"battery": 92, "humidity": 68, "temperature": round(cellar, 1), "water": round(volume, 3)}
        )

    return sense


def socket(zone: tzinfo, day_w: float, night_w: float, start_wh: float) -> Sense:
    """Return a WS523: `day_w` in working hours, `night_w` otherwise."""
    hourly = tuple(day_w if hour % 24 in range(7, 19) and hour < 120 else night_w for hour in range(7 * 24))

    def sense(seed: str, at: datetime, number: int) -> Frame:
        energy = physics.weekly_index(seed, at, zone, hourly, start_wh)
        local = at.astimezone(zone)
        power = hourly[local.weekday() * 24 + local.hour] * (1 + 0.04 * physics.drift(seed + "w", at, 300))
        power += _flicker(number)
        voltage = 231 + 3 * physics.drift(seed + "v", at, 900)
        payload = milesight.socket(energy_wh=energy, power_w=power, voltage_v=voltage, power_factor=0.95)
        values = {"active_power": round(power), "power_consumption": round(energy), "voltage": round(voltage, 1)}
        return Frame(85, payload, values)

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
    temperature, humidity = physics.outdoor_temperature(seed, at), physics.outdoor_humidity(seed, at)
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


def _eui(number: int) -> str:
    return f"025a4d0000000{number:03x}"  # 02: a locally administered EUI-64, no maker's


_ENERGY: Final = "active_energy_import"
_WS523_ENERGY: Final = "ns:power_consumption"
_EM300_WATER: Final = "ns:water"


def fleet(zone: tzinfo) -> tuple[tuple[DemoDevice, Sense], ...]:
    """Return every device and what it senses; `zone` is where people live by the clock."""
    lessons, rack, heater = classroom(zone, 24), socket(zone, 190, 120, 8.1e5), socket(zone, 900, 60, 2.4e6)
    boiler, kitchen = water_meter(zone, 1.8, 2314.0), water_meter(zone, 0.6, 871.0)
    river, tank = level(2.6, 0.5, 86_400), level(1.4, 0.7, 21_600)
    rows: tuple[tuple[str, Site, str, str, str, Sense], ...] = (
        ("milesight-am103", SCHOOL, "Air, classe de CE1", "co2", "ns:co2", lessons),
        ("multitech-rbs301-temp", SCHOOL, "Température, classe de CM2", "temperature", "", heated_room(zone, 8, 17)),
        ("multitech-rbs301-dws", SCHOOL, "Porte de la chaufferie", "open", "", door),
        ("milesight-em300-di", SCHOOL, "Eau froide, chaufferie", "water_volume", _EM300_WATER, boiler),
        ("milesight-ws523", SCHOOL, "Baie informatique", _ENERGY, _WS523_ENERGY, rack),
        ("multitech-rbs305-ath", TOWN_HALL, "Air, salle du conseil", "temperature", "", council_room(zone)),
        ("milesight-am103", TOWN_HALL, "Air, accueil", "co2", "ns:co2", classroom(zone, 6)),
        ("milesight-ws523", TOWN_HALL, "Radiateur, archives", _ENERGY, _WS523_ENERGY, heater),
        ("multitech-rbs305-ath", STADIUM, "Air extérieur", "temperature", "", outdoors),
        ("dragino-lse01", STADIUM, "Sol, terrain d'honneur", "soil_moisture", "", soil),
        ("makerfabs-soil-moisture", TOWN_HALL, "Sol, massif de la mairie", "soil_moisture_raw", "", flower_bed),
        ("dragino-dds75-lb", BRIDGE, "Niveau de la Selle, sous le pont", "distance", "", river),
        ("multitech-rbs301-temp", HALL, "Température, grande salle", "temperature", "", heated_room(zone, 14, 22)),
        ("milesight-em300-di", HALL, "Eau froide, compteur général", "water_volume", _EM300_WATER, kitchen),
        ("dragino-dds75-lb", RESERVOIR, "Niveau de la cuve", "distance", "", tank),
        ("multitech-rbs305-ath", RESERVOIR, "Air extérieur", "temperature", "", outdoors),
    )
    return tuple(
        (DemoDevice(_eui(number), f"{_PROFILES[model]} - {point}", model, site, point, quantity, foreign), sense)
        for number, (model, site, point, quantity, foreign, sense) in enumerate(rows, start=1)
    )
