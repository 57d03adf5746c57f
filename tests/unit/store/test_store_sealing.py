import base64
from datetime import UTC, datetime

import pytest

from api import totp
from domain.errors import ConfigurationError
from store.access.sealing import Keyring, Sealed, SealError, new_key

OWNER = "app_key of device 0102030405060708 of tenant 1"


def test_a_secret_opens_for_its_owner_alone() -> None:
    keyring = Keyring.parse(new_key("first"))
    sealed = keyring.seal(b"secret", OWNER)
    assert keyring.open(sealed, OWNER) == b"secret"
    assert keyring.open(Sealed.unpacked(sealed.packed()), OWNER) == b"secret"
    assert keyring.seal(b"secret", OWNER) != sealed
    for wrong in (
        (sealed, OWNER.replace("tenant 1", "tenant 2")),
        (sealed, OWNER.replace("08", "09")),
        (sealed._replace(sealed=sealed.sealed[:-1] + bytes([sealed.sealed[-1] ^ 1])), OWNER),
        (sealed._replace(wrapped=sealed.wrapped[:-1] + bytes([sealed.wrapped[-1] ^ 1])), OWNER),
        (sealed._replace(sealed=b""), OWNER),
        (sealed._replace(master="other"), OWNER),
    ):
        with pytest.raises(SealError):
            keyring.open(*wrong)


def test_a_new_key_takes_over_and_the_former_can_go() -> None:
    first, second = new_key("first"), new_key("second")
    sealed = Keyring.parse(first).seal(b"secret", OWNER)
    both = Keyring.parse(f"{second}\n{first}\n")
    assert both.open(sealed, OWNER) == b"secret"
    fresh = both.rewrap(sealed, OWNER)
    assert fresh.sealed == sealed.sealed  # the secret itself was not touched
    assert Keyring.parse(second).open(fresh, OWNER) == b"secret"
    with pytest.raises(SealError, match="has no key 'first'"):
        Keyring.parse(second).open(sealed, OWNER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "first:",
        "first:change-me",
        "first:" + base64.b64encode(b"short").decode(),
        "first:" + base64.b64encode(bytes(32)).decode(),
        "first:" + base64.b64encode(b"a" * 32).decode(),
        "first:" + base64.b64encode(b"password" * 4).decode(),
        "no name:" + base64.b64encode(bytes(range(32))).decode(),
        base64.b64encode(bytes(range(32))).decode(),
    ],
)
def test_a_keyring_that_is_short_or_made_up_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="keyring"):
        Keyring.parse(text)


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1: the last six of its eight digits."""
    secret = b"12345678901234567890"
    for seconds, expected in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        moment = datetime.fromtimestamp(seconds, UTC)
        assert totp.code(secret, totp.step_of(moment)) == expected
        assert totp.matching_step(secret, f"{expected[:3]} {expected[3:]}", moment) == totp.step_of(moment)


@pytest.mark.parametrize("given", ["", "12345", "1234567", "٣٣٣٣٣٣", "abcdef", "-12345"])
def test_what_is_no_code_matches_nothing(given: str) -> None:
    assert totp.matching_step(b"12345678901234567890", given, datetime.fromtimestamp(59, UTC)) is None


def test_a_code_is_good_a_step_early_or_late_and_no_more() -> None:
    secret, now = b"12345678901234567890", datetime.fromtimestamp(1_000_000_000, UTC)
    step = totp.step_of(now)
    found = [totp.matching_step(secret, totp.code(secret, step + drift), now) for drift in (-2, -1, 0, 1, 2)]
    assert found == [None, step - 1, step, step + 1, None]
