"""From measurements to mailboxes: evaluation and delivery on one clock, with a real SMTP and a real HTTP receiver."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from ipaddress import ip_network
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from evaluation_world import HOUR, MINUTE, START, Sensor, World, every

from alerting import channels
from alerting.delivery.composing import composer
from alerting.delivery.sending import Post
from alerting.delivery.worker import work_once as deliver_once
from alerting.evaluation import Evaluator
from alerting.outbound.settings import DeliverySettings, SmtpSettings
from deploy.delivering import way_out
from store.alerting.rules import set_calendar
from store.delivery.contacts import add_contact
from store.fleet import TenantDeclaration, declare_point, declare_site, declare_tenant
from store.partitions import ensure_partitions, month_of
from store.pool import open_pool


class Mailbox:
    """A real SMTP server; what it was handed, by recipient."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, Any]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        assert isinstance(envelope.content, bytes)
        self.mails.append((envelope.rcpt_tos[0], message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


class People:
    """Everybody's mailbox and one webhook, and the two workers on one clock."""

    def __init__(self, world: World, pool: asyncpg.Pool, box: Mailbox, port: int, hook: str) -> None:
        self.world = world
        self.box = box
        self.hooked: list[dict[str, Any]] = []
        self.hook = hook
        self.now = START
        self._pool = pool
        smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", sender_address="alertes@samara.example")
        self._settings = DeliverySettings(smtp=smtp, allowed_networks=(ip_network("127.0.0.0/8"),))
        self.restart()

    def restart(self) -> None:
        """Both workers begin anew, as after a kill."""
        self.world.evaluator = Evaluator(self.world.connection)
        self._post = Post(
            pool=self._pool,
            channels=channels.load(),
            outbound=way_out(self._settings),
            compose=composer("https://samara.example"),
            clock=lambda: self.now,
            told=lambda *_: None,
        )

    async def until(self, at: datetime, step: timedelta = MINUTE) -> list[str]:
        """Let time pass; return what arrived, "recipient: subject"."""
        while True:
            await self.world.work(self.now)
            while await deliver_once(self._post):
                pass
            if self.now >= at:
                break
            self.now = min(self.now + step, at)
        told = [f"{to.partition('@')[0]}: {mail['Subject']}" for to, mail in self.box.mails]
        self.box.mails.clear()
        return [one.replace("\u00a0", " ") for one in told]

    async def contact(self, tenant_id: int, name: str, **more: Any) -> int:
        values: dict[str, Any] = {"channel": "email", "target": {"address": f"{name}@somme.example"}} | more
        return await add_contact(self.world.connection, tenant_id, name=name, **values)


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
async def people(world: World, any_database: str, mailbox: tuple[Mailbox, int]) -> AsyncIterator[People]:
    pool = await open_pool(any_database, size=3, application="test")
    hooked: list[dict[str, Any]] = []

    async def handle(request: web.Request) -> web.Response:
        assert request.headers["Samara-Signature"].startswith("t=")
        hooked.append(json.loads(await request.read()))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    people = People(world, pool, *mailbox, f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
    people.hooked = hooked
    yield people
    await runner.cleanup()
    await pool.close()


async def hear(world: World, gateway_id: int, at: datetime) -> None:
    await world.connection.execute(
        "INSERT INTO gateways_heard VALUES ($1, 'w', $2)"
        " ON CONFLICT (gateway_id, worker) DO UPDATE SET heard_at = excluded.heard_at",
        gateway_id,
        at,
    )


async def a_gateway(world: World, eui: str) -> int:
    gateway_id = await world.connection.fetchval(
        "INSERT INTO gateways (gateway_eui, name) VALUES ($1, $1) RETURNING gateway_id", eui
    )
    await hear(world, gateway_id, START)
    return int(gateway_id)


async def relayed(world: World, sensors: list[Sensor], gateway_id: int, at: datetime) -> None:
    """The last frame of each sensor came by this gateway."""
    await ensure_partitions(world.connection, "receptions", {month_of(at)})
    await world.connection.executemany(
        "INSERT INTO receptions (received_at, uplink_key, device_id, gateway_id) VALUES ($1, 1, $2, $3)",
        [(at, sensor.device_id, gateway_id) for sensor in sensors],
    )


async def test_the_death_of_a_gateway_is_one_message_and_silence_that_stays_is_told_afterwards(people: People) -> None:
    world = people.world
    network = await declare_tenant(world.connection, TenantDeclaration("somme-numerique", "Somme", "syndicat"))
    await people.contact(network, "reseau")
    await people.contact(network, "hook", channel="webhook", target={"url": people.hook, "secret": "s" * 16})
    await people.contact(world.tenant_id, "mairie")
    dead, alive = await a_gateway(world, "Beffroi"), await a_gateway(world, "Chateau d'eau")
    sensors = [await world.sensor(f"Point {n}") for n in range(30)]
    for sensor in sensors:
        await world.measure(sensor, "temperature", every(10, 20.0, 20.0, start=START - 10 * MINUTE))
    await relayed(world, sensors, dead, START)
    await world.rule("silent_sensor", {"everything": True}, period_s=600, missed=3, at_least_s=1800)
    tenant_id, world.tenant_id = world.tenant_id, network
    await world.rule("silent_gateway", {"gateway_id": dead}, limit_s=900, severity="critical")
    world.tenant_id = tenant_id

    told = []
    for quarter in range(1, 13):  # three hours of silence
        await hear(world, alive, START + quarter * 15 * MINUTE)
        if quarter == 6:
            people.restart()
        told += await people.until(START + quarter * 15 * MINUTE, 5 * MINUTE)
    assert told == ["reseau: Alerte grave : antenne Beffroi muette"]
    (hooked,) = people.hooked
    assert (hooked["kind"], hooked["data"]["gateway"]) == ("opened", "Beffroi")
    held = await world.connection.fetchval("SELECT count(*) FROM held_alerts WHERE released_at IS NULL")
    assert held == 30

    back = people.now
    await hear(world, dead, back)
    await hear(world, alive, back)
    for sensor in sensors[:28]:
        await world.measure(sensor, "temperature", [(back, 20.0)])
    for sensor in sensors[:28]:
        await world.measure(sensor, "temperature", every(10, *[20.0] * 13, start=back))
    told = []
    for quarter in range(1, 9):
        for gateway_id in (dead, alive):
            await hear(world, gateway_id, back + quarter * 15 * MINUTE)
        told += await people.until(back + quarter * 15 * MINUTE, 5 * MINUTE)
    assert told[0] == "reseau: Terminé : antenne Beffroi muette"
    assert len(told) == 2  # the two that stay silent, in one message, to whom they belong
    assert told[1].startswith("mairie: Alerte : silent_sensor")


async def test_what_comes_and_goes_is_told_once_until_it_is_calm(people: People) -> None:
    world = people.world
    await people.contact(world.tenant_id, "mairie")
    sensor = await world.sensor("Classe 1")
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500)
    told = []
    for minute in range(0, 240, 5):  # over and under the level, every five minutes, for four hours
        await world.measure(sensor, "co2", [(START + minute * MINUTE, 1600.0 if minute % 10 else 1400.0)])
        told += await people.until(START + minute * MINUTE)
    flapping = len(told)
    # Told while nobody knows that it flaps: at most the firings before it is recognised, each with its end.
    assert flapping <= 10
    told = await people.until(START + 240 * MINUTE)
    for minute in range(240, 400, 10):
        await world.measure(sensor, "co2", [(START + minute * MINUTE, 900.0)])
        told += await people.until(START + minute * MINUTE)
    assert [one.partition(" : ")[0] for one in told] == ["mairie: Terminé"]


async def test_a_restart_repeats_nothing_and_forgets_nothing(people: People) -> None:
    world = people.world
    await people.contact(world.tenant_id, "mairie")
    sensor = await world.sensor("Classe 1")
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500, for_s=1200)
    await world.measure(sensor, "co2", every(10, 1600.0, 1700.0))
    assert await people.until(START + 15 * MINUTE) == []
    people.restart()  # pending for a quarter of an hour
    assert await people.until(START + 25 * MINUTE) == ["mairie: Alerte : threshold, Classe 1, École"]
    people.restart()
    assert await people.until(START + 35 * MINUTE) == []
    await world.measure(sensor, "co2", every(10, 800.0, start=START + 36 * MINUTE))
    people.restart()
    assert await people.until(START + 40 * MINUTE) == ["mairie: Terminé : threshold, Classe 1, École"]


async def test_a_week_that_comes_late_is_on_record_and_wakes_nobody(people: People) -> None:
    world = people.world
    await people.contact(world.tenant_id, "mairie")
    sensor = await world.sensor("Classe 1")
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500)
    for day in range(8):
        await world.measure(sensor, "co2", [(START + timedelta(days=day), 900.0)])
        assert await people.until(START + timedelta(days=day), HOUR) == []
    late = [1600.0 if 8 <= hour % 24 < 10 else 600.0 for hour in range(1, 7 * 24)]
    await world.measure(sensor, "co2", every(60, *late, start=START + HOUR))
    assert await people.until(people.now + HOUR) == []
    recorded = await world.connection.fetch("SELECT told FROM alerts")
    assert [row["told"] for row in recorded] == [False] * 7


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
async def test_hours_are_those_of_the_place_on_the_days_the_clocks_change(people: People, day: datetime) -> None:
    """Open from 8:30 to 16:30: in summer time that is 6:30 to 14:30 UTC, in winter time 7:30 to 15:30."""
    world = people.world
    await people.contact(world.tenant_id, "mairie", preferences={})
    hours = [{"opens": "08:30", "closes": "16:30"}]
    weekly = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), hours)
    await set_calendar(world.connection, world.tenant_id, world.site_id, json.dumps({"weekly": weekly}))
    sensor = await world.sensor("Classe 1")
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500, watch="open")
    people.now = day - timedelta(days=1)
    fired = []
    for when in (day - timedelta(days=1), day):
        for quarter in range(4 * 5, 4 * 16):
            at = when + quarter * 15 * MINUTE
            people.now = at
            await world.measure(sensor, "co2", [(at, 1800.0)])
            if any("Alerte" in one for one in await people.until(at + MINUTE)):
                fired.append((at.hour, at.minute))
    summer, winter = (6, 30), (7, 30)
    assert fired == ([winter, summer] if day.month == 3 else [summer, winter])


async def test_a_storm_of_causes_is_bounded_and_each_is_in_the_end_told(people: People) -> None:
    world = people.world
    await people.contact(world.tenant_id, "mairie")
    await world.rule("threshold", {"everything": True}, quantity="co2", above=1500)
    sensors = []
    for n in range(40):
        site_id = await declare_site(world.connection, world.tenant_id, f"Site {n}")
        point_id = await declare_point(world.connection, site_id, "Salle")
        sensor = await world.sensor(f"brouillon {n}")
        await world.connection.execute(
            "UPDATE assignments SET point_id = $1 WHERE device_id = $2", point_id, sensor.device_id
        )
        sensors.append(sensor)
    for sensor in sensors:
        await world.measure(sensor, "co2", [(START, 1600.0)])
    told = await people.until(START + 2 * HOUR, 10 * MINUTE)
    digests = [one for one in told if "Résumé" in one]
    assert len(told) - len(digests) <= 36  # twenty an hour, and what was on its way
    assert len(digests) == 1
    letters = await world.connection.fetch("SELECT state, count(*) AS n FROM deliveries GROUP BY state ORDER BY state")
    assert {row["state"]: row["n"] for row in letters}["sent"] == len(told)
    assert sum(row["n"] for row in letters) == 40 + 1
