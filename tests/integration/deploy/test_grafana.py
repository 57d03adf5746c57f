"""`samara grafana sync` against a server that answers as Grafana does, and what each tenant's database role may do."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import api_world
import asyncpg
import jsonschema
import pytest
from grafana_server import State, grafana
from typer.testing import CliRunner

from deploy.cli.application import app
from deploy.grafana.dashboards import for_supervision, for_tenant
from deploy.grafana.desired import password_of
from deploy.grafana.panels import COLUMNS, Panel, dashboard
from store.access.accounts import add_account, grant
from store.access.readers import role_of
from store.maintenance.run import run_once
from store.reading.grafana import STATEMENTS

SECRET = "a secret of the tests, long enough"
SCHEMA = Path(__file__).parents[2] / "vectors" / "deploy" / "grafana" / "dashboard.jsonschema.json"
MACROS = (
    (r"\$__timeFilter\(([^()]*)\)", r"\1 BETWEEN '2025-11-01Z' AND '2025-12-01Z'"),
    (r"\{quantity\}", "temperature"),
    (r"\{domain\}", "environment"),
)


def expanded(statement: str) -> str:
    for macro, meaning in MACROS:
        statement = re.sub(macro, meaning, statement)
    return statement


class Grafana:
    """The command, and the server that it speaks to."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def sync(self, *options: str) -> tuple[int, str]:
        """Run it; return how many things it changed, and what it said."""
        result = await asyncio.to_thread(CliRunner().invoke, app, ["grafana", "sync", *options])
        assert result.exit_code == 0, repr(result.exception)
        changed = re.search(r"organisations, (\d+) things", result.stdout)
        assert changed, result.stdout
        return int(changed[1]), result.stdout


@pytest.fixture(params=["11.6", "12.3", "13.0"])
def server(request: pytest.FixtureRequest, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grafana]:
    with grafana(request.param) as (state, url):
        monkeypatch.setenv("SAMARA_DATABASE__DSN", database)
        monkeypatch.setenv("SAMARA_GRAFANA__URL", url)
        monkeypatch.setenv("SAMARA_GRAFANA__PASSWORD", "the password")
        monkeypatch.setenv("SAMARA_GRAFANA__DATABASE", "postgresql://database:5432/samara")
        monkeypatch.setenv("SAMARA_GRAFANA__DATABASE_SECRET", SECRET)
        yield Grafana(state)


async def people(database: str, world: Any) -> None:
    """A mayor who looks at Mareuville, a manager of it, a supervisor of the network, and somebody disabled."""
    connection = await asyncpg.connect(database)
    for email, role, tenant in (
        ("mayor@example.fr", "viewer", world.tenant_id),
        ("manager@example.fr", "manager", world.tenant_id),
        ("network@example.fr", "supervisor", None),
        ("gone@example.fr", "viewer", world.tenant_id),
    ):
        account = await add_account(connection, email)
        assert account is not None
        await grant(connection, account, role, tenant, with_descendants=True)
    await connection.execute("UPDATE accounts SET disabled_at = now() WHERE email = 'gone@example.fr'")
    await connection.close()


async def test_it_is_made_then_left_alone_then_mended(server: Grafana, database: str) -> None:
    connection = await asyncpg.connect(database)
    world = await api_world.build(connection)
    await people(database, world)
    would, _ = await server.sync("--dry-run")
    assert (would > 0, server.state.writes) == (True, [])
    server.state.named("Main Org.")["dashboards"]["theirs"] = {"uid": "theirs", "title": "T", "tags": ["samara"]}
    first, _ = await server.sync()
    assert first > would  # a dry run cannot look into what is not there
    assert (await server.sync())[0] == 0

    names = [one["name"] for one in server.state.orgs.values()]
    (mine,) = [name for name in names if name.endswith("[samara:mareuville]")]
    org = server.state.named(mine)
    roles = {server.state.users[number]["email"]: role for number, role in org["members"].items()}
    assert roles["mayor@example.fr"] == "Viewer"
    assert roles["manager@example.fr"] == "Editor"
    assert not roles.keys() & {"network@example.fr", "gone@example.fr"}
    assert set(org["dashboards"]) == {"samara-energy", "samara-water", "samara-environment", "samara-alerts"}
    supervision = server.state.named("Supervision [samara:supervision]")
    assert set(supervision["dashboards"]) == {"samara-network", "samara-ingest", "samara-load-test"}
    source = org["sources"]["samara"]
    assert (source["user"], source["url"]) == (role_of(world.tenant_id), "database:5432")

    org["dashboards"]["samara-water"]["panels"][0]["title"] = "changed by hand"
    org["dashboards"]["samara-old"] = {"uid": "samara-old", "title": "Old", "tags": ["samara"], "version": 1}
    org["dashboards"]["own"] = {"uid": "own", "title": "Own", "tags": ["samara"], "version": 1}
    org["members"] = {number: "Admin" if role == "Viewer" else role for number, role in org["members"].items()}
    server.state.users[99] = {"id": 99, "email": "guest@example.org", "login": "guest"}
    org["members"][99] = "Viewer"
    org["sources"]["samara"]["user"] = "postgres"
    await connection.execute("UPDATE accounts SET disabled_at = now() WHERE email = 'mayor@example.fr'")
    await connection.execute("DELETE FROM grants USING accounts WHERE email = 'manager@example.fr'"
                             " AND grants.account_id = accounts.account_id")  # fmt: skip
    await connection.execute(
        "INSERT INTO grants (account_id, role, with_descendants)"
        " SELECT account_id, 'supervisor', true FROM accounts WHERE email = 'manager@example.fr'"
    )
    assert (await server.sync())[0] > 0
    assert (await server.sync())[0] == 0
    assert org["sources"]["samara"]["user"] == role_of(world.tenant_id)
    assert set(org["dashboards"]) == {"samara-energy", "samara-water", "samara-environment", "samara-alerts", "own"}
    members = {server.state.users[number]["email"] for number in org["members"]}
    assert "guest@example.org" in members
    assert not members & {"manager@example.fr", "mayor@example.fr"}
    assert "theirs" in server.state.named("Main Org.")["dashboards"]
    await connection.close()


