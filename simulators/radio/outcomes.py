"""What a run leaves for others: each frame that was sent, and which gateways received it, how strongly.

A folder: `about.json` (who is who) and `part-00000.npz`, … (NumPy's own format), one a chunk of time. Every frame is
in one part, that in which it ended; parts and frames are in the order of their end. docs/simulators.md has the columns.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.radio.air import Bytes, Floats, Ints, Longs, Singles

FORMAT: Final = "samara-radio-outcomes-1"
UNCONFIRMED: Final = 0
CONFIRMED: Final = 1
JOIN: Final = 2


class Part(NamedTuple):
    """Frames (n) of a span of time, and their receptions (m): those of frame i are `first[i]` to `first[i + 1]`.

    `kind` is UNCONFIRMED, CONFIRMED or JOIN; `f_cnt` a join's DevNonce; `cause` as in `air.CAUSES`: what became of the
    frame at the gateway that came closest to receiving it.
    """

    start_us: Longs
    end_us: Longs
    device: Ints
    kind: Bytes
    f_cnt: Ints
    spreading_factor: Bytes
    frequency_hz: Ints
    cause: Bytes
    first: Longs  # n + 1
    gateway: Ints
    rssi_dbm: Singles
    snr_db: Singles


def read(folder: Path) -> Iterator[Part]:
    """Yield the parts by time; raise ConfigurationError if the folder holds none."""
    about(folder)
    for path in sorted(folder.glob("part-*.npz")):
        with np.load(path) as columns:
            yield Part(**{name: columns[name] for name in Part._fields})


def about(folder: Path) -> dict[str, Any]:
    """Return who is who: `gateways`, `fleets` (each with its first device and their number), `hours`, `seed`."""
    try:
        said: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder} holds no outcomes of a radio run: {error}") from error
    if said.get("format") != FORMAT:
        raise ConfigurationError(f"{folder}/about.json is not of the format {FORMAT}")
    return said


class Writer:
    """Writes a folder, part by part; an earlier run's parts are removed first."""

    def __init__(self, folder: Path, who: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("part-*.npz"):
            old.unlink()
        (folder / "about.json").write_text(json.dumps({"format": FORMAT} | who, indent=1) + "\n", encoding="utf-8")
        self._folder, self._parts = folder, 0

    def add(self, part: Part) -> None:
        """Write the next part."""
        np.savez(self._folder / f"part-{self._parts:05}.npz", **part._asdict())
        self._parts += 1


def dbm(power_mw: Floats) -> Singles:
    """Return powers in dBm."""
    return (10 * np.log10(power_mw)).astype(np.float32)
