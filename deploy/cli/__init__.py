"""The command `samara`: one module for each group of commands, added to `deploy.cli.application`."""

import sys
from typing import Final

import asyncpg

from deploy.cli.application import app
from domain.errors import ConfigurationError, SamaraError
from store.pool import TRANSIENT

_NOT_LET_IN: Final = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)


def main() -> None:
    """Run one command. Exit codes: 0 done, 1 it failed, 2 the arguments or the settings are wrong."""
    try:
        app()
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


def _say(what: object, *, code: int) -> int:
    first, *rest = str(what).splitlines() or [""]
    sys.stderr.write("\n  ".join([f"samara: {first}", *rest]) + "\n")
    return code
