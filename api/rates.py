"""How often one address may ask what needs no account: a bucket that fills as time passes. Kept in this process."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final, NamedTuple

_KEPT: Final = 50_000  # who asked longest ago is forgotten first: then their bucket was full again


class Bucket(NamedTuple):
    """How many requests were left at a moment."""

    left: float
    at: datetime


def taken(bucket: Bucket | None, per_minute: int, now: datetime) -> tuple[Bucket, timedelta]:
    """Return the bucket after one more request, and how long to wait for it: nothing when there was one left. Pure."""
    left = float(per_minute)
    if bucket is not None:
        left = min(left, bucket.left + (now - bucket.at).total_seconds() * per_minute / 60)
    if left >= 1:
        return Bucket(left - 1, now), timedelta(0)
    return Bucket(left, now), timedelta(seconds=(1 - left) * 60 / per_minute)


class Rates:
    """A bucket for each address."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, address: str, now: datetime) -> timedelta:
        """Count a request; return how long this address has to wait before it is answered."""
        bucket, wait = taken(self._buckets.pop(address, None), self._per_minute, now)
        self._buckets[address] = bucket
        while len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        return wait
