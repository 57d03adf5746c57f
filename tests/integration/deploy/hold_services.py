"""Start the embedded services below the directory given, say their process ids, stay until a signal ends it.

As the owner of that directory: it changes user once all is imported, as that user may not reach this Python.
"""

import asyncio
import concurrent.futures.thread  # noqa: F401 - the three are otherwise imported when first used
import encodings.ascii
import encodings.idna  # noqa: F401
import json
import os
import sys
from pathlib import Path

import asyncpg

from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.postgres import EmbeddedPostgres


async def main(directory: Path) -> None:
    async with EmbeddedPostgres(directory / "postgres") as postgres, EmbeddedBroker(directory / "broker") as broker:
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        rows = await connection.fetchval("SELECT count(*) FROM kept")
        await connection.close()
        sys.stdout.write(json.dumps({"postgres": postgres.pid, "broker": broker.pid, "rows": rows}) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


home = Path(sys.argv[1])
owner = home.stat()
if owner.st_uid != os.geteuid():
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
asyncio.run(main(home))
