"""What the devices of a load send: tables of real models' frames, drawn once from physical processes.

A load of 60,000 messages a second cannot encode each frame; it walks a table of a day at 4,096 moments, each
device from its own place in it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from domain.errors import ConfigurationError
from simulators import processes as physics
from simulators.load.ledger import payload_digest
from simulators.payloads import dragino, makerfabs, radiobridge

TABLE: Final = 4096
_STEP: Final = timedelta(days=1) / TABLE


class Kind(NamedTuple):
    """One model in a load: its profile's name, its port, how many readings its frames carry, its frames.

    `readings` is what a decoder makes of a whole frame: part of what is judged.
    """

    model: str
    profile: str
    f_port: int
    readings: int
    payloads: tuple[bytes, ...]
    digests: tuple[bytes, ...]
    decoded: tuple[Mapping[str, Any], ...] = ()


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


_MODELS: Final[dict[str, tuple[str, int, int, Callable[[str, datetime, int], bytes]]]] = {
    "dragino-lse01": ("Dragino LSE01", 2, 4, _lse01),
    "dragino-dds75-lb": ("Dragino DDS75-LB", 2, 3, _dds75),
    "multitech-rbs305-ath": ("Multitech RBS305-ATH", 2, 2, _ath),
    "multitech-rbs301-temp": ("Multitech RBS301-TEMP", 2, 1, _temp),
    "makerfabs-soil-moisture": ("Makerfabs Soil Moisture Sensor", 2, 4, _makerfabs),
}
MODELS: Final = tuple(_MODELS)


def kind(model: str, seed: int, start: datetime) -> Kind:
    """Return a model's table; raise ConfigurationError for a model that a load does not know."""
    if model not in _MODELS:
        raise ConfigurationError(f"a load knows the models {', '.join(MODELS)}, not {model!r}")
    profile, f_port, readings, encode = _MODELS[model]
    payloads = tuple(encode(f"{seed}", start + number * _STEP, number) for number in range(TABLE))
    return Kind(model, profile, f_port, readings, payloads, tuple(map(payload_digest, payloads)))
