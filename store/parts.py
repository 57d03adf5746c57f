"""Which point counts a part of what another counts: a heating circuit behind the general meter of a school."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import asyncpg

from domain.errors import SamaraError
from store.reading.pages import Reader

Why = Literal["absent", "ring", "quantity"]

_WHY: Final[dict[str, Why]] = {
    "points_part_of": "absent",
    "points_part_ring": "ring",
    "points_part_quantity": "quantity",
}


class PartError(SamaraError):
    """The point cannot be a part of that one.

    `why`: absent, the tenant has no such point; ring, that one is this one or a part of it; quantity, the two count
    nothing alike.
    """

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


@contextmanager
def judged() -> Iterator[None]:
    """Turn what the database says of a part into PartError; other errors pass."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        why = _WHY.get(error.constraint_name or "")
        if why is None:
            raise
        raise PartError(why) from error


UPDATE_PART: Final = """
UPDATE points SET use = coalesce($2, use), part_of = coalesce($3, part_of) WHERE point_id = $1
"""


async def tell_part(connection: asyncpg.Connection, point_id: int, use: str | None, part_of: int | None) -> None:
    """Say what a point's meter is for and of which other point it is a part; None leaves it as it is.

    In a transaction of its own within the caller's: refused, the rest stays. Raises PartError.
    """
    with judged():
        async with connection.transaction():
            await connection.execute(UPDATE_PART, point_id, use, part_of)


# What counts something that the point counts; anything, while it was never heard.
SELECT_WHOLES: Final = """
WITH RECURSIVE behind AS (
  SELECT $2::integer AS point_id
   UNION
  SELECT points.point_id FROM points JOIN behind ON points.part_of = behind.point_id
), counting AS (
  SELECT DISTINCT point_id, quantity_id
    FROM assignments
    JOIN latest_frames USING (device_id)
   CROSS JOIN unnest(quantity_ids) AS reading (quantity_id)
    JOIN quantities USING (quantity_id)
   WHERE assignments.of_tenant_id = $1
     AND kind = 'counter'
     AND domain IN ('energy', 'water')
)
SELECT DISTINCT point_id
  FROM counting
 WHERE point_id NOT IN (SELECT point_id FROM behind)
   AND (quantity_id IN (SELECT quantity_id FROM counting WHERE point_id = $2)
        OR NOT EXISTS (SELECT FROM counting WHERE point_id = $2))
"""


async def wholes(reader: Reader, tenant_id: int, point_id: int) -> set[int]:
    """Return the points of a tenant of which one can be a part, as far as was heard."""
    return {row["point_id"] for row in await reader.fetch(SELECT_WHOLES, tenant_id, point_id)}
