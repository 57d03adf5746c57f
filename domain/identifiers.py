"""DevEUI, gateway EUI and DevAddr as text: lower-case hexadecimal, nothing between the digits."""

import re

from domain.errors import MessageError
from domain.quarantine import BAD_DEV_EUI, BAD_FIELD

_EUI = re.compile(r"[0-9a-f]{16}\Z")
_DEV_ADDR = re.compile(r"[0-9a-f]{8}\Z")


def dev_eui(text: str) -> str:
    """Return the DevEUI in lower case; raise MessageError(BAD_DEV_EUI) if it is not 16 hexadecimal digits."""
    lowered = text.lower()
    if _EUI.match(lowered) is None:
        raise MessageError(BAD_DEV_EUI, repr(text[:64]))
    return lowered


def dev_addr(text: str) -> str:
    """Return the DevAddr in lower case ('' stays ''); raise MessageError(BAD_FIELD) if it is not one."""
    lowered = text.lower()
    if lowered and _DEV_ADDR.match(lowered) is None:
        raise MessageError(BAD_FIELD, f"DevAddr {text[:64]!r}")
    return lowered
