"""What the database shows to each of its roles, whatever statement they send: the promises of docs/access.md."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple

import api_world
import asyncpg
import pytest
from api_world import NOW

from api.access import digest
from api.context import snapshot
from deploy.embedded.postgres import role_dsn
from store.access.accounts import add_account, grant, set_disabled
from store.access.bearer import enter, narrow, who_is, who_may
from store.access.roles import ACCOUNTS, ALERTING, API, GRAFANA, INGEST, PROVISIONING, standing
from store.access.sessions import Lifetime, end_session, open_session
from store.assignments import assign, move
from store.fleet import TenantDeclaration, declare_point, declare_site, declare_tenant
from store.pool import SEEN_FIRST, open_pool

LIFE = Lifetime(idle=timedelta(hours=1), whole=timedelta(hours=8))

# Nobody's rows: vocabularies, and what tells nothing of anybody.
SHARED = {"quantities", "models", "decoders", "sources", "changed_days", "schema_migrations"}
# What only its owner and one of the other roles use.
TELEMETRY = (
    "measurements", "measurements_hourly", "measurements_daily", "uplinks", "receptions", "latest_frames", "latest",
    "changed_hours", "radio_accounts", "network_events", "gateways_heard", "ingest_accounts", "quarantine",
    "frames_daily", "heard_daily",
)  # fmt: skip


class Ground(NamedTuple):
    """A filled database, seen by its owner, and somebody of Mareuville."""

    owner: asyncpg.Connection
    dsn: str
    world: api_world.World
    bearer: bytes


async def session_of(owner: asyncpg.Connection, email: str, *grants: tuple[str, int | None, bool]) -> bytes:
    account_id = await add_account(owner, email)
    assert account_id is not None
    for role, tenant_id, with_descendants in grants:
        await grant(owner, account_id, role, tenant_id, with_descendants=with_descendants)
    bearer = digest(secrets.token_urlsafe())
    await open_session(owner, bearer, account_id, LIFE)
    return bearer


@pytest.fixture
async def ground(any_territory: api_world.Territory) -> AsyncIterator[Ground]:
    dsn, world = any_territory
    owner = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    await owner.execute("INSERT INTO gateways (gateway_eui) VALUES ('00000000000000aa')")
    await owner.execute("INSERT INTO gateways_heard VALUES (1, 'w', now())")
    bearer = await session_of(owner, "mairie@example.fr", ("manager", world.tenant_id, True))
    yield Ground(owner, dsn, world, bearer)
    await owner.close()


async def connected(dsn: str, role: str) -> asyncpg.Connection:
    path = "visible, public" if role in {API, GRAFANA} else "public"
    return await asyncpg.connect(role_dsn(dsn, role), server_settings={"search_path": path, "timezone": "UTC"})


async def sent(connection: asyncpg.Connection, bearer: bytes | None, statement: str, *values: object) -> None:
    async with connection.transaction():
        await enter(connection, bearer)
        await connection.execute(statement, *values)


async def relations(owner: asyncpg.Connection) -> list[asyncpg.Record]:
    return await owner.fetch(
        """
        SELECT nspname AS schema, relname AS name, relrowsecurity AND relforcerowsecurity AS forced,
               reloptions @> '{security_barrier=true}' AS barrier,
               has_table_privilege('samara_api', pg_class.oid, 'SELECT') AS api,
               has_table_privilege('samara_grafana', pg_class.oid, 'SELECT') AS grafana
          FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
           AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')  -- TimescaleDB's own
        """
    )


async def test_whatever_the_api_and_grafana_may_read_is_guarded(ground: Ground) -> None:
    found = await relations(ground.owner)
    assert len(found) > 40
    for one in found:
        readable = one["api"] or one["grafana"]
        if one["schema"] == "visible":
            assert one["barrier"], one["name"]
        elif readable and one["name"] not in SHARED:
            assert one["forced"], f"{one['schema']}.{one['name']}: CALL protect(…), or no grant to samara_api"
        if one["name"] in TELEMETRY and one["schema"] != "visible":
            assert not readable, one["name"]


async def test_every_table_with_a_tenant_has_row_security_or_is_nobody_s_to_read(ground: Ground) -> None:
    held = {
        row["relname"]
        for row in await ground.owner.fetch(
            """
            SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
               AND attname IN ('tenant_id', 'of_tenant_id', 'account_id') AND NOT attisdropped
            """
        )
    }
    forced = {one["name"] for one in await relations(ground.owner) if one["forced"]}
    readable = {one["name"] for one in await relations(ground.owner) if one["schema"] == "public" and one["api"]}
    assert {"tenants", "sites", "devices", "accounts", "sessions", "audit"} <= held & forced
    assert held & readable <= forced


async def test_no_role_passes_over_row_security(ground: Ground) -> None:
    for role in (API, ACCOUNTS, INGEST, ALERTING, PROVISIONING, GRAFANA):
        connection = await connected(ground.dsn, role)
        found = await standing(connection)
        await connection.close()
        assert (found.role, found.bypasses, found.owns) == (role, False, False)
    assert (await standing(ground.owner)).bypasses


@pytest.mark.parametrize("role", [API, GRAFANA])
async def test_read_directly_no_relation_has_a_foreign_row(ground: Ground, role: str) -> None:
    """Every table, view, partition, chunk and aggregate, without a bearer and with one of Mareuville."""
    connection = await connected(ground.dsn, role)
    foreign = ground.world.foreign
    own_devices = {ground.world.air.device_id, ground.world.water.device_id, ground.world.door.device_id}
    seen: set[str] = set()
    try:
        for bearer in (None, ground.bearer) if role == API else (None,):
            for one in await relations(ground.owner):
                name = f'"{one["schema"]}"."{one["name"]}"'
                async with connection.transaction():
                    await enter(connection, bearer)
                    try:
                        async with connection.transaction():
                            rows = await connection.fetch(f"SELECT * FROM {name}")
                    except asyncpg.InsufficientPrivilegeError:
                        continue
                if one["name"] in SHARED:
                    continue
                if bearer is None:
                    assert rows == [], name
                for row in rows:
                    fields = dict(row)
                    for column in ("tenant_id", "of_tenant_id"):
                        assert fields.get(column, ground.world.tenant_id) == ground.world.tenant_id, name
                    assert fields.get("device_id") in {None, *own_devices, ground.world.silent.device_id}, name
                    assert fields.get("point_id") != foreign.point_id, name
                    assert "Secret" not in str(fields), name
                    seen.add(one["name"])
        if role == API:
            assert {"measurements", "latest_frames", "latest", "sites", "points", "devices", "assignments"} <= seen
    finally:
        await connection.close()


async def test_statements_that_got_in_make_nobody_of_nothing(ground: Ground) -> None:
    """SQL that an attacker would send on the API's own connection, in its own transaction."""
    connection = await connected(ground.dsn, API)
    attempts = (
        "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres", "RESET ROLE; SET ROLE samara_accounts",
        "SET row_security = off; SELECT * FROM sites",
        "SELECT * FROM sessions", "SELECT * FROM passwords", "SELECT * FROM accounts", "SELECT * FROM api_keys",
        "SELECT * FROM device_keys", "SELECT * FROM second_factors", "SELECT * FROM public.measurements",
        "INSERT INTO sessions (digest, account_id, idle, expires_at) VALUES ('\\x00', 1, '1 day', now() + '1 day')",
        "INSERT INTO grants (account_id, role, with_descendants) VALUES (1, 'administrator', true)",
        "SELECT * FROM bearer_of('\\x00')", "SELECT audit_append(1, 'x', 'x', NULL, '', '{}')",
        "UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit", "DROP VIEW visible.measurements",
        "CREATE TABLE public.mine (x integer)", "CREATE FUNCTION public.mine() RETURNS integer RETURN 1",
        "ALTER TABLE sites DISABLE ROW LEVEL SECURITY", "ALTER TABLE sites NO FORCE ROW LEVEL SECURITY",
        "COPY sites TO PROGRAM 'cat'", "SELECT pg_read_file('/etc/passwd')", "CREATE EXTENSION dblink",
    )  # fmt: skip
    try:
        for statement in attempts:
            with pytest.raises(asyncpg.PostgresError):
                await sent(connection, ground.bearer, statement)
        foreign = await ground.owner.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
        for setting in (
            f"SET LOCAL samara.tenant = '{foreign}'",
            f"SET samara.tenant = '{foreign}'",
            "SET LOCAL samara.bearer = 'ff'",
            f"SELECT set_config('samara.bearer', '{secrets.token_hex(32)}', true)",
            "SET LOCAL samara.tenant = ''",
            "SET LOCAL search_path = public, visible",
        ):
            async with connection.transaction():
                await enter(connection, ground.bearer)
                await connection.execute(setting)
                assert await connection.fetch("SELECT * FROM sites WHERE tenant_id = $1", foreign) == []
                assert (
                    await connection.fetch(
                        "SELECT * FROM visible.measurements WHERE device_id = $1", ground.world.foreign.device_id
                    )
                    == []
                )
            await connection.execute("RESET ALL")
            await connection.execute("SET search_path = visible, public")
    finally:
        await connection.close()


