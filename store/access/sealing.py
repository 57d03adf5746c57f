"""Secrets at rest: AES-256-GCM, each under a key of its own, that one under a key that the database never holds.

What a secret belongs to is authenticated with it (AAD): moved to another row, it does not open.
"""

import base64
import binascii
import secrets
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import ConfigurationError, SamaraError

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_WRAPPED_BYTES: Final = _NONCE_BYTES + _KEY_BYTES + 16
_LEAST_DIFFERENT: Final = 12  # bytes of a random key that differ from each other: fewer is a key that somebody typed


class SealError(SamaraError):
    """A sealed secret does not open: another key, another owner, or it was changed."""


class Sealed(NamedTuple):
    """A secret under its own key (`sealed`), and that key under the one of this name (`wrapped`)."""

    master: str
    wrapped: bytes
    sealed: bytes

    def packed(self) -> bytes:
        """Return it as one value."""
        return self.master.encode() + b"\0" + self.wrapped + self.sealed

    @classmethod
    def unpacked(cls, value: bytes) -> Self:
        """Return what `packed` made."""
        name, _, rest = value.partition(b"\0")
        return cls(name.decode(), rest[:_WRAPPED_BYTES], rest[_WRAPPED_BYTES:])


class Keyring:
    """The keys that wrap. The first seals; the others still open."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read lines `name:base64 of 32 random bytes`. Raises ConfigurationError for one that is short or made up."""
        keys: dict[str, bytes] = {}
        for line in text.split():
            name, _, encoded = line.partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                key = b""
            if not name.isidentifier() or len(key) != _KEY_BYTES or len(set(key)) < _LEAST_DIFFERENT or name in keys:
                raise ConfigurationError("keyring: lines are name:key, as `samara keys new` prints them")
            keys[name] = key
        if not keys:
            raise ConfigurationError("keyring: it is empty; `samara keys new` prints a first line")
        return cls(keys)

    @property
    def current(self) -> str:
        """Return the name of the key that seals."""
        return next(iter(self._keys))

    def seal(self, secret: bytes, owner: str) -> Sealed:
        """Seal a secret of this owner."""
        own = secrets.token_bytes(_KEY_BYTES)
        return Sealed(self.current, self._wrap(own, owner), _encrypt(own, secret, owner))

    def open(self, sealed: Sealed, owner: str) -> bytes:
        """Return the secret. Raises SealError."""
        return _decrypt(self._unwrap(sealed, owner), sealed.sealed, owner)

    def rewrap(self, sealed: Sealed, owner: str) -> Sealed:
        """Return the same under the current key: the secret itself is not touched. Raises SealError."""
        return Sealed(self.current, self._wrap(self._unwrap(sealed, owner), owner), sealed.sealed)

    def _wrap(self, own: bytes, owner: str) -> bytes:
        return _encrypt(self._keys[self.current], own, owner)

    def _unwrap(self, sealed: Sealed, owner: str) -> bytes:
        key = self._keys.get(sealed.master)
        if key is None:
            raise SealError(f"the keyring has no key {sealed.master!r}")
        return _decrypt(key, sealed.wrapped, owner)


def new_key(name: str) -> str:
    """Return a new line of a keyring."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}"


def _encrypt(key: bytes, plain: bytes, owner: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, owner.encode())


def _decrypt(key: bytes, sealed: bytes, owner: str) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
    except (InvalidTag, ValueError) as error:
        raise SealError("a secret does not open with its key and owner") from error
