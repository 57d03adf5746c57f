import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConfigurationError
from simulators.lorawan import adr, eu868
from simulators.lorawan.adr import Heard, Link
from simulators.lorawan.airtime import airtime_us, low_data_rate
from simulators.lorawan.frames import (
    DataFrame,
    FrameControl,
    FrameError,
    JoinAccept,
    SessionKeys,
    data,
    join_accept,
    join_request,
    read_data,
    read_join_accept,
    session_keys,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "simulators"
APP_KEY = bytes(range(1, 17))
# The frame that most LoRaWAN libraries test themselves with.
KEYS = SessionKeys(bytes.fromhex("44024241ed4ce9a68c6a8bc055233fd3"), bytes.fromhex("ec925802ae430ca77fd3dd73cb2cc588"))


def test_join_request_is_the_golden_one() -> None:
    frame = join_request(APP_KEY, join_eui=b"\1" * 8, dev_eui=b"\2" * 8, dev_nonce=771)
    assert frame.hex() == "0001010101010101010202020202020202030309b97b32"


def test_data_frame_is_the_golden_one() -> None:
    golden = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
    frame = read_data(golden, KEYS)
    assert frame == DataFrame(dev_addr=0x49BE7DF1, f_cnt=2, f_port=1, payload=b"test")
    assert data(frame, KEYS) == golden


def test_join_accept_is_the_golden_one() -> None:
    key = bytes.fromhex("b6b53f4a168a7a88bdf7ea135ce9cfca")
    golden = bytes.fromhex("204dd85ae608b87fc4889970b7d2042c9e72959b0057aed6094b16003df12de145")
    granted = read_join_accept(key, golden)
    assert granted == JoinAccept(
        join_nonce=0xE5063A,
        net_id=0x13,
        dev_addr=0x26012E43,
        rx2_data_rate=3,
        rx_delay_s=1,
        channels_hz=eu868.CHANNELS_HZ[3:],
    )
    assert join_accept(key, granted) == golden
    with pytest.raises(FrameError, match="MIC"):
        read_join_accept(APP_KEY, golden)
    with pytest.raises(FrameError):
        read_join_accept(APP_KEY, golden[:-1])


def test_both_ends_of_a_join_agree() -> None:
    granted = JoinAccept(join_nonce=7, net_id=0x13, dev_addr=0x0100_0001)
    accept = join_accept(APP_KEY, granted)
    assert len(accept) == 17
    assert read_join_accept(APP_KEY, accept) == granted
    keys = session_keys(APP_KEY, join_nonce=7, net_id=0x13, dev_nonce=771)
    assert keys.network != keys.application
    assert keys == session_keys(APP_KEY, join_nonce=7, net_id=0x13, dev_nonce=771)
    assert keys != session_keys(APP_KEY, join_nonce=8, net_id=0x13, dev_nonce=771)


@given(
    f_cnt=st.integers(0, 2**32 - 1),
    f_port=st.one_of(st.none(), st.integers(0, 223)),
    payload=st.binary(max_size=222),
    f_opts=st.binary(max_size=15),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    confirmed=st.booleans(),
    downlink=st.booleans(),
)
def test_what_is_sent_is_read(
    *,
    f_cnt: int,
    f_port: int | None,
    payload: bytes,
    f_opts: bytes,
    flags: tuple[bool, bool, bool, bool],
    confirmed: bool,
    downlink: bool,
) -> None:
    frame = DataFrame(
        dev_addr=0x0123_4567,
        f_cnt=f_cnt,
        f_port=f_port,
        payload=payload if f_port is not None else b"",
        f_opts=b"" if f_port == 0 else f_opts,
        control=FrameControl(*flags),
        confirmed=confirmed,
        downlink=downlink,
    )
    sent = data(frame, KEYS)
    assert read_data(sent, KEYS, f_cnt_high=f_cnt >> 16) == frame
    with pytest.raises(FrameError):
        read_data(sent[:-1] + bytes((sent[-1] ^ 1,)), KEYS, f_cnt_high=f_cnt >> 16)


@pytest.mark.parametrize("options", [{"f_opts": bytes(16)}, {"f_opts": b"\2", "f_port": 0}])
def test_options_have_their_limits(options: dict[str, bytes]) -> None:
    with pytest.raises(FrameError):
        data(DataFrame(dev_addr=1, f_cnt=0)._replace(**options), KEYS)


def test_time_on_air_is_exact() -> None:
    vectors = json.loads((VECTORS / "airtime.json").read_text())
    for spreading_factor, times in vectors["airtime_us"].items():
        for size, expected in times.items():
            assert airtime_us(int(size), int(spreading_factor)) == expected


def test_low_data_rate_optimisation_is_for_long_symbols() -> None:
    assert [low_data_rate(sf, 125_000) for sf in (10, 11, 12)] == [False, True, True]
    assert [low_data_rate(sf, 250_000) for sf in (11, 12)] == [False, True]
    assert airtime_us(22, 12, crc=False) < airtime_us(22, 12)
    with pytest.raises(ConfigurationError):
        airtime_us(20, 13)


def test_eu868() -> None:
    assert [rate.spreading_factor for rate in eu868.DATA_RATES] == [12, 11, 10, 9, 8, 7]
    assert {eu868.sub_band(hz).duty_cycle for hz in eu868.CHANNELS_HZ} == {0.01}
    assert eu868.sub_band(eu868.RX2_HZ).duty_cycle == 0.10
    assert [eu868.eirp_dbm(power) for power in (0, 7)] == [16.0, 2.0]
    assert [eu868.rx1_data_rate(5, offset) for offset in (0, 3)] == [5, 2]
    assert eu868.rx1_data_rate(1, 5) == 0
    assert eu868.silence_us(1_000_000, 868_100_000) == 99_000_000
    for wrong in (lambda: eu868.eirp_dbm(8), lambda: eu868.sub_band(868_650_000), lambda: eu868.rx1_data_rate(6, 0)):
        with pytest.raises(ConfigurationError):
            wrong()


def heard(count: int, snr_db: float, *, lost: int = 0) -> list[Heard]:
    return [Heard(number + (lost if number == count - 1 else 0), snr_db) for number in range(count)]


@pytest.mark.parametrize(
    ("link", "snr_db", "count", "expected"),
    [
        (Link(0, 0), 10.0, 1, Link(5, 1)),  # 20 dB to spare: six steps, five of data rate and one of power
        (Link(0, 0), -10.1, 1, Link(0, 0)),
        (Link(5, 3), -20.0, 1, Link(5, 3)),  # too early to give power back
        (Link(5, 3), -4.0, 20, Link(5, 1)),
        (Link(5, 1), -20.0, 20, Link(5, 0)),  # the data rate is the device's to lower
        (Link(5, 0), 40.0, 20, Link(5, 7)),
    ],
)
def test_chirpstack_adr(link: Link, snr_db: float, count: int, expected: Link) -> None:
    assert adr.chirpstack(link, heard(count, snr_db)) == expected


def test_recommended_adr_waits_for_twenty_frames() -> None:
    assert adr.semtech(Link(0, 0), heard(19, 10.0)) == Link(0, 0)
    assert adr.semtech(Link(0, 0), heard(20, 10.0)) == Link(5, 1)


@pytest.mark.parametrize(("lost", "current", "expected"), [(0, 3, 2), (1, 1, 1), (2, 1, 2), (4, 1, 2), (20, 2, 3)])
def test_retransmissions_follow_the_loss(lost: int, current: int, expected: int) -> None:
    assert adr.nb_trans(current, heard(20, 0.0, lost=lost)) == expected


def test_link_adr_commands() -> None:
    assert adr.link_adr_req(Link(5, 2, 1)).hex() == "0352ff0001"
    assert adr.link_adr_ans().hex() == "0307"
    assert adr.link_adr_ans(power=False).hex() == "0303"
