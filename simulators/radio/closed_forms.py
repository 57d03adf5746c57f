"""What theory says: the formulas that the engine is held against."""

import math


def aloha(devices: int, airtime_s: float, period_s: float) -> float:
    """Return the share of frames that no other overlaps: pure ALOHA (Abramson 1970), exp(-2 N T / P)."""
    return math.exp(-2 * devices * airtime_s / period_s)


def erlang_b(load: float, servers: int) -> float:
    """Return the share of arrivals that find all servers taken (Erlang 1917), by its recursion."""
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = load * blocked / (server + load * blocked)
    return blocked


def tail(sigmas: float) -> float:
    """Return the standard normal's upper tail."""
    return 0.5 * math.erfc(sigmas / math.sqrt(2))


def shadowed_outage(margin_db: float, sigma_db: float) -> float:
    """Return the share of places below sensitivity where the mean has this margin: log-normal shadowing."""
    return tail(margin_db / sigma_db)


def rayleigh_outage(margin_db: float) -> float:
    """Return the share of frames below sensitivity on a Rayleigh channel whose mean has this margin."""
    return 1 - math.exp(-(10 ** (-margin_db / 10)))


def covered_area(edge_margin_db: float, slope_db: float, sigma_db: float) -> float:
    """Return the covered share of a disc whose edge has this mean margin.

    Source: Jakes, "Microwave Mobile Communications", 1974, 2.5.3 (Reudink); `slope_db` is 10 times the exponent.
    """
    a = -edge_margin_db / (sigma_db * math.sqrt(2))
    b = slope_db * math.log10(math.e) / (sigma_db * math.sqrt(2))
    return 0.5 * (1 - math.erf(a) + math.exp((1 - 2 * a * b) / b**2) * (1 - math.erf((1 - a * b) / b)))
