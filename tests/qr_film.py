"""A film of a QR code for Chromium's camera, as a technician's phone would see it."""

from pathlib import Path
from typing import Final

import segno

_WIDTH: Final = 640
_HEIGHT: Final = 480
_SCALE: Final = 9  # pixels a module


def write_film(path: Path, code: str) -> None:
    """Write five frames of it (YUV4MPEG2, grey)."""
    rows = list(segno.make(code, error="m").matrix_iter(scale=_SCALE, border=4))
    top, left = (_HEIGHT - len(rows)) // 2, (_WIDTH - len(rows[0])) // 2
    assert min(top, left) >= 0, "the code does not fit"
    luma = bytearray(b"\xeb" * _WIDTH * _HEIGHT)
    for y, row in enumerate(rows):
        start = (top + y) * _WIDTH + left
        luma[start : start + len(row)] = bytes(16 if dark else 235 for dark in row)
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (_WIDTH * _HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 5)


def camera(film: Path) -> list[str]:
    """Return the arguments of a Chromium whose camera shows a film."""
    return [
        "--no-sandbox",
        "--disable-gpu",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
