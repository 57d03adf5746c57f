"""samara accounts: who may sign in, and as what."""

import getpass
import os
import secrets
import sys
from datetime import timedelta
from typing import Annotated

import asyncpg
import typer
from argon2 import PasswordHasher

from api.access import digest
from api.passwords import WeakPasswordError, check
from deploy.cli.common import settings_of, show_table, with_database
from domain.errors import ConfigurationError, NotFoundError
from store.access import accounts, audit, factors, sessions
from store.access.accounts import Grant, Person
from store.access.links import Kind, add_link, forget_links
from store.fleet import tenant_ids

app = typer.Typer(help="Who may sign in, and as what.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address of the account.")]
RoleOption = Annotated[str, typer.Option(help=f"{', '.join(accounts.ROLES)}.")]
TenantOption = Annotated[str | None, typer.Option(help="The slug of a tenant; without it, all tenants, now and later.")]
AloneOption = Annotated[bool, typer.Option("--alone", help="Without the tenants below it.")]


def actor() -> str:
    """Return who types, for the audit log."""
    return f"samara accounts ({os.environ.get('SUDO_USER') or getpass.getuser()})"


@app.command("list")
def list_command(context: typer.Context) -> None:
    """List the accounts with their roles."""

    async def work(connection: asyncpg.Connection) -> list[tuple[Person, list[Grant]]]:
        found = await accounts.people(connection)
        return [(one, await accounts.grants_of(connection, one.account_id)) for one in found]

    show_table(
        ("e-mail", "name", "roles", "password", "second factor", "disabled"),
        [
            (
                one.email,
                one.name,
                ", ".join(f"{held.role} of {held.tenant or 'all'}{_reach(held)}" for held in grants),
                "yes" if one.has_password else "no",
                "yes" if one.has_second_factor else "no",
                one.disabled_at.date() if one.disabled_at else "",
            )
            for one, grants in with_database(context, work)
        ],
    )


def _reach(held: Grant) -> str:
    return "" if held.tenant is None or not held.with_descendants else " and below"


@app.command("add")
def add_command(
    context: typer.Context,
    email: Email,
    *,
    role: RoleOption,
    tenant: TenantOption = None,
    alone: AloneOption = False,
    name: Annotated[str, typer.Option(help="Its name for people.")] = "",
) -> None:
    """Make an account and give it a role; ask for its password (or read it from a pipe)."""
    password = _ask_password(email)

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            account_id = await accounts.add_account(connection, email, name)
            if account_id is None:
                raise ConfigurationError(f"there is an account {email} already: `samara accounts grant` adds a role")
            await accounts.set_password(connection, account_id, PasswordHasher().hash(password))
            await audit.append(connection, "account.made", actor=actor(), subject=email)
            await _grant(connection, account_id, email, role, tenant, alone=alone)

    with_database(context, work)
    typer.echo(f"{email}: made, {role} of {tenant or 'all tenants'}")


@app.command("grant")
def grant_command(
    context: typer.Context, email: Email, *, role: RoleOption, tenant: TenantOption = None, alone: AloneOption = False
) -> None:
    """Give an account a role."""

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            account_id = await accounts.account_by_email(connection, email)
            await _grant(connection, account_id, email, role, tenant, alone=alone)

    with_database(context, work)
    typer.echo(f"{email}: {role} of {tenant or 'all tenants'}")


async def _grant(
    connection: asyncpg.Connection, account_id: int, email: str, role: str, tenant: str | None, *, alone: bool
) -> None:
    tenant_id = await _tenant_id(connection, tenant)
    await accounts.grant(connection, account_id, role, tenant_id, with_descendants=not alone)
    detail = {"role": role, "tenant": tenant, "with_descendants": not alone}
    await audit.append(connection, "grant.given", actor=actor(), tenant_id=tenant_id, subject=email, detail=detail)


@app.command("revoke")
def revoke_command(context: typer.Context, email: Email, *, role: RoleOption, tenant: TenantOption = None) -> None:
    """Take a role away from an account."""

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            account_id = await accounts.account_by_email(connection, email)
            tenant_id = await _tenant_id(connection, tenant)
            if not await accounts.revoke(connection, account_id, role, tenant_id):
                raise NotFoundError(f"{email} is not {role} of {tenant or 'all tenants'}")
            detail = {"role": role, "tenant": tenant}
            await audit.append(
                connection, "grant.taken", actor=actor(), tenant_id=tenant_id, subject=email, detail=detail
            )

    with_database(context, work)
    typer.echo(f"{email}: no longer {role} of {tenant or 'all tenants'}")


