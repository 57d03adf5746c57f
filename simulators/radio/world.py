"""Makes a scenario ready to run: places the devices, computes every gain, settles how devices talk."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio import chance, engine, propagation, thresholds, traffic
from simulators.radio.air import Air, Bytes, Floats, Longs
from simulators.radio.scenario import Fleet, Radio, rows
from simulators.radio.traffic import Talk

_METRES_A_DEGREE: Final = 111_320.0
_FADINGS: Final = {"none": -1.0, "rayleigh": 0.0}
_SPREAD_M: Final = 2000.0
_PATTERNS: Final = {"periodic": traffic.PERIODIC, "poisson": traffic.POISSON}
_DUTY_CYCLE: Final = 0.01


class World(NamedTuple):
    """A scenario made ready to run; `fleet` gives each device's place in `Radio.fleets`."""

    radio: Radio
    talk: Talk
    air: Air
    fleet: Longs
    device_xy_m: Floats
    gateway_xy_m: Floats
    out_of_reach: float  # share of devices that no gateway hears at SF12 on average
    beyond_duty_cycle: int  # devices that would have to talk more than 1 % of the time

    @property
    def confirmed(self) -> Bytes:
        """1 for the devices that ask for acknowledgements."""
        return np.array([one.confirmed for one in self.radio.fleets], dtype=np.uint8)[self.fleet]

    @property
    def demodulators(self) -> list[int]:
        """How many demodulators each gateway has."""
        return [one.demodulators for one in self.radio.gateways]

    @property
    def duration_us(self) -> int:
        """How long the run is."""
        return round(self.radio.hours * engine.HOUR_US)


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
    middle = tuple(float(np.mean([getattr(one, name) for one in radio.gateways])) for name in ("latitude", "longitude"))
    gateway_xy_m = metres([(one.latitude, one.longitude) for one in radio.gateways], middle)
    fleet = np.repeat(np.arange(len(radio.fleets)), [one.devices for one in radio.fleets])
    placed = [_placed(radio, number, folder, middle) for number in range(len(radio.fleets))]
    device_xy_m = np.concatenate([xy_m for xy_m, _ in placed])
    gains = propagation.gains(
        device_xy_m=device_xy_m,
        device_loss_db=np.concatenate([loss_db for _, loss_db in placed]),
        gateway_xy_m=gateway_xy_m,
        gateway_antenna_db=np.array([one.antenna_dbi for one in radio.gateways]),
        lines=[propagation.line(radio.path_loss, one.height_m, radio.device_height_m) for one in radio.gateways],
        decorrelation_m=radio.decorrelation_m,
        seed=radio.seed,
    )
    air = thresholds.air(
        gains,
        thresholds.sensitivity_dbm(radio.chip),
        radio.capture,
        k_factor=k_factor(radio.fading),
        seed=radio.seed,
        closed_us=_outages(radio),
    )
    best_gain = gains.max(axis=0)
    talk = _talk(radio, fleet, best_gain, air.sensitivity_mw)
    unheard = best_gain * talk.power_mw < air.sensitivity_mw[-1]
    busy = talk.airtime_us > talk.period_s * 1e6 * _DUTY_CYCLE
    return World(radio, talk, air, fleet, device_xy_m, gateway_xy_m, float(unheard.mean()), int(busy.sum()))


def metres(places: Sequence[tuple[float, float]], middle: tuple[float, ...]) -> Floats:
    """Return metres east and north of the middle: right to a part in a thousand over a département."""
    degrees = np.array(places, dtype=np.float64).reshape(-1, 2)
    east = (degrees[:, 1] - middle[1]) * _METRES_A_DEGREE * math.cos(math.radians(middle[0]))
    return np.column_stack((east, (degrees[:, 0] - middle[0]) * _METRES_A_DEGREE))


def _placed(radio: Radio, number: int, folder: Path, middle: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return where a fleet's devices are, and what walls cost each of them, dB."""
    fleet = radio.fleets[number]
    indoor_db = _indoor(radio, number)
    if not fleet.positions:
        return _around(radio, number, folder, middle), indoor_db
    path = folder / fleet.positions
    found = rows(path)
    own = np.array([_number(path, row, "indoor_db", math.nan) for row in found])
    return _located(path, found, middle), np.where(np.isnan(own), indoor_db, own)


def _around(radio: Radio, number: int, folder: Path, middle: tuple[float, ...]) -> Floats:
    """Return places around a fleet's centres by their weight, evenly over each disc."""
    fleet = radio.fleets[number]
    centres, weights, spreads = _places(fleet, folder, middle)
    draws = chance.uniforms(radio.seed, chance.PLACE, number << 32, fleet.devices, 3)
    at = np.searchsorted(np.cumsum(weights) / weights.sum(), draws[:, 0])
    radius, angle = spreads[at] * np.sqrt(draws[:, 1]), 2 * math.pi * draws[:, 2]
    offsets = np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))
    return np.asarray(centres[at] + offsets)


def _places(fleet: Fleet, folder: Path, middle: tuple[float, ...]) -> tuple[Floats, Floats, Floats]:
    if not fleet.places:
        return np.zeros((1, 2)), np.ones(1), np.array([fleet.spread_m])
    path = folder / fleet.places
    found = rows(path)
    weights = np.array([_number(path, row, "weight", 1.0) for row in found])
    spreads = np.array([_number(path, row, "spread_m", _SPREAD_M) for row in found])
    if weights.min() < 0 or weights.sum() <= 0:
        raise ConfigurationError(f"{path}: a weight below zero, or none above")
    return _located(path, found, middle), weights, spreads


def _located(path: Path, found: Sequence[dict[str, str]], middle: tuple[float, ...]) -> Floats:
    return metres([(_number(path, row, "latitude"), _number(path, row, "longitude")) for row in found], middle)


def _number(path: Path, row: dict[str, str], column: str, default: float | None = None) -> float:
    value = row.get(column)
    if not value and default is not None:
        return default
    try:
        return float(value or "")
    except ValueError as error:
        raise ConfigurationError(f"{path}, {row}: no number for {column}") from error


def _indoor(radio: Radio, number: int) -> Floats:
    fleet = radio.fleets[number]
    if not fleet.indoor_sigma_db:
        return np.full(fleet.devices, fleet.indoor_db)
    draws = chance.uniforms(radio.seed, chance.INDOOR, number << 32, fleet.devices, 1)[:, 0]
    normal = np.array([chance.inverse_normal(draw) for draw in draws])
    return np.asarray(np.maximum(0.0, fleet.indoor_db + fleet.indoor_sigma_db * normal))


def _talk(radio: Radio, fleet: Longs, best_gain: Any, sensitivity_mw: Floats) -> Talk:
    power_mw = 10 ** (radio.eirp_dbm / 10)
    adapted = engine.fastest_factors(best_gain, power_mw, sensitivity_mw, radio.margin_db)
    wanted = np.array([one.spreading_factor for one in radio.fleets])[fleet]
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


def _outages(radio: Radio) -> Longs:
    spans = [
        (number, round(start * engine.HOUR_US), round(end * engine.HOUR_US))
        for number, one in enumerate(radio.gateways)
        for start, end in sorted(one.outages_h)
    ]
    return np.array(spans, dtype=np.int64).reshape(-1, 3)
