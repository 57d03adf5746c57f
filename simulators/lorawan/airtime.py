"""Time on air of a LoRa frame, exact to the microsecond.

Source: Semtech AN1200.13, "LoRa Modem Designer's Guide", July 2013, section 4.1.1.6.
"""

from typing import Final

from domain.errors import ConfigurationError

_PREAMBLE_SYMBOLS: Final = 8


def low_data_rate(spreading_factor: int, bandwidth_hz: int) -> bool:
    """Say whether the low data rate optimisation is on: when a symbol lasts more than 16 ms."""
    return (1 << spreading_factor) * 1000 > 16 * bandwidth_hz


def payload_symbols(
    phy_payload_bytes: int,
    spreading_factor: int,
    bandwidth_hz: int = 125_000,
    *,
    coding_rate: int = 1,
    crc: bool = True,
    implicit_header: bool = False,
) -> int:
    """Return the symbols after the preamble; `coding_rate` is 1 (4/5) to 4 (4/8). Raises ConfigurationError."""
    if not 5 <= spreading_factor <= 12 or not 1 <= coding_rate <= 4 or phy_payload_bytes < 0:
        raise ConfigurationError("LoRa has spreading factors 5 to 12 and coding rates 4/5 to 4/8")
    optimised = low_data_rate(spreading_factor, bandwidth_hz)
    bits = 8 * phy_payload_bytes - 4 * spreading_factor + 28 + 16 * crc - 20 * implicit_header
    per_block = 4 * (spreading_factor - 2 * optimised)
    return 8 + max(0, -(-bits // per_block) * (coding_rate + 4))


def airtime_us(
    phy_payload_bytes: int,
    spreading_factor: int,
    bandwidth_hz: int = 125_000,
    *,
    coding_rate: int = 1,
    crc: bool = True,
    implicit_header: bool = False,
    preamble_symbols: int = _PREAMBLE_SYMBOLS,
) -> int:
    """Return microseconds, rounded; an uplink has a CRC, a downlink none."""
    symbols = payload_symbols(
        phy_payload_bytes,
        spreading_factor,
        bandwidth_hz,
        coding_rate=coding_rate,
        crc=crc,
        implicit_header=implicit_header,
    )
    quarters = 4 * (preamble_symbols + symbols) + 17  # the preamble ends with 4.25 symbols of synchronisation
    return round(quarters * (1 << spreading_factor) * 250_000 / bandwidth_hz)
