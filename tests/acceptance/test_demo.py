"""`make demo`, as a person meets it: starts by itself, shows values that move, stops whole, keeps its data."""

import asyncio
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import aiohttp
import pytest
from acceptance_support import SAMARA, START_WITHIN_S, STOP_WITHIN_S, StartDemo

MOVES_WITHIN_S = 120


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


async def test_the_demo_shows_values_that_move_stops_whole_and_keeps_its_data(
    start_demo: StartDemo, demo_directory: Path
) -> None:
    demo = start_demo("--captures", str(demo_directory))
    address = (await demo.until_said(r"at (http://\S+/)t/corbie", START_WITHIN_S))[1]
    link = re.search(r"http://\S+/connexion/lien/\S+", demo.said())
    assert link
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(link[0]) as door:
            assert "Bienvenue" in await door.text()
        given = {"next": "/t/corbie"}
        async with session.post(link[0], data=given, headers={"Origin": address.rstrip("/")}) as page:
            assert page.status == 200
            assert page.url.path == "/t/corbie"
            assert "Corbie" in await page.text()
        await demo.until_said(r"\d+ messages of the last 3 days stored", START_WITHIN_S)
        await demo.until_said(r"The totals of the pages are whole", START_WITHIN_S)
        whole = await figures(session, address)
        assert whole
        await demo.until_said(r"Rules watch", START_WITHIN_S)
        assert await figures(session, address) == whole
        async with asyncio.timeout(MOVES_WITHIN_S), asyncio.TaskGroup() as together:
            together.create_task(until_moved(session, address))
            together.create_task(put_in_service(session, address))
    assert await demo.end(signal.SIGINT) < STOP_WITHIN_S
    assert demo.process.returncode == 0, demo.said()
    assert "error" not in demo.said()
    assert processes_of(demo_directory) == []

    kept = _uplinks(demo_directory)
    assert kept > 1000
    again = start_demo("--captures", str(demo_directory))
    await again.until_said(r"messages of the last \d+ days stored", START_WITHIN_S)
    assert await again.end(signal.SIGTERM) < STOP_WITHIN_S
    assert again.process.returncode == 0, again.said()
    assert _uplinks(demo_directory) >= kept
    assert processes_of(demo_directory) == []


def _uplinks(directory: Path) -> int:
    done = subprocess.run([SAMARA, "stats", "--json"], cwd=directory, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)["rows"]["uplinks"])


async def test_killed_it_leaves_nothing_behind_and_starts_again(start_demo: StartDemo, demo_directory: Path) -> None:
    demo = start_demo("--captures", str(demo_directory))
    await demo.until_said(r"t/corbie", START_WITHIN_S)
    await demo.end(signal.SIGKILL)
    again = start_demo("--captures", str(demo_directory))
    await again.until_said(r"t/corbie", START_WITHIN_S)
    assert len([one for one in processes_of(demo_directory) if "nats-server" in one]) == 1
    assert await again.end(signal.SIGINT) < STOP_WITHIN_S
    assert processes_of(demo_directory) == []


async def test_a_server_that_dies_ends_it_whole_with_the_reason(start_demo: StartDemo, demo_directory: Path) -> None:
    demo = start_demo("--captures", str(demo_directory))
    await demo.until_said(r"t/corbie", START_WITHIN_S)
    os.kill(int((demo_directory / ".samara" / "broker" / "broker.pid").read_text(encoding="ascii")), signal.SIGKILL)
    await asyncio.to_thread(demo.process.wait, STOP_WITHIN_S * 2)
    assert demo.process.returncode == 1
    assert re.search(r"samara: a server ended by itself, with code -9; see .*broker\.log", demo.said())
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
