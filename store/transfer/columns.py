"""How each column of a relation is written in a file, and read back: made of what the database says it has. Pure.

So a column that a later migration adds leaves and arrives without a line here.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from store.transfer.relations import Relation
from store.transfer.words import WORDS

OWN: Final = "tenant_id"  # of the tenant that leaves: not written
_FOLLOWS: Final = "of_tenant_id"  # written by a trigger
_QUANTITIES: Final = "quantity_ids"
_DOCUMENTS: Final = {("rules", "target"), ("rules", "definition")}


class Column(NamedTuple):
    """A column as the catalog has it."""

    name: str
    type: str
    is_identity: bool


class Field(NamedTuple):
    """One field of a file. `out` makes it of a row `one`; `back` makes the column `column` of a staged row.

    `kind` is whose words it is written in, '' for a value that means the same everywhere.
    """

    name: str
    type: str
    kind: str
    out: str
    column: str
    back: str


def kind_of(column: str) -> str:
    """Return whose number a column holds: "site" of site_id; '' if it is a value."""
    kind = column.removesuffix("_id")
    return kind if kind != column and kind in WORDS else ""


def fields(relation: Relation, columns: Sequence[Column]) -> list[Field]:
    """Return the fields of a relation's file."""
    if relation.columns is not None:
        return [Field(name, "text", "", name, "", "") for name in relation.columns]
    names = {one.name for one in columns}
    return [
        _field(relation.name, one, names)
        for one in columns
        if one.name not in {OWN, _FOLLOWS}
        and one.name not in relation.omitted
        and not (one.is_identity and not kind_of(one.name))
        and not (relation.name in {"quantities", "gateways"} and one.is_identity)
    ]


def _field(relation: str, column: Column, names: Collection[str]) -> Field:
    name, kind = column.name, kind_of(column.name)
    if kind:
        return Field(kind if kind not in names else f"{kind}_number", "text", kind, f"{kind}.word", name, f"{kind}.id")
    if name == _QUANTITIES:
        return Field("quantities", "text[]", "quantity", _each("one", name, "word", "id"), name, "")
    if (relation, name) in _DOCUMENTS:
        out, back = (f"pg_temp.renumbered({row}.{name}, '{way}')" for row, way in (("one", "out"), ("staged", "in")))
        return Field(name, "jsonb", "", out, name, back)
    if (relation, name) in _WORDED:
        out, back = _WORDED[relation, name]
        return Field(name, "text", "", out, name, back)
    return Field(name, column.type, "", f"one.{name}", name, f"staged.{name}")


def _each(table: str, array: str, wanted: str, given: str) -> str:
    return (
        f"ARRAY(SELECT named.{wanted} FROM unnest({table}.{array}) WITH ORDINALITY AS each (item, place)"  # noqa: S608
        f" JOIN word_quantity AS named ON named.{given} = each.item ORDER BY place)"
    )


# "co2:site:12" and "budget:rule:3" (alerting/delivery/routing.py) name what the incident is of.
_CAUSE_OUT: Final = (
    "CASE WHEN one.cause ~ ':site:[0-9]+$' THEN regexp_replace(one.cause, '[0-9]+$', "
    "coalesce((SELECT word FROM word_site WHERE id = substring(one.cause FROM '[0-9]+$')::bigint), '')) "
    "WHEN one.cause ~ ':rule:[0-9]+$' THEN regexp_replace(one.cause, '[0-9]+$', "
    "coalesce((SELECT word FROM word_rule WHERE id = substring(one.cause FROM '[0-9]+$')::bigint), '')) "
    "ELSE one.cause END"
)
_CAUSE_BACK: Final = (
    "CASE WHEN staged.cause ~ ':site:[0-9]+$' THEN regexp_replace(staged.cause, '[0-9]+$', "
    "(SELECT id::text FROM word_site WHERE word = substring(staged.cause FROM '[0-9]+$'))) "
    "WHEN staged.cause ~ ':rule:[0-9]+$' THEN regexp_replace(staged.cause, '[0-9]+$', "
    "(SELECT id::text FROM word_rule WHERE word = substring(staged.cause FROM '[0-9]+$'))) "
    "ELSE staged.cause END"
)

# How columns go out of `one` and come back of `staged` that are no numbers alone.
_WORDED: Final = {
    ("incidents", "cause"): (_CAUSE_OUT, _CAUSE_BACK),
    ("points", "part_of"): (  # another point of the same table
        "(SELECT word FROM word_point WHERE one.part_of = id)",
        "(SELECT id FROM word_point WHERE staged.part_of = word)",
    ),
    # What a device is called is of the tenant that has it: one that had it is not told.
    ("devices", "name"): (f"CASE WHEN one.{OWN} = $1 THEN one.name ELSE '' END", "staged.name"),
}


def joins(made: Sequence[Field], *, table: str) -> str:
    """Return the joins that turn numbers into words (`table` is one) or words into numbers (staged)."""
    kinds = [(one.kind, one.column, one.name) for one in made if one.kind and one.column != _QUANTITIES]
    if table == "one":
        return " ".join(f"LEFT JOIN word_{kind} AS {kind} ON {kind}.id = one.{column}" for kind, column, _ in kinds)
    return " ".join(f"LEFT JOIN word_{kind} AS {kind} ON {kind}.word = staged.{name}" for kind, _, name in kinds)


def select(relation: Relation, made: Sequence[Field], *, lately: bool = False) -> str:
    """Return the statement that makes a relation's file; `$1` is the tenant's number, with `lately` `$2` since when."""
    joined, _, rest = relation.rows.partition("WHERE")
    said = ", ".join(f"{one.out} AS {one.name}" if one.kind or one.column else one.out for one in made)
    return (
        f"SELECT {said} FROM {relation.name} AS one {joined} {joins(made, table='one')}"  # noqa: S608
        f" WHERE {rest}{f' AND one.{relation.time} >= $2' if lately else ''} ORDER BY {relation.order}"
    )