async def test_a_leaky_condition_learns_nothing_behind_the_barrier(ground: Ground) -> None:
    """An error that quotes a value must not quote one of a row that is not shown."""
    connection = await connected(ground.dsn, API)
    try:
        for relation in ("visible.latest_frames", "visible.measurements"):
            async with connection.transaction():
                await enter(connection, ground.bearer)
                own = await connection.fetchval(f"SELECT count(*) FROM {relation}")
                leaky = f"SELECT count(*) FROM {relation} WHERE 1 / (device_id - {ground.world.foreign.device_id}) < 9"
                assert await connection.fetchval(leaky) == own  # dividing by zero would tell that the row is there
    finally:
        await connection.close()


async def test_a_grant_covers_a_tenant_or_it_and_its_descendants(ground: Ground) -> None:
    owner = ground.owner
    await declare_tenant(owner, TenantDeclaration("somme", "Somme", "departement"))
    epci = await declare_tenant(owner, TenantDeclaration("val", "Val", "epci", "somme"))
    mareuville = await declare_tenant(owner, TenantDeclaration("mareuville", "Mareuville", "commune", "val"))
    outside = await declare_tenant(owner, TenantDeclaration("sdis", "SDIS", "sdis"))
    alone = await session_of(owner, "epci@example.fr", ("viewer", epci, False))
    below = await session_of(owner, "epci2@example.fr", ("viewer", epci, True))
    everywhere = await session_of(owner, "tout@example.fr", ("viewer", None, True))
    connection = await connected(ground.dsn, API)

    async def seen(bearer: bytes) -> set[int]:
        async with connection.transaction():
            await enter(connection, bearer)
            return {row["tenant_id"] for row in await connection.fetch("SELECT tenant_id FROM tenants")}

    try:
        assert await seen(alone) == {epci}
        assert await seen(below) == {epci, mareuville}
        assert {outside, epci, mareuville} < await seen(everywhere)
        new = await declare_tenant(owner, TenantDeclaration("neuve", "Neuve", "commune", "val"))
        assert await seen(below) == {epci, mareuville, new}
        await declare_tenant(owner, TenantDeclaration("neuve", "Neuve", "commune", "somme"))
        assert await seen(below) == {epci, mareuville}
        with pytest.raises(Exception, match="tenants_tree_check"):
            await declare_tenant(owner, TenantDeclaration("somme", "Somme", "departement", "val"))
    finally:
        await connection.close()


