"""What every test stands on: fresh databases of both flavours, two brokers."""

import asyncio

import asyncpg
import pytest

from deploy.embedded.broker import EmbeddedBroker


async def _value(dsn: str, question: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_migrated_database_of_its_own(any_database: str, turn: int) -> None:
    assert turn
    assert await _value(any_database, "SELECT count(*) FROM quantities") != 0
    assert await _value(any_database, "SELECT count(*) FROM tenants") == 0
    connection = await asyncpg.connect(any_database)
    await connection.execute("INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'a', 'A')")
    await connection.close()


async def test_the_flavours_differ(database: str, timescale_database: str) -> None:
    question = "SELECT count(*) FROM pg_extension WHERE extname = 'timescaledb'"
    assert await _value(database, question) == 0
    assert await _value(timescale_database, question) == 1


async def test_an_empty_database_is_empty(empty_database: str) -> None:
    assert await _value(empty_database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_the_brokers_answer(nats_broker: EmbeddedBroker, mosquitto_broker: EmbeddedBroker) -> None:
    for broker in (nats_broker, mosquitto_broker):
        _, writer = await asyncio.open_connection(broker.host, broker.port)
        writer.close()
        await writer.wait_closed()
