from collections.abc import AsyncIterator

import asyncpg
import pytest
from delivery_world import World

from alerting.channels import Outbound
from alerting.outbound.http import HttpSender
from alerting.outbound.settings import DeliverySettings, SmtpSettings
from alerting.outbound.smtp import SmtpSender
from store.pool import open_pool


@pytest.fixture
async def world(any_database: str) -> AsyncIterator[World]:
    connection = await asyncpg.connect(any_database, server_settings={"timezone": "UTC"})
    pool = await open_pool(any_database, size=4, application="test")
    http = HttpSender()
    outbound = Outbound(DeliverySettings(max_per_contact_per_hour=3), http, http, SmtpSender(SmtpSettings()))
    yield World(connection, pool, outbound)
    await pool.close()
    await connection.close()
