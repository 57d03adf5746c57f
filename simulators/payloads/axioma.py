"""Axioma Qalcosonic W1: a water meter's volume now, and hour by hour.

Source: Axioma Metering, W1 LoRa Payload (Long) "Extended", V01.8, 2020-04-06. f_port 100, little-endian.
  CC CC CC CC SS VV VV VV VV TT TT TT TT LL LL LL LL dd dd ..
  C clock, seconds since 1970 | S status (30 with 10: leak) | V volume now, 1 L | T a past hour | L volume then
  d growth in each hour from T on
"""

import struct
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

_LEAK = 0x30


def volume(at: datetime, now_l: int, since: datetime, hourly_l: Sequence[int], *, leak: bool = False) -> bytes:
    """Return a frame sent `at`; `hourly_l` are the volumes at `since` and at each hour after it, the oldest first."""
    growths = [after - before for before, after in pairwise(hourly_l)]
    head = (int(at.timestamp()), _LEAK if leak else 0, now_l, int(since.timestamp()), hourly_l[0])
    return struct.pack(f"<IBIII{len(growths)}H", *head, *growths)
