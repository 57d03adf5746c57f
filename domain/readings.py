"""What a decoder returns: readings, or the reason why there are none.

Named tuples, not dataclasses: a frozen dataclass costs three times as much to build, and a decoder
makes a million of these a second (docs/decisions/0002-records.md).
"""

from datetime import datetime
from typing import Final, NamedTuple


class Reading(NamedTuple):
    """One value that a frame carries.

    `quantity` is a name of `domain.quantities`, `value` is in that quantity's unit. `channel` tells apart
    several of the same kind on one device (0 when there is one). A reading is of the moment the frame was
    received, unless `age_s` (seconds before reception) or `measured_at` (the device's own clock, UTC) says
    otherwise: batched and historical frames use one of the two.
    """

    quantity: str
    value: float
    channel: int = 0
    age_s: float = 0.0
    measured_at: datetime | None = None


# Why an uplink has no readings of ours. Kept with the uplink, so that it can be found and decoded again.
DECODED: Final = "decoded"
EMPTY: Final = "empty"  # no FPort or no payload, or FPort 0: MAC commands alone
NO_DECODER: Final = "no_decoder"  # the model is unknown, and the network server decoded nothing
FOREIGN: Final = "foreign"  # the model is unknown; the numbers the network server decoded were kept
MALFORMED: Final = "malformed"  # the decoder refused the frame
FAILED: Final = "failed"  # the decoder itself broke: a defect to mend, then decode again
TWIN: Final = "twin"  # the frame came by another network server too, and that uplink carries the readings

OUTCOMES: Final = (DECODED, EMPTY, NO_DECODER, FOREIGN, MALFORMED, FAILED, TWIN)
