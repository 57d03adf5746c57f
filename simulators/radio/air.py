"""What the engines speak of: frames on the air, what gateways hear with, and what became of each frame.

Arrays, since a day of a territory has millions of frames. Shapes in brackets; powers in milliwatts; times in
microseconds of the run.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

PENDING: Final = 0
WEAK: Final = 1
OUT_OF_SERVICE: Final = 2
HALF_DUPLEX: Final = 3
NO_DEMODULATOR: Final = 4
INTERFERED: Final = 5
RECEIVED: Final = 6
CAUSES: Final = ("pending", "weak", "out_of_service", "half_duplex", "no_demodulator", "interfered", "received")

FACTORS: Final = 6  # SF7 to SF12, as 0 to 5

# How frames destroy each other: by energy, or as LoRaSim has it (`thresholds` says how).
ENERGY: Final = 0
LORASIM: Final = 1
LORASIM_MENDED: Final = 2

SPANS: Final = 64  # transmissions that a gateway remembers: duty cycles allow fewer in the seconds that matter
_EVER_BEFORE: Final = np.iinfo(np.int64).min
_NEVER_FREE: Final = np.iinfo(np.int64).max

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Shorts = npt.NDArray[np.uint16]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


class Frames(NamedTuple):
    """Frames by their start. `lock_us` is from when interference counts.

    `factor` is SF - 7; `power_mw` what is radiated; `turn` numbers the device's frames (fading depends on it).
    """

    start_us: Longs
    lock_us: Longs
    end_us: Longs
    device: Ints
    turn: Ints
    channel: Bytes
    factor: Bytes
    power_mw: Singles

    def take(self, index: npt.NDArray[Any] | slice) -> "Frames":
        """Return some of the frames."""
        columns: list[npt.NDArray[Any]] = [column[index] for column in self]
        return Frames(*columns)

    @staticmethod
    def joined(first: "Frames", second: "Frames") -> "Frames":
        """Return both, in this order."""
        columns: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = list(zip(first, second, strict=True))
        return Frames(*(np.concatenate(pair) for pair in columns))

    @staticmethod
    def room(size: int) -> "Frames":
        """Return columns for that many frames, to be filled."""
        longs, ints, bytes_ = (size, np.int64), (size, np.int32), (size, np.uint8)
        return Frames(
            np.zeros(*longs), np.zeros(*longs), np.zeros(*longs), np.zeros(*ints), np.zeros(*ints), np.zeros(*bytes_),
            np.zeros(*bytes_), np.zeros(size, np.float32),
        )  # fmt: skip


class State(NamedTuple):
    """What gateways remember from one moment to the next.

    `busy_us` (gateways, demodulators): until when each is taken. `sending_us` (gateways, spans, 2): when the gateway
    itself last transmitted, or will; `sends` (gateways): how often so far; `deaf_us` (gateways): until when at most.
    """

    busy_us: Longs
    sending_us: Longs
    sends: Longs
    deaf_us: Longs

    @staticmethod
    def empty(demodulators: Sequence[int]) -> "State":
        """Return the state of idle gateways; `demodulators` has one number a gateway."""
        gateways, most = len(demodulators), max(demodulators, default=0)
        busy_us = np.full((gateways, most), _EVER_BEFORE, dtype=np.int64)
        busy_us[np.arange(most) >= np.array(demodulators).reshape(-1, 1)] = _NEVER_FREE
        return State(
            busy_us=busy_us,
            sending_us=np.full((gateways, SPANS, 2), _EVER_BEFORE, dtype=np.int64),
            sends=np.zeros(gateways, dtype=np.int64),
            deaf_us=np.full(gateways, _EVER_BEFORE, dtype=np.int64),
        )

    def copy(self) -> "State":
        """Return a state of its own."""
        columns: list[npt.NDArray[Any]] = [column.copy() for column in self]
        return State(*columns)


class Air(NamedTuple):
    """What does not change: linear gain (gateways, devices), sensitivities and thresholds (linear), fading.

    `rule` is ENERGY, LORASIM or LORASIM_MENDED. `floor_mw` (by factor) is below any notice. `k_factor` is Rice's
    (0: Rayleigh), negative without fading. `closed_us` (n, 3) lists (gateway, from, to) out of service, sorted.
    `number` (gateways): what each is called in the lots that are drawn for it.
    """

    gain: Singles
    sensitivity_mw: Floats
    thresholds: Floats
    rule: int
    floor_mw: Floats
    k_factor: float
    seed: int
    closed_us: Longs
    number: Ints


class Heard(NamedTuple):
    """A chunk of time: its frames (n), each one's outcome (gateways, n), and which were `done` in it.

    The others come again, or have come before: they were on the air with some of these.

    Devices that listen also say what each frame is: `kind` and `f_cnt` as in `outcomes.Part` (empty otherwise).
    """

    frames: Frames
    outcome: Bytes
    done: Flags
    kind: Bytes = np.zeros(0, dtype=np.uint8)
    f_cnt: Ints = np.zeros(0, dtype=np.int32)
    chunk: int = 0  # which it is; one may come in several pieces
