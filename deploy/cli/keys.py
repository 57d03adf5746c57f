"""samara keys new | rotate: the keys that seal network keys and second factors."""

from typing import Annotated

import asyncpg
import typer

from deploy.cli.accounts import actor
from deploy.cli.common import settings_of, with_database
from deploy.keyring import keyring_of
from store.access import audit, device_keys, factors
from store.access.sealing import new_key
from store.provisioning import resealing

app = typer.Typer(help="The keys that seal secrets at rest.", no_args_is_help=True)


@app.command("new")
def new_command(name: Annotated[str, typer.Argument(help="A name that no key of the keyring has.")]) -> None:
    """Print a new line for the keyring. The first line seals; the others still open what they sealed."""
    typer.echo(new_key(name))


@app.command("rotate")
def rotate_command(context: typer.Context) -> None:
    """Put everything that is sealed under the first key of the keyring. Then the other lines can go."""
    keyring = keyring_of(settings_of(context))

    async def work(connection: asyncpg.Connection) -> tuple[int, int, int]:
        async with connection.transaction():
            counts = (
                await device_keys.rewrap_all(connection, keyring),
                await factors.rewrap_all(connection, keyring),
                await resealing.rewrap_all(connection, keyring),
            )
            names = ("device_keys", "second_factors", "network_servers")
            detail = {"key": keyring.current, **dict(zip(names, counts, strict=True))}
            await audit.append(connection, "keyring.rotated", actor=actor(), detail=detail)
        return counts

    of_devices, of_accounts, on_their_way = with_database(context, work)
    typer.echo(
        f"{of_devices} network keys, {of_accounts} second factors, {on_their_way} tokens and keys for network servers"
        f" are under {keyring.current!r} now"
    )