async def test_a_supervisor_sees_how_sensors_fare_and_not_what_they_say(ground: Ground) -> None:
    bearer = await session_of(ground.owner, "reseau@example.fr", ("supervisor", None, True))
    connection = await connected(ground.dsn, API)
    try:
        async with connection.transaction():
            await enter(connection, bearer)
            assert await connection.fetchval("SELECT count(*) FROM devices") == 5
            assert await connection.fetchval("SELECT count(*) FROM gateways") == 1
            assert await connection.fetchval("SELECT count(*) FROM measurements") == 0
            assert await connection.fetchval("SELECT count(*) FROM latest") == 0
            assert await connection.fetchval("SELECT max(received_at) FROM latest_frames") == NOW
            assert await connection.fetchval("SELECT count(*) FROM alerts") == 0
        async with connection.transaction():
            await enter(connection, ground.bearer)
            assert await connection.fetchval("SELECT count(*) FROM gateways") == 0
    finally:
        await connection.close()


async def test_a_moved_device_shows_each_tenant_its_own_time(ground: Ground) -> None:
    owner, world = ground.owner, ground.world
    other = await owner.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    moved_at = NOW - timedelta(days=10)
    await move(owner, world.water.device_id, other, moved_at)
    point = await declare_point(owner, await declare_site(owner, other, "Chaufferie"), "Eau")
    await assign(owner, world.water.device_id, point, moved_at)
    theirs = await session_of(owner, "autre@example.fr", ("viewer", other, True))
    whole = await owner.fetchval("SELECT count(*) FROM measurements WHERE device_id = $1", world.water.device_id)
    connection = await connected(ground.dsn, API)

    async def times(bearer: bytes) -> asyncpg.Record:
        async with connection.transaction():
            await enter(connection, bearer)
            row = await connection.fetchrow(
                "SELECT count(*), min(measured_at), max(measured_at) FROM measurements WHERE device_id = $1",
                world.water.device_id,
            )
            assert row is not None
            return row

    try:
        before, after = await times(ground.bearer), await times(theirs)
        assert before["count"] + after["count"] == whole
        assert before["count"] > 0
        assert after["count"] > 0
        assert before["max"] < moved_at <= after["min"]
    finally:
        await connection.close()


