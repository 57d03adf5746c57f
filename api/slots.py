"""How many of something may go on at once in this process: one more is refused rather than kept waiting."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.problems import Kind, ProblemError


class Slots:
    """So many places; whoever finds none free is told the problem."""

    def __init__(self, most: int, problem: Kind) -> None:
        self._free = most
        self._problem = problem

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place. Raises ProblemError when all are taken."""
        if self._free == 0:
            raise ProblemError(self._problem)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
