"""What a request may say: types of parameters, read strictly. An unknown, repeated or wrong one is refused by name.

A parameter's description says what is accepted: the OpenAPI document and the refusal repeat it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, WithJsonSchema

from api.problems import INVALID_BODY, NO_SUCH_MOMENT, ProblemError, invalid_parameter
from domain.errors import NotFoundError
from store.reading.pages import MAX_LIMIT

MAX_ID: Final = 2**31 - 1
EARLIEST: Final = datetime(1999, 12, 31, tzinfo=UTC)  # when 2000 begins, in any zone
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
SHOWN: Final = 40  # a wrong value is quoted up to here

_DATE: Final = r"2[01]\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME: Final = r"T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-](0\d|1[0-4]):[0-5]\d)"
_MOMENT: Final = re.compile(rf"{_DATE}({_TIME})?", re.ASCII)
_INTEGER: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f]+$"

Model = TypeVar("Model", bound=BaseModel)


class Asked(BaseModel):
    """Parameters of an address, or the members of a body: those named here and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, regex_engine="python-re")


class Moment(NamedTuple):
    """An instant, or the day (of the tenant's zone) that begins with it."""

    instant: datetime | None
    day: date | None

    def in_zone(self, zone: ZoneInfo) -> datetime:
        """Return the instant in UTC; a day is its first instant in `zone`."""
        if self.instant is not None:
            return self.instant
        assert self.day is not None
        return datetime.combine(self.day, time(), tzinfo=zone).astimezone(UTC)


def _whole(value: object) -> object:
    if isinstance(value, str) and _INTEGER.fullmatch(value) is None:
        raise ValueError("not a whole number")
    return value


def _listed(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


def _flag(value: object) -> object:
    if isinstance(value, str):
        if value not in {"true", "false"}:
            raise ValueError("neither true nor false")
        return value == "true"
    return value


def _moment(value: object) -> Moment:
    text = str(value).replace(" ", "+")  # a bare + in an address reads as a space
    if _MOMENT.fullmatch(text) is None:
        raise ValueError("not a moment")
    try:
        if "T" not in text:
            return Moment(None, date.fromisoformat(text))
        return Moment(datetime.fromisoformat(text).astimezone(UTC), None)
    except ValueError as error:
        raise ProblemError(NO_SUCH_MOMENT, f"{text} is not in the calendar.") from error


MOMENTS: Final = (
    "an ISO 8601 instant with its zone (2025-11-22T08:00:00Z, 2025-11-22T09:00:00+01:00) "
    "or a date in the tenant's zone (2025-11-22), from 2000 to 2199"
)
When = Annotated[
    Moment,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": f"^{_DATE}({_TIME})?$", "examples": ["2025-11-22"]}),
]
Flag = Annotated[bool, BeforeValidator(_flag)]
WHOLE: Final = BeforeValidator(_whole)  # after the bounds, which are the number's
COMMAS: Final = BeforeValidator(_listed)
Id = Annotated[int, Field(ge=1, le=MAX_ID, description=f"an id: a whole number from 1 to {MAX_ID}"), WHOLE]
Channel = Annotated[
    int, Field(ge=0, le=2**15 - 1, description="which one, of a sensor that has several: from 0 to 32767"), WHOLE
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
QuantityName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f,]+$"),
    Field(description="the name of a quantity, such as temperature", examples=["temperature"]),
]
DevEui = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), Field(description="a DevEUI: 16 lower-case hexadecimal digits")
]
ModelId = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9._-]{0,62}$")]
SiteKind = Annotated[str, StringConstraints(pattern="^[a-z_]{1,32}$")]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Note = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")]  # of lines
# Whether there is such a tenant, and for whom, is tenancy's business: a slug that cannot be reads as an absent one.
Slug = Annotated[
    str,
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "examples": ["mareuville"]}),
    Field(description="the slug of a tenant"),
]


class OfTenant(Asked):
    """Whose data is asked."""

    tenant: Slug


class Paged(Asked):
    """Which page of a list."""

    limit: Annotated[
        int, Field(ge=1, le=MAX_LIMIT, description=f"how many at most: a whole number from 1 to {MAX_LIMIT}"), WHOLE
    ] = 100
    cursor: Annotated[Text | None, Field(description="the `next_cursor` of the page before, unchanged")] = None


class PagedOfTenant(OfTenant, Paged):
    """Which page of a tenant's list."""


class Chosen(Asked):
    """Which points and quantities: all, unless said."""

    points: Annotated[
        Annotated[list[Id], Field(min_length=1, max_length=100), COMMAS] | None,
        Field(description="ids of points, with commas"),
    ] = None
    quantity: Annotated[
        Annotated[list[QuantityName], Field(min_length=1, max_length=10), COMMAS] | None,
        Field(description="names of quantities, with commas"),
    ] = None


class Period(Asked):
    """From when (included) until when (excluded)."""

    from_: Annotated[When | None, Field(alias="from", description=MOMENTS)] = None
    to: Annotated[When | None, Field(description=MOMENTS)] = None

    def bounds(self, zone: ZoneInfo, now: datetime, lasting: timedelta) -> tuple[datetime, datetime]:
        """Return start and end in UTC; without them what ends now and lasts so long.

        Raises ProblemError when the end is not after the start.
        """
        end = clamped(self.to.in_zone(zone)) if self.to else now
        start = clamped(self.from_.in_zone(zone)) if self.from_ else min(end, now) - lasting
        if start >= end:
            raise ProblemError(NO_SUCH_MOMENT, "`from` is not before `to`, which is now by default.")
        return start, end


class IdPath(Asked):
    """One thing by its id."""

    id: Id


class DevEuiPath(Asked):
    """One device."""

    dev_eui: DevEui


def clamped(moment: datetime) -> datetime:
    """Return the moment, or the nearest that there is data for."""
    return min(max(moment, EARLIEST), LATEST)


def of_query(request: web.BaseRequest, model: type[Model], taken: Mapping[str, object]) -> Model:
    """Return the parameters of an address, without those `taken` by the endpoint itself; raise ProblemError."""
    names = {field.alias or name: field for name, field in model.model_fields.items()}
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise invalid_parameter(name, "given twice", "once")
        if name not in names and name not in taken:
            raise invalid_parameter(name[:SHOWN], "unknown parameter", ", ".join(sorted({*names, *taken})) or "none")
        given[name] = value
    try:
        return model.model_validate({name: value for name, value in given.items() if name in names})
    except ValidationError as error:
        name = str(error.errors(include_url=False, include_context=False)[0]["loc"][0])
        accepted = names[name].description or "see /api/v1/openapi.json"
        detail = f"{given[name][:SHOWN]!r} is not accepted" if name in given else "missing"
        raise invalid_parameter(name, detail, accepted) from error


def of_path(request: web.Request, model: type[Model]) -> Model:
    """Return the parts of a path; raise NotFoundError: what cannot be an id reads as an absent one."""
    try:
        return model.model_validate(dict(request.match_info))
    except ValidationError as error:
        raise NotFoundError from error


def of_body(body: bytes, model: type[Model]) -> Model:
    """Return what a JSON body says; raise ProblemError naming each member that is wrong (RFC 6901 pointers)."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        errors = [
            {
                "pointer": "#" + "".join(f"/{str(part)[:SHOWN]}" for part in one["loc"]),
                "detail": one["msg"].removeprefix("Value error, "),
            }
            for one in error.errors(include_url=False, include_context=False, include_input=False)[:20]
        ]
        detail = f"{errors[0]['pointer']}: {errors[0]['detail']}"
        raise ProblemError(INVALID_BODY, detail, errors=errors) from error
