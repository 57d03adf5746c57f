"""Who may look at the demonstration: one account for each role, with a new password at each start."""

import secrets
from datetime import timedelta
from typing import Final, NamedTuple

from argon2 import PasswordHasher

from api.access import digest
from simulators.demo.places import COMMUNES
from store.access import accounts, audit
from store.access.links import add_link, forget_links
from store.fleet import tenant_ids
from store.pool import connect

_VALID: Final = timedelta(days=1)


class _Visitor(NamedTuple):
    """An account: its name in addresses, whose name it bears, its role, where, and that in words."""

    email: str
    name: str
    grants: tuple[tuple[str, str | None], ...]  # (role, tenant's slug; None: all)
    words: str


_VISITORS: Final = (
    _Visitor(
        "syndicat@demo.example",
        "Claude Petit",
        (("administrator", None), ("supervisor", None)),
        "the syndicat, which sees all",
    ),
    _Visitor("mairie@demo.example", "Dominique Leroy", (("manager", "corbie"),), "the town hall of Corbie"),
    _Visitor(
        "technicien@demo.example", "Camille Roux", (("technician", "val-de-somme"),), "a technician of the Val de Somme"
    ),
    _Visitor("reseau@demo.example", "Sacha Morel", (("supervisor", None),), "a supervisor: network, no measurements"),
)


class Visit(NamedTuple):
    """How to enter as one of them."""

    email: str
    password: str
    link: str  # the secret of an address that opens a session once
    words: str


async def make(owner: str) -> list[Visit]:
    """Make the accounts, or give them new passwords; return how to enter, the one that sees most first."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)  # random passwords need no slowness
    visits = []
    connection = await connect(owner, application="samara-demo")
    try:
        slugs = await tenant_ids(connection)
        for one in _VISITORS:
            visit = Visit(one.email, secrets.token_urlsafe(12), secrets.token_urlsafe(32), one.words)
            async with connection.transaction():
                account_id = await accounts.add_account(connection, one.email, one.name)
                if account_id is None:
                    account_id = await accounts.account_by_email(connection, one.email)
                for role, slug in one.grants:
                    tenant_id = None if slug is None else slugs[slug]
                    await accounts.grant(
                        connection, account_id, role, tenant_id, with_descendants=slug not in COMMUNES.values()
                    )
                await accounts.set_password(connection, account_id, hasher.hash(visit.password))
                await forget_links(connection, account_id, "sign_in")
                await add_link(connection, digest(visit.link), "sign_in", account_id, _VALID)
                await audit.append(connection, "account.made", actor="samara demo", subject=one.email)
            visits.append(visit)
    finally:
        await connection.close()
    return visits
