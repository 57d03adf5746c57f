"""Fits a path loss to what gateways really heard.

Only what was heard is known: far and weak links are missing, so that the slope comes out too small, the more the
nearer the data are to sensitivity. `heard_to_dbm` says how near, and the report must show it.
"""

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio.propagation import Line

_FEWEST_LINKS: Final = 3
_FEWEST_FRAMES: Final = 5  # of a link, so that its median means something


class Link(NamedTuple):
    """One hearing: which device by which gateway, how far apart, how strong."""

    link: str
    distance_m: float
    rssi_dbm: float
    snr_db: float


class Fit(NamedTuple):
    """The fitted line, over how many links and frames, from which distance to which, down to which power."""

    line: Line
    links: int
    frames: int
    nearest_m: float
    farthest_m: float
    heard_to_dbm: float


def signal_dbm(rssi_dbm: float, snr_db: float) -> float:
    """Return the signal's own power: RSSI counts the noise too (ESP of Actility and others)."""
    return rssi_dbm + snr_db - 10 * math.log10(1 + 10 ** (snr_db / 10))


def fit(links: Iterable[Link], *, eirp_dbm: float = 14.0, antenna_dbi: float = 3.0) -> Fit:
    """Fit loss against the logarithm of distance over each link's median; raise ConfigurationError on too few."""
    powers: dict[str, list[float]] = defaultdict(list)
    distances: dict[str, float] = {}
    for one in links:
        if one.distance_m > 0:
            powers[one.link].append(signal_dbm(one.rssi_dbm, one.snr_db))
            distances[one.link] = one.distance_m
    kept = [name for name, heard in powers.items() if len(heard) >= _FEWEST_FRAMES]
    if len(kept) < _FEWEST_LINKS or len({distances[name] for name in kept}) < _FEWEST_LINKS:
        raise ConfigurationError(
            f"a fit needs {_FEWEST_LINKS} links of different lengths and {_FEWEST_FRAMES} frames each"
        )
    logs = np.array([math.log10(distances[name] / 1000) for name in kept])
    losses = np.array([eirp_dbm + antenna_dbi - median(powers[name]) for name in kept])
    slope, at_1km = np.polyfit(logs, losses, 1)
    sigma = float(np.std(losses - (at_1km + slope * logs), ddof=2))
    return Fit(
        line=Line(float(at_1km), float(slope), sigma),
        links=len(kept),
        frames=sum(len(powers[name]) for name in kept),
        nearest_m=min(distances[name] for name in kept),
        farthest_m=max(distances[name] for name in kept),
        heard_to_dbm=min(min(powers[name]) for name in kept),
    )


def read_chirpstack3(path: Path) -> Iterator[Link]:
    """Yield the hearings of a ChirpStack v3 capture whose rxInfo gives `_distance._distanceHaversine`, in metres."""
    with path.open("rb") as raw:
        for line in gzip.open(raw) if path.suffix == ".gz" else raw:  # noqa: SIM115 - it reads through `raw`
            uplink = json.loads(line)
            for heard in uplink.get("rxInfo", ()):
                apart = heard.get("_distance", {}).get("_distanceHaversine")
                if apart and "rssi" in heard:
                    link = f"{uplink.get('devEUI')} {heard['gatewayID']}"
                    yield Link(link, float(apart), float(heard["rssi"]), float(heard.get("loRaSNR", 0.0)))
