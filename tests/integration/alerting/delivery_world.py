"""A territory whose evaluation is written by hand: alerts, transitions and outbox rows as docs/alerting.md has them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg

from alerting import channels
from alerting.channels import Outbound
from alerting.delivery.sending import Post
from alerting.delivery.worker import work_once
from alerting.notice import Notice
from alerting.outbound.settings import DeliverySettings
from store.delivery.contacts import Contact, add_contact
from store.delivery.messages import Claimed, digested
from store.fleet import TenantDeclaration, declare_device, declare_point, declare_site, declare_tenant
from store.partitions import ensure_partitions, month_of

START = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Amiens
_SPACE = UUID("6b1f4a3e-3c1d-4c5a-9b57-0d2f5f8d8a11")


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **by: float) -> None:
        self.now += timedelta(**by)


class Letterbox:
    """Stands in the place of a channel: keeps what it is handed, and fails as it is told."""

    NAME = "letterbox"
    OPERATOR_ONLY = False
    Target = channels.Target

    def __init__(self) -> None:
        self.received: list[Notice] = []
        self.failures: list[Exception] = []

    def available(self, settings: DeliverySettings) -> bool:
        del settings
        return True

    async def send(self, notice: Notice, target: object, outbound: Outbound, now: datetime) -> None:
        del target, outbound, now
        if self.failures:
            raise self.failures.pop(0)
        self.received.append(notice)

    def take(self) -> list[str]:
        """Return what came since the last time: "kind severity to: incident"."""
        said = [f"{notice.kind} {notice.severity} {notice.subject}" for notice in self.received]
        self.received.clear()
        return said


async def compose(connection: asyncpg.Connection, claimed: Claimed, contact: Contact) -> Notice:
    about: Any = claimed.incident_id
    if claimed.kind == "digest":
        about = await digested(connection, contact.contact_id, claimed.created_at)
    return Notice(
        notice_id=claimed.message_id,
        thread_id=f"incident-{claimed.incident_id}",
        kind=claimed.kind,  # type: ignore[arg-type]
        severity=claimed.severity,  # type: ignore[arg-type]
        language=contact.language,
        subject=f"{contact.name}: {about}",
        sentences=(),
    )


class World:
    """One network, its tenants, and what evaluation says of them."""

    def __init__(self, connection: asyncpg.Connection, pool: asyncpg.Pool, outbound: Outbound) -> None:
        self.connection = connection
        self.clock = Clock()
        self.box = Letterbox()
        self.outcomes: list[tuple[str, str]] = []
        self.post = Post(
            pool=pool,
            channels={"letterbox": self.box} | channels.load(),
            outbound=outbound,
            compose=compose,
            clock=self.clock,
            told=lambda channel, outcome: self.outcomes.append((channel, outcome)),
        )
        self._alerts = 0
        self.tenants: dict[str, int] = {}

    async def work(self, **by: float) -> list[str]:
        """Let the worker do all there is to do, now and after some time; return what people received."""
        for step in ({}, by):
            self.clock.pass_(**step)
            while await work_once(self.post):
                pass
        return self.box.take()

    async def tenant(self, slug: str, kind: str = "commune") -> int:
        declared = TenantDeclaration(slug=slug, name=slug.title(), kind=kind)
        self.tenants[slug] = await declare_tenant(self.connection, declared)
        return self.tenants[slug]

    async def point(self, tenant_id: int, site: str, point: str) -> tuple[int, int]:
        site_id = await declare_site(self.connection, tenant_id, site)
        return site_id, await declare_point(self.connection, site_id, point)

    async def contact(self, tenant_id: int, name: str, **more: Any) -> int:
        values: dict[str, Any] = {"channel": "letterbox", "target": {}} | more
        return await add_contact(self.connection, tenant_id, name=name, **values)

    async def rule(self, tenant_id: int, kind: str = "threshold", severity: str = "warning") -> int:
        return await self.connection.fetchval(
            "INSERT INTO rules (tenant_id, name, kind, definition, target, severity)"
            " VALUES ($1, $2, $2, '{}', '{}', $3) RETURNING rule_id",
            tenant_id,
            kind,
            severity,
        )

    async def fire(
        self,
        rule_id: int,
        *,
        site_id: int | None = None,
        point_id: int | None = None,
        gateway_id: int | None = None,
        reason: Mapping[str, Any] | None = None,
        severity: str | None = None,
    ) -> UUID:
        """A rule begins to fire on a subject: alert, transition and outbox row in one transaction."""
        self._alerts += 1
        alert_id = uuid5(_SPACE, str(self._alerts))
        async with self.connection.transaction():
            rule = await self.connection.fetchrow("SELECT tenant_id, severity FROM rules WHERE rule_id = $1", rule_id)
            assert rule is not None
            await self.connection.execute(
                "INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, site_id, point_id, gateway_id, severity,"
                " degree, phase, started_at, reason, told)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, 'firing', $9, $10, true)",
                alert_id,
                rule["tenant_id"],
                rule_id,
                self._alerts,
                site_id,
                point_id,
                gateway_id,
                severity or rule["severity"],
                self.clock.now,
                json.dumps(dict(reason or {})),
            )
            await self._put_out(alert_id, "firing")
        return alert_id

    async def resolve(self, alert_id: UUID) -> None:
        async with self.connection.transaction():
            await self.connection.execute(
                "UPDATE alerts SET ended_at = $2, phase = 'resolved' WHERE alert_id = $1", alert_id, self.clock.now
            )
            await self._put_out(alert_id, "resolved")

    async def _put_out(self, alert_id: UUID, kind: str) -> None:
        transition = await self.connection.fetchval(
            "INSERT INTO transitions (tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, reason,"
            " told) SELECT tenant_id, rule_id, state_id, alert_id, $2, 'pending', $3, 1, reason, true FROM alerts"
            " WHERE alert_id = $1 RETURNING transition_id",
            alert_id,
            self.clock.now,
            kind,
        )
        await self.connection.execute(
            "INSERT INTO outbox (tenant_id, alert_id, transition_id, kind, message_id)"
            " SELECT tenant_id, $1, $2, $3, $4 FROM alerts WHERE alert_id = $1",
            alert_id,
            transition,
            kind,
            uuid5(_SPACE, f"{alert_id}/{kind}/{self.clock.now}"),
        )

    async def gateway(self, eui: str, *, heard_at: datetime | None = None) -> int:
        gateway_id = await self.connection.fetchval(
            "INSERT INTO gateways (gateway_eui, name) VALUES ($1, $1) RETURNING gateway_id", eui
        )
        await self.hear(gateway_id, heard_at or self.clock.now)
        return gateway_id

    async def hear(self, gateway_id: int, at: datetime) -> None:
        await self.connection.execute(
            "INSERT INTO gateways_heard VALUES ($1, 'w', $2)"
            " ON CONFLICT (gateway_id, worker) DO UPDATE SET heard_at = excluded.heard_at",
            gateway_id,
            at,
        )

    async def sensors(self, points: Mapping[int, int], gateways: list[int], at: datetime, *, first: int = 1) -> None:
        """Give each point (of a tenant) a sensor last heard at a moment, by these gateways."""
        await ensure_partitions(self.connection, "receptions", {month_of(at)})
        heard, frames = [], []
        for number, (point_id, tenant_id) in enumerate(points.items(), first):
            device_id = await declare_device(self.connection, tenant_id, f"{number:016x}")
            await self.connection.execute(
                "INSERT INTO assignments (device_id, point_id, during) VALUES ($1, $2, '(,)')", device_id, point_id
            )
            frames.append((device_id, 1, at, at, [1], [0], [1.0]))
            heard += [(at, number, device_id, gateway_id) for gateway_id in gateways]
        await self.connection.copy_records_to_table(
            "receptions", columns=["received_at", "uplink_key", "device_id", "gateway_id"], records=heard
        )
        await self.connection.copy_records_to_table("latest_frames", records=frames)

    async def incidents(self) -> list[tuple[str, int]]:
        """Return (cause, alerts) of the open incidents."""
        rows = await self.connection.fetch(
            "SELECT cause, count(alert_id) AS alerts FROM incidents LEFT JOIN alerts USING (incident_id)"
            " WHERE closed_at IS NULL GROUP BY incident_id, cause ORDER BY incident_id"
        )
        return [tuple(row) for row in rows]
