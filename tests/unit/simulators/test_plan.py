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
from simulators import communes, territories
from simulators.communes import Commune
from simulators.lorawan.airtime import airtime_us
from simulators.plan import (
    calibration,
    capacity,
    comparing,
    coverage,
    delivery,
    maps,
    output,
    placement,
    report,
    run,
    sensitivity,
    territory,
    texts,
)
from simulators.plan import spec as plan_spec
from simulators.plan.coverage import Assumptions
from simulators.plan.spec import PlanSpec
from simulators.plan.territory import Candidate
from simulators.radio import closed_forms
from simulators.radio.propagation import Line

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
    assert coverage.people_share(nobody.heard[5], grid) == 0
    rows = coverage.by_commune(VILLAGES, grid, outside.heard[5])
    assert rows[0] > rows[15]
    tiny = [*VILLAGES, Commune("hameau", VILLAGES[0].latitude, VILLAGES[0].longitude, 5.0, 10.0)]
    near = coverage.by_commune(
        tiny, territory.grid(tiny), coverage.cover(TOWERS[:1], territory.grid(tiny), INDOORS).heard[5]
    )
    assert near[16] > 0.9


def test_what_is_lost_without_each_antenna() -> None:
    grid = territory.grid(VILLAGES)
    found = coverage.losses(VILLAGES, TOWERS[:3], grid, INDOORS)
    everyone = coverage.people_share(coverage.heard(TOWERS[:3], grid, INDOORS), grid)
    for lost, antenna in zip(found, TOWERS[:3], strict=True):
        others = [one for one in TOWERS[:3] if one != antenna]
        left = coverage.people_share(coverage.heard(others, grid, INDOORS), grid)
        assert lost.people == pytest.approx(everyone - left, abs=1e-5)
        assert lost.communes[0][0] == antenna.name


def test_the_band_shows_what_is_not_known() -> None:
    grid = territory.grid(VILLAGES)
    rows = sensitivity.band(TOWERS[:1], TOWERS, existing=[], grid=grid, assumed=Assumptions(), walls_db=(10.0, 25.0))
    assert [(one.path_loss, one.walls_db) for one in rows] == list(itertools.product(sensitivity.MODELS, (10.0, 25.0)))
    assert max(one.people for one in rows) > 2 * min(one.people for one in rows)
    for one in rows:
        counts = [16 if count is None else count for count in one.needed.values()]
        assert counts == sorted(counts)
    assert sensitivity.usable([10.0], Assumptions()) == ["petajajarvi-2015"]
    assert sensitivity.usable([30.0], Assumptions(fitted=Line(120, 30, 5)))[-1] == coverage.CALIBRATED


def test_the_antennas_that_a_target_needs_are_counted() -> None:
    grid = territory.grid(VILLAGES)
    goal = placement.place(TOWERS, grid, INDOORS, 3, swaps=0).share
    assert placement.needed(TOWERS, grid, INDOORS, (goal - 1e-4, 0.999)) == {goal - 1e-4: 3, 0.999: None}
    alone = TOWERS[5:6]
    assert placement.needed(TOWERS, grid, INDOORS, (0.01,), existing=alone) == {0.01: 0}


def test_what_is_delivered_is_less_than_what_is_heard() -> None:
    grid = territory.grid(VILLAGES)
    crowds = [capacity.Crowd(100, 0.0, 0.9, 0.9), capacity.Crowd(1000, 0.0, 0.5, 0.5)]
    demand = delivery.Demand(sensors_per_1000=50.0)
    found = delivery.predict(TOWERS[:3], grid, INDOORS, demand, crowds)
    assert (found.cells <= coverage.heard(TOWERS[:3], grid, INDOORS) + 1e-6).all()
    people = sum(one.population for one in VILLAGES)
    assert 0 < found.sensors.max() < people * 50 / 1000
    nobody = delivery.predict(TOWERS[:3], grid, INDOORS, delivery.Demand(sensors_per_1000=0.0), crowds)
    assert nobody.cells == pytest.approx(coverage.heard(TOWERS[:3], grid, INDOORS), abs=1e-6)


