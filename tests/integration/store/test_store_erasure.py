"""Deletion of what a household's meter said, proven by reading every table afterwards."""

from collections.abc import AsyncIterator
from datetime import timedelta

import api_world
import asyncpg
import pytest
from api_world import NOW
from store_world import Row, write_measurements

from api.access import digest
from deploy.embedded.postgres import role_dsn
from domain.errors import NotFoundError
from domain.processings import PROCESSINGS
from store.access.bearer import enter
from store.access.roles import API
from store.maintenance.erasing import erase_expired
from store.maintenance.run import run_once
from store.open_data import Wanted, add_dataset
from store.partitions import ensure_partitions, month_of
from store.personal import erase_point

VALUE = 4242.4242  # in nothing else
PAYLOAD = b"\xc0\xff\xee\x42"
TRACES = ("4242.42", PAYLOAD.hex())
EVERY_TABLE = """
SELECT format('%I.%I', nspname, relname) AS name
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind IN ('r', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', '_timescaledb_catalog')
 ORDER BY 1
"""
ALERTED = """
WITH rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity)
  VALUES ($1, 'Fuite', 'threshold', '{}', '{}', 'warning') RETURNING rule_id
), state AS (
  INSERT INTO rule_states (rule_id, rule_version, tenant_id, point_id, phase, phase_since, value, machine, folded_to,
                           evaluated_at, due_at)
  SELECT rule_id, 1, $1, $2, 'firing', $3, $4, json_build_object('last', $4::float8), $3, $3, $3 FROM rule
  RETURNING state_id, rule_id
), incident AS (
  INSERT INTO incidents (tenant_id, cause, opened_at) VALUES ($1, 'x', $3) RETURNING incident_id
), alert AS (
  INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, point_id, severity, degree, phase, started_at, value,
                      reason, told, incident_id)
  SELECT gen_random_uuid(), $1, rule_id, state_id, $2, 'warning', 1, 'firing', $3, $4,
         jsonb_build_object('value', $4::float8), true, incident_id
    FROM state, incident
  RETURNING alert_id, rule_id, state_id, incident_id
), transition AS (
  INSERT INTO transitions (tenant_id, rule_id, state_id, alert_id, at, from_phase, to_phase, degree, value, reason,
                           told)
  SELECT $1, rule_id, state_id, alert_id, $3, 'calm', 'firing', 1, $4, jsonb_build_object('value', $4::float8), true
    FROM alert
)
INSERT INTO deliveries (message_id, tenant_id, incident_id, kind, severity, state, due_at, created_at, notice)
SELECT 'x', $1, incident_id, 'opened', 'warning', 'sent', $3, $3, jsonb_build_object('text', $4::text) FROM alert
"""


@pytest.fixture
async def owner(any_territory: api_world.Territory) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(any_territory.dsn, server_settings={"timezone": "UTC"})
    yield connection
    await connection.close()


async def traces(owner: asyncpg.Connection) -> set[str]:
    """Return the tables that hold something of it."""
    found = set()
    for row in await owner.fetch(EVERY_TABLE):
        for trace in TRACES:
            if await owner.fetchval(
                f"SELECT EXISTS (SELECT FROM {row['name']} AS one WHERE one::text LIKE $1)", f"%{trace}%"
            ):
                found.add(row["name"].rpartition(".")[2])
    return found


