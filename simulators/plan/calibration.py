"""Fits a path loss to what gateways really heard.

Only what was heard is known: far and weak links are missing, so that plain least squares find too small a slope, the
more the nearer the data are to sensitivity. A link whose loss was above some L could not have been in the data, so the
likelihood of each is that of a normal distribution cut at L (Cohen, "Truncated and censored samples", 1991): `line` is
its maximum, `least_squares` what one finds without. `heard_to_dbm` says how near to sensitivity the data come.
"""

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio.air import Floats
from simulators.radio.propagation import Line

_FEWEST_LINKS: Final = 3
_EARTH_M: Final = 6_371_008.8
_ENOUGH_LINKS: Final = 10
_FEWEST_FRAMES: Final = 5  # of a link, so that its median means something
_SLOPES: Final = (20.0, 60.0)
_SIGMAS: Final = (1.0, 15.0)
_SETTLED: Final = 1e-6
_ABOVE_DB: Final = 0.5  # the cut lies a little above the largest loss seen


class Hearing(NamedTuple):
    """One frame heard: which device by which gateway, how far apart, how strong."""

    link: str
    distance_m: float
    rssi_dbm: float
    snr_db: float


class Link(NamedTuple):
    """One device by one gateway: how far apart, how many frames, their signal's median and weakest power."""

    distance_m: float
    frames: int
    median_dbm: float
    weakest_dbm: float


class Fit(NamedTuple):
    """The fitted line, over how many links and frames, from which distance to which, down to which power."""

    line: Line
    least_squares: Line
    links: int
    frames: int
    nearest_m: float
    farthest_m: float
    heard_to_dbm: float

    @property
    def reliable(self) -> bool:
        """Say whether there are links enough to tell a slope from chance."""
        return self.links >= _ENOUGH_LINKS


def signal_dbm(rssi_dbm: float, snr_db: float) -> float:
    """Return the signal's own power: RSSI counts the noise too (ESP of Actility and others)."""
    return rssi_dbm + snr_db - 10 * math.log10(1 + 10 ** (snr_db / 10))


def fit(hearings: Iterable[Hearing], *, eirp_dbm: float = 14.0, antenna_dbi: float = 3.0) -> Fit:
    """Fit loss against the logarithm of distance over each link's median; raise ConfigurationError on too few."""
    powers: dict[str, list[float]] = defaultdict(list)
    distances: dict[str, float] = {}
    for one in hearings:
        powers[one.link].append(signal_dbm(one.rssi_dbm, one.snr_db))
        distances[one.link] = one.distance_m
    links = [Link(distances[name], len(heard), median(heard), min(heard)) for name, heard in powers.items()]
    return fit_links(links, eirp_dbm=eirp_dbm, antenna_dbi=antenna_dbi)


def fit_links(links: Iterable[Link], *, eirp_dbm: float = 14.0, antenna_dbi: float = 3.0) -> Fit:
    """Fit loss against the logarithm of distance; raise ConfigurationError on too few links."""
    kept = [one for one in links if one.frames >= _FEWEST_FRAMES and one.distance_m > 0]
    if len({one.distance_m for one in kept}) < _FEWEST_LINKS:
        raise ConfigurationError(
            f"a fit needs {_FEWEST_LINKS} links of different lengths and {_FEWEST_FRAMES} frames each"
        )
    logs = np.array([math.log10(one.distance_m / 1000) for one in kept])
    losses = np.array([eirp_dbm + antenna_dbi - one.median_dbm for one in kept])
    slope, at_1km = np.polyfit(logs, losses, 1)
    sigma = float(np.std(losses - (at_1km + slope * logs), ddof=2))
    plain = Line(float(at_1km), float(slope), sigma)
    return Fit(
        line=_cut_fit(logs, losses, plain),
        least_squares=plain,
        links=len(kept),
        frames=sum(one.frames for one in kept),
        nearest_m=min(one.distance_m for one in kept),
        farthest_m=max(one.distance_m for one in kept),
        heard_to_dbm=min(one.weakest_dbm for one in kept),
    )


def distance_m(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return metres over a sphere (haversine), positions in WGS 84 degrees."""
    here, there = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(half))


def _cut_fit(logs: Floats, losses: Floats, start: Line) -> Line:
    """Return the line of greatest likelihood when no loss above the largest one could have been seen.

    With few links, or none near the cut, it is close to least squares; a slope beyond the range of what was ever
    published (free space's 20 to 60 dB a decade) is held at its border, and sigma likewise (1 to 15 dB).
    """
    most = float(losses.max()) + _ABOVE_DB

    def unlikely(tried: Floats) -> float:
        at_1km, slope, sigma = tried
        if not (_SLOPES[0] <= slope <= _SLOPES[1] and _SIGMAS[0] <= sigma <= _SIGMAS[1]):
            return math.inf
        mean = at_1km + slope * logs
        z = (losses - mean) / sigma
        seen = [0.5 * math.erfc(-one / math.sqrt(2)) for one in (most - mean) / sigma]
        if min(seen) <= 0.0:
            return math.inf
        return float((z * z / 2).sum() + len(losses) * math.log(sigma) + sum(map(math.log, seen)))

    slope = min(max(start.slope_db, _SLOPES[0]), _SLOPES[1])
    at_1km = float((losses - slope * logs).mean())
    sigma = min(max(start.sigma_db, _SIGMAS[0]), _SIGMAS[1])
    return Line(*(float(one) for one in minimum(unlikely, np.array([at_1km, slope, sigma]))))


def minimum(cost: Callable[[Floats], float], start: Floats, rounds: int = 600) -> Floats:
    """Return where a function of few numbers is least, near `start` (Nelder and Mead 1965, their coefficients)."""
    corners = [start, *(start + step for step in np.diag(np.maximum(np.abs(start) * 0.05, 0.5)))]
    points = sorted((cost(one), tuple(one)) for one in corners)
    for _ in range(rounds):
        worst, middle = np.array(points[-1][1]), np.mean([one for _, one in points[:-1]], axis=0)
        there = middle + (middle - worst)
        at = cost(there)
        if at < points[0][0]:
            further = middle + 2 * (middle - worst)
            beyond = cost(further)
            points[-1] = (beyond, tuple(further)) if beyond < at else (at, tuple(there))
        elif at < points[-2][0]:
            points[-1] = (at, tuple(there))
        else:
            nearer = middle + 0.5 * ((there if at < points[-1][0] else worst) - middle)
            inside = cost(nearer)
            if inside < min(at, points[-1][0]):
                points[-1] = (inside, tuple(nearer))
            else:
                best = np.array(points[0][1])
                shrunk = [best + (np.array(one) - best) / 2 for _, one in points[1:]]
                points = [points[0], *((cost(one), tuple(one)) for one in shrunk)]
        points.sort()
        if points[-1][0] - points[0][0] < _SETTLED:
            break
    return np.array(points[0][1])


def read_chirpstack3(path: Path) -> Iterator[Hearing]:
    """Yield the hearings of a ChirpStack v3 capture whose rxInfo gives `_distance._distanceHaversine`, in metres."""
    with path.open("rb") as raw:
        for line in gzip.open(raw) if path.suffix == ".gz" else raw:  # noqa: SIM115 - it reads through `raw`
            uplink = json.loads(line)
            for heard in uplink.get("rxInfo", ()):
                apart = heard.get("_distance", {}).get("_distanceHaversine")
                if apart and "rssi" in heard:
                    link = f"{uplink.get('devEUI')} {heard['gatewayID']}"
                    yield Hearing(link, float(apart), float(heard["rssi"]), float(heard.get("loRaSNR", 0.0)))
