"""Adaptive data rate: which data rate and power a network asks of a device.

Source of `chirpstack`: ChirpStack v4, default ADR algorithm (chirpstack/src/adr/default.rs). Source of `semtech`:
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


def steps_of(best_snr_db: float, data_rate: int, margin_db: float) -> int:
    """Return how many steps of 3 dB the best of the history leaves above what its data rate needs and a margin."""
    return int((best_snr_db - REQUIRED_SNR_DB[data_rate] - margin_db) / _STEP_DB)


def spend(steps: int, data_rate: int, tx_power: int, max_data_rate: int = 5, max_tx_power: int = 7) -> tuple[int, int]:
    """Return data rate and TXPower: steps go to the data rate first, then the power; they come from the power alone."""
    data_rate = min(data_rate, max_data_rate)
    faster = min(max(0, steps), max_data_rate - data_rate)
    changed = tx_power + steps - faster if steps > 0 else tx_power + max(steps, -tx_power)
    return data_rate + faster, min(changed, max_tx_power)


def transmissions(current: int, known: int, lost: int) -> int:
    """Return how often each frame is to be sent: `lost` frames between the twenty that are `known`."""
    if known < HISTORY:
        return current
    row = 0 if 20 * lost < known else 1 if 10 * lost < known else 2 if 10 * lost < 3 * known else 3
    return _NB_TRANS[row][min(max(current, 1), 3) - 1]


def nb_trans(current: int, history: Sequence[Heard]) -> int:
    """Return how often each frame is to be sent, from what was lost between the last twenty."""
    if not history:
        return current
    return transmissions(current, len(history), history[-1].f_cnt - history[0].f_cnt + 1 - len(history))


def chirpstack(
    link: Link, history: Sequence[Heard], *, margin_db: float = 10.0, max_data_rate: int = 5, max_tx_power: int = 7
) -> Link:
    """Return what ChirpStack asks after a frame; `history` holds the last frames, this one included.

    The history begins again whenever the device has accepted a change.
    """
    steps = steps_of(max(one.snr_db for one in history), link.data_rate, margin_db)
    if steps < 0 and len(history) < HISTORY:
        steps = 0  # too early to say that it is heard badly
    data_rate, tx_power = spend(steps, link.data_rate, link.tx_power, max_data_rate, max_tx_power)
    return Link(data_rate, tx_power, nb_trans(link.nb_trans, history))


def semtech(
    link: Link, history: Sequence[Heard], *, margin_db: float = 10.0, max_data_rate: int = 5, max_tx_power: int = 7
) -> Link:
    """Return what the recommended algorithm asks: nothing before twenty frames."""
    if len(history) < HISTORY:
        return link
    steps = steps_of(max(one.snr_db for one in history[-HISTORY:]), link.data_rate, margin_db)
    data_rate, tx_power = spend(steps, link.data_rate, link.tx_power, max_data_rate, max_tx_power)
    return link._replace(data_rate=data_rate, tx_power=tx_power)


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
