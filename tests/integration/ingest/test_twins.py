"""A frame that comes by two network servers is measured once; its second telling stays as an uplink."""

import json
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from ingest_support import declare, ingesting, read_lines

from decoders.registry import Registry
from store.maintenance.run import run_once

LATER = timedelta(hours=3)


@pytest.mark.parametrize("apart", ["999", "000"])  # microseconds between the two servers' times
@pytest.mark.parametrize("order", [("chirpstack", "other"), ("other", "chirpstack")])
async def test_frame_by_two_network_servers_is_measured_once(
    any_database: str, order: tuple[str, str], apart: str, chirpstack_capture: Path, registry: Registry, tmp_path: Path
) -> None:
    lines = [line for line in read_lines(chirpstack_capture) if line.payload.get("fCnt") is not None][:40]
    hints = {line.payload["deviceInfo"]["devEui"]: line.payload["deviceInfo"]["deviceProfileName"] for line in lines}
    await declare(any_database, {eui: registry.match(hint) for eui, hint in hints.items()})
    async with ingesting(any_database, tmp_path) as ingest:
        for source in order:
            for line in lines:
                told = dict(line.payload)
                if source == "other":  # its own clock and its own id; the same frame
                    told["time"] = told["time"].replace("+00:00", f"{apart}+00:00")
                    told["deduplicationId"] = f"other-{told['deduplicationId']}"
                await ingest.pipeline.deliver(source, "chirpstack", line.topic, json.dumps(told).encode())
    connection = await asyncpg.connect(any_database)
    last = await connection.fetchval("SELECT max(received_at) FROM uplinks")
    both = await connection.fetchval("SELECT count(*) FROM measurements")
    later = order[1] if apart == "000" else "other"  # of one time: the source that was heard of last
    once = both if apart == "000" else both / 2
    await connection.execute("INSERT INTO watched_tenants SELECT min(tenant_id) FROM tenants")

    await run_once(connection, last + LATER)

    assert await connection.fetchval("SELECT count(*) FROM uplinks") == 2 * len(lines)
    twins = await connection.fetch("SELECT name FROM uplinks JOIN sources USING (source_id) WHERE outcome = 'twin'")
    assert [record["name"] for record in twins] == [later] * len(lines)
    assert await connection.fetchval("SELECT count(*) FROM measurements") == once > len(lines)
    assert await connection.fetchval("SELECT sum(heard) FROM radio_accounts") == len(lines)
    looked_at = await connection.fetchval("SELECT count(DISTINCT one) FROM arrivals, unnest(device_ids) AS one")
    measuring = await connection.fetchval("SELECT count(DISTINCT device_id) FROM measurements")
    assert looked_at == (0 if apart == "000" else measuring)  # of one time, nothing was taken away
    await connection.close()
