"""How well the demonstration's antennas hear a device, by where it is."""

import hashlib
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.events import Position
from simulators import chirpstack
from simulators.demo.places import Gateway
from simulators.processes import unit

_FLOORS_SNR_DB: Final = (-20.0, -17.5, -15.0, -12.5, -10.0, -7.5)  # DR0 (SF12) to DR5 (SF7), SX1276 datasheet
_MARGIN_DB: Final = 3.0


class Reach(NamedTuple):
    """At which data rate a device sends, and which antennas may hear it: (mean SNR in dB, antenna), the best first."""

    data_rate: int
    gateways: tuple[tuple[float, Gateway], ...]


def heard(seed: str, dev_eui: str, reach: Reach, number: int, off: Sequence[Gateway]) -> list[chirpstack.Heard]:
    """Return who hears a frame, best first: ±3 dB from frame to frame. The antennas `off` have no power."""
    receptions = []
    for mean_db, gateway in reach.gateways:
        snr_db = mean_db + 6 * unit(f"{seed}{dev_eui}{gateway.gateway_id}", number) - 3
        if gateway not in off and (snr_db > _FLOORS_SNR_DB[reach.data_rate] or gateway is reach.gateways[0][1]):
            receptions.append(_reception(gateway, snr_db, number))
    return sorted(receptions, key=lambda one: -one.snr_db)


def reach_of(dev_eui: str, position: Position, gateways: tuple[Gateway, ...]) -> Reach:
    """Return the rate that ADR would choose for the best antenna, and those that may hear it then.

    Path loss as measured around Oulu (Petäjäjärvi 2015), up to 16 dB of walls. What is out of everyone's reach is
    heard by the best all the same.
    """
    levels = sorted(((_mean_snr_db(dev_eui, position, gateway), gateway) for gateway in gateways), reverse=True)
    best_db = levels[0][0]
    rate = max((rate for rate in range(6) if best_db - _FLOORS_SNR_DB[rate] >= _MARGIN_DB), default=0)
    within = [one for one in levels[1:] if one[0] + 3 > _FLOORS_SNR_DB[rate]]
    return Reach(rate, (levels[0], *within))


def _mean_snr_db(dev_eui: str, position: Position, gateway: Gateway) -> float:
    distance_km = max(0.05, _distance_km(position, gateway.position))
    walls_db = 16 * unit(dev_eui + gateway.gateway_id, 0)
    return 26 - (128.95 + 23.2 * math.log10(distance_km)) - walls_db + 115


def _reception(gateway: Gateway, snr_db: float, number: int) -> chirpstack.Heard:
    context = digest(gateway.gateway_id, str(number))
    return chirpstack.Heard(
        gateway.gateway_id,
        round(snr_db - 115),
        round(min(12.0, snr_db) * 4) / 4,
        gateway.position,
        uplink_id=int.from_bytes(context[:2], "big"),
        rf_chain=number & 1,
        context=context[:4],
    )


def _distance_km(one: Position, other: Position) -> float:
    """Return the distance on a plane tangent at the first: right to a metre over a few kilometres."""
    north = (other.latitude_deg - one.latitude_deg) * 111.32
    east = (other.longitude_deg - one.longitude_deg) * 111.32 * math.cos(math.radians(one.latitude_deg))
    return math.hypot(north, east)


def digest(*parts: str) -> bytes:
    """Return 16 bytes that depend on these texts alone."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()