async def test_a_session_that_ended_or_an_account_that_is_disabled_shows_nothing(ground: Ground) -> None:
    connection = await connected(ground.dsn, API)

    async def sites(bearer: bytes) -> int:
        async with connection.transaction():
            await enter(connection, bearer)
            return int(await connection.fetchval("SELECT count(*) FROM sites"))

    try:
        assert await sites(ground.bearer) == 2
        who = await who_is(connection, ground.bearer)
        assert who is not None
        assert who.permissions == {"health", "read", "manage"}
        for ending in (
            "UPDATE sessions SET expires_at = now() - interval '1 second'",
            "UPDATE sessions SET seen_at = now() - interval '2 hours', expires_at = now() + interval '1 hour'",
            "UPDATE sessions SET seen_at = now(), is_pending = true",
        ):
            await ground.owner.execute(ending)
            assert await sites(ground.bearer) == 0
            assert await who_is(connection, ground.bearer) is None
        await ground.owner.execute("UPDATE sessions SET is_pending = false")
        assert await sites(ground.bearer) == 2
        await set_disabled(ground.owner, who.account_id, disabled=True)
        assert await sites(ground.bearer) == 0
        await set_disabled(ground.owner, who.account_id, disabled=False)
        await end_session(ground.owner, ground.bearer)
        assert await sites(ground.bearer) == 0
    finally:
        await connection.close()


