"""What the tests of faults share: ingest processes, brokers that die, figures."""

import json
import os
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.figures import Figures
from faults.postgres import Machine, Server
from faults.processes import Ingest, Mosquitto

_FIGURES = pytest.StashKey[Figures]()
_FIGURES_VARIABLE = "SAMARA_FAULTS_JSON"


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
        jetstream: dict[str, Any] | None = None,
        data_dir: Path | None = None,
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
        if jetstream:
            settings["INGEST__JETSTREAM"] = json.dumps([jetstream])
        if data_dir is not None:
            settings["DATA_DIR"] = str(data_dir)
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


@pytest.fixture
async def two_databases(request: pytest.FixtureRequest, fresh: Any, template_name: str) -> AsyncIterator[Any]:
    """Two migrated databases of one flavour."""
    del request
    async with fresh(template_name) as one, fresh(template_name) as other:
        yield one, other


@pytest.fixture
def template_name(request: pytest.FixtureRequest, template: str) -> str:
    """The database to copy for a flavour: `template` is "plain" or "timescale"."""
    return str(request.getfixturevalue(f"{template}_template"))


@pytest.fixture(scope="session")
def machine(service_directory: Path, pg_bin: Path | None) -> Machine:
    return Machine(service_directory / f"machine-{secrets.token_hex(3)}", pg_bin)


@pytest.fixture
async def servers(machine: Machine) -> AsyncIterator[Any]:
    """Make servers by name; killed at the end of the test."""
    made: list[Server] = []

    def make(name: str = "") -> Server:
        name = name or f"server-{secrets.token_hex(3)}"
        made.append(Server(machine, name))
        return made[-1]

    yield make
    for one in made:
        await one.end(signal.SIGKILL)
