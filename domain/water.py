"""What a water manager computes: yield of a network, losses, flow at night, an abnormal consumption. Pure.

Sources:
- P104.3 (yield) and P106.3 (linear index of losses): arrêté du 2 mai 2007, annual report on drinking water (RPQS);
- threshold: décret n° 2012-97, Code de l'environnement D213-48-14-1: 85 %, or else 65 + a fifth of the linear index of
  consumption (70 instead of 65 where more than 2 million m3 a year are drawn from a "zone de répartition des eaux");
- notice: Code général des collectivités territoriales L2224-12-4 III bis and R2224-20-1: more than twice the mean of
  the same period of the three years before.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

GOOD_YIELD: Final = 85.0
_LEAST_YIELD: Final = 65.0
_DAYS: Final = 365
YEARS: Final = 3  # before, that the law has averaged
NIGHT: Final = (2, 5)  # local hours of the minimum night flow


class Network(NamedTuple):
    """A year of a network: volumes in m3, pipes in km without connections."""

    produced_m3: float
    imported_m3: float
    exported_m3: float
    authorised_m3: float
    length_km: float


class Performance(NamedTuple):
    """Yield in % (P104.3), losses in m3/km/day (P106.3), linear index of consumption, and the yield asked for in %."""

    yield_percent: float
    losses: float
    consumption: float
    threshold_percent: float

    @property
    def suffices(self) -> bool:
        """Say whether the yield is what the decree asks for."""
        return self.yield_percent >= self.threshold_percent


def performance(network: Network) -> Performance | None:
    """Return the indicators of a year; None where nothing was put into the network, or it has no length."""
    put_in = network.produced_m3 + network.imported_m3
    if put_in <= 0 or network.length_km <= 0:
        return None
    lost = put_in - network.exported_m3 - network.authorised_m3
    consumption = (network.authorised_m3 + network.exported_m3) / (_DAYS * network.length_km)
    return Performance(
        yield_percent=100 * (network.authorised_m3 + network.exported_m3) / put_in,
        losses=lost / (_DAYS * network.length_km),
        consumption=consumption,
        threshold_percent=min(GOOD_YIELD, _LEAST_YIELD + consumption / 5),
    )


class Leak(NamedTuple):
    """What runs at night, when nothing should: L an hour, on each of the last nights."""

    litres_an_hour: float
    nights: int

    def litres_a_day(self) -> float:
        """Return what it is worth in a day."""
        return 24 * self.litres_an_hour

    def m3_a_year(self) -> float:
        """Return what it is worth in a year."""
        return self.litres_an_hour * 24 * _DAYS / 1000


def leak(nights_l_an_hour: Sequence[float], *, at_least: int = 3, above: float = 5.0) -> Leak | None:
    """Return the leak that the least flows of the last nights tell of, the newest last; None if one of them was calm.

    It takes `at_least` nights in a row above `above` L an hour.
    """
    running: list[float] = []
    for flow in reversed(nights_l_an_hour):
        if flow < above:
            break
        running.append(flow)
    return Leak(min(running), len(running)) if len(running) >= at_least else None


def is_abnormal(used: float, same_period_before: Sequence[float]) -> bool:
    """Say whether the law asks to warn the subscriber: more than twice the mean of up to three years before."""
    years = same_period_before[-YEARS:]
    return bool(years) and used > 2 * sum(years) / len(years)
