"""`make demo`, as a person meets it: starts by itself, shows values that move, stops whole, keeps its data."""

import asyncio
import json
import os
import re
import signal
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from acceptance_support import START_WITHIN_S, STOP_WITHIN_S, Demo, StartDemo

from deploy.embedded.postgres import running_dsn


def processes_of(directory: Path) -> list[str]:
    """Command lines, of living processes, that name the directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in command:
            found.append(command)
    return found


async def until_moved(session: aiohttp.ClientSession, address: str) -> None:
    """Follow the live stream of the first commune's page until a value is another, of a later time."""
    known: dict[tuple[int, str, int], tuple[float, str]] = {}
    async with session.get(f"{address}api/v1/live", params={"tenant": "corbie"}) as answer:
        assert answer.status == 200
        async for line in answer.content:
            if line.startswith(b"data: "):
                for one in json.loads(line[6:])["values"]:
                    key = one["point_id"], one["quantity"], one["channel"]
                    value, at = known.setdefault(key, (one["value"], one["measured_at"]))
                    if one["value"] != value and one["measured_at"] > at:
                        return
    raise AssertionError("the stream ended")


async def figures(session: aiohttp.ClientSession, address: str) -> list[str]:
    """Return the totals of the first page, which says no more that the past comes in."""
    async with session.get(f"{address}t/corbie") as page:
        text = await page.text()
    assert re.search(r'<aside class="demo"[^>]*><p>[^<]*</p>', text), "the banner says something beside"
    return re.findall(r'<p class="figure">([^<]+)', text)


async def put_in_service(session: aiohttp.ClientSession, address: str) -> None:
    """Scan the first label, put the sensor in a school, and wait until its frames say that it is in service."""
    async with session.get(f"{address}etiquettes") as sheet:
        code = re.search(r"<code>(LW:D0:[^<]+)</code>", await sheet.text())
    assert code
    body = {"code": code[1], "site_name": "École du Centre", "point_name": "Air, BCD", "model_id": "elsys-ers-co2"}
    given = {"params": {"tenant": "corbie"}, "headers": {"Origin": address.rstrip("/"), "Idempotency-Key": "1"}}
    async with session.post(f"{address}api/v1/installations", json=body, **given) as answer:
        assert answer.status == 201, await answer.text()
        dev_eui = (await answer.json())["dev_eui"]
    found: dict[str, object] = {}
    while not found.get("in_service"):
        await asyncio.sleep(0.2)
        async with session.get(f"{address}t/corbie/mises-en-service/{dev_eui}") as page:
            assert page.status == 200
        asked = f"{address}api/v1/devices/{dev_eui}/commissioning?tenant=corbie"
        async with session.get(asked) as answer:
            found = await answer.json()
    assert found["joins"] == 1


async def sign_in(session: aiohttp.ClientSession, address: str, link: str) -> None:
    """Follow the link that the terminal shows, as a person does."""
    async with session.get(link) as door:
        assert "Bienvenue" in await door.text()
    given = {"next": "/t/corbie"}
    async with session.post(link, data=given, headers={"Origin": address.rstrip("/")}) as page:
        assert page.status == 200
        assert page.url.path == "/t/corbie"
        assert "Corbie" in await page.text()


async def totals_are_whole(session: aiohttp.ClientSession, address: str, demo: Demo, dsn: str) -> None:
    """Wait for what the terminal says, in its order; what is called whole is what measurements add up to, and stays."""
    await demo.until_said(r"\d+ messages of the last 3 days stored", START_WITHIN_S)
    await demo.until_said(r"The totals of the pages are whole", START_WITHIN_S)
    whole = await figures(session, address)
    assert whole
    assert await ask(dsn, "SELECT count(*) FROM measurements_daily") > 100
    assert await ask(dsn, OTHER_DAYS, datetime.now(UTC)) == 0
    await demo.until_said(r"Rules watch", START_WITHIN_S)
    assert await figures(session, address) == whole


