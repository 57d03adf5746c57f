"""What the API answers: names, types and units are the contract. Times are UTC; lists come in pages."""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from domain.uses import Use

Kind = Literal["gauge", "counter", "state"]
Item = TypeVar("Item")

LatitudeDeg = Annotated[float, Field(description="WGS 84, degrees north")]
LongitudeDeg = Annotated[float, Field(description="WGS 84, degrees east")]
Unit = Annotated[str, Field(description="UCUM code, ucum.org")]


class Answer(BaseModel):
    """A frozen record; an unknown field is a defect."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Problem(BaseModel):
    """RFC 9457. Test `type`, which does not change; the rest is for people."""

    type: Annotated[str, Field(description="urn:samara:problem:…")]
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, str]] = []


class Resource(Answer):
    """A thing that has a place of its own in the API."""


class Page(Answer, Generic[Item]):
    """Some of a list. `next_cursor` goes into `cursor` to have what follows; null at the end."""

    items: list[Item]
    next_cursor: str | None


class Session(Answer):
    """Who is signed in. `permissions` are those that the account has on some tenant."""

    email: str
    name: str
    language: str
    permissions: list[str]
    has_second_factor: bool


class Opened(Answer):
    """What a sign-in gave: `open`, a session; `second_factor`, one that waits for its code, or to have one first."""

    status: Literal["open", "second_factor", "factor_to_add"]


class Tenant(Resource):
    """A collectivité."""

    id: int
    slug: str
    name: str
    kind: str
    parent_id: int | None
    insee: str | None
    siren: str | None
    time_zone: Annotated[str, Field(description="IANA name; its days and months are the tenant's")]


class Site(Resource):
    """A place of a tenant."""

    id: int
    name: str
    kind: str
    latitude_deg: LatitudeDeg | None
    longitude_deg: LongitudeDeg | None


class Point(Resource):
    """What is measured at a site, by the device that measures it now if any does."""

    id: int
    site_id: int
    name: str
    dev_eui: str | None
    is_individual: Annotated[
        bool | None, Field(description="one household's or person's meter; null: nobody said, and meters count as such")
    ]
    use: Annotated[Use | None, Field(description="what it is metered for; null: nobody said")]
    part_of: Annotated[
        int | None, Field(description="the point that counts it as well: this one is then in no total of its own")
    ]


class Device(Resource):
    """A LoRaWAN end device. The radio figures are of its last uplink, by the gateway that heard it best."""

    dev_eui: str
    name: str
    model_id: str | None
    vendor: str | None
    model: str | None
    period_s: Annotated[int | None, Field(description="Usual time between two uplinks, seconds")]
    point_id: int | None
    last_seen_at: datetime | None
    spreading_factor: int | None
    rssi_dbm: float | None
    snr_db: float | None


class Gateway(Resource):
    """A relay antenna of the network."""

    gateway_eui: str
    name: str
    latitude_deg: LatitudeDeg | None
    longitude_deg: LongitudeDeg | None
    altitude_m: float | None
    last_heard_at: datetime | None


class LatestValue(Resource):
    """The newest measurement of one quantity and channel at a point."""

    point_id: int
    quantity: str
    channel: int
    value: float
    unit: Unit
    measured_at: datetime
    received_at: datetime


class Sample(TypedDict):
    """One measurement, as it was measured."""

    measured_at: datetime
    value: float


class GaugeBucket(TypedDict):
    """A level during an interval (`end` excluded); null when nothing was measured."""

    start: datetime
    end: datetime
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    last: float | None


class CounterBucket(TypedDict):
    """By how much a counter grew during an interval (`end` excluded), and its last index."""

    start: datetime
    end: datetime
    samples: int
    increase: float | None
    last: float | None


class StateBucket(TypedDict):
    """The last state of an interval (`end` excluded), and the share of the known time, 0 to 1, spent at 1."""

    start: datetime
    end: datetime
    samples: int
    last: float | None
    share: float | None


Items = list[Sample] | list[GaugeBucket] | list[CounterBucket] | list[StateBucket]


class Gap(TypedDict):
    """Nothing was measured between the two, for much longer than usual."""

    start: datetime
    end: datetime


class Series(Answer):
    """What one point said of one quantity and channel. `start` is included, `end` is not.

    `gaps` are told of raw series; by intervals, the empty ones are there. `previous` is what `compare` asked for,
    interval by interval as `items` (one that has no counterpart a year before begins where it ends).
    """

    point_id: int
    quantity: str
    channel: int
    kind: Kind
    unit: Unit
    every: Annotated[str, Field(description="as asked, what `auto` chose, or `day` of a household's meter")]
    time_zone: str
    start: datetime
    end: datetime
    items: Items
    gaps: list[Gap]
    previous: Items | None


class SeriesSet(Answer):
    """Several series of one period."""

    series: list[Series]
