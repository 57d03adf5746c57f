"""How fast the engines are here: 100,000 devices and 60 gateways over 80 km, 24 hours.

python -m simulators.radio.speed [period in seconds: 3600 for 2.4 million frames, 900 for 9.6 million] [option …]

Options: rayleigh, adr, joins, confirmed.
"""

import resource
import sys
import time
from dataclasses import replace
from typing import Any, Final

from simulators.radio import run, world
from simulators.radio.scenario import HERE, Fleet, Gateway, Radio

_SIDE: Final = 8
_SPREAD_M: Final = 45_000.0
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "rayleigh": {"fading": "rayleigh"},
    "adr": {"adr": "chirpstack"},
    "joins": {"joins": True},
    "confirmed": {},
}


def territory(devices: int, period_s: float, hours: float, *, gateways: int = 60) -> Radio:
    """Return an even territory about Amiens: gateways on a grid, devices in a disc of 45 km."""
    stands = tuple(
        Gateway(
            name=f"gateway {number}",
            latitude=49.55 + 0.09 * (number // _SIDE),
            longitude=1.80 + 0.14 * (number % _SIDE),
            antenna_dbi=6.0,
        )
        for number in range(gateways)
    )
    fleet = Fleet(name="devices", devices=devices, period_s=period_s, spread_m=_SPREAD_M)
    return Radio(name="speed", hours=hours, gateways=stands, fleets=(fleet,))


def _with(radio: Radio, options: list[str]) -> Radio:
    for option in options:
        radio = replace(radio, **_OPTIONS[option])
    fleets = tuple(replace(one, confirmed="confirmed" in options) for one in radio.fleets)
    return replace(radio, fleets=fleets)


def measure(period_s: float, options: list[str]) -> str:
    """Return a line of figures; what Numba compiles, or reads back, is told apart."""
    began = time.perf_counter()
    run.run(world.prepare(_with(territory(500, 60.0, 0.1), options), HERE))
    warm = time.perf_counter()
    ready_world = world.prepare(_with(territory(100_000, period_s, 24.0), options), HERE)
    ready = time.perf_counter()
    result, _ = run.run(ready_world)
    done = time.perf_counter()
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{result.frames:,} frames: {done - warm:.2f} s (gains {ready - warm:.2f}, run {done - ready:.2f}), "
        f"warm-up {warm - began:.2f} s, {memory_mb:.0f} MB, delivery {result.delivery:.4f}"
    )


if __name__ == "__main__":
    sys.stdout.write(measure(float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0, sys.argv[2:]) + "\n")