async def test_a_grafana_that_fails_amid_the_work_is_finished_by_the_next_run(server: Grafana, database: str) -> None:
    connection = await asyncpg.connect(database)
    await api_world.build(connection)
    await connection.close()
    server.state.fails = 9
    failed = await asyncio.to_thread(CliRunner().invoke, app, ["grafana", "sync"])
    assert "Grafana" in str(failed.exception)
    server.state.fails = 0
    assert (await server.sync())[0] > 0
    assert (await server.sync())[0] == 0


def test_a_grafana_that_is_down_is_one_sentence(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in (("URL", "http://127.0.0.1:9"), ("DATABASE", "postgresql://d/s"), ("DATABASE_SECRET", SECRET)):
        monkeypatch.setenv(f"SAMARA_GRAFANA__{key}", value)
    monkeypatch.setenv("SAMARA_DATABASE__DSN", database)
    result = CliRunner().invoke(app, ["grafana", "sync"])
    assert "Grafana" in str(result.exception)
    assert type(result.exception).__name__ == "GrafanaError"


def test_dashboards_are_of_grafanas_schema() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(schema)
    made = [*for_tenant(), *for_supervision()]
    for one in made:
        assert [error.message for error in validator.iter_errors(one)] == []
        assert len({panel["id"] for panel in one["panels"]}) == len(one["panels"])
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= COLUMNS for panel in one["panels"])
    assert list(validator.iter_errors({**made[0], "schemaVersion": "39"}))
    assert len({one["uid"] for one in made}) == len(made)


def test_panels_do_not_overlap() -> None:
    widths = (12, 12, 8, 8, 8, 24, 6)
    panels = [Panel(str(width), "table", "", table=True, width=width, height=width) for width in widths]
    places = [panel["gridPos"] for panel in dashboard("u", "t", panels)["panels"]]
    cells = [(x, y) for one in places for x in range(one["x"], one["x"] + one["w"])
             for y in range(one["y"], one["y"] + one["h"])]  # fmt: skip
    assert len(cells) == len(set(cells))


ALERT_OF_EACH_TENANT = """
WITH rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity)
  SELECT tenant_id, 'Trop chaud', 'threshold', '{}', '{}', 'warning' FROM tenants
  RETURNING tenant_id, rule_id
), incident AS (
  INSERT INTO incidents (tenant_id, cause, opened_at, severity)
  SELECT tenant_id, 'threshold:rule:' || rule_id, now(), 'warning' FROM rule
  RETURNING tenant_id, incident_id
)
INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, severity, degree, phase, started_at, reason, told,
                    incident_id)
SELECT gen_random_uuid(), tenant_id, rule_id, 1, 'warning', 1, 'firing', now(), '{}', true, incident_id
  FROM rule JOIN incident USING (tenant_id)
"""


async def test_a_tenants_role_reads_its_own_for_a_while(server: Grafana, database: str) -> None:
    if not server.state.version.startswith("12"):
        pytest.skip("Grafana's version does not matter to the database")
    connection = await asyncpg.connect(database)
    world = await api_world.build(connection)
    begun = f"'{api_world.NOW.isoformat()}'::timestamptz - interval '1 hour'"
    await connection.execute(ALERT_OF_EACH_TENANT.replace("now()", begun))
    while (await run_once(connection, api_world.NOW)).more:
        pass
    await server.sync()
    role = role_of(world.tenant_id)
    reader = await asyncpg.connect(database, user=role, password=password_of(SECRET, role))
    for name, statement in STATEMENTS.items():
        rows = await reader.fetch(expanded(statement))
        if name in {"open_incidents", "alerts_by_severity", "alerts_of_period"}:
            assert len(rows) == 1, name  # its own, and not the other tenant's
        if name == "hourly":
            assert rows
            assert {row["metric"].partition(",")[0] for row in rows} <= set(
                await connection.fetchval("SELECT array_agg(name) FROM sites WHERE tenant_id = $1", world.tenant_id)
            )
    assert await reader.fetchval("SHOW statement_timeout") == "15s"
    foreign = await connection.fetchval("SELECT count(*) FROM devices WHERE tenant_id <> $1", world.tenant_id)
    assert foreign > 0
    assert await reader.fetchval("SELECT count(*) FROM devices WHERE tenant_id <> $1", world.tenant_id) == 0
    assert await reader.fetchval("SELECT count(*) FROM measurements WHERE device_id = $1", world.foreign.device_id) == 0
    for forbidden in ("SELECT count(*) FROM public.measurements", "DELETE FROM devices", "SELECT * FROM accounts"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
            await reader.execute(forbidden)
    await reader.close()
    await connection.execute(f"DROP OWNED BY {role}")
    await connection.close()
