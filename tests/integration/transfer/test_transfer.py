"""A tenant leaves one database with everything of its own, and is the same in another."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from leaver import build, other_numbers

from deploy.tenant_archive import ArchivedFile, Here, Manifest, export_tenant, import_tenant, read_manifest
from domain.errors import ConfigurationError
from store.assignments import move
from store.maintenance.run import run_once
from store.transfer.arriving import ArrivalError

LEFT = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
async def home(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database, server_settings={"timezone": "UTC"})
    await build(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def abroad(fresh: Any, plain_template: str) -> AsyncIterator[Here]:
    """Another installation, which has tenants, and numbers, of its own."""
    async with fresh(plain_template) as dsn:
        here = Here(*[await asyncpg.connect(dsn, server_settings={"timezone": "UTC"}) for _ in range(2)])
        await other_numbers(here.connection)
        yield here
        for one in here:
            await one.close()


def told(manifest: Manifest, *, but: frozenset[str] | set[str] = frozenset()) -> dict[str, ArchivedFile]:
    return {one.name: one for one in manifest.files if one.name.removesuffix(".csv") not in but}


async def test_what_is_exported_imported_and_exported_again_is_the_same(
    home: asyncpg.Connection, abroad: Here, tmp_path: Path
) -> None:
    first = await export_tenant(home, "mareuville", tmp_path / "first", LEFT)
    empty = [one.name for one in first.files if not one.rows]
    assert not empty, "each relation has a row to lose on the way"
    done = await import_tenant(abroad, tmp_path / "first", LEFT, enable_rules=True)
    assert done.disabled == 0
    again = await export_tenant(abroad.connection, "mareuville", tmp_path / "again", LEFT)
    of_there = {"audit", "grants"}
    assert told(again, but=of_there) == told(first, but=of_there)
    assert (again.tenant, first.tenant.slug) == (first.tenant, "mareuville")
    numbers = (
        "SELECT min(point_id) FROM points JOIN sites USING (site_id) JOIN tenants USING (tenant_id) WHERE slug = $1"
    )
    assert await home.fetchval(numbers, "mareuville") != await abroad.connection.fetchval(numbers, "mareuville")
    await _speaks_of_its_own(abroad.connection)


async def _speaks_of_its_own(connection: asyncpg.Connection) -> None:
    """What documents and texts name by number is the tenant's own there."""
    own = dict(
        await connection.fetch(
            "SELECT points.name, point_id FROM points JOIN sites USING (site_id) JOIN tenants USING (tenant_id)"
            " WHERE slug = 'mareuville'"
        )
    )
    target, definition = await connection.fetchrow(
        "SELECT target, definition FROM rules JOIN tenants USING (tenant_id)"
        " WHERE slug = 'mareuville' AND rules.kind = 'threshold'"
    )
    assert json.loads(target)["point_id"] == own["Air, classe de CM2"]
    assert json.loads(definition)["outdoor_point_id"] == own["Eau froide, chaufferie"]
    causes = await connection.fetch(
        "SELECT cause, site_id FROM incidents JOIN tenants USING (tenant_id)"
        " WHERE slug = 'mareuville' ORDER BY incident_id"
    )
    assert causes[0]["cause"] == f"threshold:site:{causes[0]['site_id']}"
    assert await connection.fetchval("SELECT count(*) FROM latest_frames WHERE layout = 0") == 1


