import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sensorthings.grammar import parse_filter
from api.sensorthings.options import parse_options, split
from store.sensorthings.entities import ALL
from store.sensorthings.statements import Asked, Statement
from store.sensorthings.syntax import Call, Geometry, Literal, Path, QueryError


def test_and_binds_tighter_than_or_and_not_tighter_than_both() -> None:
    found = parse_filter("id eq 1 or not id eq 2 and id eq 3")

    def equals(number: float) -> Call:
        return Call("eq", (Path(("id",)), Literal(number)))

    assert found == Call("or", (equals(1.0), Call("and", (Call("not", (equals(2.0),)), equals(3.0)))))


def test_arithmetic_has_its_order() -> None:
    assert parse_filter("result add 2 mul 3 gt 10 sub 1") == Call(
        "gt",
        (
            Call("add", (Path(("result",)), Call("mul", (Literal(2.0), Literal(3.0))))),
            Call("sub", (Literal(10.0), Literal(1.0))),
        ),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("-1.5e3", -1500.0),
        ("true", True),
        ("null", None),
        ("2025-11-22T09:00:00+01:00", datetime(2025, 11, 22, 8, tzinfo=UTC)),
        ("geography'POINT (2.3 49.9)'", Geometry((2.3, 49.9))),
        (
            "geography'POLYGON((0 0, 1 0,1 1,0 0))'",
            Geometry(None, (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)),)),
        ),
    ],
)
def test_values(text: str, value: object) -> None:
    assert parse_filter(text) == Literal(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id eq",
        "eq 1",
        "(id eq 1",
        "id eq 1)",
        "id eq 'open",
        "id eq 1 and",
        "substringof('a', name",
        "id = 1",
        "id eq 1; DROP TABLE sites",
        "2025-02-30T00:00:00Z eq time",
        "geo.intersects(location, geography'LINESTRING(0 0, 1 1)')",
        "geo.intersects(location, geography'POLYGON((0 0, 1 1))')",
        "(" * 100 + "true" + ")" * 100,
        " and ".join(["true"] * 100),
        "x" * 5000,
    ],
)
def test_what_is_not_a_filter_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_filter(text)


@pytest.mark.parametrize(
    "text",
    [
        "name eq 1",
        "secret eq 'x'",
        "tenant_id eq 1",
        "Datastreams/name eq 'x'",
        "name",
        "year(name) eq 1",
        "substringof('a')",
        "pg_sleep(10) eq 1",
        "name gt null",
        "not name",
        "location eq location",
        "length(name, name) eq 1",
        "geo.intersects(name, geography'POINT(0 0)')",
    ],
)
def test_what_cannot_be_asked_of_locations_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        Statement(1).select(Asked("Locations", where=parse_filter(text)))


@given(st.text(max_size=60), st.sampled_from(sorted(ALL)))
def test_whatever_is_asked_is_a_statement_or_a_refusal_and_no_text_of_it_is_sql(text: str, name: str) -> None:
    statement = Statement(1)
    text += "\N{SNOWMAN}"  # a letter that no statement of ours has: chance may make a word that one has
    quoted = "'" + text.replace("'", "''") + "'"
    with contextlib.suppress(QueryError):
        statement.select(Asked(name, where=parse_filter(text[:-1])))
    sql = statement.select(Asked("Things", where=parse_filter(f"name eq {quoted}")))
    assert text in statement.parameters
    assert text not in sql


def test_expand_is_nested_two_ways() -> None:
    found = parse_options({"$expand": "Datastreams($top=1;$expand=Sensor,ObservedProperty),Locations"}, ALL["Things"])
    assert found.expand.keys() == {"Datastreams", "Locations"}
    assert found.expand["Datastreams"].top == 1
    assert found.expand["Datastreams"].expand.keys() == {"Sensor", "ObservedProperty"}
    found = parse_options({"$expand": "Datastreams/ObservedProperty"}, ALL["Things"])
    assert found.expand["Datastreams"].expand.keys() == {"ObservedProperty"}


@pytest.mark.parametrize(
    "given_",
    [
        {"$top": "-1"},
        {"$top": "x"},
        {"$skip": "1.5"},
        {"$count": "yes"},
        {"$orderby": "name up"},
        {"$orderby": "name;drop"},
        {"$select": "a b"},
        {"$expand": "Sensors"},
        {"$expand": "Datastreams("},
        {"$expand": "Datastreams(top=1)"},
        {"$expand": "Datastreams/Thing/Datastreams/Thing/Datastreams"},
        {"$resultFormat": "csv"},
        {"$apply": "x"},
    ],
)
def test_wrong_options_are_refused(given_: dict[str, str]) -> None:
    with pytest.raises(QueryError):
        parse_options(given_, ALL["Things"])


def test_marks_in_quotes_and_parentheses_do_not_split() -> None:
    assert split("a('x,y'),b(c,d),e", ",") == ["a('x,y')", "b(c,d)", "e"]
