"""A load made of a radio run: the frames that gateways received, as they received them; what the air lost is not sent.

The run's outcomes are a folder (docs/simulators.md, "Outcomes"): `about.json` and `part-*.npz`, frames by their end.
A frame that several gateways heard is one message; a repetition of the last FCnt, which a network server keeps to
itself, is none; a join that was heard gives a new DevAddr. Faults of the load befall what was received.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigurationError
from simulators.load.formats import OnAir
from simulators.load.frames import MODELS
from simulators.load.spec import LoadSpec

_FORMAT: Final = "samara-radio-outcomes-1"
_CONFIRMED: Final = 1
_JOIN: Final = 2


class Frame(NamedTuple):
    """One frame that was received: when it ended (simulated seconds), whose, and by whom."""

    time_s: float
    device: int
    is_join: bool
    f_cnt: int
    air: OnAir


def about(folder: Path) -> dict[str, Any]:
    """Return who is who; raise ConfigurationError if the folder holds no outcomes."""
    try:
        said: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder} holds no outcomes of a radio run: {error}") from error
    if said.get("format") != _FORMAT:
        raise ConfigurationError(f"{folder}/about.json is not of the format {_FORMAT}")
    return said


def prepared(spec: LoadSpec, beside: Path) -> LoadSpec:
    """Return the spec of a load whose `radio` names a folder `beside`: its devices, gateways and length are the run's.

    Its period is the mean of theirs: what befalls a device half-way does so after half of that many uplinks.
    """
    if not spec.radio:
        return spec
    folder = beside / spec.radio
    who = about(folder)
    duration_s, devices = who["hours"] * 3600.0, sum(int(one["devices"]) for one in who["fleets"])
    spoken = sum(one["devices"] * duration_s / one.get("period_s", duration_s) for one in who["fleets"])
    turns = max(1, round(spoken / devices))
    return replace(
        spec,
        radio=str(folder),
        devices=devices,
        gateways=len(who["gateways"]),
        receptions=1,
        positions=tuple((one["latitude"], one["longitude"], one.get("height_m", 0.0)) for one in who["gateways"]),
        uplinks_per_device=turns,
        period_s=duration_s / turns,
    )


def models(spec: LoadSpec) -> list[str]:
    """Return each device's model: its fleet's, where a load knows that one, else the spec's in turn."""
    found: list[str] = []
    for fleet in about(Path(spec.radio))["fleets"]:
        named = fleet.get("model")
        for _ in range(fleet["devices"]):
            found.append(named if named in MODELS else spec.models[len(found) % len(spec.models)])
    return found


def frames(folder: Path) -> Iterator[Frame]:
    """Yield the frames that a gateway received at least, by their end."""
    for path in sorted(folder.glob("part-*.npz")):
        with np.load(path) as part:
            columns: dict[str, Sequence[Any]] = {name: part[name].tolist() for name in part.files}
        first, gateways = columns["first"], columns["gateway"]
        powers, ratios = columns["rssi_dbm"], columns["snr_db"]
        for at, device in enumerate(columns["device"]):
            if first[at] == first[at + 1]:
                continue
            heard = tuple(
                (gateways[row], round(powers[row]), round(ratios[row] * 4) / 4)
                for row in range(first[at], first[at + 1])
            )
            yield Frame(
                columns["end_us"][at] / 1e6,
                device,
                columns["kind"][at] == _JOIN,
                columns["f_cnt"][at],
                OnAir(
                    columns["spreading_factor"][at],
                    columns["frequency_hz"][at],
                    heard,
                    columns["kind"][at] == _CONFIRMED,
                ),
            )
