"""Points grouped by words, "chaufferie" or "secteur:nord": a rule may speak of all that have one."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg


class Tag(NamedTuple):
    """A word, and the points that have it."""

    tag: str
    point_ids: list[int]


SELECT_TAGS: Final = """
SELECT tag, array_agg(point_id ORDER BY point_id) AS point_ids
  FROM sites
  JOIN points USING (site_id)
  JOIN point_tags USING (point_id)
 WHERE tenant_id = $1
 GROUP BY tag
 ORDER BY tag
 LIMIT 1000
"""


async def tags(connection: asyncpg.Connection, tenant_id: int) -> list[Tag]:
    """Return the tags of a tenant's points."""
    return [Tag(row["tag"], list(row["point_ids"])) for row in await connection.fetch(SELECT_TAGS, tenant_id)]


DELETE_TAGS: Final = """
DELETE FROM point_tags
 USING points, sites
 WHERE point_tags.point_id = points.point_id
   AND points.site_id = sites.site_id
   AND tenant_id = $1
   AND tag = $2
   AND NOT point_tags.point_id = ANY($3::integer[])
"""

INSERT_TAGS: Final = """
INSERT INTO point_tags (point_id, tag) SELECT unnest($1::integer[]), $2 ON CONFLICT DO NOTHING
"""


async def set_tag(connection: asyncpg.Connection, tenant_id: int, tag: str, point_ids: Sequence[int]) -> None:
    """Give a tag to these points of a tenant, and to no other. Raises asyncpg.CheckViolationError for one that is none.

    That the points are the tenant's is for the caller to know.
    """
    await connection.execute(DELETE_TAGS, tenant_id, tag, list(point_ids))
    await connection.execute(INSERT_TAGS, list(point_ids), tag)