async def test_narrowing_takes_away_and_gives_nothing(ground: Ground) -> None:
    everywhere = await session_of(ground.owner, "tout@example.fr", ("viewer", None, True))
    foreign = await ground.owner.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    pool = await asyncpg.create_pool(role_dsn(ground.dsn, API), min_size=1, max_size=1)
    async with pool.acquire() as connection:
        async with connection.transaction():
            await enter(connection, everywhere)
            assert await connection.fetchval("SELECT count(*) FROM tenants") == 2
            assert await narrow(connection, foreign, "read")
            assert [row["slug"] for row in await connection.fetch("SELECT slug FROM tenants")] == ["autreville"]
            assert not await narrow(connection, ground.world.tenant_id, "read")
        async with connection.transaction():
            await enter(connection, ground.bearer)
            assert not await narrow(connection, foreign, "read")
            assert await connection.fetch("SELECT * FROM tenants") == []
        with pytest.raises(RuntimeError, match="inside a transaction"):
            await enter(connection, ground.bearer)
    assert await who_may(pool, {everywhere, ground.bearer, b"x"}, "read", foreign) == {everywhere}
    await pool.close()


async def test_a_technician_writes_where_they_may_and_nowhere_else(ground: Ground) -> None:
    bearer = await session_of(ground.owner, "tech@example.fr", ("technician", ground.world.tenant_id, True))
    foreign = await ground.owner.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    foreign_site = await ground.owner.fetchval("SELECT site_id FROM sites WHERE tenant_id = $1", foreign)
    connection = await connected(ground.dsn, API)
    try:
        async with connection.transaction():
            await enter(connection, bearer)
            await declare_point(connection, await declare_site(connection, ground.world.tenant_id, "Gymnase"), "Air")
        refused = (
            ("INSERT INTO sites (tenant_id, name) VALUES ($1, 'x')", foreign),
            ("INSERT INTO points (site_id, name) VALUES ($1, 'x')", foreign_site),
            ("INSERT INTO points (site_id, name) VALUES ($1, 'x')", 2**31 - 1),  # absent: the same words
            ("INSERT INTO points (site_id, name, of_tenant_id) SELECT $1, 'x', tenant_id FROM tenants", foreign_site),
            ("INSERT INTO devices (dev_eui, tenant_id) VALUES ('00000000000000ff', $1)", foreign),
            ("UPDATE devices SET tenant_id = $1 WHERE device_id = 1", foreign),
            ("UPDATE sites SET tenant_id = $1", foreign),
            ("INSERT INTO assignments (device_id, point_id, during) VALUES ($1, 1, tstzrange(now(), NULL))", 5),
        )
        told = set()
        for statement, value in refused:
            with pytest.raises(asyncpg.InsufficientPrivilegeError) as error:
                await sent(connection, bearer, statement, value)
            if "points" in statement:
                told.add(str(error.value))
        assert len(told) == 1
        for bearer_without in (ground.bearer, None):
            statement = "INSERT INTO sites (tenant_id, name) VALUES ($1, 'x')"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await sent(connection, bearer_without, statement, ground.world.tenant_id)
        async with connection.transaction():
            await enter(connection, bearer)
            assert await connection.execute("UPDATE sites SET name = 'x' WHERE tenant_id = $1", foreign) == "UPDATE 0"
            assert await connection.execute("DELETE FROM sites WHERE tenant_id = $1", foreign) == "DELETE 0"
            for table in ("points", "assignments"):  # whose they are is not theirs to say
                await connection.execute(f"UPDATE {table} SET of_tenant_id = $1", foreign)
                assert await connection.fetch(f"SELECT FROM {table} WHERE of_tenant_id = $1", foreign) == []
    finally:
        await connection.close()


async def test_a_role_of_grafana_reads_for_the_account_that_it_is_bound_to(ground: Ground) -> None:
    account_id = await add_account(ground.owner, "grafana-mareuville@example.fr")
    assert account_id is not None
    await grant(ground.owner, account_id, "viewer", ground.world.tenant_id, with_descendants=False)
    connection = await connected(ground.dsn, GRAFANA)
    try:
        assert await connection.fetchval("SELECT count(*) FROM measurements") == 0
        await ground.owner.execute("INSERT INTO database_readers VALUES ('samara_grafana', $1)", account_id)
        devices = {row["device_id"] for row in await connection.fetch("SELECT DISTINCT device_id FROM measurements")}
        assert devices == {ground.world.air.device_id, ground.world.water.device_id, ground.world.door.device_id}
        await connection.execute("SET samara.bearer = 'ff'")
        assert await connection.fetchval("SELECT count(*) FROM measurements") == 0
    finally:
        await connection.close()


