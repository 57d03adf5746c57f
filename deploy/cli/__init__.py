"""The command `samara`: one module for each group of commands, added to `deploy.cli.application`."""

import sys
from collections.abc import Sequence
from typing import Final

import asyncpg
import typer

from deploy.cli import root, serving
from domain.errors import ConfigurationError, SamaraError
from store.pool import TRANSIENT

_NOT_LET_IN: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)


def main() -> None:
    """Run one command. Exit codes: 0 done, 1 it failed, 2 the arguments or the settings are wrong."""
    try:
        _app(sys.argv[1:])()
    except ConfigurationError as error:
        sys.exit(_say(error, code=2))
    except SamaraError as error:
        sys.exit(_say(error, code=1))
    except _NOT_LET_IN as error:
        sys.exit(_say(f"database: {error}\n`samara doctor` says what to check.", code=2))
    except asyncpg.UndefinedTableError:
        sys.exit(_say("the database has not Samara's tables yet: run `samara migrate`", code=2))
    except TRANSIENT as error:
        sys.exit(_say(f"{error or type(error).__name__}\n`samara doctor` checks the database and the broker.", code=1))


def _app(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line; for `samara serve` without the other commands.

    It starts again after each crash, and what the others import would double the time until it hears again.
    """
    if _command(arguments) == "serve":
        app = root.new_app()
        serving.add_to(app)
        return app
    from deploy.cli.application import app as every  # noqa: PLC0415 - as said above

    return every


def _command(arguments: Sequence[str]) -> str:
    """Return the first argument that is neither an option nor an option's value."""
    left = iter(arguments)
    for one in left:
        if not one.startswith("-"):
            return one
        if one == "--config":
            next(left, None)
    return ""


def _say(what: object, *, code: int) -> int:
    first, *rest = str(what).splitlines() or [""]
    sys.stderr.write("\n  ".join([f"samara: {first}", *rest]) + "\n")
    return code
