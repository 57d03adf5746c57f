"""Says in plain JSON values what a run found, and on what assumptions."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from simulators.radio.air import CAUSES, FACTORS
from simulators.radio.counting import Result
from simulators.radio.network import Dialogue
from simulators.radio.scenario import SETTLED
from simulators.radio.server import REASONS, WAYS
from simulators.radio.world import World

_WEAK_DELIVERY: Final = 0.9
_ON_THE_MAP: Final = 1500
_MINUTE_US: Final = 60_000_000


def summary(world: World, result: Result, dialogue: Dialogue | None = None) -> dict[str, Any]:
    """Return everything that a run tells."""
    radio, delivery = world.radio, result.delivered / np.maximum(result.sent, 1)
    talking = result.sent > 0
    frames = [f"SF{row + 7}" for row in range(FACTORS)]
    return {
        "name": radio.name,
        "frames": result.frames,
        "delivery": round(result.delivery, 6),
        "seconds": round(result.seconds, 3),
        "devices": len(result.sent),
        "devices_below_90_percent": int((delivery[talking] < _WEAK_DELIVERY).sum()),
        "by_cause": _named(result.by_factor.sum(axis=0)),
        "by_spreading_factor": {
            name: {"devices": int((world.talk.factor == row).sum()), **_named(result.by_factor[row])}
            for row, name in enumerate(frames)
        },
        "by_fleet": [
            {
                "name": fleet.name,
                "devices": fleet.devices,
                "delivery": _share(result.delivered[world.fleet == number], result.sent[world.fleet == number]),
            }
            for number, fleet in enumerate(radio.fleets)
        ],
        "by_gateway": [
            {"name": gateway.name, **_named(counts)}
            for gateway, counts in zip(radio.gateways, result.by_gateway, strict=True)
        ],
        "by_receptions": {str(copies): int(count) for copies, count in enumerate(result.by_copies) if count},
        "by_hour": [{"sent": int(sent), "delivered": int(received)} for sent, received in result.by_chunk],
        "dialogue": {} if dialogue is None else _said(dialogue),
        "map": _map(world, delivery),
        "assumptions": assumptions(world),
    }


def _said(dialogue: Dialogue) -> dict[str, Any]:
    joined_us = dialogue.joined_us[dialogue.joined_us >= 0]
    minutes = np.quantile(joined_us / _MINUTE_US, (0.5, 0.95)) if len(joined_us) else (0.0, 0.0)
    return {
        "messages": int(dialogue.messages.sum()),
        "messages_delivered": int(dialogue.delivered.sum()),
        "messages_not_sent": int(dialogue.unsent.sum()),
        "answers": {
            reason: dict(zip(WAYS, row.tolist(), strict=True))
            for reason, row in zip(REASONS, dialogue.answers, strict=True)
            if row.any()
        },
        "devices_by_spreading_factor_by_hour": [
            {f"SF{place + 7}": int(count) for place, count in enumerate(row)} for row in dialogue.factors
        ],
        "devices_by_tx_power": np.bincount(dialogue.power, minlength=8).tolist(),
        "devices_by_transmissions": np.bincount(dialogue.transmissions, minlength=2)[1:].tolist(),
        "joined_by_hour": dialogue.joined.tolist(),
        "minutes_until_joined": {"half": round(float(minutes[0]), 1), "95_percent": round(float(minutes[1]), 1)},
    }


def _map(world: World, delivery: Any) -> dict[str, Any]:
    """Return where gateways and some of the devices are, in kilometres, and each one's share of delivered frames."""
    step = max(1, len(delivery) // _ON_THE_MAP)
    some = world.device_xy_m[::step] / 1000
    return {
        "gateways": [[round(x / 1000, 2), round(y / 1000, 2)] for x, y in world.gateway_xy_m.tolist()],
        "devices": [
            [round(x, 2), round(y, 2), round(share, 3)]
            for (x, y), share in zip(some.tolist(), delivery[::step].tolist(), strict=True)
        ],
    }


def assumptions(world: World) -> dict[str, Any]:
    """Return what the answer rests on: the same scenario under others may answer tenfold otherwise."""
    radio = world.radio
    names = (
        "seed", "hours", "path_loss", "elevation", "decorrelation_m", "fading", "capture", "chip", "channels",
        "eirp_dbm", "device_height_m", "device_chip", "pattern", "jitter", "preamble_rule", "adr", "margin_db", "joins",
        "rx1_delay_s", "rx2_spreading_factor",
    )  # fmt: skip
    missing = ["buildings", "other networks", "disturbed downlinks"]
    missing += [] if radio.elevation else ["terrain"]
    missing += [] if radio.listens else ["retransmissions", "answers"]
    missing += [] if radio.adr != SETTLED else ["ADR's way to where it settles"]
    return {name: getattr(radio, name) for name in names} | {
        "devices_out_of_reach": round(world.out_of_reach, 6),
        "devices_beyond_duty_cycle": world.beyond_duty_cycle,
        "not_modelled": ", ".join(missing),
    }


def _named(counts: Sequence[int] | Any) -> dict[str, int]:
    return {name: int(count) for name, count in zip(CAUSES, counts, strict=True) if name != "pending"}


def _share(part: Any, whole: Any) -> float:
    return round(float(part.sum() / max(1, whole.sum())), 6)
