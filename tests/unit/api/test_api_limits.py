from datetime import UTC, datetime, timedelta

import pytest

from api.limits import FORGOTTEN_AFTER, LONGEST, Failures, Limits, wait
from api.passwords import WeakPasswordError, _prefixes, check, is_common
from api.signing import local

NOW = datetime(2025, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("times", "seconds"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (30, LONGEST.total_seconds())]
)
def test_each_failure_past_the_free_ones_waits_twice_as_long(times: int, seconds: float) -> None:
    assert wait(Failures(times, NOW), 5, NOW) == timedelta(seconds=seconds)


def test_waiting_ends_and_an_hour_forgets() -> None:
    assert wait(Failures(7, NOW), 5, NOW + timedelta(seconds=3)) == timedelta(seconds=1)
    assert wait(Failures(7, NOW), 5, NOW + timedelta(seconds=4)) == timedelta(0)
    assert wait(Failures(99, NOW), 5, NOW + FORGOTTEN_AFTER) == timedelta(0)


def test_success_forgets_and_memory_is_bounded() -> None:
    limits = Limits()
    for _ in range(6):
        limits.failed("a", NOW)
    assert limits.wait("a", 5, NOW) > timedelta(0)
    limits.succeeded("a")
    assert limits.wait("a", 5, NOW) == timedelta(0)
    for number in range(60_000):
        limits.failed(str(number), NOW)
    assert len(limits._failures) == 50_000


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("onze lettre", "short"),
        ("x" * 129, "long"),
        ("aaaaaaaaaaaa", "common"),
        ("dominique2024", "common"),
        ("motdepasse123", "common"),
        ("Password1234", "common"),
        ("azertyuiop123", "common"),
        ("123456789012", "common"),
    ],
)
def test_a_weak_password_is_refused(password: str, reason: str) -> None:
    with pytest.raises(WeakPasswordError) as error:
        check(password, "dominique@example.fr")
    assert error.value.reason == reason


@pytest.mark.parametrize(
    "password",
    [
        "qazwsxedcrfv",
        "1qaz2wsx3edc",
        "chickenwing101",
        "123456qwerty",
        "Sunshine2024!!",
        "marseille-13013",
        "BUTTERFLY!!2024",
    ],
)
def test_the_most_used_passwords_are_refused(password: str) -> None:
    """As long as they must be, and breached all the same; or one of the words most used with digits and signs."""
    with pytest.raises(WeakPasswordError) as error:
        check(password, "dominique@example.fr")
    assert error.value.reason == "common"


def test_the_list_of_passwords_is_as_it_was_made() -> None:
    known = _prefixes()
    assert len(known) == 67_251
    assert list(known) == sorted(set(known))
    many = [is_common(f"{number:x} plusieurs mots qui n'ont rien de commun {number}") for number in range(2_000)]
    assert sum(many) <= 1  # one in sixty thousand is taken for a common one by chance


@pytest.mark.parametrize("password", ["quatre mots sans rapport", "été à la mairie d'Écreux", "x9!Qm2-Lp7_Zk"])
def test_a_password_of_some_length_is_taken(password: str) -> None:
    check(password, "dominique@example.fr")


@pytest.mark.parametrize(
    "address", ["//x", "/\\x", "https://x", "", None, "x", "/a\nb", "/a b", "/" + "x" * 3000, "\\x", "/\t/x"]
)
def test_an_address_of_another_site_is_none_of_ours(address: str | None) -> None:
    assert local(address) == "/"


@pytest.mark.parametrize("address", ["/", "/t/mareuville?range=7d", "/t/a#b"])
def test_an_address_of_ours_stays(address: str) -> None:
    assert local(address) == address
