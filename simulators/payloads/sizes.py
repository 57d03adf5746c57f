"""How many bytes of FRMPayload each model sends in its periodic report: what its time on air depends on."""

from typing import Final

SIZES: Final = {
    "dragino-dds75-lb": 8,
    "dragino-lse01": 11,
    "makerfabs-soil-moisture": 9,
    "milesight-am103": 14,
    "milesight-em300-di": 20,
    "milesight-ws523": 26,
    "multitech-rbs301-temp": 5,
    "multitech-rbs305-ath": 7,
}
