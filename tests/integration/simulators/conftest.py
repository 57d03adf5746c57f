"""The session's two brokers under one name, so that each test runs on both."""

import pytest
from sim_mortal import Broker


@pytest.fixture(scope="session", params=["nats_broker", "mosquitto_broker"])
def broker(request: pytest.FixtureRequest) -> Broker:
    running: Broker = request.getfixturevalue(request.param)
    return running
