import json
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ConfigurationError
from simulators.radio import air, outcomes, report, run, scenario, world

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
    made = world.prepare(scenario.read(written(tmp_path)), tmp_path)
    result, dialogue = run.run(made)
    assert dialogue is None
    said = report.write(made, result, dialogue, tmp_path / "out")
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
    runs = [run.run(world.prepare(scenario.read(path), tmp_path))[0] for _ in range(2)]
    assert (runs[0].by_factor == runs[1].by_factor).all()
    assert runs[0].by_factor[:, air.RECEIVED].sum() > 0


def test_devices_lie_where_people_do(tmp_path: Path) -> None:
    radio = scenario.read(written(tmp_path))
    made = world.prepare(radio, tmp_path)
    near_first = made.air.gain[0, :400] > made.air.gain[1, :400]
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
        world.prepare(scenario.read(path), tmp_path)


def test_rice_is_named_with_its_factor() -> None:
    assert [world.k_factor(name) for name in ("none", "rayleigh", "rice:4")] == [-1.0, 0.0, 4.0]


def test_outcomes_are_written_and_read_again(tmp_path: Path) -> None:
    made = world.prepare(scenario.read(written(tmp_path)), tmp_path)
    result, _ = run.run(made, tmp_path / "out")
    who, parts = outcomes.about(tmp_path / "out"), list(outcomes.read(tmp_path / "out"))
    assert [one["first"] for one in who["fleets"]] == [0, 400]
    assert [one["name"] for one in who["gateways"]] == ["Clocher", "Château d'eau"]
    ends = np.concatenate([part.end_us for part in parts])
    assert len(ends) == result.frames
    assert (np.diff(ends) >= 0).all()
    for part, live in zip(parts, run.parts(made), strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(part, live, strict=True))
    device, f_cnt = (np.concatenate([getattr(part, name) for part in parts]) for name in ("device", "f_cnt"))
    assert np.bincount(device).tolist() == result.sent.tolist()
    for one in (0, 449):
        assert f_cnt[device == one].tolist() == list(range(result.sent[one]))
    heard = np.bincount(np.concatenate([part.gateway for part in parts]), minlength=2)
    assert heard.tolist() == result.by_gateway[:, air.RECEIVED].tolist()
    for part in parts:
        assert (np.diff(part.first) > 0).tolist() == (part.cause == air.RECEIVED).tolist()
        factor = np.repeat(part.spreading_factor, np.diff(part.first))
        least = made.air.sensitivity_mw[factor - 7]
        assert (part.rssi_dbm >= 10 * np.log10(least) - 1e-3).all()
        assert (part.snr_db == np.minimum(part.rssi_dbm + 117, 15)).all()
    with pytest.raises(ConfigurationError):
        outcomes.about(tmp_path)