@app.command("invite")
def invite_command(
    context: typer.Context,
    email: Email,
    *,
    role: RoleOption,
    tenant: TenantOption = None,
    alone: AloneOption = False,
    name: Annotated[str, typer.Option(help="Its name for people.")] = "",
) -> None:
    """Give a role to somebody, and print the link with which they choose a password, once, within a week."""

    async def work(connection: asyncpg.Connection) -> str:
        async with connection.transaction():
            account_id = await accounts.add_account(connection, email, name)
            if account_id is None:
                account_id = await accounts.account_by_email(connection, email)
            await _grant(connection, account_id, email, role, tenant, alone=alone)
            return await _link(connection, account_id, email, "invitation")

    _show_link(context, with_database(context, work))


@app.command("reset")
def reset_command(context: typer.Context, email: Email) -> None:
    """Print a link with which somebody chooses a new password, once, within a week. Be sure of who asks."""

    async def work(connection: asyncpg.Connection) -> str:
        async with connection.transaction():
            return await _link(connection, await accounts.account_by_email(connection, email), email, "reset")

    _show_link(context, with_database(context, work))


async def _link(connection: asyncpg.Connection, account_id: int, email: str, kind: Kind) -> str:
    secret = secrets.token_urlsafe(32)
    await forget_links(connection, account_id, "invitation", "reset")
    await add_link(connection, digest(secret), kind, account_id, timedelta(days=7))
    await audit.append(connection, f"{kind}.made", actor=actor(), subject=email)
    return secret


def _show_link(context: typer.Context, secret: str) -> None:
    api = settings_of(context).api
    typer.echo(f"{api.public_url or f'http://{api.host}:{api.port}'}/connexion/mot-de-passe/{secret}")


@app.command("disable")
def disable_command(context: typer.Context, email: Email) -> None:
    """Let an account in no more. Its sessions and keys stop at once."""
    _set_disabled(context, email, disabled=True)


@app.command("enable")
def enable_command(context: typer.Context, email: Email) -> None:
    """Let a disabled account in again."""
    _set_disabled(context, email, disabled=False)


def _set_disabled(context: typer.Context, email: str, *, disabled: bool) -> None:
    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            account_id = await accounts.account_by_email(connection, email)
            await accounts.set_disabled(connection, account_id, disabled=disabled)
            await sessions.end_sessions_of(connection, account_id)
            action = "account.disabled" if disabled else "account.enabled"
            await audit.append(connection, action, actor=actor(), subject=email)

    with_database(context, work)
    typer.echo(f"{email}: {'disabled' if disabled else 'enabled'}")


@app.command("reset-second-factor")
def reset_second_factor_command(context: typer.Context, email: Email) -> None:
    """Take an account's second factor away, and end its sessions. Be sure of who asks."""

    async def work(connection: asyncpg.Connection) -> bool:
        async with connection.transaction():
            account_id = await accounts.account_by_email(connection, email)
            found = await factors.remove(connection, account_id)
            await sessions.end_sessions_of(connection, account_id)
            await audit.append(connection, "second_factor.removed", actor=actor(), subject=email)
        return found

    had = with_database(context, work)
    typer.echo(f"{email}: {'second factor taken away' if had else 'there was no second factor'}")


@app.command("password")
def password_command(context: typer.Context, email: Email) -> None:
    """Ask for a new password of an account (or read it from a pipe), and end its sessions."""
    password = _ask_password(email)

    async def work(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            account_id = await accounts.account_by_email(connection, email)
            await accounts.set_password(connection, account_id, PasswordHasher().hash(password))
            await sessions.end_sessions_of(connection, account_id)
            await audit.append(connection, "password.changed", actor=actor(), subject=email)

    with_database(context, work)
    typer.echo(f"{email}: password changed")


def _ask_password(email: str) -> str:
    piped = not sys.stdin.isatty()
    password = sys.stdin.readline().rstrip("\n") if piped else getpass.getpass(f"Password of {email}: ")
    try:
        check(password, email)
    except WeakPasswordError as error:
        reasons = {"short": "it has 12 characters at least", "long": "it has 128 characters at most"}
        raise ConfigurationError(
            f"password: {reasons.get(error.reason, 'it is among the first to be tried')}"
        ) from None
    return password


async def _tenant_id(connection: asyncpg.Connection, slug: str | None) -> int | None:
    if slug is None:
        return None
    known = await tenant_ids(connection)
    if slug not in known:
        raise NotFoundError(f"no tenant {slug!r}: `samara tenants list` lists them")
    return known[slug]
