"""The command `samara`: one module for each group of commands, added to `deploy.cli.application`."""

import sys

import structlog

from deploy.cli.application import app
from domain.errors import ConfigurationError, SamaraError
from store.pool import TRANSIENT

log = structlog.get_logger("samara")


def main() -> None:
    """Run one command. Exit codes: 0 done, 1 it failed, 2 the arguments or the settings are wrong."""
    try:
        app()
    except ConfigurationError as error:
        sys.exit(_say(error, code=2))
    except SamaraError as error:
        sys.exit(_say(error, code=1))
    except TRANSIENT as error:
        sys.exit(_say(f"{error or type(error).__name__}\n`samara doctor` checks the database and the broker.", code=1))


def _say(what: object, *, code: int) -> int:
    first, *rest = str(what).splitlines() or [""]
    sys.stderr.write("\n  ".join([f"samara: {first}", *rest]) + "\n")
    return code
