"""Why a message, or a reading of it, was set aside instead of stored: the whole vocabulary.

Nothing is dropped silently. Each word here is a value of `quarantine.reason` in the store, a label of the
metric `samara_quarantined_total`, and a line that a person reads.
"""

from typing import Final

TOO_LARGE: Final = "too_large"
UNKNOWN_TOPIC: Final = "unknown_topic"
UNREADABLE: Final = "unreadable"
BAD_DEV_EUI: Final = "bad_dev_eui"
BAD_FIELD: Final = "bad_field"
BAD_TIME: Final = "bad_time"
UNKNOWN_DEVICE: Final = "unknown_device"
IMPLAUSIBLE: Final = "implausible"

REASONS: Final[dict[str, str]] = {
    TOO_LARGE: "The message is larger than `ingest.max_message_bytes`; its first bytes and its digest are kept.",
    UNKNOWN_TOPIC: "No network server module recognises this topic.",
    UNREADABLE: "Neither JSON nor Protobuf of the form that this network server publishes.",
    BAD_DEV_EUI: "The DevEUI is not sixteen hexadecimal digits.",
    BAD_FIELD: "A field has a type or a value that LoRaWAN does not allow.",
    BAD_TIME: "No time of the message lies between 2015 and two days from now.",
    UNKNOWN_DEVICE: "The DevEUI is not declared; declare it, then replay.",
    IMPLAUSIBLE: "The value lies outside the plausible range of its quantity; the uplink itself is stored.",
}
