"""What the tests of ingest share; the helpers are in `ingest_support`."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ingest_broker import Certificates, Mosquitto, make_certificates

from decoders.registry import Registry


@pytest.fixture(scope="session")
def chirpstack_capture(lns_data: Path) -> Path:
    return lns_data / "chirpstack_v4.ndjson.gz"


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture(params=["nats", "mosquitto"])
def any_broker(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(f"{request.param}_broker")


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A broker of the test's own, not started."""
    broker = Mosquitto(tmp_path / "broker")
    yield broker
    broker.kill()


@pytest.fixture
async def broker(mortal: Mosquitto) -> Mosquitto:
    await mortal.start()
    return mortal


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))
