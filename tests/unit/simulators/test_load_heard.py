"""A radio run's outcomes as a load: what gateways received arrives, as they heard it, and nothing else."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ConfigurationError
from domain.events import NetworkEvent, Uplink
from ingest import lns
from simulators.load import heard
from simulators.load.generate import generate
from simulators.load.ledger import Fault
from simulators.load.spec import FORMATS, Faults, Format, LoadSpec, RejoinStorm

NOW = datetime(2026, 1, 6, tzinfo=UTC)
PARSERS = {"chirpstack-json": "chirpstack", "chirpstack-protobuf": "chirpstack", "things-stack": "thethingsstack"}
UNCONFIRMED, CONFIRMED, JOIN = range(3)
# end_us, device, kind, f_cnt, spreading factor, frequency, receptions of (gateway, rssi, snr)
FRAMES = [
    (1_000_000, 0, JOIN, 17, 12, 868_100_000, [(1, -131.4, -18.2)]),
    (2_000_000, 1, UNCONFIRMED, 0, 7, 868_300_000, [(0, -80.0, 9.0), (1, -95.6, 4.13)]),
    (3_000_000, 0, CONFIRMED, 0, 10, 867_500_000, [(1, -120.0, -9.9)]),
    (3_500_000, 0, CONFIRMED, 0, 10, 867_700_000, [(0, -122.0, -11.0)]),  # said again: its answer was lost
    (4_000_000, 1, UNCONFIRMED, 1, 7, 868_300_000, []),  # lost by the air
    (5_000_000, 2, UNCONFIRMED, 4, 9, 867_900_000, [(0, -100.0, 0.0)]),
    (7_250_000, 1, UNCONFIRMED, 2, 8, 868_500_000, [(0, -81.0, 8.0)]),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = {"latitude": 49.9, "longitude": 2.3, "height_m": 40.0}
    who = {
        "format": "samara-radio-outcomes-1",
        "hours": 2.0,
        "seed": 1,
        "gateways": [{"name": "a"} | where, {"name": "b"} | where | {"latitude": 50.1}],
        "fleets": [
            {"name": "rooms", "model": "elsys-ers-co2", "devices": 1, "first": 0},
            {"name": "others", "model": "", "devices": 2, "first": 1},
        ],
    }
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "about.json").write_text(json.dumps(who))
    for number, rows in enumerate((FRAMES[:4], FRAMES[4:])):
        columns = list(zip(*rows, strict=True))
        flat = [one for receptions in columns[6] for one in receptions]
        np.savez(
            tmp_path / "out" / f"part-{number:05}.npz",
            start_us=np.array(columns[0]) - 60_000,
            end_us=np.array(columns[0]),
            device=np.array(columns[1], dtype=np.int32),
            kind=np.array(columns[2], dtype=np.uint8),
            f_cnt=np.array(columns[3], dtype=np.int32),
            spreading_factor=np.array(columns[4], dtype=np.uint8),
            frequency_hz=np.array(columns[5], dtype=np.int32),
            cause=np.zeros(len(rows), dtype=np.uint8),
            first=np.cumsum([0, *(len(one) for one in columns[6])]),
            gateway=np.array([one[0] for one in flat], dtype=np.int32),
            rssi_dbm=np.array([one[1] for one in flat], dtype=np.float32),
            snr_db=np.array([one[2] for one in flat], dtype=np.float32),
        )
    return tmp_path


@pytest.mark.parametrize("form", FORMATS)
def test_what_was_received_is_what_arrives(folder: Path, form: Format) -> None:
    spec = heard.prepared(LoadSpec(format=form, radio="out", speed=2.0), folder)
    assert (spec.devices, spec.gateways, spec.duration_s) == (3, 2, 7200.0)
    emissions, server = list(generate(spec)), lns.load()[PARSERS[form]]
    assert [one.due_s for one in emissions] == [0.5, 1.0, 1.5, 2.5, 3.625]
    events = [server.parse(one.topic, one.payload, NOW)[0] for one in emissions]
    join, both, confirmed, other, last = events
    assert isinstance(join, NetworkEvent)
    assert join.kind == "join"
    for event, entry in zip(events, (one.entry for one in emissions), strict=True):
        if isinstance(event, Uplink):
            assert entry is not None
            assert (event.f_cnt, event.dev_addr) == (entry.f_cnt, f"{entry.dev_addr:08x}")
            assert event.received_at == entry.received_at
    assert isinstance(both, Uplink)
    assert isinstance(confirmed, Uplink)
    assert isinstance(other, Uplink)
    assert isinstance(last, Uplink)
    assert [(one.rssi_dbm, one.snr_db or 0) for one in both.receptions] == [(-80, 9.0), (-96, 4.25)]
    assert [one.confirmed for one in (both, confirmed, other)] == [False, True, False]
    assert (confirmed.spreading_factor, confirmed.frequency_hz) == (10, 867_500_000)
    assert [one.gateway_eui for one in confirmed.receptions] == ["025a4cfffe000001"]
    assert (other.f_cnt, last.f_cnt, last.spreading_factor) == (4, 2, 8)
    if form != "things-stack":
        assert both.receptions[1].position is not None
        assert both.receptions[1].position.latitude_deg == pytest.approx(50.1)


@pytest.mark.parametrize("form", FORMATS)
def test_faults_befall_what_was_received(folder: Path, form: Format) -> None:
    faults = Faults(late_reception=1.0, delay_s=100.0, rejoin_storms=(RejoinStorm(at_s=4.5),))
    spec = heard.prepared(LoadSpec(format=form, radio="out", speed=0.0, faults=faults), folder)
    server, uplinks, joins = lns.load()[PARSERS[form]], [], 0
    for one in generate(spec):
        (event,) = server.parse(one.topic, one.payload, NOW)
        joins += not isinstance(event, Uplink)
        if isinstance(event, Uplink):
            assert one.entry is not None
            assert (event.f_cnt, event.dev_addr) == (one.entry.f_cnt, f"{one.entry.dev_addr:08x}")
            uplinks.append((int(event.dev_eui, 16) - spec.first_dev_eui, event, one.entry))
    assert joins == 1 + 3  # the run's own, and the storm's
    for device, counters in ((0, [0]), (1, [0, 1]), (2, [4])):  # device 1 begins anew, with one frame lost
        first = [event.f_cnt for who, event, entry in uplinks if who == device and entry.variant == 0]
        again = [event for who, event, entry in uplinks if who == device and entry.variant == 1]
        assert first == counters
        assert [len(event.receptions) for event in again] == [1] * len(counters)
    assert {entry.fault for _, _, entry in uplinks} == {Fault.LATE_RECEPTION}


def test_a_device_of_a_run_dies_and_its_last_message_tells(folder: Path) -> None:
    spec = heard.prepared(LoadSpec(radio="out", speed=0.0, faults=Faults(death=1.0)), folder)
    spec = replace(spec, uplinks_per_device=4, period_s=1800.0)
    entries = [one.entry for one in generate(spec) if one.entry is not None]
    assert Counter((one.device, one.fault) for one in entries) == {
        (0, Fault.DEATH): 1, (1, Fault.NONE): 1, (1, Fault.DEATH): 1, (2, Fault.NONE): 1,
    }  # fmt: skip


def test_what_holds_no_outcomes_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="outcomes"):
        heard.prepared(LoadSpec(radio="nowhere"), folder)
    (folder / "out" / "about.json").write_text('{"format": "else"}')
    with pytest.raises(ConfigurationError, match="format"):
        heard.prepared(LoadSpec(radio="out"), folder)
    plain = LoadSpec()
    assert heard.prepared(plain, folder) == replace(plain)
