"""Where the database is: the one of the settings, else the embedded one, started if it does not run yet."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from deploy.embedded.postgres import EmbeddedPostgres, running_dsn
from deploy.settings import Settings


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """Give the database's address for as long as it is used.

    An embedded one that another Samara runs in the same directory is shared with it, and left running.
    """
    directory = embedded_directory(settings)
    dsn = settings.database.address or running_dsn(directory)
    if dsn:
        yield dsn
    else:
        async with EmbeddedPostgres(directory, settings.pg_bin) as server:
            yield server.dsn


def embedded_directory(settings: Settings) -> Path:
    """Return where the embedded PostgreSQL keeps its files."""
    return settings.data_dir / "postgres"


def broker_directory(settings: Settings) -> Path:
    """Return where the embedded broker keeps its files."""
    return settings.data_dir / "broker"
