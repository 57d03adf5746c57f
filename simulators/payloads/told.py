"""Commands as the simulated sensors understand them: how often to send.

Source: Dragino, "End Device AT Commands and Downlink Command": 01, uint24 seconds. Elsys, "Sensor downlink payload":
3E, length, settings; 14, uint32 seconds. Milesight, "WS52x User Guide": FF 03, uint16 seconds, low byte first.
"""

from typing import Final

_DRAGINO: Final = 0x01
_ELSYS: Final = 0x3E
_ELSYS_PERIOD: Final = 0x14
_MILESIGHT: Final = b"\xff\x03"
_WORD: Final = 4
_ELSYS_LEAST: Final = 6


def period_s(model: str, payload: bytes) -> int | None:
    """Return the period that a command sets, None when it sets none."""
    vendor, size = model.partition("-")[0], len(payload)
    if vendor == "dragino" and size == _WORD and payload[0] == _DRAGINO:
        return int.from_bytes(payload[1:], "big")
    if vendor == "elsys" and size > _ELSYS_LEAST and (payload[0], payload[2]) == (_ELSYS, _ELSYS_PERIOD):
        return int.from_bytes(payload[3:7], "big")
    if vendor == "milesight" and size == _WORD and payload[:2] == _MILESIGHT:
        return int.from_bytes(payload[2:], "little")
    return None
