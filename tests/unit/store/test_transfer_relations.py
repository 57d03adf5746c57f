"""What leaves with a tenant: every table is said to leave, or why it does not."""

import re
from importlib.resources import files

from store.transfer.columns import Column, fields, kind_of
from store.transfer.learning import DRAWN
from store.transfer.relations import LEFT_OUT, RELATIONS, Relation
from store.transfer.words import WORDS

CREATED = re.compile(r"^(?:--plain )?CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(", re.MULTILINE)
DROPPED = re.compile(r"^DROP TABLE (?:IF EXISTS )?(\w+)", re.MULTILINE)


def tables() -> set[str]:
    """Return the tables that the migrations make, and the one that they stand in themselves."""
    found = {"schema_migrations"}
    for entry in sorted((files("store") / "migrations").iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".sql"):
            text = entry.read_text("utf-8")
            found = (found | set(CREATED.findall(text))) - set(DROPPED.findall(text))
    return found


def test_every_table_leaves_or_says_why_not() -> None:
    leaving = {one.name for one in RELATIONS}
    assert len(leaving) == len(RELATIONS)
    assert not leaving & LEFT_OUT.keys()
    assert tables() == leaving | LEFT_OUT.keys(), "a new table stands in store/transfer/relations.py"
    assert all(LEFT_OUT.values())


def test_numbers_are_written_in_words_and_rows_numbers_are_not_written() -> None:
    plain = Relation("silences", "alerting", "WHERE one.tenant_id = $1", "one.silence_id")
    columns = [
        Column("silence_id", "integer", is_identity=True),
        Column("tenant_id", "integer", is_identity=False),
        Column("site_id", "integer", is_identity=False),
        Column("during", "tstzrange", is_identity=False),
    ]
    site, during = fields(plain, columns)
    assert (site.name, site.type, site.out, site.column, site.back) == (
        "site",
        "text",
        "site.word",
        "site_id",
        "site.id",
    )
    assert (during.name, during.type, during.kind) == ("during", "tstzrange", "")


def test_the_rows_that_others_name_have_words() -> None:
    assert kind_of("site_id") == "site"
    assert kind_of("alert_id") == kind_of("site") == ""
    assert DRAWN.keys() <= WORDS.keys()
