"""What was used this month, against the same days a year before: figures, words and a sparkline. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from api.pages import months, words
from api.pages.months import Month
from api.pages.periods import COMPARABLE
from api.pages.texts import Texts
from api.units import written
from domain.quantities import QUANTITIES
from store.reading.consumption import Told

NOW: Final = 0  # the periods, in the order in which they are asked for
BEFORE: Final = 1

_LESS: Final = -0.05
_MORE: Final = 0.05
_MUCH_MORE: Final = 0.2
_CO2_GOOD_PPM: Final = 800  # arrêté du 27 décembre 2022: above, one looks why; above the other, at once
_CO2_BAD_PPM: Final = 1500
_SPARK_WIDTH: Final = 120.0
_SPARK_HEIGHT: Final = 32.0
_BAR: Final = 0.72  # of the width of a day


class Kind(NamedTuple):
    """What a tile tells: a name (its words are `use.<name>`), a picture, and the quantities that add up in it.

    `page` is the name of the entry of the navigation that tells more of it.
    """

    name: str
    icon: str
    page: str
    quantities: tuple[str, ...]


KINDS: Final = (
    Kind("electricity", "bolt", "energie", ("active_energy_import",)),
    Kind("heat", "heat", "energie", ("heat_energy",)),
    Kind("gas", "heat", "energie", ("gas_volume",)),
    Kind("water", "drop", "eau", ("water_volume",)),
    Kind("air", "leaf", "environnement", ("co2",)),
)
QUANTITY_NAMES: Final = tuple(name for kind in KINDS for name in kind.quantities)


class Compared(NamedTuple):
    """A month against the one a year before: `ratio` is -0.08 for 8 % less, None when they cannot be compared."""

    ratio: float | None
    status: str
    status_words: str
    words: str


class Tile(NamedTuple):
    """One figure. `spark` is a path of SVG, a bar for each day; empty when there is none."""

    name: str
    icon: str
    page: str
    title: str
    number: str
    unit: str
    compared: Compared
    spark: str
    spark_words: str


def tiles(told: Sequence[Told], month: Month, texts: Texts) -> list[Tile]:
    """Return one tile for each kind of thing that was measured this month."""
    found = []
    for kind in KINDS:
        own = [one for one in told if one.quantity in kind.quantities]
        if any(one.period == NOW and one.days and one.day is not None for one in own):
            found.append(_air(kind, own, month, texts) if kind.name == "air" else _used(kind, own, month, texts))
    return found


def _used(kind: Kind, told: Sequence[Told], month: Month, texts: Texts) -> Tile:
    by_day = {one.day: one.increase or 0.0 for one in told if one.day is not None and one.period == NOW}
    total = sum(by_day.values())
    how = written(kind.quantities[0], QUANTITIES[kind.quantities[0]].unit)
    unit = words.unit(how, texts)
    highest = max(by_day, key=by_day.__getitem__)
    return Tile(
        name=kind.name,
        icon=kind.icon,
        page=kind.page,
        title=texts(f"use.{kind.name}"),
        number=words.rounded(total, texts),
        unit=unit,
        compared=compared(totals(told), month, texts),
        spark=spark(by_day, month),
        spark_words=texts(
            "use.spark",
            day=words.moment(highest, month.zone, "day", texts),
            value=words.rounded(by_day[highest], texts) + unit,
        ),
    )


def _air(kind: Kind, told: Sequence[Told], month: Month, texts: Texts) -> Tile:
    """Tell each day's highest CO2, on average: a school is empty most of the time, and its mean says little."""
    by_day = {one.day: one.peak or 0.0 for one in told if one.day is not None and one.period == NOW}
    peak = sum(by_day.values()) / len(by_day)
    status = "good" if peak <= _CO2_GOOD_PPM else "watch" if peak <= _CO2_BAD_PPM else "bad"
    said = Compared(None, status, texts(f"use.air.{status}"), texts("use.air.means"))
    highest = max(by_day, key=by_day.__getitem__)
    how = written("co2", QUANTITIES["co2"].unit)
    value = words.quantity(by_day[highest], how, texts)
    return Tile(
        name=kind.name,
        icon=kind.icon,
        page=kind.page,
        title=texts("use.air"),
        number=words.number(peak, how, texts),
        unit=words.unit(how, texts),
        compared=said,
        spark=spark(by_day, month),
        spark_words=texts("use.spark", day=words.moment(highest, month.zone, "day", texts), value=value),
    )


