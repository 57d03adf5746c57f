"""Says of each frame which gateways received it, how strongly: what a network server would be told."""

from typing import Final

import numpy as np

from simulators.lorawan.eu868 import CHANNELS_HZ
from simulators.radio.air import RECEIVED, Air, Bytes, Floats, Frames, Heard, Ints, Longs
from simulators.radio.counting import best_of
from simulators.radio.jit import compiled
from simulators.radio.outcomes import CONFIRMED, Part, dbm
from simulators.radio.propagation import faded

NOISE_DBM: Final = -117.0  # 125 kHz at 290 K, and the 6 dB of a gateway's receiver
NOISE_MW: Final = 10 ** (NOISE_DBM / 10)
SNR_CEILING_DB: Final = 15.0  # what SX1302 gateways say at most, however near (14.8 in 15,000 real receptions)


@compiled
def received_mw(frames: Frames, frame: int, air: Air, gateway: int) -> float:
    """Return with what power a frame arrives: as the kernel has it."""
    device = frames.device[frame]
    power_mw = np.float64(frames.power_mw[frame]) * np.float64(air.gain[gateway, device])
    if air.k_factor >= 0.0:
        power_mw *= faded(air.seed, air.number[gateway], device, frames.turn[frame], air.k_factor)
    return power_mw


@compiled
def _list(frames: Frames, outcome: Bytes, chosen: Longs, air: Air, first: Longs, gateway: Ints, power: Floats) -> None:  # noqa: PLR0917
    for place, frame in enumerate(chosen):
        at = first[place]
        for one in range(len(outcome)):
            if outcome[one, frame] == RECEIVED:
                gateway[at], power[at] = one, received_mw(frames, frame, air, one)
                at += 1


class Teller:
    """Makes a `Part` of each chunk; numbers the frames of devices that do not do so themselves."""

    def __init__(self, air: Air, confirmed: Bytes) -> None:
        """Begin; `confirmed` is 1 for the devices that ask for acknowledgements."""
        self._air, self._confirmed = air, confirmed
        self._next = np.zeros(air.gain.shape[1], dtype=np.int32)

    def part(self, heard: Heard) -> Part:
        """Return the frames that are done, by their end; ties by device."""
        frames = heard.frames
        chosen = np.flatnonzero(heard.done)
        chosen = chosen[np.lexsort((frames.device[chosen], frames.end_us[chosen]))]
        best, copies = best_of(heard.outcome)
        first = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(copies[chosen], dtype=np.int64)))
        gateway, power = np.empty(first[-1], dtype=np.int32), np.empty(first[-1])
        _list(frames, heard.outcome, chosen, self._air, first, gateway, power)
        rssi_dbm = dbm(power)
        device = frames.device[chosen]
        own = len(heard.kind) > 0
        return Part(
            start_us=frames.start_us[chosen],
            end_us=frames.end_us[chosen],
            device=device,
            kind=heard.kind[chosen] if own else self._confirmed[device] * np.uint8(CONFIRMED),
            f_cnt=heard.f_cnt[chosen] if own else self._numbered(device),
            spreading_factor=frames.factor[chosen] + np.uint8(7),
            frequency_hz=np.array(CHANNELS_HZ, dtype=np.int32)[frames.channel[chosen] % len(CHANNELS_HZ)],
            cause=best[chosen],
            first=first,
            gateway=gateway,
            rssi_dbm=rssi_dbm,
            snr_db=np.minimum(rssi_dbm - np.float32(NOISE_DBM), np.float32(SNR_CEILING_DB)),
        )

    def _numbered(self, device: Ints) -> Ints:
        """Return each frame's FCnt: how many its device sent before."""
        order = np.argsort(device, kind="stable")
        sorted_devices = device[order]
        begins = np.searchsorted(sorted_devices, sorted_devices)
        numbers = np.empty(len(device), dtype=np.int32)
        numbers[order] = self._next[sorted_devices] + np.arange(len(device)) - begins
        self._next += np.bincount(device, minlength=len(self._next)).astype(np.int32)
        return numbers
