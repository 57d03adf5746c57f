"""One TOML file that describes a run of the air: who talks, who listens, what lies between.

    [radio]                      the air and the clock: see `Radio`
    [[radio.gateways]]           name, latitude, longitude, height_m, antenna_dbi, outages_h = [[from, to], …]
    [[radio.fleets]]             name, devices, period_s, payload_bytes, indoor_db, spreading_factor, places

A fleet's `places` is a CSV beside the file: `latitude,longitude` and, optionally, `weight` (a commune's population)
and `spread_m` (how far around). Without it, devices lie within `spread_m` of the gateways' middle.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators import toml_file
from simulators.radio import chance, downlinks, engine, propagation, thresholds, traffic
from simulators.radio.kernel import Air, Floats, Longs
from simulators.radio.traffic import Talk

_METRES_A_DEGREE: Final = 111_320.0
_FADINGS: Final = {"none": -1.0, "rayleigh": 0.0}
_SPREAD_M: Final = 2000.0
_PATTERNS: Final = {"periodic": traffic.PERIODIC, "poisson": traffic.POISSON}
_DUTY_CYCLE: Final = 0.01
HERE: Final = Path()  # for scenarios that read no other file


@dataclass(frozen=True, kw_only=True, slots=True)
class Gateway:
    """A relay antenna. Outages are hours of the run."""

    name: str
    latitude: float
    longitude: float
    height_m: float = 30.0
    antenna_dbi: float = 3.0
    outages_h: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """Devices of one kind. `spreading_factor` 0 is what a network's ADR would have settled on."""

    name: str
    devices: int
    period_s: float = 3600.0
    payload_bytes: int = 20
    indoor_db: float = 0.0
    indoor_sigma_db: float = 0.0
    spreading_factor: int = 0
    confirmed: bool = False
    places: str = ""
    spread_m: float = 20_000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Radio:
    """The air and the clock."""

    name: str = "radio"
    seed: int = 1
    hours: float = 24.0
    path_loss: str = "petajajarvi-2015"
    decorrelation_m: float = 500.0
    fading: str = "none"  # none, rayleigh, or rice:K
    capture: str = "goursaud"
    chip: str = "sx1301"
    demodulators: int = 8
    channels: int = 8
    margin_db: float = 10.0
    eirp_dbm: float = 14.0
    device_height_m: float = 1.5
    pattern: str = "periodic"
    jitter: float = 0.2
    preamble_rule: bool = True
    gateways: tuple[Gateway, ...] = ()
    fleets: tuple[Fleet, ...] = ()


class World(NamedTuple):
    """A scenario made ready to run; `fleet` gives each device's place in `Radio.fleets`."""

    radio: Radio
    talk: Talk
    air: Air
    fleet: Longs
    out_of_reach: float  # share of devices that no gateway hears at SF12 on average
    beyond_duty_cycle: int  # devices that would have to talk more than 1 % of the time


def read(path: Path) -> Radio:
    """Read a scenario; raise ConfigurationError if it will not do."""
    return toml_file.read(path, "radio", Radio)


def k_factor(fading: str) -> float:
    """Return Rice's K of a named fading, negative for none; raise ConfigurationError for another name."""
    if fading in _FADINGS:
        return _FADINGS[fading]
    kind, _, value = fading.partition(":")
    try:
        if kind == "rice" and float(value) > 0:
            return float(value)
    except ValueError:
        pass
    raise ConfigurationError(f"fading is none, rayleigh or rice:K, not {fading!r}")


def prepare(radio: Radio, folder: Path) -> World:
    """Place the devices and compute every gain; raise ConfigurationError if the scenario will not do.

    `folder` is where the fleets' CSV files are.
    """
    if not radio.gateways or not radio.fleets or radio.pattern not in _PATTERNS:
        raise ConfigurationError("a scenario has gateways, fleets, and a pattern: periodic or poisson")
    middle = tuple(float(np.mean([getattr(one, name) for one in radio.gateways])) for name in ("latitude", "longitude"))
    stands = _metres([(one.latitude, one.longitude) for one in radio.gateways], middle)
    fleet = np.repeat(np.arange(len(radio.fleets)), [one.devices for one in radio.fleets])
    places = [_placed(radio, number, folder, middle) for number in range(len(radio.fleets))]
    gains = propagation.gains(
        device_xy_m=np.concatenate(places),
        device_loss_db=np.concatenate([_indoor(radio, number) for number in range(len(radio.fleets))]),
        gateway_xy_m=stands,
        gateway_antenna_db=np.array([one.antenna_dbi for one in radio.gateways]),
        lines=[propagation.line(radio.path_loss, one.height_m, radio.device_height_m) for one in radio.gateways],
        decorrelation_m=radio.decorrelation_m,
        seed=radio.seed,
    )
    sensitivity_mw = np.power(10.0, np.array(thresholds.sensitivity_dbm(radio.chip)) / 10)
    matrix = thresholds.capture(radio.capture)
    talk = _talk(radio, fleet, gains, sensitivity_mw)
    air = Air(
        gain=gains,
        sensitivity_mw=sensitivity_mw,
        thresholds=matrix,
        floor_mw=thresholds.floor_mw(sensitivity_mw, matrix),
        k_factor=k_factor(radio.fading),
        seed=radio.seed,
        closed_us=_outages(radio.gateways),
        sending_us=np.zeros((0, 3), dtype=np.int64),
    )
    unheard = gains.max(axis=0) * talk.power_mw < sensitivity_mw[-1]
    busy = talk.airtime_us > talk.period_s * 1e6 * _DUTY_CYCLE
    return World(radio, talk, air, fleet, float(unheard.mean()), int(busy.sum()))


