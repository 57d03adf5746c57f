"""Fludia FM432e and FM432g: what a meter's index grew by in each hour.

Source: Fludia, github.com/Fludia-IoT/LoRaWAN-decoders (April 2026), README. f_port 129, big-endian.
  69 MM II II II II dd dd ..  FM432e: M minutes a step, I index at the end of the last one, 1 Wh; d growths
  6D MM II II II II dd dd ..  FM432g: the same in 0.1 turn of the meter's drum
"""

import struct
from collections.abc import Sequence
from itertools import pairwise

_HOUR_MIN = 60


def energy(indexes_wh: Sequence[int]) -> bytes:
    """Return a periodic frame of an FM432e from hourly indexes, the oldest first: one more than its steps."""
    return _frame(0x69, indexes_wh)


def gas(indexes_tenths: Sequence[int]) -> bytes:
    """Return a periodic frame of an FM432g from hourly indexes in tenths of a turn."""
    return _frame(0x6D, indexes_tenths)


def _frame(header: int, indexes: Sequence[int]) -> bytes:
    growths = [after - before for before, after in pairwise(indexes)]
    return struct.pack(f">BBI{len(growths)}H", header, _HOUR_MIN, indexes[-1], *growths)
