"""Passwords: argon2id, and none of those that anybody would try first.

Lengths as in NIST SP 800-63B: long enough, no rule about characters, spaces and accents welcome.
"""

import asyncio
import re
import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import SamaraError

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 128

# What people type first, and what they build on: alone, or with digits and signs around, none of them is a password.
_COMMON: Final = frozenset(
    [
        "password",
        "passw0rd",
        "motdepasse",
        "azerty",
        "azertyuiop",
        "qwerty",
        "qwertyuiop",
        "qwertz",
        "asdfghjkl",
        "welcome",
        "bienvenue",
        "bonjour",
        "letmein",
        "iloveyou",
        "jetaime",
        "admin",
        "administrator",
        "administrateur",
        "root",
        "user",
        "utilisateur",
        "test",
        "testtest",
        "demo",
        "changeme",
        "secret",
        "princess",
        "princesse",
        "soleil",
        "doudou",
        "loulou",
        "chouchou",
        "marseille",
        "paris",
        "france",
        "amiens",
        "somme",
        "mairie",
        "commune",
        "collectivite",
        "samara",
        "capteur",
        "capteurs",
        "lorawan",
        "football",
        "dragon",
        "monkey",
        "master",
        "superman",
        "batman",
        "pokemon",
        "starwars",
        "abc",
        "abcd",
        "abcdef",
        "abcdefghijkl",
        "qsdfghjklm",
        "wxcvbn",
        "nicolas",
        "camille",
        "thomas",
        "alexandre",
        "sunshine",
        "shadow",
        "trustno",
        "whatever",
        "computer",
        "internet",
    ]
)
_AROUND: Final = re.compile(r"[\W\d_]+")
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
    words = [word for word in _AROUND.split(folded) if word]
    made_of_one = len(words) <= 1 and (not words or words[0] in _COMMON)
    of_the_name = len(name) >= 4 and name in folded and len(folded) - len(name) < 6
    if len(set(folded)) < 5 or made_of_one or of_the_name:
        raise WeakPasswordError("common")
