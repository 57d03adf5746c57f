"""What energy or water goes to, as sub-meters of a building tell it apart.

Source: arrêté du 26 octobre 2010 (RT 2012), article 31, which has buildings other than homes measured by heating,
cooling, hot water, lighting, sockets, ventilation and cooking; and what communes meter beside: charging of vehicles,
lighting out of doors, watering, and what a network lets through, which is used elsewhere and is in no total.
"""

from typing import Final, Literal, get_args

Use = Literal[
    "heating",
    "cooling",
    "hot_water",
    "ventilation",
    "lighting",
    "sockets",
    "kitchen",
    "charging",
    "outdoor_lighting",
    "watering",
    "distribution",
    "other",
]
DISTRIBUTION: Final[Use] = "distribution"
USES: Final[tuple[Use, ...]] = get_args(Use)