async def said_by_a_household(owner: asyncpg.Connection, world: api_world.World) -> None:
    """Let the meter say VALUE in frames of PAYLOAD for two days, with all that becomes of it."""
    device_id = world.water.device_id
    times = [NOW - timedelta(hours=hours) for hours in range(1, 60)]
    await owner.execute("UPDATE points SET is_individual = true WHERE point_id = $1", world.water.point_id)
    await owner.execute("DELETE FROM measurements WHERE device_id = $1", device_id)
    await write_measurements(owner, [Row(device_id, "water_volume", 0, at, VALUE) for at in times])
    for relation in ("uplinks", "receptions", "network_events"):
        await ensure_partitions(owner, relation, {month_of(at) for at in times})
    await owner.executemany(
        "INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, confirmed, adr,"
        " dev_addr, outcome, detail, payload, object)"
        " VALUES ($1, 1, $1, 1, $2, 1, false, true, '', 'decoded', '', $3, $4)",
        [(at, device_id, PAYLOAD, f'{{"index": {VALUE}}}') for at in times],
    )
    await owner.execute("UPDATE latest_frames SET readings = ARRAY[$2::float8] WHERE device_id = $1", device_id, VALUE)
    await owner.execute(
        "INSERT INTO quarantine (digest, first_at, last_at, source_id, lns, topic, reason, detail, dev_eui, day,"
        " message, message_bytes) VALUES ('x', $1, $1, 1, '', '', 'implausible', '', $2, $3, $4, 4)",
        *(times[0], f"{2:016x}", NOW.date(), PAYLOAD),
    )
    await owner.execute(ALERTED, world.tenant_id, world.water.point_id, times[0], VALUE)
    await run_once(owner, NOW)
    wanted = Wanted("eau", "Eau", "Eau", ["water_volume"], "point", "day", NOW - timedelta(days=3))
    dataset = await add_dataset(owner, world.tenant_id, wanted)
    await owner.execute(
        "INSERT INTO open_rows (dataset_id, site_id, point_id, quantity, channel, start, site, samples, mean)"
        " VALUES ($1, 1, $2, 'water_volume', 0, $3, 'x', 1, $4)",
        *(dataset, world.water.point_id, NOW, VALUE),
    )


async def erased(api: asyncpg.Connection, bearer: bytes, point_id: int) -> int:
    async with api.transaction():
        await enter(api, bearer)
        return await erase_point(api, point_id, "demande de l'abonné")


async def test_nothing_of_a_household_is_left_in_any_table(
    owner: asyncpg.Connection, any_territory: api_world.Territory
) -> None:
    dsn, world = any_territory
    await said_by_a_household(owner, world)
    told = {"latest_frames", "quarantine", "alerts", "transitions", "rule_states", "deliveries", "open_rows"}
    before = await traces(owner)
    assert told <= before
    assert len(before - told) >= 4  # measurements, hours, days, uplinks: their partitions or chunks
    others = await owner.fetchval("SELECT count(*) FROM measurements WHERE device_id <> $1", world.water.device_id)
    cookie = await api_world.sign_in(owner, ("manager", world.tenant_id))
    api = await asyncpg.connect(role_dsn(dsn, API), server_settings={"search_path": "visible, public"})
    try:
        bearer = digest(cookie["samara"])
        assert await erased(api, bearer, world.water.point_id) >= 59 * 2
        with pytest.raises(NotFoundError):
            await erased(api, bearer, world.foreign.point_id)
    finally:
        await api.close()
    assert await traces(owner) == set()
    assert others == await owner.fetchval("SELECT count(*) FROM measurements")
    assert await owner.fetchval("SELECT detail LIKE '%abonné%' FROM audit WHERE action = 'point.erased'")
    await run_once(owner, NOW + timedelta(days=1))  # and maintenance brings nothing back
    assert await traces(owner) == set()


async def test_what_is_older_than_its_tenant_keeps_it_is_deleted(
    owner: asyncpg.Connection, any_territory: api_world.Territory
) -> None:
    world = any_territory.world
    await said_by_a_household(owner, world)
    kept = PROCESSINGS["individual_water"].keep_months
    assert await erase_expired(owner, NOW + timedelta(days=30 * kept), slices=1) == 0
    assert "uplinks" in {name.partition("_")[0] for name in await traces(owner)}
    later = NOW + timedelta(days=31 * (kept + 1))
    await owner.execute("UPDATE points SET is_individual = NULL WHERE point_id = $1", world.water.point_id)
    assert await erase_expired(owner, later, slices=1) == 0  # nobody said whose it is
    await owner.execute("UPDATE points SET is_individual = true WHERE point_id = $1", world.water.point_id)
    assert await erase_expired(owner, later, slices=1) == 59
    assert await traces(owner) <= {"quarantine", "alerts", "transitions", "rule_states", "deliveries", "open_rows"}


async def test_a_tenant_keeps_it_for_less(owner: asyncpg.Connection, any_territory: api_world.Territory) -> None:
    world = any_territory.world
    await said_by_a_household(owner, world)
    await owner.execute(
        "INSERT INTO processings VALUES ($1, 'individual_water', 'Fuites', 'Contrat', 1)", world.tenant_id
    )
    assert await erase_expired(owner, NOW + timedelta(days=70), slices=1) == 59