# Days that are over by some hours, of measurements and of their roll-ups, where they are not the same.
OTHER_DAYS = """
WITH told AS (
  SELECT device_id, quantity_id, channel, day, samples, low, high, first, last
    FROM measurements_daily
   WHERE day < $1::timestamptz - interval '30 hours'
), measured AS (
  SELECT device_id, quantity_id, channel, date_trunc('day', measured_at, 'Europe/Paris') AS day,
         count(*) AS samples, min(value) AS low, max(value) AS high,
         (array_agg(value ORDER BY measured_at))[1] AS first,
         (array_agg(value ORDER BY measured_at DESC))[1] AS last
    FROM measurements
   WHERE measured_at < date_trunc('day', $1::timestamptz - interval '30 hours', 'Europe/Paris') + interval '1 day'
   GROUP BY 1, 2, 3, 4
)
SELECT count(*) FROM told FULL JOIN measured USING (device_id, quantity_id, channel, day)
 WHERE (told.samples, told.low, told.high, told.first, told.last)
       IS DISTINCT FROM (measured.samples, measured.low, measured.high, measured.first, measured.last)
"""


async def ask(dsn: str, query: str, *arguments: object) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(query, *arguments))
    finally:
        await connection.close()


async def test_the_demo_from_its_first_start_to_its_last(start_demo: StartDemo, demo_directory: Path) -> None:
    """Shown with values that move; stopped whole; started with what it had; killed; and the end of a server is its."""
    state = demo_directory / ".samara"
    demo = start_demo("--captures", str(demo_directory))
    address = (await demo.until_said(r"sign in at (http://\S+/) as", START_WITHIN_S))[1]
    link = re.search(r"http://\S+/connexion/lien/\S+", demo.said())
    assert link
    dsn = running_dsn(state / "postgres")
    assert dsn
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        await sign_in(session, address, link[0])
        async with asyncio.timeout(START_WITHIN_S), asyncio.TaskGroup() as together:
            together.create_task(until_moved(session, address))
            together.create_task(put_in_service(session, address))
            together.create_task(totals_are_whole(session, address, demo, dsn))
    kept = await ask(dsn, "SELECT count(*) FROM uplinks")
    assert kept > 1000
    assert await demo.end(signal.SIGINT) < STOP_WITHIN_S
    assert demo.process.returncode == 0, demo.said()
    assert "error" not in demo.said()
    assert processes_of(demo_directory) == []

    again = start_demo("--captures", str(demo_directory))
    await again.until_said(r"messages of the last \d+ days stored", START_WITHIN_S)
    dsn = running_dsn(state / "postgres")
    assert dsn
    assert await ask(dsn, "SELECT count(*) FROM uplinks") >= kept
    await again.end(signal.SIGKILL)

    last = start_demo("--captures", str(demo_directory))
    await last.until_said(r"t/corbie", START_WITHIN_S)
    assert len([one for one in processes_of(demo_directory) if "nats-server" in one]) == 1
    os.kill(int((state / "broker" / "broker.pid").read_text(encoding="ascii")), signal.SIGKILL)
    await asyncio.to_thread(last.process.wait, STOP_WITHIN_S * 2)
    assert last.process.returncode == 1
    assert re.search(r"samara: a server ended by itself, with code -9; see .*broker\.log", last.said())
    assert processes_of(demo_directory) == []


@pytest.mark.slow
async def test_two_of_them_in_one_directory_are_refused(start_demo: StartDemo, demo_directory: Path) -> None:
    first = start_demo("--captures", str(demo_directory))
    await first.until_said(r"t/corbie", START_WITHIN_S)
    second = start_demo("--captures", str(demo_directory))
    await asyncio.to_thread(second.process.wait, START_WITHIN_S)
    assert second.process.returncode == 1
    assert "another Samara runs in" in second.said()
    assert await first.end(signal.SIGINT) < STOP_WITHIN_S
