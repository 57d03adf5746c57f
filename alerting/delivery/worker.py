"""One round of telling people: any number of workers on one database, none the leader, each killed at any moment."""

from alerting.delivery.announcing import announce_some
from alerting.delivery.routing import route_some
from alerting.delivery.sending import Post, send_some
from store.delivery.messages import close_groups
from store.pool import borrowed


async def work_once(post: Post) -> bool:
    """Do what is due now; say whether there may be more."""
    now = post.clock()
    async with borrowed(post.pool) as connection:
        routed = await route_some(connection, now)
        announced = await announce_some(connection, now)
        await close_groups(connection, now)
    return routed + announced + await send_some(post) > 0
