"""Runs `samara` as a person does, in the test's process."""

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import pytest

from deploy.cli import main


class Done(NamedTuple):
    stdout: str
    stderr: str


class Samara:
    """Runs commands in this process (a new one each time costs half a second), as `samara` itself does."""

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        kept = {key: value for key, value in os.environ.items() if not key.startswith("SAMARA_")}
        self.environment = kept | {f"SAMARA_{key}": value for key, value in settings.items()}

    def __call__(self, *arguments: object, code: int = 0, stdin: str = "") -> Done:
        given = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
        with (
            contextlib.chdir(self.directory),
            patch.dict(os.environ, self.environment, clear=True),
            patch.multiple(sys, argv=["samara", *map(str, arguments)], stdin=given, stdout=out, stderr=err),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        done = Done(*(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]
        assert (ended.value.code or 0) == code, done
        return done
