"""What a row takes on the disk, with its indexes: python tests/benchmarks/bench_sizes.py [--pg-bin DIRECTORY]

Two weeks of 200 sensors every quarter of an hour: five readings a frame (a temperature that wanders, humidity, CO2, a
battery that sinks slowly, an index that grows), two gateways. On TimescaleDB the same again after compression.
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
from bench_servers import offers_timescale, postgres, working_folder

from store.maintenance.run import run_once
from store.migrate import migrate
from store.partitions import PARTITIONED, ensure_partitions
from store.sizes import sizes

BEGIN: Final = "timestamptz '2026-10-05 00:00Z'"

FILL: Final = (
    "INSERT INTO tenants (kind, slug, name) VALUES ('commune', 'bench', 'Bench')",
    """INSERT INTO devices (dev_eui, tenant_id) SELECT lpad(to_hex(n), 16, '0'), 1 FROM generate_series(1, 200) AS n""",
    """INSERT INTO gateways (gateway_eui) SELECT 'gateway-' || n FROM generate_series(1, 8) AS n""",
    """INSERT INTO sources (name) VALUES ('bench')""",
    f"""INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, frequency_hz, device_id, decoder_id,
                             bandwidth_hz, source_id, f_port, spreading_factor, data_rate, confirmed, adr, dev_addr,
                             outcome, detail, payload)
        SELECT at + device_id * interval '1 second', hashtextextended(device_id || '/' || n, 0),
               at + device_id * interval '1.003 second', n, 868100000 + 200000 * (n % 8), device_id, NULL, 125000, 1, 5,
               7 + n % 3, 5 - n % 3, false, true, '01' || lpad(to_hex(device_id), 6, '0'), 'decoded', '',
               substring(sha256((device_id || '/' || n)::bytea) FOR 16)
          FROM devices, LATERAL (SELECT n, {BEGIN} + n * interval '15 min' AS at
                                   FROM generate_series(0, 14 * 96 - 1) AS n) AS one
         ORDER BY 1""",
    """INSERT INTO receptions (received_at, uplink_key, device_id, gateway_id, rssi_dbm, snr_db, channel)
        SELECT received_at, uplink_key, device_id, 1 + (device_id + g) % 8, -80 - f_cnt % 30, 7 - f_cnt % 9, f_cnt % 8
          FROM uplinks, generate_series(0, 1) AS g ORDER BY received_at""",
    """INSERT INTO measurements (measured_at, received_at, value, device_id, quantity_id, channel)
        SELECT received_at, received_at,
               CASE q WHEN 0 THEN round((20 + 3 * sin(f_cnt / 15.0) + (uplink_key % 10) / 10.0)::numeric, 1)
                      WHEN 1 THEN 45 + f_cnt % 10 WHEN 2 THEN 500 + (uplink_key % 300)
                      WHEN 3 THEN round((3.6 - f_cnt / 10000.0)::numeric, 3) ELSE f_cnt * 3 END,
               device_id, 1 + q, 0
          FROM uplinks, generate_series(0, 4) AS q ORDER BY received_at""",
    "INSERT INTO changed_hours SELECT DISTINCT device_id, date_trunc('hour', received_at) FROM uplinks",
)


async def filled(dsn: str, *, timescale: bool) -> dict[str, Any]:
    """Fill a fresh database, roll it up, and return bytes a row by relation."""
    await migrate(dsn, timescale=timescale)
    connection = await asyncpg.connect(dsn, command_timeout=600)
    found: dict[str, Any] = {}
    try:
        if not timescale:
            for relation in PARTITIONED:
                await ensure_partitions(connection, relation, [datetime(2026, 10, 1, tzinfo=UTC).date()])
        for statement in FILL:
            await connection.execute(statement)
        while (await run_once(connection, datetime(2026, 11, 20, tzinfo=UTC))).more:
            pass
        await connection.execute("VACUUM ANALYZE")
        found["as they come"] = {one.relation: _said(one.row_bytes) for one in await sizes(connection)}
        if timescale:
            for relation in ("uplinks", "receptions", "measurements"):
                chunks = "SELECT compress_chunk(chunk) FROM show_chunks($1::text::regclass) AS chunk"
                await connection.execute(chunks, relation)
            await connection.execute("VACUUM ANALYZE")
            found["in columns"] = {one.relation: _said(one.row_bytes) for one in await sizes(connection)}
    finally:
        await connection.close()
    return found


def _said(size: float | None) -> float | None:
    return None if size is None else round(size, 1)


async def measure(pg_bin: Path | None) -> None:
    """Fill what this PostgreSQL offers, and say it."""
    with working_folder() as folder:
        async with postgres(folder, pg_bin) as server:
            flavours = [False, True] if await offers_timescale(server) else [False]
            for timescale in flavours:
                name = f"sizes_{'timescale' if timescale else 'plain'}"
                admin = await asyncpg.connect(server.dsn)
                await admin.execute(f"CREATE DATABASE {name}")
                await admin.close()
                found = await filled(server.dsn.replace("/postgres?", f"/{name}?"), timescale=timescale)
                sys.stdout.write(json.dumps({"timescale": timescale, **found}, indent=1) + "\n")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pg-bin", type=Path, help="a directory with `postgres`, instead of the wheel's")
    asyncio.run(measure(parser.parse_args().pg_bin))


if __name__ == "__main__":
    main()
