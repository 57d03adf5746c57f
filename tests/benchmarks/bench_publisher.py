"""How fast messages get into a broker from one core: our publisher and paho's own, in turn, and the parts alone.

    python tests/benchmarks/bench_publisher.py [--quick]

The publisher has the first core, the broker the second. QoS 1, one connection, a window of 1,000. `binds` names whose
core was busy: near 100 % is what bounds.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import paho.mqtt.client as paho
import psutil
from bench_servers import mosquitto
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded.broker import EmbeddedBroker
from simulators import mqtt_packets
from simulators.broker import BrokerAddress
from simulators.clock import SystemClock
from simulators.load.generate import generate
from simulators.load.ledger import LedgerWriter
from simulators.load.run import run
from simulators.load.spec import FORMATS, Format, LoadSpec
from simulators.mqtt_publisher import Publisher

_MESSAGE: Final = bytes(1280)
_TOPIC: Final = "application/5a3a0a2e-0000-4000-8000-000000000010/device/025a100000000001/event/up"
Figures = dict[str, float]


def load(uplinks: int, form: Format) -> LoadSpec:
    return LoadSpec(format=form, devices=5000, uplinks_per_device=uplinks // 5000, speed=None)


def cpu_s(action: Callable[[], int]) -> Figures:
    """Return how many a second of CPU, and microseconds each."""
    began = time.process_time()
    count = action()
    spent = time.process_time() - began
    return {"per_cpu_second": count / spent, "us": 1e6 * spent / count}


def making(uplinks: int, form: Format) -> Figures:
    emissions = generate(load(uplinks, form))
    next(emissions)  # the tables of frames are made with the first
    return cpu_s(lambda: sum(1 for _ in emissions))


def accounting(uplinks: int, folder: Path) -> Figures:
    spec = load(uplinks, "chirpstack-json")
    entries = [one.entry for one in generate(spec) if one.entry is not None]

    def write() -> int:
        with LedgerWriter(folder / "alone", spec) as writer:
            for at in range(0, len(entries), 256):
                writer.append(entries[at : at + 256], 0)
        return len(entries)

    return cpu_s(write)


def packing(messages: int) -> Figures:
    topic = _TOPIC.encode()

    def pack() -> int:
        for at in range(0, messages, 256):
            b"".join([mqtt_packets.publish(topic, _MESSAGE, at % 65_000 + one + 1) for one in range(256)])
        return messages

    return cpu_s(pack)


async def ours(port: int, messages: int, qos: int) -> int:
    async with Publisher(BrokerAddress(port=port), client_id=f"bench-{os.getpid()}", qos=qos) as publisher:
        await publisher.publish_many((_TOPIC, _MESSAGE) for _ in range(messages))
        await publisher.drained()
    return messages


async def whole(port: int, uplinks: int, form: Format, folder: Path) -> int:
    async with Publisher(BrokerAddress(port=port), client_id=f"bench-{os.getpid()}") as publisher:
        report = await run(load(uplinks, form), [publisher], folder / "ledger", clock=SystemClock())
    return report.messages


def pahos(port: int, messages: int) -> int:
    """Publish with paho's own loop in its thread, as its documentation does, and wait for every PUBACK."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"paho-{os.getpid()}")
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(0)
    left, done = messages, threading.Event()

    def acknowledged(*_: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set()

    client.on_publish = acknowledged
    client.connect("127.0.0.1", port)
    client.loop_start()
    for _ in range(messages):
        client.publish(_TOPIC, _MESSAGE, qos=1)
    done.wait(120)
    client.disconnect()
    client.loop_stop()
    return messages


def timed(action: Callable[[], int], broker: psutil.Process) -> Figures:
    """Return messages a second, and what share of a core each side took."""
    mine, theirs, began = time.process_time(), sum(broker.cpu_times()[:2]), time.monotonic()
    count = action()
    seconds = time.monotonic() - began
    publisher = (time.process_time() - mine) / seconds
    served = (sum(broker.cpu_times()[:2]) - theirs) / seconds
    return {
        "per_second": count / seconds,
        "publisher_us": 1e6 * publisher * seconds / count,
        "broker_us": 1e6 * served * seconds / count,
        "publisher_core": publisher,
        "broker_core": served,
    }


def against(port: int, pid: int, scale: int, folder: Path) -> dict[str, list[Figures]]:
    """Run each way in turn, so that what else the machine does hits all alike."""
    broker, rounds = psutil.Process(pid), 3
    ways: dict[str, Callable[[], int]] = {
        "our publisher, QoS 1": lambda: asyncio.run(ours(port, 100_000 // scale, 1)),
        "our publisher, QoS 0": lambda: asyncio.run(ours(port, 100_000 // scale, 0)),
        **{
            f"a whole load, {form}": lambda form=form: asyncio.run(whole(port, 100_000 // scale, form, folder))
            for form in FORMATS
        },
        "paho's own loop, QoS 1": lambda: pahos(port, 20_000 // scale),
    }
    found: dict[str, list[Figures]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(timed(way, broker))
    return found


def told(name: str, rounds: list[Figures]) -> str:
    one = {key: median(each[key] for each in rounds) for key in rounds[0]}
    binds = max(("publisher", one["publisher_core"]), ("broker", one["broker_core"]), key=lambda side: side[1])
    return (
        f"| {name} | {one['per_second']:,.0f} | {one['publisher_us']:.1f} | {one['broker_us']:.1f} | "
        f"{100 * one['publisher_core']:.0f} % | {100 * one['broker_core']:.0f} % | {binds[0]} |"
    )


def child(port: int, pid: int, scale: int) -> dict[str, Any]:
    """Run on the first core alone, in a process of its own: threads of others would take it."""
    out = subprocess.run(
        [sys.executable, __file__, "--child", f"{port},{pid},{scale}"], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(out.stdout)
    return found


async def main(scale: int, folder: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    say = sys.stdout.write
    say(f"load before: {os.getloadavg()[0]:.1f}\n\n| alone | a CPU second | us |\n|---|--:|--:|\n")
    alone = {f"making a message, {form}": [making(100_000 // scale, form) for _ in range(3)] for form in FORMATS}
    alone["its record in the ledger"] = [accounting(100_000 // scale, folder) for _ in range(3)]
    alone["packing a PUBLISH of 1,280 bytes"] = [packing(102_400 // scale) for _ in range(3)]
    for name, rounds in alone.items():
        say(f"| {name} | {median(one['per_cpu_second'] for one in rounds):,.0f} | ")
        say(f"{median(one['us'] for one in rounds):.2f} |\n")
    head = "| | messages/s | publisher us | broker us | publisher's core | broker's core | binds |\n"
    async with mosquitto(folder) as one, EmbeddedBroker(folder / "nats", sync_interval="1s", is_guarded=False) as other:
        for name, port, pid in (("Mosquitto", one.port, one.pid), ("nats-server", other.port, other.pid)):
            os.sched_setaffinity(pid, cores[1:] or cores)
            for task in psutil.Process(pid).threads():
                os.sched_setaffinity(task.id, cores[1:] or cores)
            say(f"\n{name}\n\n{head}|---|--:|--:|--:|--:|--:|---|\n")
            found = await asyncio.to_thread(child, port, pid, scale)
            say("".join(told(way, rounds) + "\n" for way, rounds in found.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", default="")
    chosen = parser.parse_args()
    if chosen.child:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
        port, pid, scale = map(int, chosen.child.split(","))
        with tempfile.TemporaryDirectory() as own:
            sys.stdout.write(json.dumps(against(port, pid, scale, Path(own))))
    else:
        directory = Path(tempfile.mkdtemp(prefix="samara-publisher-"))
        directory.chmod(0o755)  # the broker's user enters it
        try:
            asyncio.run(main(10 if chosen.quick else 1, directory))
        finally:
            shutil.rmtree(directory, ignore_errors=True)
