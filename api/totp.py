"""Codes of a second factor: RFC 6238 with SHA-1, 30 s and 6 digits, as every application of the kind has them. Pure."""

import base64
import hmac
from datetime import datetime
from typing import Final
from urllib.parse import quote

STEP_S: Final = 30
SECRET_BYTES: Final = 20
_DIGITS: Final = 6
_DRIFT: Final = 1  # steps that a clock may be off


def code(secret: bytes, step: int) -> str:
    """Return the code of a step (RFC 4226, 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"


def step_of(moment: datetime) -> int:
    """Return the step of a moment."""
    return int(moment.timestamp()) // STEP_S


def matching_step(secret: bytes, given: str, now: datetime) -> int | None:
    """Return the step whose code was given, now or one before or after; None when it is no code of these."""
    tidy = "".join(given.split())
    if not (tidy.isascii() and tidy.isdigit()):
        return None
    for step in range(step_of(now) - _DRIFT, step_of(now) + _DRIFT + 1):
        if hmac.compare_digest(code(secret, step), tidy):
            return step
    return None


def written(secret: bytes) -> str:
    """Return the secret as one types it: base32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def uri(secret: bytes, email: str) -> str:
    """Return what an application reads from the QR code."""
    return f"otpauth://totp/Samara:{quote(email)}?secret={base64.b32encode(secret).decode()}&issuer=Samara"
