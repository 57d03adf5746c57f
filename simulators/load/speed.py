"""How fast the generator is here: a load as fast as a broker takes it.

python -m simulators.load.speed mqtt://127.0.0.1:1883 [format]
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final, cast

from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.load.generate import generate
from simulators.load.run import run
from simulators.load.spec import Format, LoadSpec
from simulators.mqtt_publisher import Publisher

_RUNS: Final = 3


async def measure(address: BrokerAddress, form: Format) -> str:
    """Return a line of figures, medians of three runs of 200,000 uplinks."""
    spec = LoadSpec(format=form, devices=5000, uplinks_per_device=40, speed=None)
    emissions = generate(spec)
    next(emissions)  # the tables of frames are made with the first
    began = time.process_time()
    made = sum(1 for _ in emissions)
    making_us = 1e6 * (time.process_time() - began) / made
    rates, costs_us = [], []
    with tempfile.TemporaryDirectory() as folder:
        async with Publisher(address, client_id="samara-speed") as publisher:
            for _ in range(_RUNS):
                began = time.process_time()
                report = await run(spec, [publisher], Path(folder) / "ledger", clock=SystemClock())
                rates.append(report.per_second)
                costs_us.append(1e6 * (time.process_time() - began) / report.messages)
    return (
        f"{form}: {median(rates):,.0f} messages/s, {median(costs_us):.1f} us of CPU each, "
        f"of which {making_us:.1f} to make the message"
    )


if __name__ == "__main__":
    chosen = cast("Format", sys.argv[2] if len(sys.argv) > 2 else "chirpstack-json")
    sys.stdout.write(asyncio.run(measure(BrokerAddress.from_url(sys.argv[1]), chosen)) + "\n")