async def interleave(ground: Ground, requests: int) -> None:
    """Two tenants' readers on a pool of two, many of them cut off anywhere: each sees its own rows or none."""
    other = await ground.owner.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    bearers = {
        ground.world.tenant_id: ground.bearer,
        other: await session_of(ground.owner, "autre@example.fr", ("viewer", other, True)),
    }
    chance = random.Random(1)
    pool = await open_pool(role_dsn(ground.dsn, API), size=2, application="isolation", search_path=SEEN_FIRST)
    counts: Counter[str] = Counter()

    async def request(tenant_id: int | None) -> None:
        bearer = None if tenant_id is None else bearers[tenant_id]
        async with snapshot(pool, bearer) as connection:
            rows = await connection.fetch("SELECT tenant_id FROM sites UNION ALL SELECT tenant_id FROM devices")
            assert {row["tenant_id"] for row in rows} == ({tenant_id} if tenant_id else set())
            if tenant_id and chance.random() < 0.3:
                await narrow(connection, tenant_id, "read")
            telling = await connection.fetchval("SELECT count(*) FROM latest")
            assert (telling > 0) == (tenant_id is not None)
            counts["whole"] += 1

    async def cut(task: asyncio.Task[None]) -> None:
        await asyncio.sleep(chance.random() * 0.02)
        task.cancel()
        counts["cut"] += 1

    try:
        for start in range(0, requests, 100):
            tasks = [
                asyncio.create_task(request(chance.choice([*bearers, None])))
                for _ in range(start, min(start + 100, requests))
            ]
            cuts = [asyncio.create_task(cut(task)) for task in tasks if chance.random() < 0.2]
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome
            await asyncio.gather(*cuts)
        async with pool.acquire() as one, pool.acquire() as two:
            for connection in (one, two):
                assert await connection.fetchval("SELECT current_setting('samara.bearer', true)") in {None, ""}
                assert await connection.fetchval("SELECT count(*) FROM sites") == 0
    finally:
        pool.terminate()
    assert counts["whole"] > requests / 2
    assert counts["cut"] > requests / 10


async def test_interleaved_and_cut_requests_on_two_connections_see_their_own_rows(ground: Ground) -> None:
    await interleave(ground, 400)


@pytest.mark.slow
async def test_ten_thousand_interleaved_and_cut_requests_see_their_own_rows(ground: Ground) -> None:
    await interleave(ground, 10_000)


async def test_only_who_speaks_for_a_tenant_agrees_in_its_name(ground: Ground) -> None:
    above = await declare_tenant(ground.owner, TenantDeclaration("val-de-selle", "CC du Val de Selle", "epci"))
    await declare_tenant(ground.owner, TenantDeclaration("mareuville", "Mareuville", "commune", "val-de-selle"))
    from_above = await session_of(ground.owner, "above@example.fr", ("administrator", above, True))
    agreeing = "INSERT INTO comparison_consents (tenant_id, account_id, agreed_by) SELECT $1, asking(), 'x'"
    api = await connected(ground.dsn, API)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sent(api, from_above, agreeing, ground.world.tenant_id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sent(api, ground.bearer, agreeing.replace("asking()", "NULL"), ground.world.tenant_id)
        await sent(api, ground.bearer, agreeing, ground.world.tenant_id)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sent(api, ground.bearer, "UPDATE comparison_consents SET agreed_by = 'y'")
        await sent(api, from_above, "DELETE FROM comparison_consents")
    finally:
        await api.close()
    assert await ground.owner.fetchval("SELECT count(*) FROM comparison_consents") == 0
