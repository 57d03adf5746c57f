"""One scenario on a local cluster of two processes, split by area and time: the numbers of one process."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.errors import ConfigurationError
from simulators.radio import cluster, placing, run, world
from simulators.radio.placing import Placed
from simulators.radio.scenario import HERE, Fleet, Gateway, Radio
from simulators.radio.world import World

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as machines,
        distributed.Client(machines) as client,
    ):
        yield client


def wide(**options: Any) -> Placed:
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
    return placing.place(Radio(hours=2.0, gateways=gateways, fleets=fleets, **options), HERE)


def alone(placed: Placed) -> World:
    gains = placing.gains(placed, np.arange(len(placed.radio.gateways)))
    return world.settle(placed, gains, gains.max(axis=0))


@pytest.mark.parametrize("fading", ["none", "rayleigh"])
def test_a_cluster_counts_what_one_process_counts(client: Any, fading: str) -> None:
    placed = wide(fading=fading)
    whole = alone(placed)
    expected, _ = run.run(whole)
    settled, got = cluster.run(placed, client, chunk_us=1_700_000_000, area_gateways=2)
    assert expected.frames > 60_000
    assert (expected.by_factor.sum(axis=0)[1:] > 0).sum() >= 4
    for name in ("by_factor", "by_gateway", "sent", "delivered", "by_copies"):
        assert np.array_equal(getattr(expected, name), getattr(got, name)), name
    assert all(np.array_equal(one, other) for one, other in zip(whole.talk, settled.talk, strict=True))
    assert settled.out_of_reach == whole.out_of_reach
    assert settled.air.gain.size == 0  # gains stay with the workers
    if fading == "none":
        _, other = cluster.run(placed, client, area_gateways=3)
        assert np.array_equal(expected.by_chunk, other.by_chunk)


def test_areas_share_the_gateways_and_notice_some_of_the_devices() -> None:
    placed = wide()
    whole, parts = alone(placed), cluster.groups(placed, 2)
    assert sorted(one for part in parts for one in part.tolist()) == list(range(6))
    noticed = [len(cluster.area(whole, placing.gains(placed, part), part).devices) for part in parts]
    assert max(noticed) < 1900


def test_devices_that_listen_stay_in_one_process(client: Any) -> None:
    placed = wide()
    with pytest.raises(ConfigurationError, match="one process"):
        cluster.run(placed._replace(radio=replace(placed.radio, adr="chirpstack")), client)
