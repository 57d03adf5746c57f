"""What is to be done so that two sides agree: pure, one case a row."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.provisioning.errors import ServerError
from domain.provisioning import (
    FIRST_WAIT,
    GIVE_UP_AFTER,
    LONGEST_WAIT,
    RootKeys,
    There,
    Wanted,
    compared,
    differences,
    legible,
    name_there,
    next_attempt,
    steps,
)

EUI, JOIN, OTHER = "70b3d5e75e000001", "70b3d57ed0000001", "70b3d57ed0000002"
WANTED = Wanted(EUI, "Sonde", "p1", JOIN)
THERE = There(EUI, "Sonde", "p1", JOIN, "app")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        (WANTED, None, ("absent",)),
        (WANTED, THERE, ()),
        (WANTED._replace(name="Autre"), THERE, ("name",)),
        (WANTED._replace(profile="p2", join_eui=OTHER), THERE, ("profile", "join_eui")),
        (WANTED._replace(profile=""), THERE, ()),  # no model: nothing to compare
        (WANTED._replace(join_eui=""), THERE, ()),
        (WANTED, THERE._replace(join_eui=None), ()),  # it was not asked
        (WANTED, THERE._replace(join_eui=""), ("join_eui",)),
    ],
)
def test_in_what_they_differ(wanted: Wanted, there: There | None, found: tuple[str, ...]) -> None:
    assert differences(wanted, there) == found


@pytest.mark.parametrize(
    ("there", "has_keys", "found"),
    [
        (None, True, ("created", "keyed")),
        (None, False, ("created",)),
        (THERE, False, ()),
        (THERE, True, ("keyed",)),
        (THERE._replace(name="Autre"), True, ("changed", "keyed")),
        (THERE._replace(application="other", name="Autre"), False, ("moved",)),
        (THERE._replace(application=""), False, ()),
    ],
)
def test_what_is_to_be_done(there: There | None, has_keys: bool, found: tuple[str, ...]) -> None:  # noqa: FBT001
    assert steps(WANTED, there, "app", has_keys=has_keys) == found


def test_every_device_that_differs_is_listed_once() -> None:
    here = [WANTED, WANTED._replace(dev_eui="70b3d5e75e000003"), WANTED._replace(dev_eui="70b3d5e75e000002")]
    there = [
        THERE,
        THERE._replace(dev_eui="70b3d5e75e000003", name="Autre"),
        THERE._replace(dev_eui="70b3d5e75e000000"),
    ]
    assert [(one.dev_eui[-1], one.differs) for one in compared(here, there)] == [
        ("0", ("unknown",)),
        ("2", ("absent",)),
        ("3", ("name",)),
    ]


def test_it_is_tried_again_ever_less_often_and_not_for_ever() -> None:
    waits = [(next_attempt(number, NOW, NOW) or NOW) - NOW for number in range(1, 40)]
    assert waits[0] == FIRST_WAIT
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert next_attempt(1, NOW, NOW + GIVE_UP_AFTER) is None
    assert next_attempt(1, NOW, NOW + GIVE_UP_AFTER - timedelta(minutes=1)) is not None


def test_a_key_or_a_token_is_shown_nowhere() -> None:
    keys = RootKeys(b"0123456789abcdef")
    assert "30313233" not in repr(keys)
    assert b"0123456789abcdef".hex() not in str(keys)
    said = ServerError("refused 00112233445566778899AABBCCDDEEFF of NNSXS.ABC.DEF and eyJhbGciOiJIUzI1NiJ9.e30.x")
    assert str(said) == "refused … of … and …"


def test_a_device_without_a_name_is_called_by_its_dev_eui() -> None:
    assert (name_there("", EUI), name_there("Sonde", EUI)) == (EUI, "Sonde")


def test_what_a_network_server_says_is_bounded_and_printable_or_not_kept() -> None:
    assert legible(There("'; DROP TABLE", "x", "p")) is None
    found = legible(There(EUI.upper(), "a\x00b" + "c" * 500, "p\n1", "no JoinEUI", "\x1bapp"))
    assert found == There(EUI, "ab" + "c" * 198, "p1", None, "app")
    assert legible(There(EUI, "", "", JOIN.upper())) == There(EUI, "", "", JOIN)
