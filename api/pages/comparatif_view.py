"""The comparison of communes in words: a sentence, rows in order, then who cannot be ranked and why. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from api.pages import words
from api.pages.rendering import slug_address
from api.pages.texts import Texts
from api.units import Written
from domain import comparing, energy
from domain.comparing import Building, Figure, Year
from store.reading.compared import Agreed, Counted

ENERGY: Final = "energie"
WATER: Final = "eau"
WATER_VOLUME: Final = "water_volume"
QUANTITIES: Final[Mapping[str, tuple[str, ...]]] = {ENERGY: tuple(energy.KWH), WATER: (WATER_VOLUME,)}
ALL_KINDS: Final = ""
SITE_KINDS: Final = (ALL_KINDS, "school", "town_hall", "hall", "gym", "library", "pool")
_NETWORK: Final = frozenset({"pumping_station", "reservoir", "wastewater"})  # what they let through, others use
_LITRES: Final = 1000.0
_UNITS: Final = {ENERGY: Written("kWh/m²", 0, 0), WATER: Written("L/hab.", 0, 0)}
_COLUMNS: Final = ("name", "rank", "value", "middle", "counted")


class Shown(NamedTuple):
    """What the page says. `rows` begin with those that have a rank; `left_out` are those that nothing is told of."""

    lead: str
    columns: list[str]
    rows: list[list[Any]]
    left_out: list[dict[str, str]]


def figures(
    what: str, kind: str, tenants: Sequence[Agreed], meters: Sequence[Counted], period: tuple[int, float | None]
) -> dict[int, Figure]:
    """Return the figure of each tenant: kWh a m2, of sites of one kind or of all, or litres an inhabitant.

    `period` is how many days it has, and how many degree days, None where the weather is not known.
    """
    own: dict[int, list[Counted]] = defaultdict(list)
    for one in meters:
        if one.site_kind not in _NETWORK and kind in {ALL_KINDS, one.site_kind}:
            own[one.tenant_id].append(one)
    if what == WATER:
        return {
            one.tenant_id: comparing.per_inhabitant(
                [_whole(meter, period, _LITRES) for meter in own[one.tenant_id]], one.inhabitants
            )
            for one in tenants
        }
    return {one.tenant_id: comparing.per_m2(_buildings(own[one.tenant_id], period)) for one in tenants}


def _buildings(meters: Sequence[Counted], period: tuple[int, float | None]) -> list[Building]:
    used: dict[int, list[float | None]] = defaultdict(list)
    floors = {}
    for one in meters:
        used[one.site_id].append(_whole(one, period, energy.KWH[one.quantity]))
        floors[one.site_id] = one.floor_area_m2
    return [Building(floors[site_id], each) for site_id, each in used.items()]


def _whole(one: Counted, period: tuple[int, float | None], factor: float) -> float | None:
    found = comparing.whole(Year(one.days, one.used, one.level, one.slope, one.degree_days), *period)
    return None if found is None else found * factor


def shown(what: str, tenants: Sequence[Agreed], found: Mapping[int, Figure], texts: Texts) -> Shown:
    """Return the figures in words, the least first."""
    names = {one.tenant_id: one for one in tenants}
    values = [(tenant_id, one.value) for tenant_id, one in found.items() if one.value is not None]
    ranks, middle = comparing.ranks(values), comparing.middle([value for _, value in values])
    ordered = sorted(values, key=lambda one: (one[1], words.sort_key(names[one[0]].name)))
    return Shown(
        lead=_lead(what, [(names[tenant_id], value) for tenant_id, value in ordered], middle, texts),
        columns=[texts(f"comparatif.column.{name}") for name in _COLUMNS],
        rows=[
            _row(what, names[tenant_id], found[tenant_id], (ranks.get(tenant_id), middle), texts)
            for tenant_id, _ in ordered
        ],
        left_out=[
            {
                "name": one.name,
                "href": slug_address(one.slug),
                "why": texts(f"comparatif.why.{found[one.tenant_id].why}"),
            }
            for one in tenants
            if found[one.tenant_id].value is None
        ],
    )


def _lead(what: str, ordered: Sequence[tuple[Agreed, float]], middle: float | None, texts: Texts) -> str:
    if middle is None:
        return texts.plural("comparatif.too_few", len(ordered))
    (least, low), (most, high) = ordered[0], ordered[-1]
    return texts(
        f"comparatif.lead.{what}",
        count=len(ordered),
        middle=words.quantity(middle, _UNITS[what], texts),
        least=least.name,
        low=words.quantity(low, _UNITS[what], texts),
        most=most.name,
        high=words.quantity(high, _UNITS[what], texts),
    )


def _row(what: str, one: Agreed, figure: Figure, standing: tuple[int | None, float | None], texts: Texts) -> list[Any]:
    rank, middle = standing
    assert figure.value is not None, "those without value are left out"
    return [
        {"text": one.name, "href": slug_address(one.slug, what)},
        "—" if rank is None else str(rank),
        words.quantity(figure.value, _UNITS[what], texts),
        "—" if not middle else words.percent(figure.value / middle - 1, texts),
        texts.plural(f"comparatif.counted.{what}", figure.counted, known=figure.known),
    ]
