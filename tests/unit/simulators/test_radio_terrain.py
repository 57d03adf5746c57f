"""The ground: read from files, and what it adds to a path, against hills whose sums are done by hand."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ConfigurationError
from simulators.communes import Commune
from simulators.plan import comparing, coverage, report, run, territory
from simulators.plan import spec as plan_spec
from simulators.plan.coverage import Assumptions
from simulators.plan.territory import Candidate
from simulators.radio import elevation, placing, propagation, relief
from simulators.radio.elevation import Ground
from simulators.radio.scenario import Fleet, Gateway, Radio

MAST = np.array([[0.0, 0.0]])
FAR = np.array([[10_000.0, 0.0]])


def land(ridge_m: float = 0.0, foot_m: float = 0.0) -> Ground:
    """Forty kilometres of plain, a ridge half-way between MAST and FAR, and a hill of two kilometres under the mast."""
    heights = np.zeros((401, 401), dtype=np.float32)
    heights[:, 250] = ridge_m  # x = 5 km
    heights[180:221, 180:221] = foot_m
    return Ground(-20_000.0, -20_000.0, 100.0, heights)


def added_db(ground: Ground, mast_m: float = 30.0) -> float:
    return float(relief.losses_db(ground, MAST, np.array([mast_m]), FAR, 1.5)[0, 0])


def test_a_plain_adds_nothing_and_a_ridge_its_knife_edge() -> None:
    assert added_db(land()) == 0.0
    # By hand: 100 m of ridge at 5 km of 10 km; the earth's bulge there is 1.472 m, the line of sight 15.75 m.
    wave_m = 299_792_458 / 868.1e6
    v = (100 + 5000 * 5000 / (2 * 6_371_000 * 4 / 3) - 15.75) * math.sqrt(2 / wave_m * (2 / 5000))
    edge_db = 6.9 + 20 * math.log10(math.sqrt((v - 0.1) ** 2 + 1) + v - 0.1)
    assert relief.edge_db(v) == pytest.approx(edge_db)
    assert (relief.edge_db(0.0), relief.edge_db(-0.8)) == (pytest.approx(6.03, abs=0.01), 0.0)
    assert edge_db - 5 < added_db(land(100.0)) < edge_db  # less what a plain's own ground takes, near the device


def test_a_hill_under_the_antenna_sees_over_ridges() -> None:
    low, high = added_db(land(60.0)), added_db(land(60.0, foot_m=80.0))
    assert low > 15
    assert high < low - 5
    assert added_db(land(foot_m=80.0)) <= 0


def test_an_antenna_stands_as_high_as_it_does_above_its_land() -> None:
    masts_m = np.array([30.0])
    assert relief.effective_heights_m(land(), MAST, masts_m) == [30.0]
    assert relief.effective_heights_m(land(foot_m=80.0), MAST, masts_m) == [pytest.approx(110, abs=1)]
    valley = Ground(-20_000.0, -20_000.0, 100.0, 200 - land(foot_m=90.0).height_m)
    assert relief.effective_heights_m(valley, MAST, masts_m) == [30.0]  # Okumura-Hata's least
    assert relief.effective_heights_m(land(foot_m=900.0), MAST, masts_m) == [200.0]  # and its most


def test_lambert_93_is_conformal_and_true_to_scale_on_its_parallels() -> None:
    assert elevation.lambert_93(46.5, 3.0) == (pytest.approx(700_000), pytest.approx(6_600_000))
    step = 1e-5
    for latitude in (44.0, 49.0):
        (x, y), (east_x, east_y), (north_x, north_y) = (
            elevation.lambert_93(latitude + up, 2.0 + right) for up, right in ((0, 0), (0, step), (step, 0))
        )
        sine = math.sin(math.radians(latitude))
        around_m = 6_378_137 / math.sqrt(1 - 0.00669438 * sine**2) * math.cos(math.radians(latitude))
        along_m = 6_378_137 * (1 - 0.00669438) / (1 - 0.00669438 * sine**2) ** 1.5
        assert math.hypot(east_x - x, east_y - y) == pytest.approx(math.radians(step) * around_m, rel=1e-5)
        assert math.hypot(north_x - x, north_y - y) == pytest.approx(math.radians(step) * along_m, rel=1e-5)


def grid(path: Path, west: float, south: float, heights: str, *, step: float = 25.0, more: str = "") -> Path:
    rows = heights.splitlines()
    head = f"ncols {len(rows[0].split())}\nnrows {len(rows)}\nxllcorner {west}\nyllcorner {south}\ncellsize {step}\n"
    path.write_text(head + more + heights + "\n")
    return path


def test_tiles_of_ign_are_put_side_by_side(tmp_path: Path) -> None:
    x, y = elevation.lambert_93(49.9, 2.3)
    west, south = round(x) - 50.0, round(y) - 50.0
    grid(tmp_path / "a.asc", west, south, "3 4\n1 2", step=50.0)
    grid(tmp_path / "b.asc", west + 100, south, "5 -99999.00\n3 4", step=50.0, more="NODATA_value -99999.00\n")
    found = elevation.read(tmp_path)
    assert found.projected
    assert found.height_m.tolist() == [[1, 2, 3, 4], [3, 4, 5, 0]]
    here = elevation.at(found, np.array([49.9]), np.array([2.3]))
    assert here[0] == pytest.approx(2.5, abs=0.05)  # where the four cells of the first tile meet
    assert np.isnan(elevation.at(found, np.array([49.8]), np.array([2.3]))[0])
    grid(tmp_path / "c.asc", west + 200, south, "1", step=25.0)
    with pytest.raises(ConfigurationError, match="cellsize"):
        elevation.read(tmp_path)


def test_a_table_in_degrees_is_the_same_ground(tmp_path: Path) -> None:
    grid(tmp_path / "d.asc", 2.0, 49.0, "30 40\n10 20", step=0.5)
    rows = ["latitude,longitude,elevation_m", "49.25,2.25,10", "49.25,2.75,20", "49.75,2.25,30", "49.75,2.75,40"]
    (tmp_path / "d.csv").write_text("\n".join(rows))
    one, other = (elevation.read(tmp_path / name) for name in ("d.asc", "d.csv"))
    assert not one.projected
    for latitude, longitude, height in ((49.25, 2.25, 10), (49.5, 2.5, 25), (49.01, 2.99, 20)):
        for read in (one, other):
            assert elevation.at(read, np.array([latitude]), np.array([longitude]))[0] == pytest.approx(height)
    ground = elevation.about(one, (49.5, 2.5), np.array([[0.0, 0.0], [9000.0, 9000.0]]))
    where = (ground.height_m, ground.west_m, ground.south_m, ground.step_m)
    assert relief.height_at(*where, 0.0, 0.0) == pytest.approx(25, abs=0.1)
    with pytest.raises(ConfigurationError, match="1 of 2 places"):
        elevation.about(one, (49.5, 2.5), np.array([[0.0, 0.0], [0.0, 90_000.0]]))


@pytest.mark.parametrize(
    "content", ["", "ncols 2\nnrows 1\n1 2\n", "ncols 2\nnrows 2\nxllcorner 1\nyllcorner 2\ncellsize 1\n1 2 3\n",
                "ncols 1\nnrows 1\nxllcorner 1\nyllcorner 2\ncellsize 1\nx\n"],
)  # fmt: skip
def test_what_is_no_grid_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.asc").write_text(content)
    with pytest.raises(ConfigurationError):
        elevation.read(tmp_path / "x.asc")
    with pytest.raises(ConfigurationError):
        elevation.read(tmp_path / "nowhere.csv")


def hilly(folder: Path, ridge_m: float) -> str:
    """A lattice about 49.9 N 2.3 E whose ridge runs north to south at 2.37 E."""
    rows = ["latitude,longitude,elevation_m"]
    for line in range(61):
        for column in range(81):
            longitude = 1.9 + 0.01 * column
            rows.append(f"{49.6 + 0.01 * line:.2f},{longitude:.2f},{ridge_m if 46 <= column <= 48 else 0.0}")
    (folder / "hills.csv").write_text("\n".join(rows))
    return "hills.csv"


def test_a_run_of_the_air_loses_what_is_behind_the_ridge(tmp_path: Path) -> None:
    (tmp_path / "places.csv").write_text("latitude,longitude\n49.9,2.44\n49.9,2.16\n")
    radio = Radio(gateways=(Gateway(name="mast", latitude=49.9, longitude=2.3),),
                  fleets=(Fleet(name="two", devices=2, positions="places.csv"),), path_loss="free-space")  # fmt: skip
    flat = placing.gains(placing.place(radio, tmp_path), np.array([0]))
    hills = placing.place(replace(radio, elevation=hilly(tmp_path, 90.0)), tmp_path)
    lost_db = 10 * np.log10(flat / placing.gains(hills, np.array([0])))[0]
    assert lost_db[0] > 15
    assert lost_db[1] == pytest.approx(0, abs=0.01)
    far = (*radio.gateways, Gateway(name="far", latitude=48.0, longitude=2.3))
    with pytest.raises(ConfigurationError, match="places of the scenario"):
        placing.place(replace(radio, gateways=far, elevation="hills.csv"), tmp_path)


def test_a_plan_sees_the_ridge(tmp_path: Path) -> None:
    villages = [Commune("west", 49.9, 2.16, 500.0, 1500.0), Commune("east", 49.9, 2.44, 500.0, 1500.0)]
    mast = Candidate("mast", 49.9, 2.3)
    flat = territory.grid(villages)
    read = elevation.read(tmp_path / hilly(tmp_path, 90.0))
    hills = territory.on_ground(flat, [mast], read, 1.5, name="hills.csv")
    walls = Assumptions()
    before, after = (coverage.by_commune(villages, one, coverage.heard([mast], one, walls)) for one in (flat, hills))
    assert after[0] == pytest.approx(before[0], abs=0.001)
    assert after[1] < before[1] - 0.3
    assert comparing.compare([mast], [mast], hills, walls, draws=4).share_a < comparing.compare(
        [mast], [mast], flat, walls, draws=4
    ).share_a  # fmt: skip
    hata = Assumptions(path_loss="hata-rural")
    assert hata.line(hills.heights_m([mast])[0]) == propagation.line("hata-rural", 30.0, 1.5)


def test_a_plan_is_asked_for_with_its_ground(tmp_path: Path) -> None:
    (tmp_path / "land.csv").write_text(
        "name,latitude,longitude,population,area_km2\nwest,49.9,2.16,500,7\nmiddle,49.9,2.3,50,7\neast,49.9,2.44,500,7\n"
    )
    hilly(tmp_path, 90.0)
    (tmp_path / "q.toml").write_text('[plan]\nterritory = "land.csv"\nelevation = "hills.csv"\nantennas = 1\n')
    question = plan_spec.read(tmp_path / "q.toml")
    hills = run.plan(question, tmp_path)
    plain = hills.grid._replace(hills=None)
    walls = Assumptions(indoor_db=question.walls_db)
    assert hills.plan.share < coverage.people_share(coverage.heard(hills.antennas, plain, walls), plain) - 0.01
    said = report.write(hills, tmp_path / "out", "en")
    assert said["assumptions"]["elevation"] == "hills.csv"
    assert 29 < said["antennas"][0]["effective_height_m"] < 40
    assert "The ground counts" in (tmp_path / "out" / "plan.html").read_text()
