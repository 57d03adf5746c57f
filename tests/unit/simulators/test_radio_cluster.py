"""One scenario on a local cluster of two workers, split by area and time: the numbers of one process."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.errors import ConfigurationError
from simulators.radio import cluster, run, world
from simulators.radio.scenario import HERE, Fleet, Gateway, Radio
from simulators.radio.world import World

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, protocol="inproc://"
        ) as machines,
        distributed.Client(machines) as client,
    ):
        yield client


def wide(**options: Any) -> World:
    """Six gateways over 100 km, some devices beyond all of them, a gateway that fails, a crowd in one place."""
    gateways = tuple(
        Gateway(name=f"g{place}", latitude=49.5 + 0.4 * (place % 2), longitude=1.8 + 0.5 * (place // 2),
                outages_h=((0.3, 0.8),) if place == 3 else ())
        for place in range(6)
    )  # fmt: skip
    fleets = (
        Fleet(name="spread", devices=1500, period_s=600.0, spread_m=80_000.0, indoor_db=25.0),
        Fleet(name="crowd", devices=400, period_s=60.0, spread_m=4000.0, spreading_factor=10),
    )
    return world.prepare(Radio(hours=2.0, gateways=gateways, fleets=fleets, **options), HERE)


@pytest.mark.parametrize("fading", ["none", "rayleigh"])
def test_a_cluster_counts_what_one_process_counts(client: Any, fading: str) -> None:
    scenario = wide(fading=fading)
    parts = cluster.areas(scenario, 2)
    assert sorted(one for part in parts for one in part.gateways.tolist()) == list(range(6))
    assert max(len(part.devices) for part in parts) < 1900  # an area does not see every device
    alone, _ = run.run(scenario)
    together = cluster.run(scenario, client, chunk_us=1_700_000_000, area_gateways=2)
    assert alone.frames > 60_000
    assert (alone.by_factor.sum(axis=0)[1:] > 0).sum() >= 4
    for name in ("by_factor", "by_gateway", "sent", "delivered", "by_copies"):
        assert np.array_equal(getattr(alone, name), getattr(together, name)), name
    assert np.array_equal(alone.by_chunk, cluster.run(scenario, client, area_gateways=3).by_chunk)


def test_devices_that_listen_stay_in_one_process(client: Any) -> None:
    scenario = wide()
    with pytest.raises(ConfigurationError, match="one process"):
        cluster.run(scenario._replace(radio=replace(scenario.radio, adr="chirpstack")), client)
