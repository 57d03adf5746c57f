"""DevEUI, gateway EUI and DevAddr as text: lower-case hexadecimal, nothing between the digits."""

from domain.errors import MessageError
from domain.quarantine import BAD_DEV_EUI, BAD_FIELD

_EUI_DIGITS = 16
_DEV_ADDR_DIGITS = 8


def dev_eui(text: str) -> str:
    """Return the DevEUI in lower case; raise MessageError(BAD_DEV_EUI) if it is not 16 hexadecimal digits."""
    if not _is_hexadecimal(text, _EUI_DIGITS):
        raise MessageError(BAD_DEV_EUI, repr(text[:64]))
    return text.lower()


def dev_addr(text: str) -> str:
    """Return the DevAddr in lower case ('' stays ''); raise MessageError(BAD_FIELD) if it is not one."""
    if text and not _is_hexadecimal(text, _DEV_ADDR_DIGITS):
        raise MessageError(BAD_FIELD, f"DevAddr {text[:64]!r}")
    return text.lower()


def _is_hexadecimal(text: str, digits: int) -> bool:
    """Say whether it is so many digits, and nothing else: `fromhex` lets blanks stand between two bytes."""
    try:
        return len(text) == digits and len(bytes.fromhex(text)) * 2 == digits
    except ValueError:
        return False
