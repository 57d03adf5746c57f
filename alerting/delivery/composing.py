"""From a message that is due to its words: what it speaks of is read as it is now."""

from typing import Final

import asyncpg

from alerting.delivery import wording
from alerting.delivery.sending import Compose
from alerting.notice import Notice
from store.delivery.contacts import Contact
from store.delivery.messages import Claimed, digested
from store.delivery.reading import incident

_MOST: Final = 50  # incidents that one digest lists


def composer(base_url: str) -> Compose:
    """Return what composes notices whose links begin with `base_url` ("": no links)."""

    async def compose(connection: asyncpg.Connection, claimed: Claimed, contact: Contact) -> Notice:
        if claimed.kind == "digest":
            ids = await digested(connection, contact.contact_id, claimed.created_at)
            listed = [await incident(connection, one) for one in ids[:_MOST]]
            return wording.of_digest(listed, claimed, contact, base_url)
        if claimed.incident_id is None:
            return wording.of_test(contact, claimed.message_id)
        return wording.of_incident(await incident(connection, claimed.incident_id), claimed, contact, base_url)

    return compose
