"""Makes a scenario ready to run: who hears whom how well, and how devices talk."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio import engine, placing, thresholds, traffic
from simulators.radio.air import Air, Bytes, Floats, Longs, Singles
from simulators.radio.placing import Placed
from simulators.radio.scenario import Radio
from simulators.radio.traffic import Talk

_FADINGS: Final = {"none": -1.0, "rayleigh": 0.0}
_PATTERNS: Final = {"periodic": traffic.PERIODIC, "poisson": traffic.POISSON}
_DUTY_CYCLE: Final = 0.01


class World(NamedTuple):
    """A scenario made ready to run; `fleet` gives each device's place in `Radio.fleets`."""

    radio: Radio
    talk: Talk
    air: Air
    fleet: Longs
    device_xy_m: Floats
    gateway_xy_m: Floats
    out_of_reach: float  # share of devices that no gateway hears at SF12 on average
    beyond_duty_cycle: int  # devices that would have to talk more than 1 % of the time

    @property
    def confirmed(self) -> Bytes:
        """1 for the devices that ask for acknowledgements."""
        return np.array([one.confirmed for one in self.radio.fleets], dtype=np.uint8)[self.fleet]

    @property
    def demodulators(self) -> list[int]:
        """How many demodulators each gateway has."""
        return [one.demodulators for one in self.radio.gateways]

    @property
    def duration_us(self) -> int:
        """How long the run is."""
        return round(self.radio.hours * engine.HOUR_US)


def k_factor(fading: str) -> float:
    """Return Rice's K of a named fading, negative for none; raise ConfigurationError for another name."""
    if fading in _FADINGS:
        return _FADINGS[fading]
    kind, _, value = fading.partition(":")
    try:
        if kind == "rice" and float(value) > 0:
            return float(value)
    except ValueError:
        pass
    raise ConfigurationError(f"fading is none, rayleigh or rice:K, not {fading!r}")


def prepare(radio: Radio, folder: Path) -> World:
    """Place the devices and compute every gain; raise ConfigurationError if the scenario will not do.

    `folder` is where the scenario's other files are.
    """
    placed = placing.place(radio, folder)
    gains = placing.gains(placed, np.arange(len(radio.gateways)))
    return settle(placed, gains, gains.max(axis=0))


def settle(placed: Placed, gains: Singles, best_gain: Singles) -> World:
    """Return how everybody talks where each device's best gateway has this gain; raise ConfigurationError.

    `gains` may be without devices, (gateways, 0), where they are kept elsewhere.
    """
    radio = placed.radio
    air = thresholds.air(
        gains,
        thresholds.sensitivity_dbm(radio.chip),
        radio.capture,
        k_factor=k_factor(radio.fading),
        seed=radio.seed,
        closed_us=_outages(radio),
    )
    talk = _talk(radio, placed.fleet, best_gain, air.sensitivity_mw)
    unheard = best_gain * talk.power_mw < air.sensitivity_mw[-1]
    busy = talk.airtime_us > talk.period_s * 1e6 * _DUTY_CYCLE
    return World(
        radio=radio,
        talk=talk,
        air=air,
        fleet=placed.fleet,
        device_xy_m=placed.device_xy_m,
        gateway_xy_m=placed.gateway_xy_m,
        out_of_reach=float(unheard.mean()),
        beyond_duty_cycle=int(busy.sum()),
    )


def _talk(radio: Radio, fleet: Longs, best_gain: Any, sensitivity_mw: Floats) -> Talk:
    power_mw = 10 ** (radio.eirp_dbm / 10)
    adapted = engine.fastest_factors(best_gain, power_mw, sensitivity_mw, radio.margin_db)
    wanted = np.array([one.spreading_factor for one in radio.fleets])[fleet]
    factor = np.where(wanted == 0, adapted, wanted - 7).astype(np.uint8)
    return Talk(
        period_s=np.array([one.period_s for one in radio.fleets])[fleet],
        factor=factor,
        airtime_us=traffic.airtimes_us(np.array([one.payload_bytes for one in radio.fleets])[fleet], factor),
        lock_us=traffic.locks_us(factor) * radio.preamble_rule,
        power_mw=np.full(len(fleet), power_mw, dtype=np.float32),
        jitter=radio.jitter,
        pattern=_PATTERNS[radio.pattern],
        channels=radio.channels,
        seed=radio.seed,
    )


def _outages(radio: Radio) -> Longs:
    spans = [
        (number, round(start * engine.HOUR_US), round(end * engine.HOUR_US))
        for number, one in enumerate(radio.gateways)
        for start, end in sorted(one.outages_h)
    ]
    return np.array(spans, dtype=np.int64).reshape(-1, 3)
