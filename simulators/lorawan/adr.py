"""Adaptive data rate: which data rate and power a network asks of a device.

Source of `chirpstack`: ChirpStack v4, default ADR algorithm (documentation, "ADR algorithms"). Source of `semtech`:
Semtech, "LoRaWAN - simple rate adaptation recommended algorithm", revision 1.0, October 2016: as above once twenty
frames are known, never before. LinkADRReq: TS001-1.0.4, 5.2; RP002-1.0.4, 2.4.5.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

HISTORY: Final = 20
_STEP_DB: Final = 3.0
# What a demodulator needs, dB, DR0 (SF12) to DR5 (SF7): SX1301 datasheet, table 7.
REQUIRED_SNR_DB: Final = (-20.0, -17.5, -15.0, -12.5, -10.0, -7.5)
_NB_TRANS: Final = ((1, 1, 2), (1, 2, 3), (2, 3, 3), (3, 3, 3))  # by loss (5, 10, 30 %) and by what it was


class Link(NamedTuple):
    """How a device transmits."""

    data_rate: int
    tx_power: int
    nb_trans: int = 1


class Heard(NamedTuple):
    """One frame of the history: its counter, and the best SNR among the gateways that heard it."""

    f_cnt: int
    snr_db: float


def _steps(link: Link, history: Sequence[Heard], margin_db: float) -> int:
    best = max(one.snr_db for one in history)
    return int((best - REQUIRED_SNR_DB[link.data_rate] - margin_db) / _STEP_DB)


def _ideal(steps: int, link: Link, max_data_rate: int, max_tx_power: int) -> Link:
    """Spend the steps: on the data rate first, then on the power; take them back from the power alone."""
    data_rate, tx_power = min(link.data_rate, max_data_rate), link.tx_power
    faster = min(max(0, steps), max_data_rate - data_rate)
    data_rate += faster
    tx_power += max(0, steps) - faster if steps > 0 else max(steps, -tx_power)
    return link._replace(data_rate=data_rate, tx_power=min(tx_power, max_tx_power))


def nb_trans(current: int, history: Sequence[Heard]) -> int:
    """Return how often each frame is to be sent, from the share of the last twenty that was lost."""
    if len(history) < HISTORY:
        return current
    expected = history[-1].f_cnt - history[0].f_cnt + 1
    loss = 1 - len(history) / expected
    row = 0 if loss < 0.05 else 1 if loss < 0.10 else 2 if loss < 0.30 else 3
    return _NB_TRANS[row][min(max(current, 1), 3) - 1]


def chirpstack(
    link: Link, history: Sequence[Heard], *, margin_db: float = 10.0, max_data_rate: int = 5, max_tx_power: int = 7
) -> Link:
    """Return what ChirpStack asks after a frame; `history` holds the last frames, this one included."""
    steps = _steps(link, history, margin_db)
    if steps < 0 and len(history) < HISTORY:
        steps = 0  # too early to say that it is heard badly
    return _ideal(steps, link, max_data_rate, max_tx_power)._replace(nb_trans=nb_trans(link.nb_trans, history))


def semtech(
    link: Link, history: Sequence[Heard], *, margin_db: float = 10.0, max_data_rate: int = 5, max_tx_power: int = 7
) -> Link:
    """Return what the recommended algorithm asks: nothing before twenty frames."""
    if len(history) < HISTORY:
        return link
    return _ideal(_steps(link, history[-HISTORY:], margin_db), link, max_data_rate, max_tx_power)


def link_adr_req(link: Link, channel_mask: int = 0x00FF, mask_control: int = 0) -> bytes:
    """Return the MAC command that asks for it, five bytes."""
    return (
        bytes((0x03, link.data_rate << 4 | link.tx_power))
        + channel_mask.to_bytes(2, "little")
        + bytes((mask_control << 4 | link.nb_trans,))
    )


def link_adr_ans(*, power: bool = True, data_rate: bool = True, channels: bool = True) -> bytes:
    """Return the device's answer: what it accepted."""
    return bytes((0x03, power << 2 | data_rate << 1 | channels))
