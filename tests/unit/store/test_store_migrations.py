"""A migration that is not `_post` only adds: the version before works on with it, and is restarted on it."""

import re

import pytest

from store.migrate import POST, Migration, migrations

BEFORE_THE_FIRST_RELEASE = 20  # nothing to upgrade from
BREAKS = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|VIEW|MATERIALIZED|CONSTRAINT)\b|\bRENAME\b|\bALTER\s+COLUMN\s+\w+\s+(SET\s+NOT\s+NULL|(SET\s+DATA\s+)?TYPE)"
    r"|\bADD\s+COLUMN\s+\w+\s+[^,;]*\bNOT\s+NULL(?![^,;]*\bDEFAULT\b)",
    re.IGNORECASE,
)
WIDENED = {  # a word more: what the version before writes is still taken
    "0042_mending_orders.sql": ["DROP CONSTRAINT"],
    "0048_distribution.sql": ["DROP CONSTRAINT"],
}


def breaks(sql: str) -> list[str]:
    """Return what a version that knows nothing of it stumbles over."""
    return [found[0] for found in BREAKS.finditer(re.sub(r"--.*", "", sql))]


@pytest.mark.parametrize("flavour", [False, True], ids=["plain", "timescale"])
def test_what_is_not_post_only_adds(*, flavour: bool) -> None:
    later = [one for one in migrations(timescale=flavour) if one.number > BEFORE_THE_FIRST_RELEASE]
    found = {one.name: breaks(one.sql) for one in later if not one.name.endswith(POST)}
    wrong = {name: what for name, what in found.items() if what != WIDENED.get(name, [])}
    assert wrong == {}, f"name such a file ..._post.sql, or split it (docs/operations.md): {wrong}"


@pytest.mark.parametrize(
    ("sql", "breaking"),
    [
        ("ALTER TABLE uplinks ADD COLUMN added integer", False),
        ("ALTER TABLE uplinks ADD COLUMN added integer NOT NULL DEFAULT 0", False),
        ("CREATE TABLE one (number integer NOT NULL)", False),
        ("-- DROP TABLE one", False),
        ("ALTER TABLE uplinks ADD COLUMN added integer NOT NULL", True),
        ("ALTER TABLE uplinks DROP COLUMN adr", True),
        ("ALTER TABLE uplinks RENAME TO frames", True),
        ("ALTER TABLE uplinks ALTER COLUMN adr SET NOT NULL", True),
        ("ALTER TABLE uplinks ALTER COLUMN adr TYPE text", True),
    ],
)
def test_what_breaks(sql: str, breaking: bool) -> None:  # noqa: FBT001 - a parameter
    assert bool(breaks(Migration(1, "one.sql", sql).sql)) is breaking
