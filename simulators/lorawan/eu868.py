"""EU868: channels, data rates, power, duty cycles, receive windows.

Source: LoRaWAN Regional Parameters RP002-1.0.4, 2.4 EU863-870MHz; duty cycles of ERC/REC 70-03 annex 1 (sub-bands
h1.3 to h1.6) as ETSI EN 300 220-2 has them.
"""

from typing import Final, NamedTuple

from domain.errors import ConfigurationError


class DataRate(NamedTuple):
    """One LoRa data rate. `max_payload_bytes` is N of table 10: application bytes without FOpts, no repeater."""

    spreading_factor: int
    bandwidth_hz: int
    max_payload_bytes: int


class SubBand(NamedTuple):
    """A part of the band: from, to, the share of time a transmitter may use it, its power limit."""

    name: str
    low_hz: int
    high_hz: int
    duty_cycle: float
    max_erp_dbm: float


DATA_RATES: Final = (
    DataRate(12, 125_000, 51),
    DataRate(11, 125_000, 51),
    DataRate(10, 125_000, 51),
    DataRate(9, 125_000, 115),
    DataRate(8, 125_000, 222),
    DataRate(7, 125_000, 222),
)
JOIN_CHANNELS_HZ: Final = (868_100_000, 868_300_000, 868_500_000)
CHANNELS_HZ: Final = (*JOIN_CHANNELS_HZ, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
SUB_BANDS: Final = (
    SubBand("K", 863_000_000, 865_000_000, 0.001, 14.0),
    SubBand("L", 865_000_000, 868_000_000, 0.01, 14.0),
    SubBand("M", 868_000_000, 868_600_000, 0.01, 14.0),
    SubBand("N", 868_700_000, 869_200_000, 0.001, 14.0),
    SubBand("P", 869_400_000, 869_650_000, 0.10, 27.0),
    SubBand("Q", 869_700_000, 870_000_000, 0.01, 14.0),
)
MAX_EIRP_DBM: Final = 16.0
TX_POWERS: Final = 8  # TXPower 0 to 7, 2 dB each below the maximum
JOIN_ACCEPT_DELAY_S: Final = 5
RX2_HZ: Final = 869_525_000
MAC_OVERHEAD_BYTES: Final = 13  # MHDR 1, FHDR 7, FPort 1, MIC 4


def eirp_dbm(tx_power: int, max_eirp_dbm: float = MAX_EIRP_DBM) -> float:
    """Return the radiated power of TXPower 0 to 7."""
    if not 0 <= tx_power < TX_POWERS:
        raise ConfigurationError(f"EU868 has TXPower 0 to 7, not {tx_power}")
    return max_eirp_dbm - 2.0 * tx_power


def sub_band(frequency_hz: int) -> SubBand:
    """Return the sub-band of a frequency; raise ConfigurationError outside them."""
    for one in SUB_BANDS:
        if one.low_hz <= frequency_hz < one.high_hz:
            return one
    raise ConfigurationError(f"{frequency_hz} Hz lies in no sub-band of EU868")


def rx1_data_rate(uplink_data_rate: int, offset: int) -> int:
    """Return the data rate of the first receive window (table 12)."""
    if not 0 <= uplink_data_rate < len(DATA_RATES) or not 0 <= offset <= 5:
        raise ConfigurationError("EU868 has DR0 to DR5 and offsets 0 to 5")
    return max(0, uplink_data_rate - offset)


def silence_us(airtime_us: int, frequency_hz: int) -> int:
    """Return how long a transmitter must then leave the sub-band alone."""
    return round(airtime_us * (1 / sub_band(frequency_hz).duty_cycle - 1))