def test_plans_are_compared_under_the_same_shadows() -> None:
    grid = territory.grid(VILLAGES, 1000.0)
    found = comparing.compare(TOWERS[:3], TOWERS[1:4], grid, INDOORS, draws=12)
    assert found == comparing.compare(TOWERS[:3], TOWERS[1:4], grid, INDOORS, draws=12)
    assert found.spread < found.spread_if_apart
    assert found.gain_low <= found.gain <= found.gain_high
    same = comparing.compare(TOWERS[:3], TOWERS[:3], grid, INDOORS, draws=3)
    assert (same.gain, same.gain_low, same.gain_high) == (0, 0, 0)
    more = comparing.compare(TOWERS[:2], TOWERS[:3], grid, INDOORS, draws=12)
    assert more.b_is_better == 12
    expected = coverage.people_share(coverage.heard(TOWERS[:3], grid, INDOORS), grid)
    assert more.share_b == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_placement_is_the_best_there_is(count: int) -> None:
    grid = territory.grid(VILLAGES)
    plan = placement.place(TOWERS, grid, INDOORS, count)
    best = max(
        coverage.people_share(coverage.heard(chosen, grid, INDOORS), grid)
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
    nothing_new = placement.place(TOWERS, grid, INDOORS, 0, existing=[alone.steps[0].candidate])
    assert (nothing_new.steps, nothing_new.share) == ((), beside.existing_share)
    for count in (0, 17):
        with pytest.raises(ConfigurationError):
            placement.place(TOWERS, grid, INDOORS, count)


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
            links.append(calibration.Hearing(f"g{number}", apart_m, rssi, snr))
    found = calibration.fit(links)
    assert found.line.slope_db == pytest.approx(30, abs=1.0)
    assert found.line.at_1km_db == pytest.approx(120, abs=1.5)
    assert found.line.sigma_db == pytest.approx(2, abs=0.5)
    assert (found.links, found.frames) == (60, 480)
    with pytest.raises(ConfigurationError, match="3 links"):
        calibration.fit(links[:16])


def test_links_that_could_not_be_heard_do_not_flatten_the_slope() -> None:
    """Four territories of 35 dB a decade and sigma 8, of which only losses below 150 dB are heard."""
    slopes, flat = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        apart_km = 10 ** rng.uniform(-0.5, 1.3, 400)
        losses = 120 + 35 * np.log10(apart_km) + rng.normal(0, 8, 400)
        links = [
            calibration.Link(1000 * km, 9, 17 - loss, 17 - loss)
            for km, loss in zip(apart_km.tolist(), losses.tolist(), strict=True)
            if loss < 150
        ]
        found = calibration.fit_links(links)
        assert found.reliable
        slopes.append(found.line.slope_db)
        flat.append(found.least_squares.slope_db)
    assert float(np.mean(slopes)) == pytest.approx(35, abs=1.0)
    assert float(np.mean(flat)) < 32


def test_distances_are_those_of_the_globe() -> None:
    assert calibration.distance_m(49.894, 2.302, 50.105, 1.834) == pytest.approx(40_900, rel=0.01)  # Amiens-Abbeville
    assert calibration.distance_m(50.0, 2.0, 50.0, 2.0) == 0


def test_real_receptions_are_read(lns_data: Path) -> None:
    hearings = list(calibration.read_chirpstack3(lns_data / "campusiot_sainteynard_32.ndjson.gz"))
    assert len(hearings) > 10_000
    found = calibration.fit(hearings)
    assert found.farthest_m > 30_000
    assert found.heard_to_dbm < -130  # at sensitivity
    assert not found.reliable  # four links tell no slope, and the report says so


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
    cells = json.loads(output.cells_geojson(grid, {"heard": found.heard[5]}))
    assert len(cells["features"]) == len(grid.xy_m)
    ring = cells["features"][0]["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    assert 0 <= cells["features"][0]["properties"]["heard"] <= 1
    picture = maps.picture(grid, found.heard[5], TOWERS[:1], scale=2)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    start = picture.index(b"IDAT")
    data = zlib.decompress(picture[start + 4 : start + 4 + struct.unpack(">I", picture[start - 4 : start])[0]])
    image = np.frombuffer(data, dtype=np.uint8).reshape(height, 1 + 4 * width)[:, 1:].reshape(height, width, 4)
    assert (image[..., 3] > 0).sum() == pytest.approx(4 * len(grid.xy_m), rel=0.02)
    red = np.argwhere((image[..., 0] == 0xE4) & (image[..., 1] == 0x1A)).mean(axis=0)
    where = territory.metres([TOWERS[0].latitude], [TOWERS[0].longitude], grid.origin)[0]
    east, south = where - (grid.xy_m[:, 0].min(), grid.xy_m[:, 1].max())
    assert red == pytest.approx([(0.5 - south / 1000) * 2, (0.5 + east / 1000) * 2], abs=1)


def test_the_somme_is_whole() -> None:
    land = communes.read_communes(territories.shipped()["somme"])
    assert len(land) == len({one.insee for one in land}) == 771
    assert sum(one.population for one in land) == 565_413
    assert sum(math.pi * one.reach_m**2 for one in land) / 1e6 == pytest.approx(6175, abs=1)
    assert len({one.epci for one in land}) == 17
    assert all(49.5 < one.latitude < 50.4 and 1.3 < one.longitude < 3.3 for one in land)
    amiens = next(one for one in land if one.insee == "80021")
    assert (amiens.name, amiens.epci, amiens.population) == ("Amiens", "CA Amiens Métropole", 136_449)


def test_territories_are_read_from_tables(tmp_path: Path) -> None:
    land, sites = tmp_path / "communes.csv", tmp_path / "sites.csv"
    land.write_text("name,latitude,longitude,population,area_km2\nA,49.9,2.3,100,12.566\nB,50,2.4,5,\n")
    sites.write_text("name,latitude,longitude,height_m\nA,49.9,2.3,40\n")
    first, second = communes.read_communes(land)
    assert first.reach_m == pytest.approx(2000, abs=1)
    assert second == Commune("B", 50.0, 2.4, 5.0, 2000.0)
    assert territory.read_candidates(sites) == [Candidate("A", 49.9, 2.3, 40.0, 6.0)]
    for content in ("", "name,latitude\nA,1\n", "name,latitude,longitude,population\nA,x,1,1\n",
                    "name,latitude,longitude,population\nA,,1,1\n"):  # fmt: skip
        land.write_text(content)
        with pytest.raises(ConfigurationError):
            communes.read_communes(land)
    with pytest.raises(ConfigurationError):
        territory.read_candidates(tmp_path / "none.csv")


def test_assumptions_can_be_changed_one_by_one() -> None:
    grid = territory.grid(ONE, 2000.0)
    sharp = coverage.cover([MIDDLE], grid, replace(Assumptions(), sigma_db=0.0)).heard[5]
    assert set(np.unique(np.round(sharp, 3)).tolist()) <= {0.0, 1.0}


@pytest.fixture
def question(tmp_path: Path) -> PlanSpec:
    """Sixteen villages, an antenna that stands, a plan B."""
    head = "name,latitude,longitude"
    rows = [f"{one.name},{one.latitude},{one.longitude},{one.population},{one.reach_m}" for one in VILLAGES]
    (tmp_path / "land.csv").write_text("\n".join([f"{head},population,reach_m", *rows]))
    for name, towers in (("standing", TOWERS[:1]), ("b", TOWERS[4:7])):
        lines = [f"{one.name},{one.latitude},{one.longitude}" for one in towers]
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *lines]))
    return PlanSpec(
        name="villages", territory="land.csv", existing="standing.csv", other="b.csv", antennas=2, walls_db=22.0,
        cell_m=1000.0, sensors_per_1000=200.0,
    )  # fmt: skip


