"""What the tests of ingest share; the helpers are in `ingest_support`."""

from pathlib import Path
from typing import Any

import pytest

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
