"""Passwords: argon2id, and none of those that anybody would try first.

Lengths as in NIST SP 800-63B: long enough, no rule about characters, spaces and accents welcome.
"""

import asyncio
import hashlib
import re
import secrets
import sys
import unicodedata
from array import array
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import SamaraError

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128

# What people here would type first, beside what the whole world does (`_prefixes`).
_LOCAL: Final = frozenset([
    "administrateur", "amiens", "azerty", "azertyuiop", "bienvenue", "bonjour", "camille", "capteur", "capteurs",
    "chouchou", "collectivite", "commune", "doudou", "jetaime", "lorawan", "loulou", "mairie", "motdepasse",
    "passw0rd", "qsdfghjklm", "qwertz", "samara", "soleil", "somme", "utilisateur", "wxcvbn",
])  # fmt: skip
_AROUND: Final = re.compile(r"[\W\d_]+")
_COMMON: Final = Path(__file__).parent / "passwords.bin"  # made by .ci/common-passwords.py, which names its source
PREFIX_BYTES: Final = 4  # of SHA-1: of passwords that nobody else has, one in 60,000 is taken for a common one
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

    def is_outdated(self, kept: str) -> bool:
        """Say whether it was kept with other costs than are asked for now."""
        return self._hasher.check_needs_rehash(kept)

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
    of_the_name = len(name) >= 4 and name in folded and len(folded) - len(name) < 6
    if len(set(folded)) < 5 or of_the_name or is_common(folded):
        raise WeakPasswordError("common")


def is_common(folded: str) -> bool:
    """Say whether a case-folded text is among the most used passwords, or one word of those with signs around."""
    word = stem(folded)
    return word == "" or word in _LOCAL or _is_listed(folded) or (word is not None and _is_listed(word))


def stem(folded: str) -> str | None:
    """Return the one word that is left without digits and signs around, '' for none; None when there are several."""
    words = [word for word in _AROUND.split(folded) if word]
    return None if len(words) > 1 else "".join(words)


def _is_listed(text: str) -> bool:
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).digest()
    wanted, known = int.from_bytes(digest[:PREFIX_BYTES]), _prefixes()
    at = bisect_left(known, wanted)
    return at < len(known) and known[at] == wanted


@cache
def _prefixes() -> "array[int]":
    """Return the sorted prefixes, as numbers: a third of a megabyte."""
    found = array("I", _COMMON.read_bytes())
    if sys.byteorder == "little":
        found.byteswap()
    return found
