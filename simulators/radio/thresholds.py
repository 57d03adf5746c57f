"""What a gateway can demodulate: sensitivities by chip, isolation between spreading factors. Named choices.

All tables run from SF7 to SF12.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio.air import ENERGY, LORASIM, LORASIM_MENDED, Air, Floats, Longs, Singles

# Signal to noise ratio that demodulation needs, dB (Semtech SX1276 datasheet, table 13).
REQUIRED_SNR_DB: Final = (-7.5, -10.0, -12.5, -15.0, -17.5, -20.0)
THERMAL_NOISE_DBM_HZ: Final = -174.0

# dBm at 125 kHz.
SENSITIVITIES_DBM: Final = {
    "sx1301": (-126.5, -129.0, -131.5, -134.0, -136.5, -139.5),  # SX1301 datasheet V2.4, reference design
    "sx1276": (-123.0, -126.0, -129.0, -132.0, -133.0, -136.0),  # SX1276 datasheet, RFS_L125_HF
    "lorasim": (-126.5, -127.25, -131.25, -132.75, -134.5, -133.25),  # LoRaSim's table, from Bor et al. 2016
    "ns3": (-130.0, -132.5, -135.0, -137.5, -140.0, -142.5),  # ns-3's LoRa module, gateways
}

# Signal to interference ratio that a row survives against a column, dB.
CAPTURES_DB: Final = {
    # Goursaud and Gorce, "Dedicated networks for IoT", EAI Endorsed Transactions 2015, inverted to isolation.
    "goursaud": (
        (6, -16, -18, -19, -19, -20),
        (-24, 6, -20, -22, -22, -22),
        (-27, -27, 6, -23, -25, -25),
        (-30, -30, -30, 6, -26, -28),
        (-33, -33, -33, -33, 6, -29),
        (-36, -36, -36, -36, -36, 6),
    ),
    # Croce et al., "Impact of LoRa imperfect orthogonality", IEEE Communications Letters 22 (2018), table I.
    "croce": (
        (1, -8, -9, -9, -9, -9),
        (-11, 1, -11, -12, -13, -13),
        (-15, -13, 1, -13, -14, -15),
        (-19, -18, -17, 1, -17, -18),
        (-22, -22, -21, -20, 1, -20),
        (-25, -25, -25, -24, -23, 1),
    ),
}
ALOHA: Final = "aloha"  # any overlap on the same factor destroys both; other factors do not exist
NONE: Final = "none"  # frames do not disturb each other
# LoRaSim (Bor et al. 2016; loraDir.py, revision 218, full collision check): two frames of one factor meet when the
# later one's lock comes before the earlier one's end; each dies unless it is 6 dB stronger. The program's caller then
# writes over the later frame's mark, so that the later frame never dies: `lorasim` keeps that, `lorasim-mended` does
# not. Its other error is in its path loss: see `propagation.MEASURED`. Frames below sensitivity do not exist.
LORASIM_RULES: Final = {"lorasim": LORASIM, "lorasim-mended": LORASIM_MENDED}
_LORASIM_DB: Final = 6.0
CAPTURES: Final = (*CAPTURES_DB, ALOHA, NONE, *LORASIM_RULES)
_NO_SPANS: Final = np.zeros((0, 3), dtype=np.int64)


def sensitivity_dbm(chip: str, noise_figure_db: float = 6.0) -> tuple[float, ...]:
    """Return a chip's sensitivities; `snr` computes them from the noise figure. Raises ConfigurationError."""
    if chip == "snr":
        noise_dbm = THERMAL_NOISE_DBM_HZ + 10 * math.log10(125_000) + noise_figure_db
        return tuple(noise_dbm + snr_db for snr_db in REQUIRED_SNR_DB)
    if chip not in SENSITIVITIES_DBM:
        raise ConfigurationError(f"chips are {', '.join(SENSITIVITIES_DBM)} and snr, not {chip!r}")
    return SENSITIVITIES_DBM[chip]


def capture(name: str) -> Floats:
    """Return a matrix of linear ratios; raise ConfigurationError for an unknown name."""
    if name == ALOHA:
        return np.where(np.eye(6, dtype=bool), np.inf, 0.0)
    if name == NONE:
        return np.zeros((6, 6))
    if name in LORASIM_RULES:
        return np.where(np.eye(6, dtype=bool), 10 ** (_LORASIM_DB / 10), 0.0)
    if name not in CAPTURES_DB:
        raise ConfigurationError(f"captures are {', '.join(CAPTURES)}, not {name!r}")
    return np.array(10.0 ** (np.array(CAPTURES_DB[name]) / 10.0))


def floor_mw(sensitivity_mw: Floats, thresholds: Floats, notice_db: float = 10.0) -> Floats:
    """Return, by factor, below what power a frame can neither be received nor harm one that can.

    A frame harms those of factor o that are received below T(o, its own) times its power; the weakest of them is at
    their sensitivity. `notice_db` below that, ten such frames at once would do no harm.
    """
    if np.isinf(thresholds).any():  # any overlap destroys: whatever can be received can harm
        harmful = sensitivity_mw
    else:
        ratios = np.where(thresholds > 0, thresholds, 1.0)
        harmful = np.where(thresholds > 0, sensitivity_mw[:, None] / ratios, np.inf).min(axis=0)
    return np.asarray(np.minimum(harmful, sensitivity_mw) / 10.0 ** (notice_db / 10.0))


def air(
    gain: Singles,
    sensitivity_dbm: Sequence[float],
    capture_name: str,
    *,
    k_factor: float = -1.0,
    seed: int = 1,
    closed_us: Longs = _NO_SPANS,
) -> Air:
    """Return the air of these gains (gateways, devices) and named capture; raise ConfigurationError for an unknown."""
    sensitivity_mw = np.power(10.0, np.array(sensitivity_dbm) / 10)
    matrix, rule = capture(capture_name), LORASIM_RULES.get(capture_name, ENERGY)
    floor = floor_mw(sensitivity_mw, matrix) if rule == ENERGY else sensitivity_mw
    return Air(
        gain, sensitivity_mw, matrix, rule, floor, k_factor, seed, closed_us, np.arange(len(gain), dtype=np.int32)
    )
