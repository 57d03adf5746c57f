"""Passwords: argon2id, and no password that half the world uses.

Lengths as in NIST SP 800-63B: long enough, no rule about characters, spaces and accents welcome.
"""

import asyncio
import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import SamaraError

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128

_AT_ONCE: Final = 4  # each takes 64 MiB while it lasts


class WeakPasswordError(SamaraError):
    """This password is too short, too long, or among the first that anybody would try; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Passwords:
    """Hashes and verifies, a few at once, outside the event loop."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return what is kept of a password."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Say whether it is the password. Nobody's (None) takes as long to refuse as somebody's."""
        async with self._turn:
            if self._nobody is None:
                self._nobody = await asyncio.to_thread(self._hasher.hash, secrets.token_hex(16))
            return await asyncio.to_thread(self._verify, kept or self._nobody, _normal(password)) and kept is not None

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def _normal(password: str) -> str:
    """Return the same text however the keyboard composed its accents."""
    return unicodedata.normalize("NFKC", password)


def check(password: str, email: str) -> None:
    """Raise WeakPasswordError unless the password may be chosen by who has this e-mail."""
    text = _normal(password)
    if len(text) < MIN_LENGTH:
        raise WeakPasswordError("short")
    if len(text) > MAX_LENGTH:
        raise WeakPasswordError("long")
    folded = text.casefold()
    name = email.partition("@")[0].casefold()
    if len(set(folded)) < 5 or (len(name) >= 4 and name in folded and len(folded) - len(name) < 6):
        raise WeakPasswordError("common")
