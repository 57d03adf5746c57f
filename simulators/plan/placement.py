"""Where N antennas go: greedily, then by swaps, each with what it adds.

The share of people heard is submodular in the set of antennas: greed alone is within 63 % of the best
(Nemhauser, Wolsey and Fisher 1978), and swaps only improve on it.
"""

import itertools
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import ConfigurationError
from simulators.plan.coverage import Assumptions, chances
from simulators.plan.territory import Candidate, Grid
from simulators.radio.air import Singles


class Step(NamedTuple):
    """One antenna of a plan: what it adds when it comes, and what is lost when it alone fails."""

    candidate: Candidate
    adds: float
    lost_without: float


class Plan(NamedTuple):
    """A choice of antennas in the order of their benefit; shares are of people heard."""

    steps: tuple[Step, ...]
    share: float
    existing_share: float


class _Ground:
    """The chances of all candidates over the cells, and the people there, as shares of all."""

    def __init__(self, chance: Singles, weight: npt.NDArray[Any], existing: Singles) -> None:
        self.missed = 1 - chance
        self.people = (weight / weight.sum()).astype(np.float32)
        self.before = np.prod(1 - existing, axis=0) if len(existing) else np.ones(len(weight), dtype=np.float32)

    def unheard(self, chosen: Sequence[int]) -> Singles:
        """Return each cell's chance to be heard by nobody."""
        return np.asarray(self.before * np.prod(self.missed[list(chosen)], axis=0), dtype=np.float32)

    def share(self, chosen: Sequence[int]) -> float:
        """Return the share of people heard."""
        return float(1 - (self.unheard(chosen) * self.people).sum())

    def best_addition(self, chosen: Sequence[int]) -> int:
        """Return the candidate that leaves fewest people unheard."""
        left = self.missed @ (self.unheard(chosen) * self.people)
        left[list(chosen)] = np.inf
        return int(left.argmin())

    def greedy(self) -> Iterator[tuple[int, float]]:
        """Yield (candidate, share of people heard with it), each the best addition to those before.

        What a candidate adds only shrinks as others come: its last known gain is a bound, so that few are looked at
        again for each choice (Minoux 1978).
        """
        left = self.before * self.people
        total = float(left.sum())
        bounds = [(-gain, one) for one, gain in enumerate((total - self.missed @ left).tolist())]
        heapify(bounds)
        while bounds:
            _, one = heappop(bounds)
            gain = total - float(self.missed[one] @ left)
            if bounds and gain < -bounds[0][0]:
                heappush(bounds, (-gain, one))
                continue
            left *= self.missed[one]
            total = float(left.sum())
            yield one, 1 - total


def _ground(
    candidates: Sequence[Candidate],
    grid: Grid,
    assumed: Assumptions,
    existing: Sequence[Candidate],
    spreading_factor: int,
) -> _Ground:
    standing = chances(existing, grid, assumed, spreading_factor) if existing else np.zeros((0, 0), dtype=np.float32)
    return _Ground(chances(candidates, grid, assumed, spreading_factor), grid.weight, standing)


def place(
    candidates: Sequence[Candidate],
    grid: Grid,
    assumed: Assumptions,
    count: int,
    *,
    existing: Sequence[Candidate] = (),
    spreading_factor: int = 12,
    swaps: int = 3,
) -> Plan:
    """Choose `count` antennas among the candidates, besides those that exist; `swaps` bounds the rounds of swaps.

    None may be chosen where some exist: what they serve is then told.
    """
    least = 0 if existing else 1
    if not least <= count <= len(candidates):
        raise ConfigurationError(f"choose {least} to {len(candidates)} antennas among the candidates, not {count}")
    ground = _ground(candidates, grid, assumed, existing, spreading_factor)
    chosen = [one for one, _ in itertools.islice(ground.greedy(), count)]
    for _ in range(swaps):
        if not _swap(ground, chosen):
            break
    return _told(ground, candidates, _ordered(ground, chosen))


def needed(
    candidates: Sequence[Candidate],
    grid: Grid,
    assumed: Assumptions,
    targets: Sequence[float],
    *,
    existing: Sequence[Candidate] = (),
    most: int = 150,
) -> dict[float, int | None]:
    """Return how many antennas, chosen greedily, bring the share of people heard to each target; None if too many."""
    ground = _ground(candidates, grid, assumed, existing, 12)
    counts: dict[float, int | None] = dict.fromkeys(targets)
    waiting = sorted(targets)
    shares = itertools.chain((ground.share(()),), (share for _, share in ground.greedy()))
    for count, share in enumerate(itertools.islice(shares, most + 1)):
        while waiting and share >= waiting[0]:
            counts[waiting.pop(0)] = count
        if not waiting:
            break
    return counts


def _swap(ground: _Ground, chosen: list[int]) -> bool:
    """Replace each antenna by a better one, if there is one; say whether anything changed."""
    changed = False
    for position in range(len(chosen)):
        others = chosen[:position] + chosen[position + 1 :]
        better = ground.best_addition(others)
        if better != chosen[position] and ground.share([*others, better]) > ground.share(chosen) + 1e-6:
            chosen[position] = better
            changed = True
    return changed


def _ordered(ground: _Ground, chosen: Sequence[int]) -> list[int]:
    """Return the antennas in the order in which each adds most."""
    ordered: list[int] = []
    while len(ordered) < len(chosen):
        rest = [one for one in chosen if one not in ordered]
        ordered.append(max(rest, key=lambda one: ground.share([*ordered, one])))
    return ordered


def _told(ground: _Ground, candidates: Sequence[Candidate], ordered: Sequence[int]) -> Plan:
    shares = [ground.share(ordered[:length]) for length in range(len(ordered) + 1)]
    steps = tuple(
        Step(
            candidates[one],
            round(shares[place + 1] - shares[place], 6),
            round(shares[-1] - ground.share([other for other in ordered if other != one]), 6),
        )
        for place, one in enumerate(ordered)
    )
    return Plan(steps, round(shares[-1], 6), round(shares[0], 6))