def test_a_plan_is_written_with_what_it_rests_on(question: PlanSpec, tmp_path: Path) -> None:
    planned = run.plan(question, tmp_path)
    for language, words in (("fr", "Sensibilité aux hypothèses"), ("en", "Sensitivity to the assumptions")):
        said = report.write(planned, tmp_path / language, language)
        assert words in (tmp_path / language / "plan.html").read_text()
        assert words in (tmp_path / language / "plan.md").read_text()
    assert said == json.loads((tmp_path / "en" / "plan.json").read_text())
    assert 0 < said["people_heard_indoors_before"] < said["people_heard_indoors"] < 1
    assert 0 < said["people_delivered"] <= said["people_heard_indoors"]
    assert {one["path_loss"] for one in said["band"]} == set(sensitivity.MODELS)
    assert said["assumptions"]["path_loss"] == "petajajarvi-2015"
    assert len(said["communes"]) == 16
    shares = [row["outdoors"] for row in said["people_heard"].values()]
    assert shares == sorted(shares)
    stands = [one for one in said["antennas"] if one["stands"]]
    assert [one["name"] for one in stands] == ["v0"]
    assert said["comparison"]["draws"] == 20
    stuck, free = (said["capacity"][share]["carried_at_90_percent"] for share in ("1", "0"))
    assert free > 5 * stuck > 0
    assert {path.name for path in (tmp_path / "fr").iterdir()} == {
        "plan.json", "plan.md", "plan.html", "antennas.geojson", "cells.geojson", "communes.geojson",
        "map_indoor.png", "map_outdoor.png", "map_margin.png", "map_delivery.png",
    }  # fmt: skip
    assert "antennes" in report.told(planned)


def test_both_languages_say_the_same_things() -> None:
    assert texts.names()["fr"] == texts.names()["en"]
    with pytest.raises(ConfigurationError, match="de"):
        texts.Texts("de")


def test_a_question_is_read_from_toml_and_a_wrong_one_refused(question: PlanSpec, tmp_path: Path) -> None:
    (tmp_path / "q.toml").write_text(
        '[plan]\nname = "q"\nantennas = 3\npath_loss = "calibrated"\nterritory = "land.csv"\n'
    )
    read = plan_spec.read(tmp_path / "q.toml")
    assert read.antennas == 3
    with pytest.raises(ConfigurationError, match="calibrate"):
        run.plan(read, tmp_path)
    with pytest.raises(ConfigurationError):
        replace(question, cell_m=1.0)
