"""Maps as PNG pictures: one colour a value, north up, antennas as crosses. NumPy and zlib draw."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from simulators.plan.territory import Candidate, Grid

# Dark to light, told apart without colour vision, the light end the good one (viridis, of Matplotlib, CC0).
_SCALE: Final = np.array(
    [(68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
     (170, 220, 50), (253, 231, 37)],
    dtype=np.float64,
)  # fmt: skip
_RED: Final = (0xE4, 0x1A, 0x1C, 0xFF)
_WHITE: Final = (0xFF, 0xFF, 0xFF, 0xFF)
_ARM: Final = 3


def colours(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    """Return RGB for each value, from `low` (dark) to `high` (light)."""
    place = np.clip((values - low) / (high - low), 0, 1) * (len(_SCALE) - 1)
    left = np.minimum(place.astype(int), len(_SCALE) - 2)
    share = (place - left)[:, None]
    return np.asarray(np.rint(_SCALE[left] * (1 - share) + _SCALE[left + 1] * share), dtype=np.uint8)


def legend(low: float, high: float, steps: int = 5) -> list[tuple[float, str]]:
    """Return some values and their colours as `#rrggbb`."""
    values = np.linspace(low, high, steps)
    return [
        (float(value), "#" + rgb.tobytes().hex()) for value, rgb in zip(values, colours(values, low, high), strict=True)
    ]


def picture(
    grid: Grid,
    values: npt.NDArray[Any],
    antennas: Sequence[Candidate] = (),
    *,
    low: float = 0.0,
    high: float = 1.0,
    scale: int = 3,
) -> bytes:
    """Return a PNG of one value a cell, `scale` pixels wide; outside the territory it is clear."""
    west, north = grid.xy_m[:, 0].min(), grid.xy_m[:, 1].max()
    column = np.rint((grid.xy_m[:, 0] - west) / grid.cell_m).astype(int)
    row = np.rint((north - grid.xy_m[:, 1]) / grid.cell_m).astype(int)
    image = np.zeros((row.max() + 1, column.max() + 1, 4), dtype=np.uint8)
    image[row, column, :3] = colours(values, low, high)
    image[row, column, 3] = 255
    image = image.repeat(scale, axis=0).repeat(scale, axis=1)
    for east, up in grid.stands(antennas).reshape(-1, 2):
        at = (
            round((north - up) / grid.cell_m * scale + scale / 2),
            round((east - west) / grid.cell_m * scale + scale / 2),
        )
        _cross(image, *at)
    return _png(image)


def _cross(image: npt.NDArray[np.uint8], row: int, column: int) -> None:
    """Draw a red cross on a white one; what falls outside is cut."""
    for arm, thick, colour in ((_ARM + 1, 1, _WHITE), (_ARM, 0, _RED)):
        for rows, columns in ((arm, thick), (thick, arm)):
            top, left = max(0, row - rows), max(0, column - columns)
            image[top : max(0, row + rows + 1), left : max(0, column + columns + 1)] = colour


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    """Return RGB with alpha (colour type 6), 8 bits: the PNG specification, second edition."""
    height, width = image.shape[:2]
    lines = b"".join(b"\0" + image[line].tobytes() for line in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks: Sequence[tuple[bytes, bytes]] = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
