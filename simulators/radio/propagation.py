"""How much of a signal arrives: path loss by named model, correlated shadowing, fading.

Every model here is a straight line over the logarithm of distance once the gateway's height is known, so that one
compiled loop serves them all. Distances in metres, losses in dB, 868 MHz.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio import chance
from simulators.radio.air import Floats, Longs, Singles
from simulators.radio.jit import compiled, parallel, prange

_FREQUENCY_MHZ: Final = 868.1
_NEAREST_M: Final = 1.0
_KNOTS_A_COLUMN: Final = 4_000_037
_ABOVE: Final = 1.000001  # 1, and what rounding may add


class Line(NamedTuple):
    """loss = at_1km_db + slope_db * log10(distance / 1 km), around which sigma_db of shadowing."""

    at_1km_db: float
    slope_db: float
    sigma_db: float


# Petäjäjärvi et al., "On the coverage of LPWANs", ITST 2015: measured around Oulu, cars, antenna at 24 m.
# Bor et al., "Do LoRa low-power wide-area networks scale?", MSWiM 2016: 127.41 dB at 40 m, exponent 2.08.
MEASURED: Final = {
    "petajajarvi-2015": Line(128.95, 23.2, 7.8),
    "bor-2016": Line(127.41 + 20.8 * math.log10(1000 / 40), 20.8, 3.57),
    # LoRaSim's loraDir.py computes the same with a natural logarithm: everything ends at 100 m. Its figure of 120 nodes
    # on 3.8 ha is the disc of 110 m where its most sensitive setting, -134.5 dBm, still hears 14 dBm.
    "lorasim": Line(127.41 + 20.8 * math.log(1000 / 40), 20.8 * math.log(10), 0.0),
    "free-space": Line(20 * math.log10(4 * math.pi * 1000 * _FREQUENCY_MHZ * 1e6 / 299_792_458), 20.0, 0.0),
}
HATA: Final = ("hata-urban", "hata-suburban", "hata-rural")
MODELS: Final = (*MEASURED, *HATA)
_HATA_SIGMA_DB: Final = 8.0


def _hata(kind: str, gateway_m: float, device_m: float) -> Line:
    """Return Okumura-Hata's line; raise ConfigurationError outside 30-200 m and 1-10 m.

    Source: Hata, "Empirical formula for propagation loss in land mobile radio services", IEEE Trans. VT-29 (1980);
    1 to 20 km. The mobile antenna's correction is that of a small or medium city.
    """
    if not 30 <= gateway_m <= 200 or not 1 <= device_m <= 10:
        raise ConfigurationError("Okumura-Hata holds for gateways at 30 to 200 m and devices at 1 to 10 m")
    log_f, log_h = math.log10(_FREQUENCY_MHZ), math.log10(gateway_m)
    device_db = (1.1 * log_f - 0.7) * device_m - (1.56 * log_f - 0.8)
    loss_db = 69.55 + 26.16 * log_f - 13.82 * log_h - device_db
    if kind == "hata-suburban":
        loss_db -= 2 * math.log10(_FREQUENCY_MHZ / 28) ** 2 + 5.4
    elif kind == "hata-rural":
        loss_db -= 4.78 * log_f**2 - 18.33 * log_f + 40.94
    return Line(loss_db, 44.9 - 6.55 * log_h, _HATA_SIGMA_DB)


def line(model: str, gateway_m: float, device_m: float) -> Line:
    """Return a model's line for a gateway's height; raise ConfigurationError for an unknown name."""
    if model in MEASURED:
        return MEASURED[model]
    if model not in HATA:
        raise ConfigurationError(f"path losses are {', '.join(MODELS)}, not {model!r}")
    return _hata(model, gateway_m, device_m)


@compiled
def loss_db(at_1km_db: float, slope_db: float, distance_m: float) -> float:
    """Return the loss of a line at a distance; nearer than a metre counts as a metre."""
    return at_1km_db + slope_db * math.log10(max(distance_m, _NEAREST_M) / 1000.0)


@compiled
def _knot(seed: int, gateway: int, column: int, line: int) -> float:
    return chance.normal(seed, chance.SHADOW, np.int64(column) * _KNOTS_A_COLUMN + np.int64(line), gateway)


@compiled
def _mixed(corners: tuple[float, float, float, float], across: float, up: float) -> float:
    """Return what lies between four independent numbers, left to right and low to high, at variance 1."""
    low_left, high_left, low_right, high_right = corners
    shares = ((1 - across) * (1 - up), (1 - across) * up, across * (1 - up), across * up)
    total = shares[0] * low_left + shares[1] * high_left + shares[2] * low_right + shares[3] * high_right
    return total / math.sqrt(shares[0] ** 2 + shares[1] ** 2 + shares[2] ** 2 + shares[3] ** 2)


@compiled
def shadow(seed: int, gateway: int, x_m: float, y_m: float, decorrelation_m: float) -> float:
    """Return a standard normal number that changes smoothly over the map, another map for each gateway.

    Independent numbers on a lattice of `decorrelation_m`, interpolated and scaled back to variance 1: two places
    further apart than two meshes are independent.
    """
    column, row = x_m / decorrelation_m, y_m / decorrelation_m
    left, low = math.floor(column), math.floor(row)
    corners = (
        _knot(seed, gateway, left, low), _knot(seed, gateway, left, low + 1),
        _knot(seed, gateway, left + 1, low), _knot(seed, gateway, left + 1, low + 1),
    )  # fmt: skip
    return _mixed(corners, column - left, row - low)


@compiled
def _shadows(seed: int, gateway: int, x_m: Floats, y_m: Floats, decorrelation_m: float) -> Floats:
    """Return `shadow` at many places: where they are many, the lattice's numbers are drawn once."""
    shadows = np.empty(len(x_m))
    left, low = math.floor(x_m.min() / decorrelation_m), math.floor(y_m.min() / decorrelation_m)
    columns = math.floor(x_m.max() / decorrelation_m) - left + 2
    lines = math.floor(y_m.max() / decorrelation_m) - low + 2
    if columns * lines > 4 * len(x_m):
        for place in range(len(x_m)):
            shadows[place] = shadow(seed, gateway, x_m[place], y_m[place], decorrelation_m)
        return shadows
    knots = np.empty((columns, lines))
    for column in range(columns):
        for line in range(lines):
            knots[column, line] = _knot(seed, gateway, left + column, low + line)
    for place in range(len(x_m)):
        across, up = x_m[place] / decorrelation_m, y_m[place] / decorrelation_m
        column, line = math.floor(across) - left, math.floor(up) - low
        corners = (knots[column, line], knots[column, line + 1], knots[column + 1, line], knots[column + 1, line + 1])
        shadows[place] = _mixed(corners, across - math.floor(across), up - math.floor(up))
    return shadows


