"""Numbers as people type them: a decimal comma or point, spaces between thousands."""

import math


def number_of(text: str) -> float | None:
    """Return the number, None for an empty text, NaN for what is none."""
    plain = "".join(text.split()).replace(",", ".")
    if not plain:
        return None
    try:
        value = float(plain)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
