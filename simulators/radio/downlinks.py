"""Class A acknowledgements: which gateway answers, when, and what it cannot hear meanwhile.

Two passes. The first hears all uplinks as if nobody answered, and plans the answers: the best gateway that received
a confirmed uplink answers in RX1 (one second after it, same channel and data rate) or else in RX2 (two seconds after,
869.525 MHz, SF12), if it is not transmitting then and its duty cycle allows. The second pass hears again, each
gateway deaf while it transmits. What the second pass no longer receives was answered all the same: a first-order
account. Devices do not retry.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from simulators.lorawan.airtime import airtime_us
from simulators.lorawan.eu868 import CHANNELS_HZ, RX2_HZ, silence_us, sub_band
from simulators.radio import engine
from simulators.radio.kernel import RECEIVED, Air, Bytes, Frames, Longs
from simulators.radio.traffic import Talk

_ACK_BYTES: Final = 12  # MHDR, FHDR, MIC: an acknowledgement without payload
_RX1_US: Final = 1_000_000
_RX2_US: Final = 2_000_000
_AIRTIME_US: Final = tuple(airtime_us(_ACK_BYTES, sf, crc=False) for sf in range(7, 13))

_BANDS: Final = tuple({sub_band(hz).name for hz in (*CHANNELS_HZ, RX2_HZ)})


class Answers(NamedTuple):
    """How many acknowledgements left in each window, and how many could not leave at all."""

    rx1: int
    rx2: int
    unanswered: int


class Planner:
    """Plans answers as uplinks end, in that order, whatever the hours they are handed over in."""

    def __init__(self, air: Air, confirmed: Bytes) -> None:
        gateways = air.gain.shape[0]
        self.answers = Answers(0, 0, 0)
        self._air = air
        self._confirmed = confirmed
        self._sending_until = [0] * gateways
        self._silent_until = [dict.fromkeys(_BANDS, 0) for _ in range(gateways)]
        self._spans: list[tuple[int, int, int]] = []

    def take(self, frames: Frames, outcome: Bytes, done: npt.NDArray[np.bool_]) -> None:
        """Plan the answers to the frames that are done."""
        wanted = done & (self._confirmed[frames.device] > 0) & (outcome == RECEIVED).any(axis=0)
        chosen = np.flatnonzero(wanted)
        order = np.lexsort((frames.device[chosen], frames.end_us[chosen]))
        for frame in chosen[order]:
            heard = outcome[:, frame] == RECEIVED
            gateway = int(np.argmax(np.where(heard, self._air.gain[:, frames.device[frame]], -1.0)))
            self._answer(gateway, int(frames.end_us[frame]), int(frames.channel[frame]), int(frames.factor[frame]))

    def _answer(self, gateway: int, ended_us: int, channel: int, factor: int) -> None:
        rx1 = self._sends(gateway, ended_us + _RX1_US, CHANNELS_HZ[channel % len(CHANNELS_HZ)], _AIRTIME_US[factor])
        rx2 = not rx1 and self._sends(gateway, ended_us + _RX2_US, RX2_HZ, _AIRTIME_US[-1])
        one, two, none = self.answers
        self.answers = Answers(one + rx1, two + rx2, none + (not rx1 and not rx2))

    def _sends(self, gateway: int, at_us: int, frequency_hz: int, airtime: int) -> bool:
        """Transmit if the gateway and its sub-band are free then."""
        band = sub_band(frequency_hz).name
        if at_us < self._sending_until[gateway] or at_us < self._silent_until[gateway][band]:
            return False
        self._sending_until[gateway] = at_us + airtime
        self._silent_until[gateway][band] = at_us + airtime + silence_us(airtime, frequency_hz)
        self._spans.append((gateway, at_us, at_us + airtime))
        return True

    def spans(self) -> Longs:
        """Return when each gateway transmits: (gateway, from, to), sorted."""
        return np.array(sorted(self._spans), dtype=np.int64).reshape(-1, 3)


def run(
    talk: Talk, air: Air, confirmed: Bytes, *, duration_us: int, demodulators: int = 8, chunk_us: int = engine.HOUR_US
) -> tuple[engine.Result, Answers]:
    """Run both passes; `confirmed` is 1 for the devices that ask for acknowledgements."""
    planner = Planner(air, confirmed)
    engine.run(
        talk, air, duration_us=duration_us, demodulators=demodulators, chunk_us=chunk_us, on_finished=planner.take
    )
    deaf = air._replace(sending_us=planner.spans())
    result = engine.run(talk, deaf, duration_us=duration_us, demodulators=demodulators, chunk_us=chunk_us)
    return result, planner.answers
