import itertools
import json
import math
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ConfigurationError
from simulators.lorawan.airtime import airtime_us
from simulators.plan import calibration, capacity, coverage, output, placement, run, territory
from simulators.plan.coverage import Assumptions
from simulators.plan.territory import Candidate, Commune
from simulators.radio import closed_forms

ONE = [Commune("seule", 49.9, 2.3, 1000.0, 20_000.0)]
MIDDLE = Candidate("clocher", 49.9, 2.3)
VILLAGES = [
    Commune(f"v{number}", 49.6 + 0.13 * (number // 4), 1.7 + 0.2 * (number % 4), 100.0 * (number + 1), 4000.0)
    for number in range(16)
]
TOWERS = [Candidate(one.name, one.latitude, one.longitude) for one in VILLAGES]
INDOORS = Assumptions(indoor_db=22.0)


def test_cells_cover_the_communes_and_share_their_people() -> None:
    grid = territory.grid(VILLAGES)
    assert grid.weight.sum() == pytest.approx(sum(one.population for one in VILLAGES))
    assert len(grid.xy_m) * 0.25 == pytest.approx(16 * math.pi * 16, rel=0.03)
    degrees = grid.degrees()
    assert territory.metres(degrees[:, 0], degrees[:, 1], grid.origin) == pytest.approx(grid.xy_m, abs=1e-6)
    with pytest.raises(ConfigurationError):
        territory.grid([])


def test_one_antenna_covers_what_theory_says() -> None:
    grid, antenna = territory.grid(ONE, 200.0), MIDDLE._replace(antenna_dbi=0.0)
    # SF12 of an SX1301 on Oulu's line: the mean margin at 20 km, 14 dBm.
    margin_db = 14 - (128.95 + 23.2 * math.log10(20)) + 139.5
    got = float(coverage.cover([antenna], grid, Assumptions()).heard[5].mean())
    assert got == pytest.approx(closed_forms.covered_area(margin_db, 23.2, 7.8), abs=0.004)


def test_walls_and_slower_factors_have_their_effect() -> None:
    grid = territory.grid(VILLAGES)
    outside, inside = (coverage.cover(TOWERS[:2], grid, one) for one in (Assumptions(), INDOORS))
    assert (inside.heard <= outside.heard + 1e-6).all()
    assert (np.diff(outside.heard, axis=0) >= -1e-6).all()
    assert outside.margin_db - inside.margin_db == pytest.approx(22.0, abs=1e-3)
    assert ((outside.redundancy >= 0) & (outside.redundancy <= 2)).all()
    nobody = coverage.cover([], grid, Assumptions())
    assert coverage.people_share(nobody, grid) == 0
    rows = coverage.by_commune(VILLAGES, TOWERS[:2], grid, Assumptions())
    assert [row.name for row in rows] == [one.name for one in VILLAGES]
    assert all(row.indoor_sf12 <= row.heard_sf12 and row.heard_sf7 <= row.heard_sf12 for row in rows)
    assert rows[0].heard_sf12 > rows[15].heard_sf12


def test_the_band_shows_what_is_not_known() -> None:
    grid = territory.grid(VILLAGES)
    shares = coverage.band(TOWERS[:1], grid, INDOORS)
    assert set(shares) == set(coverage.BAND)
    assert max(shares.values()) > 2 * min(shares.values())
    assert list(coverage.band([MIDDLE._replace(height_m=10)], grid, INDOORS)) == ["petajajarvi-2015"]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_placement_is_the_best_there_is(count: int) -> None:
    grid = territory.grid(VILLAGES)
    plan = placement.place(TOWERS, grid, INDOORS, count)
    best = max(
        coverage.people_share(coverage.cover(chosen, grid, INDOORS), grid)
        for chosen in itertools.combinations(TOWERS, count)
    )
    assert plan.share == pytest.approx(best, abs=1e-4)
    assert sum(step.adds for step in plan.steps) == pytest.approx(plan.share, abs=1e-4)
    assert [step.adds for step in plan.steps] == sorted((step.adds for step in plan.steps), reverse=True)
    assert all(step.lost_without <= step.adds + 1e-6 for step in plan.steps)


def test_an_antenna_that_stands_is_counted_and_not_doubled() -> None:
    grid = territory.grid(VILLAGES)
    alone = placement.place(TOWERS, grid, INDOORS, 1)
    beside = placement.place(TOWERS, grid, INDOORS, 1, existing=[alone.steps[0].candidate])
    assert beside.existing_share == pytest.approx(alone.share, abs=1e-5)
    assert beside.steps[0].candidate != alone.steps[0].candidate
    with pytest.raises(ConfigurationError):
        placement.place(TOWERS, grid, INDOORS, 17)


def test_a_line_is_found_again() -> None:
    rng = np.random.default_rng(1)
    links = []
    for number in range(60):
        apart_m = 500.0 * 1.07**number
        loss_db = 120 + 30 * math.log10(apart_m / 1000) + rng.normal(0, 2)
        for _ in range(8):
            signal = 17 - loss_db
            snr = 5.0
            rssi = signal - snr + 10 * math.log10(1 + 10 ** (snr / 10))
            links.append(calibration.Link(f"g{number}", apart_m, rssi, snr))
    found = calibration.fit(links)
    assert found.line.slope_db == pytest.approx(30, abs=1.0)
    assert found.line.at_1km_db == pytest.approx(120, abs=1.5)
    assert found.line.sigma_db == pytest.approx(2, abs=0.5)
    assert (found.links, found.frames) == (60, 480)
    with pytest.raises(ConfigurationError, match="3 links"):
        calibration.fit(links[:16])


def test_real_receptions_are_read(lns_data: Path) -> None:
    links = list(calibration.read_chirpstack3(lns_data / "campusiot_sainteynard_32.ndjson.gz"))
    assert len(links) > 10_000
    found = calibration.fit(links)
    assert found.farthest_m > 30_000
    assert found.heard_to_dbm < -130  # at sensitivity: the slope is not to be believed, and the figure says so


def test_a_crowd_stuck_at_sf12_is_pure_aloha() -> None:
    (point,) = capacity.curve([500], stuck_share=1.0, capture="aloha", spread_db=0.0, hours=12)
    # Eight channels, and the first three symbols of a frame may be disturbed.
    airtime_s = airtime_us(33, 12) / 1e6
    harmful_s = 2 * airtime_s - 3 * 0.032768
    expected = math.exp(-500 / 8 * harmful_s / 3600)
    assert point.delivery == pytest.approx(expected, abs=0.01)


def test_more_sensors_and_more_stuck_ones_deliver_less() -> None:
    free, stuck = (capacity.curve([500, 8000], stuck_share=share) for share in (0.0, 0.3))
    assert free[0].delivery > free[1].delivery > stuck[1].delivery
    assert stuck[1].delivery_sf12 < stuck[0].delivery_sf12


def test_maps_are_readable() -> None:
    grid = territory.grid(VILLAGES, 1000.0)
    found = coverage.cover(TOWERS[:1], grid, Assumptions())
    cells = json.loads(output.cells_geojson(grid, found))
    assert len(cells["features"]) == len(grid.xy_m)
    ring = cells["features"][0]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    plan = placement.place(TOWERS, grid, INDOORS, 2)
    points = json.loads(output.antennas_geojson(plan))["features"]
    assert [point["properties"]["rank"] for point in points] == [1, 2]
    picture = output.picture(grid, found.heard[5])
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    start = picture.index(b"IDAT")
    data = zlib.decompress(picture[start + 4 : start + 4 + struct.unpack(">I", picture[start - 4 : start])[0]])
    assert len(data) == height * (1 + 2 * width)


def test_territories_are_read_from_tables(tmp_path: Path) -> None:
    communes, sites = tmp_path / "communes.csv", tmp_path / "sites.csv"
    communes.write_text("name,latitude,longitude,population,area_km2\nA,49.9,2.3,100,12.566\nB,50,2.4,5,\n")
    sites.write_text("name,latitude,longitude,height_m\nA,49.9,2.3,40\n")
    first, second = territory.read_communes(communes)
    assert first.reach_m == pytest.approx(2000, abs=1)
    assert second == Commune("B", 50.0, 2.4, 5.0, 2000.0)
    assert territory.read_candidates(sites) == [Candidate("A", 49.9, 2.3, 40.0, 6.0)]
    for content in ("", "name,latitude\nA,1\n", "name,latitude,longitude,population\nA,x,1,1\n",
                    "name,latitude,longitude,population\nA,,1,1\n"):  # fmt: skip
        communes.write_text(content)
        with pytest.raises(ConfigurationError):
            territory.read_communes(communes)
    with pytest.raises(ConfigurationError):
        territory.read_candidates(tmp_path / "none.csv")


def test_assumptions_can_be_changed_one_by_one() -> None:
    grid = territory.grid(ONE, 2000.0)
    sharp = coverage.cover([MIDDLE], grid, replace(Assumptions(), sigma_db=0.0)).heard[5]
    assert set(np.unique(np.round(sharp, 3)).tolist()) <= {0.0, 1.0}


def test_a_plan_is_written_with_what_it_rests_on(tmp_path: Path) -> None:
    planned = run.plan(VILLAGES, TOWERS[4:], 2, existing=TOWERS[:1], indoor_db=22.0)
    said = run.write(planned, tmp_path)
    assert said == json.loads((tmp_path / "plan.json").read_text())
    assert 0 < said["people_heard_indoors_before"] < said["people_heard_indoors"] < 1
    assert set(said["band"]) == set(coverage.BAND)
    assert said["assumptions"]["path_loss"] == "petajajarvi-2015"
    assert len(said["communes"]) == 16
    shares = list(said["people_heard_outdoors"].values())
    assert shares == sorted(shares)
    assert {path.name for path in tmp_path.iterdir()} == {
        "plan.json", "antennas.geojson", "cells.geojson", "coverage.png",
    }  # fmt: skip
