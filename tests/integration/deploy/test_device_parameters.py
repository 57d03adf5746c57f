"""Parameters of devices, as an installer sets them."""

from pathlib import Path

import pytest
from cli_runner import Samara

EUI = "70b3d5e75e000001"


@pytest.fixture
def samara(tmp_path: Path, database: str) -> Samara:
    samara = Samara(tmp_path, DATABASE__DSN=database)
    samara("tenants", "add", "corbie", "Corbie")
    return samara


def test_a_list_of_devices_tells_them(samara: Samara) -> None:
    (samara.directory / "list.csv").write_text(
        "dev_eui;tenant;model;parameters\n"
        f"{EUI};corbie;enless-600-036;pulse_weight=0,5 pulse_unit=m3\n"
        "70b3d5e75e000002;corbie;enless-600-036;pulse_weight=0,5\n"
        "70b3d5e75e000003;corbie;enless-600-036;half a litre\n",
        encoding="utf-8",
    )
    done = samara("devices", "import", "list.csv", code=1)
    assert done.stdout == "1 devices declared, 2 lines refused\n"
    assert "list.csv:3: 70b3d5e75e000002: pulse_unit is missing" in done.stderr
    assert "list.csv:4: 'half': parameters are written name=value" in done.stderr
    line = f'{{"dev_eui": "{EUI}", "parameters": {{"pulse_weight": 0.25, "pulse_unit": "m3"}}}}\n'
    samara("devices", "import", "-", "--tenant", "corbie", stdin=line)
    assert "pulse_weight=0.25\n" in samara("devices", "show", EUI).stdout
    samara("devices", "import", "-", "--tenant", "corbie", stdin=f'{{"dev_eui": "{EUI}", "name": "pump"}}\n')
    assert "pulse_weight=0.25\n" in samara("devices", "show", EUI).stdout  # what is not said stays


def test_they_are_set_shown_and_removed(samara: Samara) -> None:
    line = f'{{"dev_eui": "{EUI}", "model": "decentlab-dl-pr26"}}\n'
    samara("devices", "import", "-", "--tenant", "corbie", stdin=line)
    assert "would also need pmin, pmax" in samara("devices", "show", EUI).stdout
    done = samara("devices", "set", EUI.upper(), "pmin=0", "pmax=2,5", "height=3")
    assert "height: no decoder of ours reads it" in done.stdout
    assert samara("devices", "show", EUI).stdout.splitlines()[1:] == ["  height=3", "  pmax=2.5", "  pmin=0"]
    samara("devices", "set", EUI, "height=")
    assert "height" not in samara("devices", "show", EUI).stdout
    assert "pmin 'low' is not a number" in samara("devices", "set", EUI, "pmin=low", code=2).stderr
    assert "no device" in samara("devices", "set", "f" * 16, "pmin=0", code=1).stderr


def test_a_frame_is_tried_with_them(samara: Samara) -> None:
    frame = "02016700033e8060170c7f"
    assert "not known of this device: pmin, pmax" in samara("decoders", "try", "decentlab-dl-pr26", frame).stdout
    tried = samara("decoders", "try", "decentlab-dl-pr26", frame, "pmin=0", "pmax=1").stdout
    assert "water_pressure\t0\t-0.01171875\tbar" in tried
    assert (
        "To know of each device (`samara devices set`): pmin, pmax"
        in samara("decoders", "show", "decentlab-dl-pr26").stdout
    )