def _metres(places: Sequence[tuple[float, float]], middle: tuple[float, ...]) -> Floats:
    """Return metres east and north of the middle: right to a part in a thousand over a département."""
    degrees = np.array(places, dtype=np.float64).reshape(-1, 2)
    east = (degrees[:, 1] - middle[1]) * _METRES_A_DEGREE * math.cos(math.radians(middle[0]))
    return np.column_stack((east, (degrees[:, 0] - middle[0]) * _METRES_A_DEGREE))


def _placed(radio: Radio, number: int, folder: Path, middle: tuple[float, ...]) -> Floats:
    """Return where a fleet's devices are: around its places by their weight, evenly over each disc."""
    fleet = radio.fleets[number]
    if fleet.places:
        centres, weights, spreads = _places(folder / fleet.places, middle)
    else:
        centres, weights, spreads = np.zeros((1, 2)), np.ones(1), np.array([fleet.spread_m])
    draws = chance.uniforms(radio.seed, chance.PLACE, number << 32, fleet.devices, 3)
    at = np.searchsorted(np.cumsum(weights) / weights.sum(), draws[:, 0])
    radius, angle = spreads[at] * np.sqrt(draws[:, 1]), 2 * math.pi * draws[:, 2]
    offsets = np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))
    return np.asarray(centres[at] + offsets)


def _places(path: Path, middle: tuple[float, ...]) -> tuple[Floats, Floats, Floats]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        centres = _metres([(float(row["latitude"]), float(row["longitude"])) for row in rows], middle)
        weights = np.array([float(row.get("weight") or 1) for row in rows])
        spreads = np.array([float(row.get("spread_m") or _SPREAD_M) for row in rows])
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"{path}: {error!r}") from error
    if not rows or weights.min() < 0 or weights.sum() <= 0:
        raise ConfigurationError(f"{path}: no place, or a weight below zero")
    return centres, weights, spreads


def _indoor(radio: Radio, number: int) -> Floats:
    fleet = radio.fleets[number]
    if not fleet.indoor_sigma_db:
        return np.full(fleet.devices, fleet.indoor_db)
    draws = chance.uniforms(radio.seed, chance.INDOOR, number << 32, fleet.devices, 1)[:, 0]
    normal = np.array([chance.inverse_normal(draw) for draw in draws])
    return np.asarray(np.maximum(0.0, fleet.indoor_db + fleet.indoor_sigma_db * normal))


def _talk(radio: Radio, fleet: Longs, gains: Any, sensitivity_mw: Floats) -> Talk:
    power_mw = 10 ** (radio.eirp_dbm / 10)
    adapted = engine.fastest_factors(gains, power_mw, sensitivity_mw, radio.margin_db)
    wanted = np.array([one.spreading_factor for one in radio.fleets])[fleet]
    if not set(wanted.tolist()) <= {0, *range(7, 13)}:
        raise ConfigurationError("spreading factors are 7 to 12, or 0 for adapted")
    factor = np.where(wanted == 0, adapted, wanted - 7).astype(np.uint8)
    return Talk(
        period_s=np.array([one.period_s for one in radio.fleets])[fleet],
        factor=factor,
        airtime_us=traffic.airtimes_us(np.array([one.payload_bytes for one in radio.fleets])[fleet], factor),
        lock_us=traffic.locks_us(factor) * radio.preamble_rule,
        power_mw=np.full(len(fleet), power_mw, dtype=np.float32),
        jitter=radio.jitter,
        pattern=_PATTERNS[radio.pattern],
        channels=radio.channels,
        seed=radio.seed,
    )


def _outages(gateways: Sequence[Gateway]) -> Longs:
    spans = [
        (number, round(start * engine.HOUR_US), round(end * engine.HOUR_US))
        for number, one in enumerate(gateways)
        for start, end in sorted(one.outages_h)
    ]
    return np.array(spans, dtype=np.int64).reshape(-1, 3)


def run(world: World) -> tuple[engine.Result, downlinks.Answers | None]:
    """Run a prepared scenario; with acknowledgements when a fleet asks for them."""
    duration_us = round(world.radio.hours * engine.HOUR_US)
    asks = np.array([one.confirmed for one in world.radio.fleets], dtype=np.uint8)
    if not asks.any():
        result = engine.run(world.talk, world.air, duration_us=duration_us, demodulators=world.radio.demodulators)
        return result, None
    return downlinks.run(
        world.talk, world.air, asks[world.fleet], duration_us=duration_us, demodulators=world.radio.demodulators
    )
