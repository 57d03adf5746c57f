"""What the tests of faults share: ingest processes, brokers that die, figures."""

import json
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.postgres import EmbeddedPostgres
from faults.figures import Figures
from faults.processes import Ingest, Mosquitto

_FIGURES = pytest.StashKey[Figures]()
_FIGURES_VARIABLE = "SAMARA_FAULTS_JSON"
DURABLE = {"max_connections": "50", "shared_buffers": "64MB", "deadlock_timeout": "1s"}


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash.setdefault(_FIGURES, Figures())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    figures = config.stash.get(_FIGURES, None)
    if figures is not None and figures.rows:
        path = Path(os.environ.get(_FIGURES_VARIABLE) or Path(tempfile.gettempdir()) / "samara-faults.json")
        figures.write(path)
        terminalreporter.section(f"faults ({path})")
        for line in figures.told():
            terminalreporter.line(line)


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Any]:
    """Make ingest processes: `ingest(dsn, broker, …)`; killed at the end of the test."""
    made: list[Ingest] = []

    def make(
        dsn: str,
        *brokers: Any,
        worker: str = "faults",
        http: list[dict[str, str]] | None = None,
        environment: dict[str, str] | None = None,
        source: dict[str, Any] | None = None,
        **bounds: object,
    ) -> Ingest:
        directory = tmp_path / worker
        directory.mkdir()
        sources = [
            {"name": "lns", "host": broker.host, "port": broker.port, "client_id": f"faults-{worker}-{broker.port}"}
            | (source or {})
            for broker in brokers
        ]
        settings = {"DATABASE__DSN": dsn, "WORKER": worker}
        settings |= {f"INGEST__{name.upper()}": str(value) for name, value in bounds.items()}
        if sources:
            settings["INGEST__MQTT"] = json.dumps(sources)
        if http:
            settings["INGEST__HTTP"] = json.dumps(http)
        made.append(Ingest(directory, settings, environment or {}))
        return made[-1]

    yield make
    for one in made:
        one.kill()


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A Mosquitto of this test alone."""
    broker = Mosquitto(tmp_path / f"mosquitto-{secrets.token_hex(2)}", saves=False)
    await broker.start()
    yield broker
    broker.end()


@pytest.fixture(scope="session")
async def durable_postgres(service_directory: Path, pg_bin: Path | None) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL with every promise of durability, which tests may stop and start again."""
    async with EmbeddedPostgres(service_directory / "durable", pg_bin, DURABLE) as server:
        yield server
