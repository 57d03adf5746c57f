"""What the devices of a load send: tables of real models' frames, drawn once from physical processes.

A load of 60,000 messages a second cannot encode each frame; it walks a table of a day at 4,096 moments, each
device from its own place in it. What a meter counts is added to its frame as it is sent: it only grows.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from domain.errors import ConfigurationError
from simulators import processes as physics
from simulators.load.ledger import payload_digest
from simulators.payloads import dragino, elsys, makerfabs, milesight, radiobridge

TABLE: Final = 4096
_STEP: Final = timedelta(days=1) / TABLE
_DAY_S: Final = 86_400.0
_LEAKS: Final = 50
_LEAK_S: Final = 720.0  # 50 L an hour
_PULSES_A_DAY: Final = 36  # 360 L
_WATER: Final = (1, 1, 1, 1, 1, 3, 9, 14, 10, 6, 5, 6, 8, 6, 4, 4, 5, 7, 11, 13, 9, 6, 4, 2)  # by hour
_PARIS: Final = ZoneInfo("Europe/Paris")
_SCHOOL: Final = physics.working_hours(8.5, 16.5, frozenset(range(5)))


class Meter(NamedTuple):
    """A water meter of 10 L a pulse: hours of the day, a night flow that is never zero, and leaks.

    `day` holds the pulses since midnight at TABLE moments. One device of `_LEAKS` leaks, without end, 1 pulse in
    `_LEAK_S`.
    """

    seed: int
    day: tuple[int, ...]

    def pulses(self, device: int, time_s: float) -> int:
        """Return the index of a device so long after the start; it only grows until it wraps at 32 bits."""
        days, within = divmod(time_s + device % 1800, _DAY_S)
        first = (device * 0x9E3779B1 + self.seed) & 0xF_FFFF
        leaked = int(time_s / _LEAK_S) if (device + self.seed) % _LEAKS == 0 else 0
        used = int(days) * self.day[-1] + self.day[int(within * TABLE / _DAY_S)]
        return (first + used * (1 + device % 4) + leaked) & 0xFFFF_FFFF


class Kind(NamedTuple):
    """One model in a load: its profile's name, its port, how many readings its frames carry, its frames.

    `readings` is what a decoder makes of a whole frame: part of what is judged. A meter's count ends the frame.
    """

    model: str
    profile: str
    f_port: int
    readings: int
    payloads: tuple[bytes, ...]
    digests: tuple[bytes, ...]
    meter: Meter | None = None

    def frame(self, device: int, row: int, time_s: float) -> tuple[bytes, bytes]:
        """Return a frame and its digest: row of the table, so long after the start."""
        if self.meter is None:
            return self.payloads[row], self.digests[row]
        payload = self.payloads[row] + self.meter.pulses(device, time_s).to_bytes(4, "little")
        return payload, payload_digest(payload)


def _lse01(seed: str, at: datetime, _number: int) -> bytes:
    moisture = 31 + 9 * physics.drift(seed + "soil", at, 40_000)
    temperature = 11 + 4 * physics.drift(seed + "ground", at, 50_000)
    return dragino.soil(
        moisture_pct=moisture, temperature_c=temperature, conductivity_us_cm=8 * moisture, battery_v=3.35
    )


def _dds75(seed: str, at: datetime, _number: int) -> bytes:
    return dragino.distance(2.6 + 1.5 * physics.drift(seed + "level", at, 20_000), battery_v=3.4)


def _ath(seed: str, at: datetime, number: int) -> bytes:
    temperature, humidity = physics.outdoor_temperature(seed, at), physics.outdoor_humidity(seed, at)
    return radiobridge.temperature_humidity(temperature, humidity, counter=number)


def _temp(seed: str, at: datetime, number: int) -> bytes:
    return radiobridge.temperature(19 + 2 * physics.drift(seed + "room", at, 10_000), counter=number)


def _makerfabs(seed: str, at: datetime, number: int) -> bytes:
    raw = 1450 + 250 * physics.drift(seed + "bed", at, 30_000)
    return makerfabs.soil(
        number=number,
        raw=raw,
        battery_v=3.1,
        humidity_pct=physics.outdoor_humidity(seed, at),
        temperature_c=physics.outdoor_temperature(seed, at),
    )


def _ers_co2(seed: str, at: datetime, number: int) -> bytes:
    """Return what a classroom feels: heated by schedule, filled by people."""
    at = at.replace(minute=at.minute // 10 * 10, second=0, microsecond=0)  # its air is solved from midnight on
    outdoor = physics.outdoor_temperature(seed, at)
    co2 = physics.room_co2(at, _PARIS, _SCHOOL, people=24, volume_m3=180)
    temperature = physics.room_temperature(at, _PARIS, _SCHOOL, outdoor_c=outdoor)
    local = at.astimezone(_PARIS)
    light = 350 * _SCHOOL(local) + 8 * (number % 16)
    return elsys.room(temperature_c=temperature, humidity_pct=45, light_lx=light, co2_ppm=co2, battery_v=3.6)


def _em300_di(seed: str, at: datetime, _number: int) -> bytes:
    temperature = 9 + 3 * physics.drift(seed + "pit", at, 40_000)
    return milesight.counted(temperature_c=temperature, humidity_pct=88, battery_pct=96)


def _meter(seed: int, start: datetime) -> Meter:
    """Return a household's day from the hour of `start` on: most of its water in the morning and the evening."""
    hours = len(_WATER)
    shares = [_WATER[(start.astimezone(_PARIS).hour + row * hours // TABLE) % hours] for row in range(TABLE)]
    scale, total, day = _PULSES_A_DAY / sum(shares), 0.0, []
    for one in shares:
        total += one * scale
        day.append(round(total))
    return Meter(seed, tuple(day))


_MODELS: Final[dict[str, tuple[str, int, int, Callable[[str, datetime, int], bytes]]]] = {
    "dragino-lse01": ("Dragino LSE01", 2, 4, _lse01),
    "dragino-dds75-lb": ("Dragino DDS75-LB", 2, 3, _dds75),
    "multitech-rbs305-ath": ("Multitech RBS305-ATH", 2, 2, _ath),
    "multitech-rbs301-temp": ("Multitech RBS301-TEMP", 2, 1, _temp),
    "elsys-ers-co2": ("Elsys ERS CO2", 5, 5, _ers_co2),
    "milesight-em300-di": ("Milesight EM300-DI", 85, 4, _em300_di),
    "makerfabs-soil-moisture": ("Makerfabs Soil Moisture Sensor", 2, 4, _makerfabs),
}
_METERS: Final = frozenset({"milesight-em300-di"})
MODELS: Final = tuple(_MODELS)


def rows_a_period(period_s: float) -> float:
    """Return how many rows of a table pass between two uplinks of a device: at least one, so that frames differ."""
    return max(1.0, period_s * TABLE / _DAY_S)


def kind(model: str, seed: int, start: datetime) -> Kind:
    """Return a model's table; raise ConfigurationError for a model that a load does not know."""
    if model not in _MODELS:
        raise ConfigurationError(f"a load knows the models {', '.join(MODELS)}, not {model!r}")
    profile, f_port, readings, encode = _MODELS[model]
    payloads = tuple(encode(f"{seed}", start + number * _STEP, number) for number in range(TABLE))
    meter = _meter(seed, start) if model in _METERS else None
    return Kind(model, profile, f_port, readings, payloads, tuple(map(payload_digest, payloads)), meter=meter)
