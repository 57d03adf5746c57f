"""What was used, and for what: each meter less what is counted behind it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from api.pages import use, words
from api.pages.texts import Texts
from api.units import Written
from domain.uses import DISTRIBUTION, USES
from store.reading.consumption import Told

REST: Final = "rest"  # what no sub-meter counted
UNSAID: Final = "unsaid"  # of a meter that nothing is said of
_EXCESS: Final = 0.02  # of a meter: what its parts may count more, read at other moments
_ORDER: Final = {name: place for place, name in enumerate((*USES, REST, UNSAID))}
_PERCENT: Final = Written("%", 0, 0)


class Part(NamedTuple):
    """What went to one use at a site, in the quantity's unit; `use` is one of USES, REST or UNSAID."""

    site_id: int
    quantity: str
    use: str
    amount: float


class Excess(NamedTuple):
    """A meter behind which more was counted than by itself: by how much, in the quantity's unit."""

    point_id: int
    quantity: str
    amount: float


class Breakdown(NamedTuple):
    """What adds up to the totals of sites, but for what is in excess."""

    parts: list[Part]
    excess: list[Excess]

    @property
    def is_told(self) -> bool:
        """Say whether anybody said of any meter what it is for, or behind which it is."""
        return any(one.use != UNSAID for one in self.parts)


def breakdown(told: Iterable[Told]) -> Breakdown:
    """Return what each use took in the first period."""
    own = {(one.quantity, one.point_id): one for one in told if _is_meter(one)}
    behind: dict[tuple[str, int], float] = defaultdict(float)
    for (quantity, _), one in own.items():
        if one.part_of is not None:
            behind[quantity, one.part_of] += one.increase or 0.0
    amounts: dict[tuple[int, str, str], float] = defaultdict(float)
    excess = []
    for (quantity, point_id), one in own.items():
        assert one.site_id is not None, "a meter counts somewhere"
        assert point_id is not None, "meters are points"
        total, parts = one.increase or 0.0, behind.pop((quantity, point_id), None)
        rest = total - (parts or 0.0)
        if rest < -_EXCESS * total:
            excess.append(Excess(point_id, quantity, -rest))
        name = one.use or (UNSAID if parts is None and one.part_of is None else REST)
        amounts[one.site_id, quantity, name] += max(0.0, rest)
    excess += [Excess(point_id, quantity, amount) for (quantity, point_id), amount in behind.items() if amount > 0]
    made = [Part(*of, amount) for of, amount in amounts.items()]
    return Breakdown(sorted(made, key=lambda one: _ORDER[one.use]), sorted(excess))


def _is_meter(one: Told) -> bool:
    return (
        one.point_id is not None
        and one.period == use.NOW
        and one.weight >= 0
        and one.increase is not None
        and one.use != DISTRIBUTION
    )


class Worth(NamedTuple):
    """What a unit of a quantity is worth: in what all are added up (kWh, m3), and in euros, None where unknown."""

    amount: float
    euros: float | None


class Shown(NamedTuple):
    """What a page shows of it: a table of all, one of sites, and sentences of what cannot be."""

    columns: list[str]
    rows: list[list[Any]]
    site_columns: list[str]
    site_rows: list[list[Any]]
    excesses: list[str]


def shown(
    found: Breakdown,
    worth: Mapping[str, Worth],
    sites: Sequence[tuple[int, str, str]],
    names: Mapping[int, str],
    written: Written,
    *,
    texts: Texts,
) -> Shown | None:
    """Return the tables; None while nobody said of any meter what it is for. `names` are of points."""
    if not found.is_told:
        return None
    return Shown(
        columns=_columns(texts, of_site=False),
        rows=_of_tenant(found, worth, written, texts),
        site_columns=_columns(texts, of_site=True),
        site_rows=_of_sites(found, worth, sites, written, texts),
        excesses=_excesses(found, worth, names, written, texts),
    )


def _of_tenant(found: Breakdown, worth: Mapping[str, Worth], written: Written, texts: Texts) -> list[list[Any]]:
    """Return a row a use: its name, amount, cost, share of all; the greatest first, what is not known last."""
    amounts: dict[str, list[tuple[float, float | None]]] = defaultdict(list)
    for one in found.parts:
        amounts[one.use].append(_worth(one, worth))
    total = sum(amount for each in amounts.values() for amount, _ in each)
    sums = {name: sum(amount for amount, _ in each) for name, each in amounts.items()}
    return [
        [texts(f"breakdown.use.{name}"), *_cells(sums[name], _euros(amounts[name]), total, written, texts)]
        for name in sorted(sums, key=lambda name: (name in {REST, UNSAID}, -sums[name]))
    ]


def _of_sites(
    found: Breakdown,
    worth: Mapping[str, Worth],
    sites: Sequence[tuple[int, str, str]],
    written: Written,
    texts: Texts,
) -> list[list[Any]]:
    """Return a row for each use at each of the sites (id, name, address) of which something is said."""
    rows = []
    for site_id, name, href in sites:
        own = [one for one in found.parts if one.site_id == site_id]
        if all(one.use == UNSAID for one in own):
            continue
        total = sum(_worth(one, worth)[0] for one in own)
        for one in own:
            amount, euros = _worth(one, worth)
            quantity = texts(f"energy.quantity.{one.quantity}") if len(worth) > 1 else ""
            what = texts(f"breakdown.use.{one.use}") + (f" ({quantity.lower()})" if quantity else "")
            rows.append([{"text": name, "href": href}, what, *_cells(amount, euros, total, written, texts)])
    return rows


def _excesses(
    found: Breakdown, worth: Mapping[str, Worth], names: Mapping[int, str], written: Written, texts: Texts
) -> list[str]:
    """Return a sentence for each meter behind which more was counted than by itself."""
    return [
        texts(
            "breakdown.excess",
            meter=names[one.point_id],
            amount=words.quantity(one.amount * worth[one.quantity].amount, written, texts),
        )
        for one in found.excess
        if one.quantity in worth
    ]


def _columns(texts: Texts, *, of_site: bool) -> list[str]:
    """Return the heads of one of the two tables."""
    names = ("site", "use", "amount", "euros", "share") if of_site else ("use", "amount", "euros", "share")
    return [texts(f"breakdown.column.{name}") for name in names]


def _worth(one: Part, worth: Mapping[str, Worth]) -> tuple[float, float | None]:
    known = worth.get(one.quantity, Worth(0.0, None))
    return one.amount * known.amount, None if known.euros is None else one.amount * known.euros


def _euros(each: Sequence[tuple[float, float | None]]) -> float | None:
    known = [euros for _, euros in each if euros is not None]
    return sum(known) if len(known) == len(each) else None


def _cells(amount: float, euros: float | None, total: float, written: Written, texts: Texts) -> list[str]:
    return [
        words.quantity(amount, written, texts),
        "—" if euros is None else words.quantity(euros, Written("€", 0, 0), texts),
        words.quantity(100 * amount / total, _PERCENT, texts) if total > 0 else "—",
    ]
