"""The delivery role: alerts grouped into incidents, and people told of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge

from alerting import channels
from alerting.channels import Outbound
from alerting.delivery.composing import composer
from alerting.delivery.sending import Post
from alerting.delivery.worker import work_once
from alerting.outbound.addresses import ANYWHERE
from alerting.outbound.http import HttpSender
from alerting.outbound.settings import DeliverySettings
from alerting.outbound.smtp import SmtpSender
from deploy.reporting import send_for_ever
from deploy.roles import Running, now
from deploy.rounds import Rounds
from store.pool import open_pool


class Metrics:
    """Counters of one delivery process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.deliveries = Counter(
            "samara_deliveries_total",
            "Messages to people: sent, again (a failure that may pass), dropped (no longer of use), dead.",
            ["channel", "outcome"],
            registry=registry,
        )
        self.succeeded = Gauge(
            "samara_delivery_last_success_seconds", "Unix time of the last round that did not fail.", registry=registry
        )

    def told(self, channel: str, outcome: str) -> None:
        """Count what became of one attempt."""
        self.deliveries.labels(channel, outcome).inc()


class Delivering(NamedTuple):
    """The delivery role: its task, and whether it is of use."""

    task: asyncio.Task[None]
    rounds: Rounds


@contextlib.asynccontextmanager
async def delivery_role(running: Running) -> AsyncIterator[Delivering]:
    """Deliver for as long as the context lasts."""
    settings, metrics = running.settings.notifications, Metrics(running.registry)
    pool = await open_pool(running.dsns.alerting, size=2, application="samara-delivery")
    try:
        post = Post(
            pool=pool,
            channels=channels.load(),
            outbound=way_out(settings),
            compose=composer(settings.base_url),
            clock=now,
            told=metrics.told,
        )
        rounds = Rounds(partial(work_once, post), metrics.succeeded, role="delivery", undone="delivered")
        task = asyncio.create_task(rounds.run(), name="delivery")
        reports = asyncio.create_task(send_for_ever(pool, settings.smtp), name="reports")
        try:
            yield Delivering(task, rounds)
        finally:
            task.cancel()
            reports.cancel()
            await asyncio.gather(task, reports, return_exceptions=True)
    finally:
        await pool.close()


def way_out(settings: DeliverySettings) -> Outbound:
    """Return how what is sent leaves, as the operator allows."""
    return Outbound(
        settings,
        http=HttpSender(allowed=settings.allowed_networks, timeout_s=settings.timeout_s),
        operator_http=HttpSender(allowed=ANYWHERE, timeout_s=settings.timeout_s),
        smtp=SmtpSender(settings.smtp),
    )
