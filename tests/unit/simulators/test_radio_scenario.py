import json
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ConfigurationError
from simulators.radio import downlinks, kernel, report, scenario

TOML = """
[radio]
name = "two villages"
hours = 2
seed = 3
fading = "rayleigh"

[[radio.gateways]]
name = "Clocher"
latitude = 49.93
longitude = 2.28
outages_h = [[0.5, 1.0]]

[[radio.gateways]]
name = "Château d'eau"
latitude = 49.97
longitude = 2.34
height_m = 40
antenna_dbi = 6

[[radio.fleets]]
name = "compteurs"
devices = 400
period_s = 600
indoor_db = 15
indoor_sigma_db = 5
places = "communes.csv"

[[radio.fleets]]
name = "bloqués en SF12"
devices = 50
period_s = 900
spreading_factor = 12
spread_m = 3000
"""
COMMUNES = "name,latitude,longitude,weight,spread_m\nMareuville,49.93,2.28,900,800\nCroixval,49.97,2.34,100,\n"


def written(folder: Path, toml: str = TOML) -> Path:
    (folder / "communes.csv").write_text(COMMUNES)
    path = folder / "radio.toml"
    path.write_text(toml)
    return path


def test_a_scenario_file_becomes_a_report(tmp_path: Path) -> None:
    world = scenario.prepare(scenario.read(written(tmp_path)), tmp_path)
    result, answers = scenario.run(world)
    assert answers is None
    said = report.write(world, result, answers, tmp_path / "out")
    assert said == json.loads((tmp_path / "out" / "report.json").read_text())
    assert said["devices"] == 450
    assert said["frames"] == pytest.approx(400 * 12 + 50 * 8, rel=0.02)
    assert said["by_cause"]["received"] == round(said["delivery"] * said["frames"])
    assert sum(said["by_cause"].values()) == said["frames"]
    assert said["by_gateway"][0]["out_of_service"] > 0
    assert said["by_gateway"][1]["out_of_service"] == 0
    assert [fleet["devices"] for fleet in said["by_fleet"]] == [400, 50]
    assert said["by_spreading_factor"]["SF12"]["devices"] >= 50
    for name in ("report.md", "report.html"):
        text = (tmp_path / "out" / name).read_text()
        assert "two villages" in text
        assert "petajajarvi-2015" in text
        assert "bloqués en SF12" in text


def test_the_same_file_gives_the_same_numbers(tmp_path: Path) -> None:
    path = written(tmp_path)
    runs = [scenario.run(scenario.prepare(scenario.read(path), tmp_path))[0] for _ in range(2)]
    assert (runs[0].by_factor == runs[1].by_factor).all()
    assert runs[0].by_factor[:, kernel.RECEIVED].sum() > 0


def test_devices_lie_where_people_do(tmp_path: Path) -> None:
    radio = scenario.read(written(tmp_path))
    world = scenario.prepare(radio, tmp_path)
    near_first = world.air.gain[0, :400] > world.air.gain[1, :400]
    assert 0.75 < near_first.mean() < 1.0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hours = 2", "nonsense = 2"),
        ('fading = "rayleigh"', 'fading = "rice:none"'),
        ('fading = "rayleigh"', 'pattern = "x"'),
        ("spreading_factor = 12", "spreading_factor = 13"),
        ("communes.csv", "none.csv"),
        ("height_m = 40", 'height_m = 40\nantenna = "x"'),
        ("devices = 50", ""),
        ("hours = 2", 'hours = "two"'),
        ("hours = 2", 'path_loss = "hata-urban"\ndevice_height_m = 0.1'),
    ],
)
def test_a_wrong_scenario_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in TOML
    path = written(tmp_path, TOML.replace(old, new))
    with pytest.raises(ConfigurationError):
        scenario.prepare(scenario.read(path), tmp_path)


def test_rice_is_named_with_its_factor() -> None:
    assert [scenario.k_factor(name) for name in ("none", "rayleigh", "rice:4")] == [-1.0, 0.0, 4.0]


def test_answering_makes_gateways_deaf(tmp_path: Path) -> None:
    path = written(tmp_path, TOML.replace("period_s = 900", "period_s = 900\nconfirmed = true"))
    world = scenario.prepare(scenario.read(path), tmp_path)
    result, answers = scenario.run(world)
    assert answers is not None
    said = report.summary(world, result, answers)
    asked = said["by_fleet"][1]
    assert answers.rx1 > 0
    assert sum(answers) == pytest.approx(asked["delivery"] * 50 * 8, rel=0.1)
    assert answers.rx2 > 0  # SF12 answers use up the one per cent of 868.0-868.6 MHz
    assert sum(row["half_duplex"] for row in said["by_gateway"]) > 0
    silent = scenario.run(world._replace(radio=scenario.read(written(tmp_path))))[0]
    assert silent.delivery >= result.delivery


def test_answers_do_not_depend_on_how_time_is_cut(tmp_path: Path) -> None:
    world = scenario.prepare(scenario.read(written(tmp_path)), tmp_path)
    confirmed = np.ones(450, dtype=np.uint8)
    runs = [
        downlinks.run(world.talk, world.air, confirmed, duration_us=7_200_000_000, chunk_us=chunk_us)
        for chunk_us in (3_600_000_000, 1_000_000_007)
    ]
    assert runs[0][1] == runs[1][1]
    assert (runs[0][0].by_gateway == runs[1][0].by_gateway).all()