@compiled
def faded(seed: int, gateway: int, device: int, turn: int, k_factor: float) -> float:
    """Return the power of a fading channel of mean 1: Rice's with this K, Rayleigh's when K is 0."""
    item = np.int64(device) * 4096 + gateway
    if k_factor == 0.0:
        return chance.exponential(seed, chance.FADING, item, turn)
    line = math.sqrt(k_factor / (k_factor + 1.0))
    spread = math.sqrt(0.5 / (k_factor + 1.0))
    real = line + spread * chance.normal(seed, chance.FADING, item, 2 * turn)
    imaginary = spread * chance.normal(seed, chance.FADING, item, 2 * turn + 1)
    return real * real + imaginary * imaginary


@compiled
def faded_mw(  # noqa: PLR0917 - compiled: numbers, not objects
    mean_mw: float, least_mw: float, seed: int, gateway: int, device: int, turn: int, k_factor: float
) -> float:
    """Return what fading leaves of a mean power, or 0 where that is certain to be below `least_mw`.

    Rayleigh's power is -log(u): at least x where u is at most exp(-x), which is below 1 / (1 + x + x^2/2 + x^3/6). Most
    weak frames end there, without a logarithm.
    """
    if k_factor == 0.0:
        x = least_mw / mean_mw
        if chance.uniform(seed, chance.FADING, np.int64(device) * 4096 + gateway, turn) * _series(x) > _ABOVE:
            return 0.0
    return mean_mw * faded(seed, gateway, device, turn, k_factor)


@compiled
def _series(x: float) -> float:
    return 1.0 + x * (1.0 + x * (0.5 + x / 6.0))


@parallel
def _gains(  # noqa: PLR0917 - compiled: arrays, not objects
    x_m: Floats,
    y_m: Floats,
    loss_more_db: Floats,
    gateway_x_m: Floats,
    gateway_y_m: Floats,
    antenna_db: Floats,
    at_1km_db: Floats,
    slope_db: Floats,
    sigma_db: Floats,
    numbers: Longs,
    ground_db: Singles,
    decorrelation_m: float,
    seed: int,
    gains: Singles,
) -> None:
    for gateway in prange(len(gateway_x_m)):
        shadows = np.empty(0)
        if sigma_db[gateway] > 0.0:
            shadows = _shadows(seed, numbers[gateway], x_m, y_m, decorrelation_m)
        for device in range(len(x_m)):
            distance_m = math.hypot(x_m[device] - gateway_x_m[gateway], y_m[device] - gateway_y_m[gateway])
            total_db = antenna_db[gateway] - loss_more_db[device]
            total_db -= loss_db(at_1km_db[gateway], slope_db[gateway], distance_m)
            if len(ground_db) > 0:
                total_db -= ground_db[gateway, device]
            if sigma_db[gateway] > 0.0:
                total_db += sigma_db[gateway] * shadows[device]
            gains[gateway, device] = 10.0 ** (total_db / 10.0)


def gains(
    *,
    device_xy_m: Floats,
    device_loss_db: Floats,
    gateway_xy_m: Floats,
    gateway_antenna_db: Floats,
    lines: Sequence[Line],
    decorrelation_m: float,
    seed: int,
    numbers: Longs | None = None,
    ground_db: Singles | None = None,
) -> Singles:
    """Return linear gains, shape (gateways, devices): received power over radiated power.

    `numbers` is what the gateways are called where shadows are drawn: their place among all. `ground_db` (gateways,
    devices) is what hills add to each path.
    """
    result = np.empty((len(gateway_xy_m), len(device_xy_m)), dtype=np.float32)
    columns = np.array(lines, dtype=np.float64).reshape(-1, 3)
    _gains(
        np.ascontiguousarray(device_xy_m[:, 0]),
        np.ascontiguousarray(device_xy_m[:, 1]),
        device_loss_db,
        np.ascontiguousarray(gateway_xy_m[:, 0]),
        np.ascontiguousarray(gateway_xy_m[:, 1]),
        gateway_antenna_db,
        np.ascontiguousarray(columns[:, 0]),
        np.ascontiguousarray(columns[:, 1]),
        np.ascontiguousarray(columns[:, 2]),
        np.arange(len(result)) if numbers is None else numbers,
        np.empty((0, 0), dtype=np.float32) if ground_db is None else ground_db,
        decorrelation_m,
        seed,
        result,
    )
    return result