async def test_of_a_device_that_went_to_another_tenant_its_own_time_leaves(
    home: asyncpg.Connection, tmp_path: Path
) -> None:
    device_id = await home.fetchval("SELECT device_id FROM devices WHERE dev_eui = '0000000000000001'")
    taker_id = await home.fetchval("SELECT tenant_id FROM tenants WHERE slug = 'autreville'")
    await move(home, device_id, taker_id, LEFT)
    await home.execute("UPDATE devices SET name = 'Bureau du maire' WHERE device_id = $1", device_id)
    later = LEFT + timedelta(hours=1)
    await home.execute("INSERT INTO latest_frames VALUES ($1, 7, $2, $2, '{}', '{}', '{}')", device_id, later)
    for slug, has_it in (("mareuville", False), ("autreville", True)):
        await export_tenant(home, slug, tmp_path / slug, later)
        devices = (tmp_path / slug / "devices.csv").read_text("utf-8")
        assert ("0000000000000001" in devices, "Bureau du maire" in devices) == (True, has_it)
        with (tmp_path / slug / "latest_frames.csv").open(encoding="utf-8") as file:
            told = [one["measured_at"] for one in csv.DictReader(file) if one["device"] == "0000000000000001"]
        assert {datetime.fromisoformat(one) > LEFT for one in told} == {has_it}


async def test_unless_asked_nobody_is_told_anything_there(
    home: asyncpg.Connection, abroad: Here, tmp_path: Path
) -> None:
    await export_tenant(home, "mareuville", tmp_path / "first", LEFT)
    done = await import_tenant(abroad, tmp_path / "first", LEFT, slug="mareuville-2")
    assert done.disabled == 1
    waiting = (
        "SELECT count(*) FROM deliveries WHERE state = 'waiting'",
        "SELECT count(*) FROM outbox WHERE handled_at IS NULL",
    )
    for question in waiting:
        assert await home.fetchval(question) == 1
        assert await abroad.connection.fetchval(question) == 0
    with pytest.raises(ArrivalError, match="already"):
        await import_tenant(abroad, tmp_path / "first", LEFT, slug="mareuville-2")
    with pytest.raises(ArrivalError, match=r"devices.csv: declared here already: 0000000000000001"):
        await import_tenant(abroad, tmp_path / "first", LEFT)
    assert await abroad.connection.fetchval("SELECT count(*) FROM tenants WHERE slug = 'mareuville'") == 0


async def test_a_folder_that_was_changed_is_refused(home: asyncpg.Connection, abroad: Here, tmp_path: Path) -> None:
    folder = tmp_path / "first"
    await export_tenant(home, "mareuville", folder, LEFT)
    assert folder.stat().st_mode & 0o077 == 0
    with (folder / "measurements.csv").open("a", encoding="utf-8") as file:
        file.write("x")
    with pytest.raises(ConfigurationError, match=r"measurements.csv: it is missing, or was changed"):
        read_manifest(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(ConfigurationError, match="is not an export"):
        await import_tenant(abroad, folder, LEFT)
    with pytest.raises(ConfigurationError, match="something in it already"):
        await export_tenant(home, "mareuville", folder, LEFT)


def rounded(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return [row | {"total": f"{float(row['total']):.9g}"} for row in csv.DictReader(text)]


async def test_roll_ups_are_made_again_on_timescale(
    home: asyncpg.Connection, timescale_database: str, tmp_path: Path
) -> None:
    """After maintenance its aggregates say what the export says, of before the first measurement as well."""
    await run_once(home, LEFT)
    first = await export_tenant(home, "mareuville", tmp_path / "first", LEFT)
    here = Here(*[await asyncpg.connect(timescale_database, server_settings={"timezone": "UTC"}) for _ in range(2)])
    await import_tenant(here, tmp_path / "first", LEFT, enable_rules=True)
    await run_once(here.connection, LEFT)
    again = await export_tenant(here.connection, "mareuville", tmp_path / "again", LEFT)
    of_maintenance = {"changed_hours", "radio_accounts", "usage", "open_datasets", "open_rows", "measurements_daily"}
    of_there = {"audit", "grants"} | of_maintenance
    assert told(again, but=of_there) == told(first, but=of_there)
    daily = [rounded(tmp_path / folder / "measurements_daily.csv") for folder in ("first", "again")]
    assert daily[0] == daily[1]  # a sum of doubles depends on their order in its last digits
    assert len(daily[0]) > 100
    await asyncio.gather(*(one.close() for one in here))
