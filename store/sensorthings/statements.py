"""From what is asked to one SQL statement: values are parameters, names are ours. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from domain.errors import NotFoundError
from store.sensorthings.entities import ALL, Entities, Kind, Link, observations_of
from store.sensorthings.syntax import Call, Expression, Geometry, Literal, Path, QueryError


class Within(NamedTuple):
    """Rows whose column is this value: those that another entity leads to, or the one of an id."""

    column: str
    value: object


class Order(NamedTuple):
    """By what, and whether the greatest comes first."""

    by: Expression
    descending: bool


class Asked(NamedTuple):
    """What of an entity set."""

    entities: str
    within: tuple[Within, ...] = ()
    where: Expression | None = None
    order: tuple[Order, ...] = ()
    top: int = 100
    skip: int = 0


class Value(NamedTuple):
    """A piece of SQL and its kind; `nothing` is the literal null."""

    sql: str
    kind: Kind | None


_COMPARED: Final = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_ARITHMETIC: Final = {
    "add": "({} + {})",
    "sub": "({} - {})",
    "mul": "({} * {})",
    "div": "({} / {})",
    "mod": "mod({}::numeric, {}::numeric)::float8",
}
_NUMBER: Final[tuple[Kind, ...]] = ("number",)
_TEXT: Final[tuple[Kind, ...]] = ("text",)
_TIME: Final[tuple[Kind, ...]] = ("time",)
_TEXTS: Final[tuple[Kind, ...]] = ("text", "text")
_PLACES: Final[tuple[Kind, ...]] = ("place", "place")
# Name: kinds of the arguments, the result's, and SQL of the arguments in order.
_FUNCTIONS: Final[dict[str, tuple[tuple[Kind, ...], Kind, str]]] = {
    "substringof": (_TEXTS, "truth", "(strpos({1}, {0}) > 0)"),
    "contains": (_TEXTS, "truth", "(strpos({0}, {1}) > 0)"),
    "startswith": (_TEXTS, "truth", "starts_with({0}, {1})"),
    "endswith": (_TEXTS, "truth", "(right({0}, length({1})) = {1})"),
    "indexof": (_TEXTS, "number", "(strpos({0}, {1}) - 1)::float8"),
    "concat": (_TEXTS, "text", "({0} || {1})"),
    "length": (_TEXT, "number", "length({0})::float8"),
    "tolower": (_TEXT, "text", "lower({0})"),
    "toupper": (_TEXT, "text", "upper({0})"),
    "trim": (_TEXT, "text", "btrim({0})"),
    "round": (_NUMBER, "number", "round({0})"),
    "floor": (_NUMBER, "number", "floor({0})"),
    "ceiling": (_NUMBER, "number", "ceil({0})"),
    "year": (_TIME, "number", "extract(year FROM {0})::float8"),
    "month": (_TIME, "number", "extract(month FROM {0})::float8"),
    "day": (_TIME, "number", "extract(day FROM {0})::float8"),
    "hour": (_TIME, "number", "extract(hour FROM {0})::float8"),
    "minute": (_TIME, "number", "extract(minute FROM {0})::float8"),
    "second": (_TIME, "number", "floor(extract(second FROM {0}))::float8"),
    "fractionalseconds": (_TIME, "number", "(extract(second FROM {0}) % 1)::float8"),
    "date": (_TIME, "text", "to_char({0}, 'YYYY-MM-DD')"),
    "time": (_TIME, "text", "to_char({0}, 'HH24:MI:SS')"),
    "now": ((), "time", "now()"),
    "mindatetime": ((), "time", "'-infinity'::timestamptz"),
    "maxdatetime": ((), "time", "'infinity'::timestamptz"),
    "geo.distance": (_PLACES, "number", "({0} <-> {1})"),
}
_MOST_JOINS: Final = 8
_PLACED: Final = frozenset({"geo.intersects", "st_intersects", "st_within", "st_disjoint"})


class Statement:
    """One statement being written, with its parameters; `$1` is the tenant."""

    def __init__(self, tenant_id: int) -> None:
        self.parameters: list[object] = [tenant_id]
        self._joins: dict[tuple[str, str], tuple[str, str]] = {}  # of a row and a link: the alias, and the SQL
        self._may_join = False

    def _parameter(self, value: object, cast: str) -> str:
        self.parameters.append(value)
        return f"${len(self.parameters)}::{cast}"

    def select(self, asked: Asked, *, counted: bool = False) -> str:
        """Return the SQL of the rows asked, or of how many there are."""
        entities = ALL[asked.entities]
        rows, within = self._rows(entities, asked.within)
        where = [f"row.{one.column} = {self._of(one.value)}" for one in within]
        if asked.where is not None:
            where.append(self._condition(asked.where, entities))
        text = f"FROM ({rows}) AS row"
        if where:
            text += " WHERE " + " AND ".join(where)
        if counted:
            return f"SELECT count(*) {text}"
        order = [self._value(one.by, entities, "row").sql + (" DESC" if one.descending else "") for one in asked.order]
        if order or asked.within or asked.entities != "Observations":  # all of a tenant's are not sorted to show some
            order += [f"row.{column}" for column in entities.order.split(", ")]
            text += " ORDER BY " + ", ".join(order)
        return f"SELECT row.* {text} OFFSET {self._parameter(asked.skip, 'bigint')} LIMIT {asked.top + 1:d}"

    def _condition(self, said: Expression, entities: Entities) -> str:
        """Return a condition that holds when it does for one at least of what a path through a collection leads to.

        All that speaks of one collection speaks of one and the same of its entities.
        """
        self._may_join = True
        condition = self._value(said, entities, "row", ("truth",)).sql
        self._may_join = False
        if not self._joins:
            return condition
        joins = " ".join(sql for _, sql in self._joins.values())
        return f"EXISTS (SELECT FROM (SELECT) AS one {joins} WHERE {condition})"

    def _joined(self, link: Link, name: str, alias: str) -> str:
        """Return the alias of what a link leads to from the rows of another."""
        known = self._joins.get((alias, name))
        if known is not None:
            return known[0]
        if not self._may_join:
            raise QueryError(f"{name} may be several: nothing is sorted by them")
        if len(self._joins) == _MOST_JOINS:
            raise QueryError(f"paths through more than {_MOST_JOINS} collections")
        joined = f"joined_{len(self._joins) + 1}"
        if (link.target, link.theirs) == ("Observations", "stream_id"):  # found by the key of measurements
            rows = observations_of(*(f"{alias}.{column}" for column in ("point_id", "quantity_id", "channel")))
            sql = f"LEFT JOIN LATERAL ({rows}) AS {joined} ON true"
        else:
            rows = ALL[link.target].rows
            sql = f"LEFT JOIN ({rows}) AS {joined} ON {joined}.{link.theirs} = {alias}.{link.ours}"
        self._joins[alias, name] = (joined, sql)
        return joined

    def _rows(self, entities: Entities, within: Sequence[Within]) -> tuple[str, list[Within]]:
        stream = next((one for one in within if (entities.name, one.column) == ("Observations", "stream_id")), None)
        if stream is None:
            return entities.rows, list(within)
        point, quantity, channel = (self._parameter(part, "integer") for part in stream_of(str(stream.value)))
        return observations_of(point, quantity, channel), [one for one in within if one is not stream]

    def _of(self, value: object) -> str:
        return self._parameter(value, "bigint" if isinstance(value, int) else "text")

    def _value(self, said: Expression, entities: Entities, alias: str, kinds: tuple[Kind, ...] = ()) -> Value:
        if isinstance(said, Literal):
            found = self._literal(said.value)
        elif isinstance(said, Path):
            found = self._path(said.steps, entities, alias)
        else:
            found = self._call(said, entities, alias)
        if kinds and found.kind not in kinds:
            raise QueryError(f"a {' or '.join(kinds)} is needed, and there is a {found.kind or 'null'}")
        return found

    def _literal(self, value: object) -> Value:
        if value is None:
            return Value("NULL", None)
        if isinstance(value, bool):
            return Value("true" if value else "false", "truth")
        if isinstance(value, float):
            return Value(self._parameter(value, "float8"), "number")
        if isinstance(value, datetime):
            return Value(self._parameter(value, "timestamptz"), "time")
        if isinstance(value, Geometry):
            if value.point is None:
                raise QueryError("a polygon stands in geo.intersects, st_intersects, st_within or st_disjoint alone")
            x, y = (self._parameter(part, "float8") for part in value.point)
            return Value(f"point({x}, {y})", "place")
        return Value(self._parameter(value, "text"), "text")

    def _path(self, steps: tuple[str, ...], entities: Entities, alias: str) -> Value:
        name = "/".join("id" if step == "@iot.id" else step for step in steps)
        known = entities.properties.get(name)
        if known is not None:
            sql = known.sql.format(row=alias)
            return Value(f"{sql}::float8" if known.kind == "number" else sql, known.kind)
        link = entities.links.get(steps[0])
        if link is None or len(steps) == 1:
            raise QueryError(f"{entities.name} have no property {name[:80]!r} to filter or sort by")
        if _leads_to_many(steps, entities):
            return self._path(steps[1:], ALL[link.target], self._joined(link, steps[0], alias))
        target, inner = ALL[link.target], f"{alias}_{len(steps)}"
        value = self._path(steps[1:], target, inner)
        rows = f"SELECT {value.sql} FROM ({target.rows}) AS {inner} WHERE {inner}.{link.theirs} = {alias}.{link.ours}"
        return Value(f"({rows})", value.kind)

    def _call(self, call: Call, entities: Entities, alias: str) -> Value:
        name = call.name
        if name in _COMPARED:
            return self._compared(call, entities, alias)
        if name in {"and", "or", "not"}:
            sides = [self._value(one, entities, alias, ("truth",)).sql for one in call.arguments]
            return Value(f"(NOT {sides[0]})" if name == "not" else f"({f' {name.upper()} '.join(sides)})", "truth")
        if name in _ARITHMETIC:
            left, right = (self._value(one, entities, alias, _NUMBER).sql for one in call.arguments)
            return Value(_ARITHMETIC[name].format(left, right), "number")
        if name in _PLACED:
            return self._placed(call, entities, alias)
        return self._substring(call, entities, alias) if name == "substring" else self._function(call, entities, alias)

    def _compared(self, call: Call, entities: Entities, alias: str) -> Value:
        left, right = (self._value(one, entities, alias) for one in call.arguments)
        if None in {left.kind, right.kind}:
            if call.name not in {"eq", "ne"}:
                raise QueryError("null is compared with eq and ne alone")
            held = left if right.kind is None else right
            return Value(f"({held.sql} IS {'' if call.name == 'eq' else 'NOT '}NULL)", "truth")
        if left.kind != right.kind or left.kind == "place":
            raise QueryError(f"a {left.kind} and a {right.kind} cannot be compared with {call.name}")
        return Value(f"({left.sql} {_COMPARED[call.name]} {right.sql})", "truth")

    def _placed(self, call: Call, entities: Entities, alias: str) -> Value:
        shapes = [one.value for one in call.arguments if isinstance(one, Literal) and isinstance(one.value, Geometry)]
        places = [one for one in call.arguments if isinstance(one, Path)]
        if len(call.arguments) != 2 or len(shapes) != 1 or len(places) != 1:
            raise QueryError(f"{call.name} takes a place and a geography'…'")
        place, shape = self._value(places[0], entities, alias, ("place",)).sql, shapes[0]
        if shape.point is not None:
            x, y = (self._parameter(part, "float8") for part in shape.point)
            inside = f"({place} ~= point({x}, {y}))"
        else:
            outer, *holes = [self._parameter(_polygon(ring), "text") + "::polygon" for ring in shape.rings]
            inside = " AND ".join([f"{outer} @> {place}", *(f"NOT {hole} @> {place}" for hole in holes)])
        return Value(f"(NOT ({inside}))" if call.name == "st_disjoint" else f"({inside})", "truth")

    def _substring(self, call: Call, entities: Entities, alias: str) -> Value:
        if len(call.arguments) not in {2, 3}:
            raise QueryError("substring takes a text, where to begin, and perhaps how long")
        text = self._value(call.arguments[0], entities, alias, _TEXT).sql
        start, *length = [f"{self._value(one, entities, alias, _NUMBER).sql}::integer" for one in call.arguments[1:]]
        return Value(
            f"substr({', '.join([text, f'({start}) + 1', *(f'greatest({one}, 0)' for one in length)])})", "text"
        )

    def _function(self, call: Call, entities: Entities, alias: str) -> Value:
        known = _FUNCTIONS.get(call.name)
        if known is None:
            raise QueryError(f"there is no function {call.name[:40]!r}")
        kinds, result, template = known
        if len(call.arguments) != len(kinds):
            raise QueryError(f"{call.name} takes {len(kinds)} arguments")
        sides = [
            self._value(one, entities, alias, (kind,)).sql for one, kind in zip(call.arguments, kinds, strict=True)
        ]
        return Value(template.format(*sides), result)


def _leads_to_many(steps: Sequence[str], entities: Entities) -> bool:
    """Say whether a path goes through a collection."""
    for step in steps:
        link = entities.links.get(step)
        if link is None:
            return False
        if link.many:
            return True
        entities = ALL[link.target]
    return False


def _polygon(ring: Sequence[tuple[float, float]]) -> str:
    return f"({','.join(f'({x!r},{y!r})' for x, y in ring)})"


def stream_of(text: str) -> list[int]:
    """Return the point, quantity and channel that the id of a datastream is made of; raise NotFoundError."""
    parts = text.split("-")
    if len(parts) != 3 or not all(one.isascii() and one.isdigit() and len(one) <= 9 for one in parts):
        raise NotFoundError
    point, quantity, channel = map(int, parts)
    if max(quantity, channel) >= 2**15:
        raise NotFoundError
    return [point, quantity, channel]
