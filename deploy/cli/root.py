"""What every command of `samara` hangs on: the option that all have."""

from pathlib import Path
from typing import Annotated

import typer


def new_app() -> typer.Typer:
    """Return `samara` without commands."""
    app = typer.Typer(
        name="samara",
        help="Ingest and supervise a territory's LoRaWAN sensors.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # a failure is one sentence; a defect is a plain traceback to send
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    return app


def _options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="Settings file; ./samara.toml if there is one.")] = None,
) -> None:
    context.obj = config
