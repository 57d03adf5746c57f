"""Links that open one door once: an invitation, a new password, a session."""

from datetime import timedelta
from typing import Final, Literal, NamedTuple

import asyncpg

from store.reading.pages import Reader

Kind = Literal["invitation", "reset", "sign_in"]


class Link(NamedTuple):
    """A link that still opens."""

    kind: Kind
    account_id: int
    email: str
    name: str


INSERT_LINK: Final = """
INSERT INTO links (digest, kind, account_id, expires_at) VALUES (sha256($1), $2, $3, now() + $4)
"""


async def add_link(
    connection: asyncpg.Connection, bearer: bytes, kind: Kind, account_id: int, valid: timedelta
) -> None:
    """Let what digests to `bearer` open the door once."""
    await connection.execute(INSERT_LINK, bearer, kind, account_id, valid)


SELECT_LINK: Final = """
SELECT kind, account_id, email, name
  FROM links
  JOIN accounts USING (account_id)
 WHERE digest = sha256($1)
   AND used_at IS NULL
   AND expires_at > now()
   AND disabled_at IS NULL
"""


async def link(reader: Reader, bearer: bytes) -> Link | None:
    """Return what a link opens; None when it opens nothing, or no longer."""
    row = await reader.fetchrow(SELECT_LINK, bearer)
    return None if row is None else Link(*row)


UPDATE_USED: Final = """
UPDATE links
   SET used_at = now()
  FROM accounts
 WHERE digest = sha256($1)
   AND used_at IS NULL
   AND expires_at > now()
   AND accounts.account_id = links.account_id
   AND disabled_at IS NULL
RETURNING kind, links.account_id, email, name
"""


async def use_link(connection: asyncpg.Connection, bearer: bytes) -> Link | None:
    """Open the door and lock it for good; None when it does not open. Of two at once, one gets through."""
    row = await connection.fetchrow(UPDATE_USED, bearer)
    return None if row is None else Link(*row)


DELETE_LINKS: Final = """
DELETE FROM links WHERE account_id = $1 AND kind = ANY ($2::text[]) AND used_at IS NULL
"""


async def forget_links(connection: asyncpg.Connection, account_id: int, *kinds: Kind) -> None:
    """Lock the doors that older links of these kinds would open."""
    await connection.execute(DELETE_LINKS, account_id, list(kinds))
