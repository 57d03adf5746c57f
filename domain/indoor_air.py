"""How confined the air of a room is. Pure.

Sources:
- ICONE: CSTB, "indice de confinement d'air dans les écoles": 2.5 / log10(2) x log10(1 + f1 + 3 f2), f1 the share of the
  occupied time between 1000 and 1700 ppm of CO2, f2 above 1700; 0 to 5;
- 800 and 1500 ppm: décret n° 2022-1690 on the yearly assessment of air in schools and nurseries (Code de
  l'environnement R221-30 and after): above 800 renew the air better, above 1500 act.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

WATCH_PPM: Final = 800.0
ACT_PPM: Final = 1500.0
_CONFINED_PPM: Final = 1000.0
_VERY_CONFINED_PPM: Final = 1700.0


class Confinement(NamedTuple):
    """Shares of the occupied time (0 to 1) above each level, the mean, and the ICONE (0 none to 5 extreme)."""

    hours: int
    mean_ppm: float
    above_watch: float
    above_act: float
    icone: int


def confinement(occupied_ppm: Sequence[float]) -> Confinement | None:
    """Return how confined a room was from the CO2 of its occupied hours; None from less than ten hours."""
    count = len(occupied_ppm)
    if count < 10:
        return None

    def share(low: float, high: float = math.inf) -> float:
        return sum(low < one <= high for one in occupied_ppm) / count

    middle, high = share(_CONFINED_PPM, _VERY_CONFINED_PPM), share(_VERY_CONFINED_PPM)
    icone = 2.5 / math.log10(2) * math.log10(1 + middle + 3 * high)
    return Confinement(count, sum(occupied_ppm) / count, share(WATCH_PPM), share(ACT_PPM), round(icone))
