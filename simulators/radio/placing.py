"""Places a scenario's gateways and devices, and computes what arrives between them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio import chance, elevation, propagation, relief
from simulators.radio.air import Floats, Longs, Singles
from simulators.radio.elevation import METRES_A_DEGREE, Ground
from simulators.radio.propagation import Line
from simulators.radio.scenario import Fleet, Radio, number, rows

_SPREAD_M: Final = 2000.0


class Placed(NamedTuple):
    """Who is where, before anything is computed of what lies between.

    `fleet` gives each device's place in `Radio.fleets`, `device_loss_db` what walls cost it. `lines` are the gateways'.
    """

    radio: Radio
    fleet: Longs
    device_xy_m: Floats
    device_loss_db: Floats
    gateway_xy_m: Floats
    lines: list[Line]
    ground: Ground | None


def place(radio: Radio, folder: Path) -> Placed:
    """Place gateways and devices; raise ConfigurationError if the scenario will not do.

    `folder` is where the scenario's other files are.
    """
    middle = (float(np.mean([one.latitude for one in radio.gateways])),
              float(np.mean([one.longitude for one in radio.gateways])))  # fmt: skip
    gateway_xy_m = metres([(one.latitude, one.longitude) for one in radio.gateways], middle)
    placed = [_placed(radio, at, folder, middle) for at in range(len(radio.fleets))]
    device_xy_m = np.concatenate([xy_m for xy_m, _ in placed])
    heights_m, ground = [one.height_m for one in radio.gateways], None
    if radio.elevation:
        path = folder / radio.elevation
        places = np.concatenate((gateway_xy_m, device_xy_m))
        ground = elevation.about(elevation.read(path), middle, places, name=str(path))
        heights_m = relief.effective_heights_m(ground, gateway_xy_m, np.array(heights_m))
    return Placed(
        radio=radio,
        fleet=np.repeat(np.arange(len(radio.fleets)), [one.devices for one in radio.fleets]),
        device_xy_m=device_xy_m,
        device_loss_db=np.concatenate([loss_db for _, loss_db in placed]),
        gateway_xy_m=gateway_xy_m,
        lines=[propagation.line(radio.path_loss, height_m, radio.device_height_m) for height_m in heights_m],
        ground=ground,
    )


def gains(placed: Placed, which: Longs) -> Singles:
    """Return the linear gains of some gateways, shape (gateways, devices): received power over radiated power."""
    radio = placed.radio
    chosen, stands = [radio.gateways[at] for at in which.tolist()], placed.gateway_xy_m[which]
    more_db = None
    if placed.ground is not None:
        masts_m = np.array([one.height_m for one in chosen])
        more_db = relief.losses_db(placed.ground, stands, masts_m, placed.device_xy_m, radio.device_height_m)
    return propagation.gains(
        device_xy_m=placed.device_xy_m,
        device_loss_db=placed.device_loss_db,
        gateway_xy_m=stands,
        gateway_antenna_db=np.array([one.antenna_dbi for one in chosen]),
        lines=[placed.lines[at] for at in which.tolist()],
        numbers=which,
        ground_db=more_db,
        decorrelation_m=radio.decorrelation_m,
        seed=radio.seed,
    )


def metres(places: Sequence[tuple[float, float]], middle: tuple[float, ...]) -> Floats:
    """Return metres east and north of the middle: right to a part in a thousand over a département."""
    degrees = np.array(places, dtype=np.float64).reshape(-1, 2)
    east = (degrees[:, 1] - middle[1]) * METRES_A_DEGREE * math.cos(math.radians(middle[0]))
    return np.column_stack((east, (degrees[:, 0] - middle[0]) * METRES_A_DEGREE))


def _placed(radio: Radio, at: int, folder: Path, middle: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return where a fleet's devices are, and what walls cost each of them, dB."""
    fleet = radio.fleets[at]
    indoor_db = _indoor(radio, at)
    if not fleet.positions:
        return _around(radio, at, folder, middle), indoor_db
    path = folder / fleet.positions
    found = rows(path)
    own = np.array([number(path, row, "indoor_db", math.nan) for row in found])
    return _located(path, found, middle), np.where(np.isnan(own), indoor_db, own)


def _around(radio: Radio, at: int, folder: Path, middle: tuple[float, ...]) -> Floats:
    """Return places around a fleet's centres by their weight, evenly over each disc."""
    fleet = radio.fleets[at]
    centres, weights, spreads = _places(fleet, folder, middle)
    draws = chance.uniforms(radio.seed, chance.PLACE, at << 32, fleet.devices, 3)
    whose = np.searchsorted(np.cumsum(weights) / weights.sum(), draws[:, 0])
    radius, angle = spreads[whose] * np.sqrt(draws[:, 1]), 2 * math.pi * draws[:, 2]
    offsets = np.column_stack((radius * np.cos(angle), radius * np.sin(angle)))
    return np.asarray(centres[whose] + offsets)


def _places(fleet: Fleet, folder: Path, middle: tuple[float, ...]) -> tuple[Floats, Floats, Floats]:
    if not fleet.places:
        return np.zeros((1, 2)), np.ones(1), np.array([fleet.spread_m])
    path = folder / fleet.places
    found = rows(path)
    weights = np.array([number(path, row, "weight", 1.0) for row in found])
    spreads = np.array([number(path, row, "spread_m", _SPREAD_M) for row in found])
    if weights.min() < 0 or weights.sum() <= 0:
        raise ConfigurationError(f"{path}: a weight below zero, or none above")
    return _located(path, found, middle), weights, spreads


def _located(path: Path, found: Sequence[dict[str, str]], middle: tuple[float, ...]) -> Floats:
    return metres([(number(path, row, "latitude"), number(path, row, "longitude")) for row in found], middle)


def _indoor(radio: Radio, at: int) -> Floats:
    fleet = radio.fleets[at]
    if not fleet.indoor_sigma_db:
        return np.full(fleet.devices, fleet.indoor_db)
    draws = chance.uniforms(radio.seed, chance.INDOOR, at << 32, fleet.devices, 1)[:, 0]
    normal = np.array([chance.inverse_normal(draw) for draw in draws])
    return np.asarray(np.maximum(0.0, fleet.indoor_db + fleet.indoor_sigma_db * normal))
