"""From what evaluation put out to what people receive, by the hour."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from delivery_world import START, World

from alerting.delivery.worker import work_once
from alerting.outbound.errors import DeliveryError
from domain.errors import NotFoundError
from store.delivery import incidents, silences, works
from store.delivery.contacts import add_shift, remove_contact, set_steps
from store.delivery.messages import revive
from store.delivery.reading import happenings, incident, letters
from store.delivery.reading import incidents as list_incidents


async def a_school(world: World) -> tuple[int, int, int]:
    tenant_id = await world.tenant("doullens")
    site_id, point_id = await world.point(tenant_id, "École", "Classe 1")
    return tenant_id, site_id, point_id


async def test_an_alert_is_told_once_and_its_end_to_who_was_told(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.contact(tenant_id, "élu", min_severity="critical")
    elsewhere = await world.tenant("corbie")
    await world.contact(elsewhere, "corbie")
    alert = await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    assert await world.work() == []  # it waits a little for what has the same cause
    assert await world.work(seconds=30) == ["opened warning mairie: 1"]
    assert await world.work(hours=5) == []
    await world.resolve(alert)
    assert await world.work() == ["resolved warning mairie: 1"]
    assert await world.incidents() == []
    kinds = [one.kind for one in await happenings(world.connection, 1)]
    assert kinds == ["opened", "alert", "told", "closed", "told"]


async def test_what_has_one_cause_is_one_incident(world: World) -> None:
    tenant_id, site_id, _ = await a_school(world)
    await world.contact(tenant_id, "mairie")
    rule_id = await world.rule(tenant_id, "co2")
    points = [(await world.point(tenant_id, "École", f"Classe {n}"))[1] for n in range(2, 8)]
    alerts = [await world.fire(rule_id, site_id=site_id, point_id=point_id) for point_id in points[:4]]
    assert await world.work(seconds=31) == ["opened warning mairie: 1"]
    alerts += [await world.fire(rule_id, site_id=site_id, point_id=point_id) for point_id in points[4:]]
    assert await world.work(seconds=31) == []
    assert await world.work(minutes=5) == ["updated warning mairie: 1"]  # not more often than that
    assert await world.incidents() == [(f"co2:site:{site_id}", 6)]
    for alert in alerts[:5]:
        await world.resolve(alert)
    assert await world.work(hours=1) == []
    await world.resolve(alerts[5])
    assert await world.work() == ["resolved warning mairie: 1"]


async def test_a_critical_alert_waits_for_nothing_and_a_worse_one_is_told_at_once(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    rule_id = await world.rule(tenant_id)
    await world.fire(rule_id, site_id=site_id, point_id=point_id)
    assert await world.work(seconds=31) == ["opened warning mairie: 1"]
    await world.fire(rule_id, site_id=site_id, point_id=point_id, severity="critical")
    assert await world.work(seconds=1) == ["updated critical mairie: 1"]


async def test_what_ends_before_it_was_told_is_only_on_record(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    alert = await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    await world.work(seconds=10)
    await world.resolve(alert)
    assert await world.work(hours=1) == []
    assert [one.alerts for one in await list_incidents(world.connection, tenant_id)] == [1]


async def test_a_dead_gateway_is_one_incident_whatever_it_silences(world: World) -> None:
    """400 sensors of three communes: who runs the network is told of one thing, the communes of nothing."""
    network = await world.tenant("somme-numerique", "syndicat")
    await world.contact(network, "réseau")
    dead, alive = await world.gateway("dead"), await world.gateway("alive")
    points: dict[int, int] = {}
    for slug in ("doullens", "corbie", "albert"):
        tenant_id = await world.tenant(slug)
        await world.contact(tenant_id, slug)
        site_id, _ = await world.point(tenant_id, "Réseau", "0")
        rows = await world.connection.fetch(
            "INSERT INTO points (site_id, name) SELECT $1, 'P' || n FROM generate_series(1, 133) AS n"
            " RETURNING point_id",
            site_id,
        )
        points |= {row["point_id"]: tenant_id for row in rows}
    await world.sensors(points, [dead], START)
    rules = {tenant_id: await world.rule(tenant_id, "silent_sensor") for tenant_id in set(points.values())}
    gateway_rule = await world.rule(network, "silent_gateway", "critical")

    world.clock.pass_(minutes=12)
    await world.hear(alive, world.clock.now)
    gateway_alert = await world.fire(gateway_rule, gateway_id=dead)
    assert await world.work() == ["opened critical réseau: 1"]

    world.clock.pass_(minutes=60)
    await world.hear(alive, world.clock.now)
    silent = {point_id: await world.fire(rules[owner], point_id=point_id) for point_id, owner in points.items()}
    assert await world.work(seconds=40) == []
    assert await world.incidents() == [(f"gateway:{dead}", 400)]
    whole = await incident(world.connection, 1)
    assert whole.held == [("Albert", 133), ("Corbie", 133), ("Doullens", 133)]
    assert [firing.rule_kind for firing in whole.firings] == ["silent_gateway"]

    # It comes back; all sensors but two are heard again.
    world.clock.pass_(hours=3)
    await world.hear(alive, world.clock.now)
    await world.hear(dead, world.clock.now)
    await world.resolve(gateway_alert)
    for alert in list(silent.values())[2:]:
        await world.resolve(alert)
    assert await world.work() == ["resolved critical réseau: 1"]
    assert await world.work(minutes=50) == []
    await world.hear(dead, world.clock.now + timedelta(minutes=11))
    (told,) = await world.work(minutes=11) + await world.work(seconds=31)
    assert told.startswith("opened warning doullens")  # both at once, within one period
    assert await world.work(hours=2) == []
    for alert in list(silent.values())[:2]:
        await world.resolve(alert)
    (told,) = await world.work()
    assert told.startswith("resolved warning doullens")


async def test_an_outage_nobody_watches_is_found_by_what_it_silences(world: World) -> None:
    network = await world.tenant("somme-numerique", "syndicat")
    await world.contact(network, "réseau")
    dead, alive = await world.gateway("dead"), await world.gateway("alive")
    tenant_id, _, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.sensors({point_id: tenant_id}, [dead], START)
    world.clock.pass_(minutes=30)
    await world.hear(alive, world.clock.now)
    alert = await world.fire(await world.rule(tenant_id, "silent_sensor"), point_id=point_id)
    assert await world.work(seconds=31) == ["opened critical réseau: 1"]
    world.clock.pass_(minutes=30)
    await world.hear(dead, world.clock.now)
    assert await world.work() == ["resolved critical réseau: 1"]
    await world.resolve(alert)
    assert await world.work(hours=3) == []


async def test_a_sensor_that_a_working_gateway_hears_is_told_as_usual(world: World) -> None:
    dead, alive = await world.gateway("dead"), await world.gateway("alive")
    tenant_id, _, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.sensors({point_id: tenant_id}, [dead, alive], START)
    world.clock.pass_(minutes=30)
    await world.hear(alive, world.clock.now)
    await world.fire(await world.rule(tenant_id, "silent_sensor"), point_id=point_id)
    assert await world.work(seconds=31) == ["opened warning mairie: 1"]


async def test_every_gateway_out_is_the_network(world: World) -> None:
    network = await world.tenant("somme-numerique", "syndicat")
    await world.contact(network, "réseau")
    gateways = [await world.gateway("a"), await world.gateway("b")]
    tenant_id, _, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.sensors({point_id: tenant_id}, gateways[:1], START)
    world.clock.pass_(minutes=30)
    await world.fire(await world.rule(tenant_id, "silent_sensor"), point_id=point_id)
    assert await world.work(seconds=31) == ["opened critical réseau: 1"]
    assert await world.incidents() == [("network", 1)]
    world.clock.pass_(minutes=1)
    await world.hear(gateways[1], world.clock.now)
    assert await world.work() == ["resolved critical réseau: 1"]


async def test_silences_and_works_hold_what_goes_on_until_they_end(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    rule_id = await world.rule(tenant_id)
    silence_id = await silences.silence(
        world.connection,
        tenant_id,
        site_id=site_id,
        since=START,
        until=START + timedelta(hours=4),
        reason="vidange",
        who="Paul",
    )
    brief = await world.fire(rule_id, site_id=site_id, point_id=point_id)
    lasting = await world.fire(rule_id, site_id=site_id, point_id=point_id)
    assert await world.work(hours=1) == []
    await world.resolve(brief)
    assert await world.work() == []
    await silences.end_silence(world.connection, tenant_id, silence_id, world.clock.now)
    assert await world.work() + await world.work(seconds=31) == ["opened warning mairie: 1"]
    await world.resolve(lasting)
    assert await world.work() == ["resolved warning mairie: 1"]
    since, until = world.clock.now, world.clock.now + timedelta(hours=2)
    await works.add_works(
        world.connection, tenant_id, point_id=point_id, since=since, until=until, reason="mât", who="Paul"
    )
    await world.fire(rule_id, site_id=site_id, point_id=point_id)
    assert await world.work(minutes=119) == []
    assert await world.work(minutes=1) + await world.work(seconds=31) == ["opened warning mairie: 2"]


async def test_works_on_an_antenna_hold_the_outage_that_they_make(world: World) -> None:
    network = await world.tenant("somme-numerique", "syndicat")
    await world.contact(network, "réseau")
    at_work, alive = await world.gateway("at work"), await world.gateway("alive")
    tenant_id, _, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.sensors({point_id: tenant_id}, [at_work], START)
    since, until = START, START + timedelta(hours=2)
    with pytest.raises(NotFoundError):
        await works.add_works(
            world.connection, tenant_id, gateway_id=at_work, since=since, until=until, reason="mât", who="Paul"
        )
    window_id = await works.add_works(
        world.connection, network, gateway_id=at_work, since=since, until=until, reason="mât", who="Paul"
    )
    world.clock.pass_(minutes=60)
    await world.hear(alive, world.clock.now)
    await world.fire(await world.rule(network, "silent_gateway", "critical"), gateway_id=at_work)
    await world.fire(await world.rule(tenant_id, "silent_sensor"), point_id=point_id)
    assert await world.work() + await world.work(minutes=30) == []
    assert await world.incidents() == [(f"gateway:{at_work}", 2)]
    await works.end_works(world.connection, network, window_id, world.clock.now)
    assert await works.works_of(world.connection, network, world.clock.now) == []
    await world.hear(alive, world.clock.now)
    assert await world.work() + await world.work(seconds=31) == ["opened critical réseau: 1"]


async def test_an_outage_that_nobody_watches_is_told_when_the_works_on_its_antenna_are_over(world: World) -> None:
    network = await world.tenant("somme-numerique", "syndicat")
    await world.contact(network, "réseau")
    at_work, alive = await world.gateway("at work"), await world.gateway("alive")
    tenant_id, _, point_id = await a_school(world)
    await world.sensors({point_id: tenant_id}, [at_work], START)
    since, until = START, START + timedelta(hours=2)
    await works.add_works(
        world.connection, network, gateway_id=at_work, since=since, until=until, reason="mât", who="Paul"
    )
    world.clock.pass_(minutes=60)
    await world.hear(alive, world.clock.now)
    await world.fire(await world.rule(tenant_id, "silent_sensor"), point_id=point_id)
    assert await world.work() + await world.work(minutes=59) == []
    assert await world.work(seconds=91) == ["opened critical réseau: 1"]


async def test_a_silence_is_of_its_tenant_alone(world: World) -> None:
    tenant_id, site_id, _ = await a_school(world)
    other = await world.tenant("corbie")
    with pytest.raises(NotFoundError):
        await silences.silence(
            world.connection, other, site_id=site_id, since=START, until=START + timedelta(1), reason="", who=""
        )
    silence_id = await silences.silence(
        world.connection, tenant_id, since=START, until=START + timedelta(1), reason="", who=""
    )
    with pytest.raises(NotFoundError):
        await silences.end_silence(world.connection, other, silence_id, START)


async def test_nobody_answers_so_the_next_one_is_told_until_somebody_does(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie", preferences={"remind_every_s": 3600})
    chief = await world.contact(tenant_id, "directeur", on_call_only=True)
    night = await world.contact(tenant_id, "astreinte", on_call_only=True)
    await add_shift(world.connection, tenant_id, night, START + timedelta(hours=1), START + timedelta(hours=9))
    await set_steps(world.connection, tenant_id, [(1800, chief), (7200, None)])
    alert = await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    assert await world.work(seconds=30) == ["opened warning mairie: 1"]
    assert await world.work(minutes=30) == ["escalated warning directeur: 1"]
    assert await world.work(minutes=30) == ["reminder warning mairie: 1"]
    assert sorted(await world.work(minutes=60)) == ["escalated warning astreinte: 1", "reminder warning mairie: 1"]
    await incidents.acknowledge(world.connection, tenant_id, 1, who="Marie", note="j'y vais", now=world.clock.now)
    assert await world.work(hours=20) == []
    await world.resolve(alert)
    told = await world.work()
    assert sorted(told) == [f"resolved warning {who}: 1" for who in ("astreinte", "directeur", "mairie")]


async def test_nobody_on_call_is_a_dead_letter(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await set_steps(world.connection, tenant_id, [(600, None)])
    await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    await world.work(seconds=31)
    await world.work(minutes=10)
    (dead,) = await letters(world.connection, tenant_id, state="dead")
    assert dead.error == "nobody is on call"
    assert ("", "dead") in world.outcomes
    assert "undelivered" in [one.kind for one in await happenings(world.connection, 1)]


async def test_quiet_hours_and_digests_gather_what_can_wait(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "nuit", preferences={"quiet_from": "22:00", "quiet_to": "07:00"})
    await world.contact(tenant_id, "hebdo", preferences={"digest": "weekly", "digest_weekday": 4, "digest_at": "08:00"})
    world.clock.now = datetime(2026, 11, 16, 22, 30, tzinfo=UTC)  # 23:30 there
    first = await world.fire(await world.rule(tenant_id, "frost"), site_id=site_id, point_id=point_id)
    await world.fire(await world.rule(tenant_id, "co2"), site_id=site_id, point_id=point_id)
    await world.fire(await world.rule(tenant_id, "leak", "critical"), site_id=site_id, point_id=point_id)
    assert sorted(await world.work(minutes=5)) == ["opened critical hebdo: 3", "opened critical nuit: 3"]
    await world.resolve(first)
    assert await world.work(minutes=1) == []
    world.clock.now = datetime(2026, 11, 17, 6, 0, tzinfo=UTC)  # 07:00
    assert await world.work() == ["digest warning nuit: [1, 2]"]
    world.clock.now = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)  # Friday 08:00
    assert await world.work() == ["digest warning hebdo: [1, 2]"]


async def test_a_storm_does_not_flood_anybody(world: World) -> None:
    """Twenty causes in a minute: three messages, the rest in one digest an hour later."""
    tenant_id = await world.tenant("doullens")
    await world.contact(tenant_id, "mairie")
    rule_id = await world.rule(tenant_id)
    for n in range(20):
        site_id, point_id = await world.point(tenant_id, f"Site {n}", "P")
        await world.fire(rule_id, site_id=site_id, point_id=point_id)
    # Caps are looked at before each batch leaves: one batch may pass whole.
    told = await world.work(seconds=31) + await world.work(minutes=30)
    assert len(told) <= 16
    (digest,) = await world.work(minutes=61)
    assert digest.startswith("digest")
    assert len(told) + digest.count(",") + 1 == 20


async def test_a_failure_is_tried_again_with_the_same_words_and_identity(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    world.box.failures = [
        DeliveryError("busy", permanent=False),
        DeliveryError("later", permanent=False, retry_after_s=600),
    ]
    assert await world.work(seconds=31) == []
    assert await world.work(seconds=15) == []
    assert await world.work(seconds=599) == []
    assert await world.work(seconds=1) == ["opened warning mairie: 1"]
    assert [outcome for _, outcome in world.outcomes] == ["again", "again", "sent"]


async def test_a_refusal_for_good_is_a_dead_letter_that_can_be_revived(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    world.box.failures = [DeliveryError("no such mailbox", permanent=True)]
    assert await world.work(seconds=31) == []
    (dead,) = await letters(world.connection, tenant_id, state="dead")
    assert dead.error == "no such mailbox"
    assert not await revive(world.connection, await world.tenant("corbie"), dead.delivery_id, world.clock.now)
    assert await revive(world.connection, tenant_id, dead.delivery_id, world.clock.now)
    assert await world.work() == ["opened warning mairie: 1"]


async def test_a_worker_killed_after_sending_sends_again_under_the_same_identity(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    await world.contact(tenant_id, "mairie")
    await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    await world.work()
    world.clock.pass_(seconds=31)
    sent = asyncio.Event()

    async def send_and_hang(*_: object) -> None:
        sent.set()
        await asyncio.Event().wait()

    world.box.send, send = send_and_hang, world.box.send  # type: ignore[method-assign]
    killed = asyncio.create_task(work_once(world.post))
    await sent.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    first = await world.connection.fetchrow("SELECT message_id, notice FROM deliveries")
    world.box.send = send  # type: ignore[method-assign]
    assert await world.work(seconds=44) == []  # another may still be sending it
    await world.work(seconds=2)
    again = await world.connection.fetchrow("SELECT message_id, notice FROM deliveries WHERE state = 'sent'")
    assert again == first


async def test_any_number_of_workers_tell_each_thing_once(world: World) -> None:
    tenant_id = await world.tenant("doullens")
    await world.contact(tenant_id, "mairie")
    rule_id = await world.rule(tenant_id, severity="critical")
    for n in range(60):
        site_id, point_id = await world.point(tenant_id, f"Site {n}", "P")
        await world.fire(rule_id, site_id=site_id, point_id=point_id)

    async def one_worker() -> None:
        while await work_once(world.post):
            pass

    await asyncio.gather(*(one_worker() for _ in range(4)))
    told = await world.work(minutes=1)
    assert len(told) == 60
    assert len(set(told)) == 60


async def test_a_removed_contact_is_told_nothing_more(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    contact_id = await world.contact(tenant_id, "mairie", preferences={"remind_every_s": 900})
    await world.fire(await world.rule(tenant_id), site_id=site_id, point_id=point_id)
    assert await world.work(seconds=31) == ["opened warning mairie: 1"]
    with pytest.raises(NotFoundError):
        await remove_contact(world.connection, await world.tenant("corbie"), contact_id, world.clock.now)
    await remove_contact(world.connection, tenant_id, contact_id, world.clock.now)
    assert await world.work(hours=3) == []
    assert await world.connection.fetchval("SELECT target FROM contacts WHERE contact_id = $1", contact_id) == "{}"


async def test_history_is_searched_and_is_the_tenants_own(world: World) -> None:
    tenant_id, site_id, point_id = await a_school(world)
    other = await world.tenant("corbie")
    for kind in ("frost", "co2", "100%_sure"):
        await world.fire(await world.rule(tenant_id, kind), site_id=site_id, point_id=point_id)
    await world.work(seconds=31)
    found = await list_incidents(world.connection, tenant_id, text="école")
    assert [one.rule_name for one in found] == ["100%_sure", "co2", "frost"]
    assert [one.rule_name for one in await list_incidents(world.connection, tenant_id, text="0%_")] == ["100%_sure"]
    assert await list_incidents(world.connection, other) == []
    for act in (incidents.acknowledge, incidents.comment):
        with pytest.raises(NotFoundError):
            await act(world.connection, other, found[0].incident_id, who="x", note="", now=world.clock.now)
    with pytest.raises(NotFoundError):
        await incidents.assign(world.connection, other, found[0].incident_id, to="x", who="x", now=world.clock.now)
    await incidents.assign(world.connection, tenant_id, found[0].incident_id, to="Paul", who="M", now=world.clock.now)
    await incidents.comment(world.connection, tenant_id, found[0].incident_id, who="M", note="vu", now=world.clock.now)
    said = [(one.kind, one.who, one.note) for one in await happenings(world.connection, found[0].incident_id)]
    assert said[-2:] == [("assigned", "M", "Paul"), ("commented", "M", "vu")]
