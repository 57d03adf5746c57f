"""How ingest grows with its workers on a cluster of three nats-servers: python tests/benchmarks/bench_cluster.py

A backlog is published by MQTT at QoS 1, then 1, 2 and 4 workers store it. All of it runs on this machine, so that
efficiency is what its cores leave: the CPU time an uplink is what tells the parts apart (docs/scaling.md).
"""

import argparse
import asyncio
import json
import statistics
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import bench_load
import nats
import structlog
import uvloop
from bench_child import TOPIC
from bench_scenarios import COMMITS, Figures, fetch, ingesting, published, until_stored
from bench_servers import Broker, Cpu, Database, peak_mb, postgres, working_folder
from nats_cluster import PASSWORD, USER, NatsCluster

from ingest.jetstream import consumer_config
from ingest.settings import JetStreamSource
from ingest.subjects import STREAM
from simulators.broker import BrokerAddress, BrokerUnreachableError
from simulators.mqtt_publisher import Publisher

WORKERS: Final = (1, 2, 4)


async def prepare(cluster: NatsCluster) -> None:
    """Make nats-server's stream, by connecting as an MQTT client, and the workers' consumer."""
    while True:
        try:
            async with Publisher(BrokerAddress(port=cluster.nodes[0].mqtt_port), client_id="first"):
                break
        except BrokerUnreachableError:
            await asyncio.sleep(0.1)
    client = await nats.connect(cluster.servers, user=USER, password=PASSWORD)
    source = JetStreamSource(name="bench", topics=(TOPIC,))
    await client.jetstream().add_consumer(STREAM, consumer_config(source, (TOPIC,)))
    await client.close()


async def drain(folder: Path, database: Database, uplinks: int, workers: int, sync_interval: str) -> Figures:
    """Publish a backlog to a fresh cluster, and let so many workers store it."""
    await asyncio.to_thread(folder.mkdir)
    async with (
        NatsCluster(folder / "cluster", sync_interval=sync_interval) as cluster,
        database.fresh() as dsn,
        AsyncExitStack() as stack,
    ):
        await prepare(cluster)
        report = await published(folder, Broker(0, "127.0.0.1", cluster.nodes[0].mqtt_port), uplinks)
        options = {"servers": cluster.servers, "username": USER, "password": PASSWORD}
        names = [f"worker-{number}" for number in range(workers)]
        ingest = [await stack.enter_async_context(ingesting(folder, dsn, options, name)) for name in names]
        nodes = [node.process.pid for node in cluster.nodes if node.process is not None]
        cpu = Cpu(ingest=[one.pid for one in ingest], postgres=[database.pid], cluster=nodes)
        for one in ingest:
            await one.go()
        await until_stored(dsn, uplinks, ingest)
        used, commits = cpu.seconds(), await fetch(dsn, COMMITS)
        return {
            "stored_per_s": float((commits["uplinks"] - commits["first"]) / commits["seconds"]),
            "published_per_s": report["per_second"],
            "worker_us": used["ingest"] / uplinks * 1e6,
            "postgres_us": used["postgres"] / uplinks * 1e6,
            "cluster_us": used["cluster"] / uplinks * 1e6,
            "worker_mb": max(peak_mb(one.pid) for one in ingest),
            "node_mb": max(peak_mb(pid) for pid in nodes),
        }


async def measure(options: argparse.Namespace) -> None:
    """Make the runs, and say their medians."""
    with working_folder() as folder:
        async with postgres(folder, None) as server:
            database = Database(server, timescale=False)
            await database.prepare(bench_load.dev_euis(), bench_load.MODEL)
            for workers in WORKERS:
                runs = [
                    await drain(folder / f"{workers}-{run}", database, options.uplinks, workers, options.sync_interval)
                    for run in range(options.runs)
                ]
                medians = {name: round(statistics.median(run[name] for run in runs), 1) for name in runs[0]}
                sys.stdout.write(json.dumps({"workers": workers, **medians}) + "\n")
                sys.stdout.flush()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uplinks", type=int, default=80_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sync-interval", default="always", help="nats-server's: how often it syncs its files")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    uvloop.run(measure(options))


if __name__ == "__main__":
    main()
