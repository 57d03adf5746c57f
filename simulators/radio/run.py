"""Runs a prepared scenario with the engine that it needs, and leaves its outcomes where they are asked for."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulators.radio import engine, network
from simulators.radio.air import Heard
from simulators.radio.counting import Result
from simulators.radio.network import Dialogue, Network
from simulators.radio.outcomes import Part, Writer
from simulators.radio.receptions import Teller
from simulators.radio.world import World


def run(world: World, outcomes: Path | None = None) -> tuple[Result, Dialogue | None]:
    """Return what became of the frames, and what devices and network said to each other if they do.

    Writes each frame and its receptions into the folder `outcomes`, if one is given.
    """
    if outcomes is None:
        return _run(world, lambda _heard: None)
    writer, teller = Writer(outcomes, who(world)), Teller(world.air, world.confirmed)
    return _run(world, lambda heard: writer.add(teller.part(heard)))


def _run(world: World, also: Any) -> tuple[Result, Dialogue | None]:
    if world.radio.listens:
        return network.run(world, also=also)
    result = engine.run(
        world.talk, world.air, duration_us=world.duration_us, demodulators=world.demodulators, also=also
    )
    return result, None


def parts(world: World) -> Iterator[Part]:
    """Yield each chunk's frames and receptions as the run goes, without writing them."""
    teller = Teller(world.air, world.confirmed)
    heard: Iterator[Heard] = (
        Network(world).heard()
        if world.radio.listens
        else engine.heard(world.talk, world.air, duration_us=world.duration_us, demodulators=world.demodulators)
    )
    return (teller.part(chunk) for chunk in heard)


def who(world: World) -> dict[str, Any]:
    """Return the gateways and the fleets, with each fleet's first device."""
    firsts = [int((world.fleet < number).sum()) for number in range(len(world.radio.fleets))]
    return {
        "name": world.radio.name,
        "seed": world.radio.seed,
        "hours": world.radio.hours,
        "gateways": [asdict(one) for one in world.radio.gateways],
        "fleets": [asdict(one) | {"first": first} for one, first in zip(world.radio.fleets, firsts, strict=True)],
    }
