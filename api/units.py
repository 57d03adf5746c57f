"""Units as people write them, and how many decimals are worth reading.

The codes are UCUM's (ucum.org); every unit of `domain.quantities` is here, a test proves it.
"""

from typing import Final, NamedTuple

from domain.quantities import FOREIGN_PREFIX


class Written(NamedTuple):
    """A unit's symbol, and the least and most decimals of its values."""

    symbol: str
    decimals_min: int
    decimals_max: int


def _fixed(symbol: str, decimals: int) -> Written:
    return Written(symbol, decimals, decimals)


UNITS: Final[dict[str, Written]] = {
    "1": _fixed("", 0),
    "%": _fixed("%", 0),
    "Bq/m3": _fixed("Bq/m³", 0),
    "Cel": _fixed("°C", 1),
    "Hz": _fixed("Hz", 2),
    "Pa": _fixed("Pa", 0),
    "V": _fixed("V", 2),
    "V.A": _fixed("VA", 0),
    "V.A{r}": _fixed("var", 0),
    "W": _fixed("W", 0),
    "W/m2": _fixed("W/m²", 0),
    "[NTU]": _fixed("NTU", 1),
    "[g]": _fixed("g", 2),
    "[pH]": _fixed("", 1),
    "[ppb]": _fixed("ppb", 0),
    "[ppm]": _fixed("ppm", 0),
    "A": _fixed("A", 2),
    "A.h": _fixed("Ah", 2),
    "bar": _fixed("bar", 2),
    "dB": _fixed("dB", 1),
    "dB[A]": _fixed("dB(A)", 0),
    "dB[m]": _fixed("dBm", 0),
    "deg": _fixed("°", 0),
    "hPa": _fixed("hPa", 0),
    "kPa": _fixed("kPa", 0),
    "kV.A{r}.h": _fixed("kvarh", 1),
    "kW.h": _fixed("kWh", 1),
    "lx": _fixed("lx", 0),
    "m": _fixed("m", 2),
    "m/s": _fixed("m/s", 1),
    "m3": _fixed("m³", 3),
    "m3/h": _fixed("m³/h", 2),
    "mA": _fixed("mA", 2),
    "mg/L": _fixed("mg/L", 1),
    "mm": _fixed("mm", 1),
    "uS/cm": _fixed("µS/cm", 0),
    "ug/m3": _fixed("µg/m³", 0),
}

# Where the unit alone does not say how finely the quantity is read.
_DECIMALS: Final = {"latitude": 5, "longitude": 5, "altitude": 0, "power_factor": 2, "roll": 1, "pitch": 1}


def written(quantity: str, unit: str) -> Written:
    """Return how values of a quantity are written. A unit that is not ours is written as it is."""
    if quantity.startswith(FOREIGN_PREFIX):
        return Written("" if unit == "1" else unit, 0, 3)
    known = UNITS.get(unit, Written(unit, 0, 3))
    decimals = _DECIMALS.get(quantity)
    return known if decimals is None else _fixed(known.symbol, decimals)
