"""Workers hear a cluster of three nats-servers, or share a subscription: a node and a worker die amid a load."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import pytest
from nats_cluster import PASSWORD, USER, NatsCluster
from pydantic import SecretStr

from deploy.cluster_check import check_cluster
from deploy.embedded.process import free_port
from faults.figures import Figures
from faults.processes import Mosquitto
from faults.proxy import Proxy
from faults.territory import Stopwatch, assert_kept, declare, gated, load, publish, until, until_count
from ingest.settings import JetStreamSource
from ingest.subjects import STREAM, topic_of
from simulators.broker import BrokerAddress, BrokerUnreachableError
from simulators.mqtt_publisher import Publisher

CONSUMER = "samara-lns"
TOPICS = ("application/1/device/a.b/event/up", "a//b", "a/b/", "/a/b", "/", "//", "a/b.", "./a", "a..b/é/a*b/c>")


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    async with NatsCluster(tmp_path / "cluster") as one:
        yield one


def heard(cluster: NatsCluster, **others: Any) -> dict[str, Any]:
    """Return a source of the settings."""
    access = {"servers": cluster.servers, "username": USER, "password": PASSWORD}
    return {"name": "lns", "ack_wait_s": 3} | access | others


async def first_client(cluster: NatsCluster) -> None:
    """Connect by MQTT: nats-server makes its streams for the first client."""
    async with publisher_to(cluster.nodes[0].mqtt_port) as publisher:
        await publisher.publish("samara/hello", b"")


@asynccontextmanager
async def publisher_to(port: int) -> AsyncIterator[Publisher]:
    """Give a publisher that a node has accepted: it takes connections before it can serve them."""
    async with AsyncExitStack() as stack:
        found: list[Publisher] = []

        async def accepted() -> bool:
            publisher = Publisher(BrokerAddress(port=port), client_id=uuid4().hex)
            with suppress(BrokerUnreachableError):
                found.append(await stack.enter_async_context(publisher))
            return bool(found)

        await until(accepted)
        yield found[0]


async def test_a_node_and_a_worker_die(
    database: str, cluster: NatsCluster, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """The node that leads the stream, to which the network server is connected, and a worker that holds messages."""
    spec = load(6_000)
    await declare(database, spec)
    await first_client(cluster)
    one, other = [ingest(database, worker=name, jetstream=heard(cluster)) for name in ("one", "other")]
    await asyncio.gather(one.start(), other.start())
    leader = await cluster.leader_of(STREAM)
    async with Proxy(leader.mqtt_port) as proxy, gated(spec, proxy.port, tmp_path / "ledger") as gate:
        gate.let(8)
        await until_count(database, 500)
        one.signal(signal.SIGSTOP)  # so that it holds what it was given
        gate.let(8)
        await until_count(database, 2_000)
        leader.end(signal.SIGKILL)
        proxy.server_port = next(node.mqtt_port for node in cluster.nodes if node is not leader)
        dying = Stopwatch()
        one.kill()
        gate.let(4)
        await until_count(database, 4_000)
        resumed_s = dying.seconds
        await one.start()
        gate.open()
        leader.start()
        await cluster.ready(leader)
    await until_count(database, spec.uplinks)
    kept = await assert_kept(database, tmp_path / "ledger")
    await asyncio.gather(one.stop(), other.stop())
    figures.report("JetStream cluster: a node and a worker killed", resumed_s=resumed_s, **kept)


async def test_a_worker_of_a_shared_subscription_dies(
    database: str, mosquitto: Mosquitto, ingest: Any, tmp_path: Path, figures: Figures
) -> None:
    """Mosquitto divides the messages; a worker that holds some dies amid the load, and comes back."""
    spec = load(5_000)
    await declare(database, spec)
    shared = {"protocol": "5", "shared_group": "samara", "client_id": "shared"}
    one, other = [ingest(database, mosquitto, worker=name, source=shared) for name in ("one", "other")]
    await asyncio.gather(one.start(), other.start())
    async with gated(spec, mosquitto.port, tmp_path / "ledger") as gate:
        gate.let(8)
        await until_count(database, 1_000)
        one.signal(signal.SIGSTOP)
        gate.let(8)
        await until_count(database, 2_000)
        one.kill()
        await one.start()
        gate.open()
    await until_count(database, spec.uplinks)
    kept = await assert_kept(database, tmp_path / "ledger")
    for worker in (one, other):
        assert (await worker.metrics())["samara_stored_total"] > 0
        await worker.stop()
    figures.report("shared subscription: a worker killed", **kept)


async def test_doctor_looks_and_topics_come_back(cluster: NatsCluster) -> None:
    """`samara doctor` tells what is missing; what nats-server makes of a topic, `topic_of` undoes."""
    source = JetStreamSource(**heard(cluster))
    assert (await check_cluster(source))[0] == "warning"  # there is no stream yet
    await first_client(cluster)
    assert await check_cluster(source) == ("ok", "$MQTT_msgs is kept on 3 nodes", "")
    assert (await check_cluster(source.model_copy(update={"password": SecretStr("wrong")})))[0] == "wrong"
    silent = source.model_copy(update={"servers": (*source.servers, f"nats://127.0.0.1:{free_port()}")})
    assert (await check_cluster(silent))[0] == "warning"

    client = await nats.connect(cluster.servers, user=USER, password=PASSWORD)
    stream = client.jetstream(timeout=60)
    await stream.add_consumer(STREAM, durable_name="all")
    pulled = await stream.pull_subscribe_bind("all", STREAM)
    async with publisher_to(cluster.nodes[1].mqtt_port) as publisher:
        for topic in TOPICS:
            await publisher.publish(topic, b"")
            (message,) = await pulled.fetch(1, timeout=30)
            assert topic_of(message.subject) == topic
            await message.ack()
    await client.close()


async def test_stopping_leaves_nothing_to_send_again(
    database: str, cluster: NatsCluster, ingest: Any, tmp_path: Path
) -> None:
    """A worker that stops acknowledges what it holds; one whose consumer was deleted makes it again."""
    spec = load(3_000)
    await declare(database, spec)
    await first_client(cluster)
    service = await ingest(database, jetstream=heard(cluster)).start()
    client = await nats.connect(cluster.servers, user=USER, password=PASSWORD)
    stream = client.jetstream(timeout=60)
    await publish(spec, cluster.nodes[2].mqtt_port, tmp_path / "ledger")
    await until_count(database, spec.uplinks)
    await service.stop()
    info = await stream.consumer_info(STREAM, CONSUMER)
    assert (info.num_ack_pending, info.num_pending, info.num_redelivered) == (0, 0, 0)
    await assert_kept(database, tmp_path / "ledger")

    await service.start()
    await stream.delete_consumer(STREAM, CONSUMER)

    async def is_back() -> bool:
        try:
            return bool((await stream.consumer_info(STREAM, CONSUMER)).num_waiting)
        except nats.js.errors.NotFoundError:
            return False

    await until(is_back)
    again = load(1_000, first_dev_eui=spec.first_dev_eui + spec.devices, name="again")
    await declare(database, again)
    await publish(again, cluster.nodes[0].mqtt_port, tmp_path / "again")
    await until_count(database, spec.uplinks + again.uplinks)
    await assert_kept(database, tmp_path / "ledger", tmp_path / "again")
    await asyncio.gather(service.stop(), client.close())
