"""How well a sensor is received, in plain words. Pure."""

from typing import Final, NamedTuple

from api.pages.texts import Texts
from store.reading.point import Measurer

# What a receiver needs, by spreading factor: Semtech SX1276 data sheet, LoRa modem, table "Range of spreading factors".
_NEEDED_SNR_DB: Final = {7: -7.5, 8: -10.0, 9: -12.5, 10: -15.0, 11: -17.5, 12: -20.0}
_GOOD_MARGIN_DB: Final = 10.0
_FAIR_MARGIN_DB: Final = 3.0
_GOOD_LOSS: Final = 0.05
_FAIR_LOSS: Final = 0.2


class Signal(NamedTuple):
    """`status` good, watch, bad or none; what it means; the figures behind it."""

    status: str
    words: str
    meaning: str
    figures: str


def signal(measurer: Measurer, texts: Texts) -> Signal:
    """Return how well a device is received: the worse of what is left above the noise, and what was lost."""
    margin = _margin_db(measurer)
    counted = (measurer.heard or 0) + (measurer.lost or 0)
    loss = (measurer.lost or 0) / counted if counted else None
    if margin is None and loss is None:
        return Signal("none", texts("signal.none"), texts("signal.none.means"), "")
    grades = [
        0 if value is None else 0 if good else 1 if fair else 2
        for value, good, fair in (
            (margin, (margin or 0) >= _GOOD_MARGIN_DB, (margin or 0) >= _FAIR_MARGIN_DB),
            (loss, (loss or 0) <= _GOOD_LOSS, (loss or 0) <= _FAIR_LOSS),
        )
    ]
    status = ("good", "watch", "bad")[max(grades)]
    why = "margin" if grades[0] > grades[1] else "means"
    return Signal(status, texts(f"signal.{status}"), texts(f"signal.{status}.{why}"), _figures(measurer, loss, texts))


def _margin_db(measurer: Measurer) -> float | None:
    needed = _NEEDED_SNR_DB.get(measurer.spreading_factor or 0)
    return None if needed is None or measurer.snr_db is None else measurer.snr_db - needed


def _figures(measurer: Measurer, loss: float | None, texts: Texts) -> str:
    said = []
    if loss is not None:
        said.append(texts.plural("signal.of_hundred", round((1 - loss) * 100)))
    if measurer.gateways:
        said.append(texts.plural("signal.gateways", measurer.gateways))
    if measurer.spreading_factor is not None and measurer.rssi_dbm is not None and measurer.snr_db is not None:
        numbers = {"sf": measurer.spreading_factor, "rssi": round(measurer.rssi_dbm), "snr": round(measurer.snr_db)}
        said.append(texts("signal.radio", **numbers))
    return ". ".join(said)
