"""A commune with a few sensors whose measurements are written as ingest writes them, and a worker that evaluates."""

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from alerting.evaluation import Evaluator
from alerting.worker import work_once
from store.alerting.rules import NewRule, add_rule, enable_rule, set_backtest
from store.assignments import assign
from store.fleet import TenantDeclaration, declare_device, declare_point, declare_site, declare_tenant
from store.partitions import ensure_partitions, month_of
from store.redecoding import Held, Revision, StoredUplink, Stretch, write_revisions
from store.staging import prepare_connection

START = datetime(2026, 11, 2, 7, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

_numbers = itertools.count(1)


class Sensor(NamedTuple):
    device_id: int
    point_id: int


class World:
    """One tenant with one site, and a connection that does everything."""

    def __init__(self, connection: asyncpg.Connection, tenant_id: int, site_id: int, ids: dict[str, int]) -> None:
        self.connection = connection
        self.tenant_id = tenant_id
        self.site_id = site_id
        self.quantities = ids
        self.evaluator = Evaluator(connection)

    @classmethod
    async def make(cls, connection: asyncpg.Connection) -> "World":
        tenant_id = await declare_tenant(connection, TenantDeclaration("mareuville", "Mareuville", "commune"))
        site_id = await declare_site(connection, tenant_id, "École")
        ids = dict(await connection.fetch("SELECT name, quantity_id FROM quantities"))
        return cls(connection, tenant_id, site_id, ids)

    async def sensor(self, name: str) -> Sensor:
        device_id = await declare_device(self.connection, self.tenant_id, f"{next(_numbers):016x}")
        point_id = await declare_point(self.connection, self.site_id, name)
        await assign(self.connection, device_id, point_id, START - timedelta(days=100))
        return Sensor(device_id, point_id)

    async def measure(self, sensor: Sensor, quantity: str, samples: Sequence[tuple[datetime, float]]) -> None:
        """Write as ingest does: uplinks, measurements, the latest frame, and the arrival, in one transaction."""
        connection, device_id = self.connection, sensor.device_id
        for table in ("measurements", "uplinks"):
            await ensure_partitions(connection, table, {month_of(at) for at, _ in samples})
        quantity_id = self.quantities[quantity]
        async with connection.transaction():
            await connection.executemany(
                "INSERT INTO measurements VALUES ($1, $1, $2, $3, $4, 0) ON CONFLICT DO NOTHING",
                [(at, value, device_id, quantity_id) for at, value in samples],
            )
            await connection.executemany(
                """
                INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, confirmed, adr,
                                     dev_addr, outcome, detail, payload)
                VALUES ($1, 1, $1, 1, $2, 1, false, true, '', 'decoded', '', '') ON CONFLICT DO NOTHING
                """,
                [(at, device_id) for at, _ in samples],
            )
            last_at, last = max(samples)
            await connection.execute(
                """
                INSERT INTO latest_frames
                VALUES ($1, $2::integer, $3, $3, ARRAY[$2::integer]::smallint[], '{0}', ARRAY[$4::float8])
                ON CONFLICT (device_id, layout) DO UPDATE SET measured_at = excluded.measured_at
                """,
                device_id,
                quantity_id,
                last_at,
                last,
            )
            await connection.execute(
                "INSERT INTO arrivals (device_ids, measured_since) SELECT ARRAY[$1::integer], ARRAY[$2::timestamptz]"
                " WHERE EXISTS (SELECT FROM watched_tenants)",
                device_id,
                min(at for at, _ in samples),
            )

    async def correct(self, sensor: Sensor, quantity: str, values: Mapping[datetime, float]) -> None:
        """Put other values in the place of some, as decoding again does."""
        number = self.quantities[quantity]
        rows = await self.connection.fetch(
            "SELECT quantity_id, channel, measured_at, received_at, value FROM measurements"
            " WHERE device_id = $1 AND quantity_id = $2 AND measured_at = ANY($3)",
            *(sensor.device_id, number, list(values)),
        )
        gone = [Held(*row) for row in rows]
        put = [one._replace(value=values[one.measured_at]) for one in gone]
        uplinks = [StoredUplink(at, 1, None, 1, "decoded", "", b"", None) for at in sorted(values)]
        await prepare_connection(self.connection)
        async with self.connection.transaction():
            stretch = Stretch(sensor.device_id, uplinks)
            await write_revisions(self.connection, [Revision(stretch, [], gone, put, [], [], set(), set())])

    async def rule(self, kind: str, target: dict[str, Any], **values: Any) -> int:
        """Keep, backtest (on paper) and enable a rule."""
        severity = values.pop("severity", "warning")
        new = NewRule(self.tenant_id, kind, kind, json.dumps(values), json.dumps(target), severity)
        rule_id = await add_rule(self.connection, new)
        await set_backtest(self.connection, rule_id, 1, "{}")
        await enable_rule(self.connection, rule_id)
        return rule_id

    async def work(self, now: datetime) -> None:
        """Evaluate all there is."""
        while await work_once(self.connection, self.evaluator, now):
            pass

    async def phases(self) -> list[str]:
        rows = await self.connection.fetch("SELECT phase FROM rule_states ORDER BY rule_id, state_id")
        return [row["phase"] for row in rows]

    async def transitions(self) -> list[tuple[float, str, str]]:
        """Those that stand: minutes since START, from, to."""
        rows = await self.connection.fetch(
            "SELECT at, from_phase, to_phase FROM transitions WHERE superseded_at IS NULL ORDER BY state_id, at"
        )
        return [((row["at"] - START) / MINUTE, row["from_phase"], row["to_phase"]) for row in rows]

    async def told(self) -> list[str]:
        return [row["kind"] for row in await self.connection.fetch("SELECT kind FROM outbox ORDER BY outbox_id")]


def every(minutes: float, *values: float, start: datetime = START) -> list[tuple[datetime, float]]:
    return [(start + minutes * place * MINUTE, value) for place, value in enumerate(values)]
