"""Encoders against the examples of the makers' documents, and against frames that real devices sent."""

import pytest

from simulators.payloads import dragino, makerfabs, milesight, radiobridge


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        # The maker's own example, but for its event (5: humidity rose), which ours never is.
        pytest.param(radiobridge.temperature_humidity(23.7, 61.8, counter=0), "100d0017703d80", id="ath"),
        pytest.param(radiobridge.temperature_humidity(-2.8, 81.8, counter=9), "190d0082805180", id="ath below zero"),
        pytest.param(radiobridge.temperature_humidity(-0.04, 100.4, counter=16), "100d0000006400", id="ath clipped"),
        pytest.param(radiobridge.temperature_humidity(-0.3, 5, counter=1), "110d0080300500", id="ath minus zero"),
        pytest.param(radiobridge.temperature(28.3, counter=12), "1c19001c30", id="temp"),
        pytest.param(radiobridge.temperature(200, counter=0), "1019007f90", id="temp clipped"),
        pytest.param(radiobridge.door(is_open=True, counter=0), "100301", id="door"),
        pytest.param(radiobridge.supervisory(3.1, counter=13, events=98), "1d01080031000000000062", id="alive"),
        pytest.param(dragino.distance(2.59, battery_v=3.321), "0cf90a1e000ccc01", id="dds75"),
        pytest.param(dragino.distance(9.0, battery_v=3.321), "0cf90000000ccc01", id="dds75 nothing answers"),
        pytest.param(
            dragino.soil(moisture_pct=46.32, temperature_c=25.58, conductivity_us_cm=415, battery_v=3.368),
            "0d280000121809fe019f10",
            id="lse01",
        ),
        pytest.param(
            dragino.soil(moisture_pct=0, temperature_c=-1.3, conductivity_us_cm=0, battery_v=3.368),
            "0d2800000000ff7e000010",
            id="lse01 frost",
        ),
        pytest.param(
            makerfabs.soil(number=1, raw=1477, battery_v=3.1, humidity_pct=23.3, temperature_c=23.6),
            "000105c51f00e900ec",
            id="makerfabs",
        ),
        pytest.param(
            milesight.indoor_air(temperature_c=28.6, humidity_pct=47, co2_ppm=1190, battery_pct=100),
            "01756403671e0104685e077da604",
            id="am103",
        ),
        pytest.param(
            milesight.socket(energy_wh=1, power_w=0, voltage_v=222.6, power_factor=1.0),
            "087001" + "058164" + "07c90000" + "0374b208" + "068301000000" + "048000000000",
            id="ws523",
        ),
        pytest.param(
            milesight.water(volume_m3=1.5, temperature_c=28.6, humidity_pct=47, battery_pct=100),
            "01756403671e0104685e05e10a0064000000c03f",
            id="em300-di",
        ),
    ],
)
def test_frames_are_the_makers(encoded: bytes, expected: str) -> None:
    assert encoded.hex() == expected
