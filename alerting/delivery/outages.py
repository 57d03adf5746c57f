"""Whether an antenna's outage explains that a sensor is silent. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

LATELY: Final = timedelta(days=7)  # gateways that heard a sensor within are those it depends on
OUT_AFTER: Final = timedelta(minutes=10)  # network servers have a gateway say something every 30 s


class Outage(NamedTuple):
    """`gateway_id` is out; None when every gateway is: then it is their network server, or the way to it."""

    gateway_id: int | None


def outage_of(relays: Sequence[int], heard: Mapping[int, datetime], now: datetime) -> Outage | None:
    """Return the outage that keeps a sensor from being heard, None when a gateway that hears it works.

    `relays` are the gateways that heard the sensor lately, `heard` when each gateway was last heard of. When all
    of its gateways are out, the one that went last took the sensor with it.
    """
    known = {gateway_id: heard[gateway_id] for gateway_id in relays if gateway_id in heard}
    if not known or any(now - at < OUT_AFTER for at in known.values()):
        return None
    lately = [at for at in heard.values() if now - at < LATELY]
    if len(lately) > 1 and all(now - at >= OUT_AFTER for at in lately):
        return Outage(None)
    return Outage(max(known, key=lambda gateway_id: (known[gateway_id], gateway_id)))