def figure(kind: Kind, told: Sequence[Told], month: Month, texts: Texts) -> str:
    """Return what points used this month in a few words: "412 kWh (+8 %)"; a dash for what is not measured there."""
    own = [one for one in told if one.period == NOW and one.days and one.weight]
    if not own:
        return "—"
    how = written(kind.quantities[0], QUANTITIES[kind.quantities[0]].unit)
    if kind.name == "air":
        return words.quantity(sum(one.peak or 0.0 for one in own) / len(own), how, texts)
    said = words.rounded(sum(one.weight * (one.increase or 0.0) for one in own), texts) + words.unit(how, texts)
    ratio = compared(totals(told), month, texts).ratio
    return said if ratio is None else texts("use.with_change", value=said, percent=words.percent(ratio, texts))


def of_points(told: Iterable[Told]) -> dict[int, dict[int, Told]]:
    """Return what each point used over a whole period, and over the same a year before: by period, then by point."""
    found: dict[int, dict[int, Told]] = {NOW: {}, BEFORE: {}}
    for one in told:
        if one.point_id is not None and one.weight >= 0 and one.period in found:
            found[one.period][one.point_id] = one
    return found


def totals(told: Iterable[Told]) -> dict[int, dict[tuple[int, int], Told]]:
    """Return what counts in totals over a whole period: by period, then by point and weight."""
    found: dict[int, dict[tuple[int, int], Told]] = {NOW: {}, BEFORE: {}}
    for one in told:
        if one.point_id is not None and one.weight:
            found[one.period][one.point_id, one.weight] = one
    return found


def compared(of: Mapping[int, Mapping[tuple[int, int], Told]], month: Month, texts: Texts) -> Compared:
    """Compare what the same points used in both years: a new meter is no increase.

    A point counts that was measured on four days out of five, in both.
    """
    least = month.days * COMPARABLE
    both = [
        (one.weight * (one.increase or 0.0), one.weight * (before.increase or 0.0))
        for which, one in of[NOW].items()
        if one.days >= least and (before := of[BEFORE].get(which)) is not None and before.days >= least
    ]
    used, used_before = sum(now for now, _ in both), sum(before for _, before in both)
    if used_before <= 0:
        return Compared(None, "none", texts("use.unknown"), texts("use.no_year"))
    ratio = used / used_before - 1
    status, name = _judged(ratio)
    of_month = months.year_before(month).named(texts)
    key = "use.same" if round(ratio * 100) == 0 else "use.compared"
    said = texts(key, percent=words.percent(ratio, texts), month=of_month)
    return Compared(ratio, status, texts(f"use.{name}"), said)


def _judged(ratio: float) -> tuple[str, str]:
    if ratio < _LESS:
        return "good", "less"
    if ratio <= _MORE:
        return "good", "stable"
    return ("watch", "more") if ratio <= _MUCH_MORE else ("bad", "much_more")


def spark(by_day: Mapping[datetime, float], month: Month) -> str:
    """Return the path of one bar for each day, in a box of 120 by 32; a day without measurement has none."""
    highest = max(by_day.values(), default=0.0)
    if highest <= 0:
        return ""
    width = _SPARK_WIDTH / month.days
    bars = []
    for at, value in sorted(by_day.items()):
        position = (at.astimezone(month.zone).date() - month.first) // timedelta(days=1)
        height = max(value / highest * _SPARK_HEIGHT, 0.5)
        bars.append(f"M{position * width:.1f} {_SPARK_HEIGHT:g}v{-height:.1f}h{width * _BAR:.1f}v{height:.1f}z")
    return "".join(bars)
