"""What tells how somebody lives, and what of it may be published. Pure.

A meter of one household says when people are at home. Published, it must not be found again in the figures: days and
sites at the finest, and of `LEAST_METERS` households together at least: the distributors of electricity and gas publish
the consumption of an address in France from ten delivery points on.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

LEAST_METERS: Final = 10

Grain = Literal["point", "site"]
Every = Literal["hour", "day"]


def is_personal(domain: str, *, is_individual: bool | None) -> bool:
    """Say whether a quantity of this domain, at a point of which that was said, tells how somebody lives.

    When nothing was said, meters of water and energy do, and nothing else.
    """
    return domain in {"water", "energy"} if is_individual is None else is_individual


class Candidate(NamedTuple):
    """What a point measures, as somebody wants to publish it."""

    point: str
    quantity: str
    personal: bool


def refusal(grain: Grain, every: Every, candidates: Iterable[Candidate]) -> str:
    """Say why this may not be published so; '' when it may."""
    if (grain, every) == ("site", "day"):
        return ""
    named = sorted({f"{one.point} ({one.quantity})" for one in candidates if one.personal})
    if not named:
        return ""
    return (
        f"{', '.join(named[:5])}{', …' if len(named) > 5 else ''}: meters of a household, or of which nobody said that "
        f"they are not (`is_individual`). They are published by day and site alone, {LEAST_METERS} together at least."
    )


class Figure(NamedTuple):
    """What one point said of one quantity in one interval: a level's mean, low and high, or a counter's increase."""

    site_id: int
    point_id: int
    quantity: str
    channel: int
    start: datetime
    personal: bool
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    increase: float | None


class Published(NamedTuple):
    """A figure as everybody may read it; of the whole site where `point_id` is None."""

    site_id: int
    point_id: int | None
    quantity: str
    channel: int | None
    start: datetime
    samples: int
    minimum: float | None
    mean: float | None
    maximum: float | None
    increase: float | None


def published(grain: Grain, every: Every, figures: Iterable[Figure]) -> list[Published]:
    """Return what of the figures may be read by everybody, in the order of time.

    Of single points, what is nobody's life. Of sites, what the points say together; where households are among them
    and fewer than LEAST_METERS, nothing.
    """
    told = [one for one in figures if one.samples > 0]
    if grain == "point":
        rows = [_alone(one) for one in told if not one.personal]
    else:
        together: dict[tuple[datetime, int, str], list[Figure]] = {}
        for one in told:
            together.setdefault((one.start, one.site_id, one.quantity), []).append(one)
        rows = [_together(held) for held in together.values() if _may_be_told(every, held)]
    return sorted(rows, key=lambda row: (row.start, row.site_id, row.point_id or 0, row.quantity, row.channel or 0))


def _may_be_told(every: Every, held: Sequence[Figure]) -> bool:
    households = {one.point_id for one in held if one.personal}
    return not households or (every == "day" and len(households) >= LEAST_METERS)


def _alone(one: Figure) -> Published:
    fields = one._asdict()
    del fields["personal"]
    return Published(**fields)


def _together(held: Sequence[Figure]) -> Published:
    first, samples = held[0], sum(one.samples for one in held)
    means = [(one.mean, one.samples) for one in held if one.mean is not None]
    weight = sum(count for _, count in means)
    grown = [one.increase for one in held if one.increase is not None]
    return Published(
        site_id=first.site_id,
        point_id=None,
        quantity=first.quantity,
        channel=None,
        start=first.start,
        samples=samples,
        minimum=min((one.minimum for one in held if one.minimum is not None), default=None),
        mean=sum(mean * count for mean, count in means) / weight if weight else None,
        maximum=max((one.maximum for one in held if one.maximum is not None), default=None),
        increase=sum(grown) if grown else None,
    )
