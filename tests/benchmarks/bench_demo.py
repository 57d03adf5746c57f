"""How long `make demo` takes until its pages are whole: python tests/benchmarks/bench_demo.py DIRECTORY

Starts a demonstration in an empty directory and follows it as a person does: the link, the first page, the totals of
Accueil, Énergie and Eau while the past comes in, and the moment from which the pages say no more that it does. Then the
same totals a round of maintenance later: what was called whole must not move. CPU is of the processes that it started.
"""

import argparse
import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp
import psutil

PAGES: Final = ("/t/corbie", "/t/corbie/energie", "/t/corbie/eau", "/t/albert")
FIGURE: Final = re.compile(r'<p class="figure">([^<]*)')
FILLING: Final = re.compile(r'<aside class="demo"[^>]*><p>[^<]*<strong>')  # what the banner says beside
WITHIN_S: Final = 900.0


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--after-s", type=float, default=75.0, help="how long after to look again")
    asked = parser.parse_args()
    asked.directory.mkdir(parents=True)
    asked.directory.chmod(0o755)
    begun = time.monotonic()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SAMARA_API")}
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("samara"),
        "demo",
        "--captures",
        str(asked.directory),
        cwd=asked.directory,
        env=environment | {"SAMARA_API__PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    link: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    telling = asyncio.create_task(_tell(process, begun, link))
    try:
        async with asyncio.timeout(WITHIN_S):
            await _follow(await link, process.pid, begun, asked.after_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await telling


async def _tell(process: asyncio.subprocess.Process, begun: float, link: asyncio.Future[str]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        text = line.decode().rstrip()
        _say(f"{time.monotonic() - begun:6.1f} s  | {text}")
        found = re.search(r"http://\S+/connexion/lien/[^?]+", text)
        if found and not link.done():
            link.set_result(found[0])


async def _follow(link: str, pid: int, begun: float, after_s: float) -> None:
    address = link.partition("/connexion")[0]
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Accept-Language": "en", "Origin": address}
    ) as http:
        async with http.post(link, data={"next": "/t/corbie"}) as answer:
            assert answer.status == 200
        filling = True
        while filling:
            figures, filling = await _figures(http, address, PAGES[:1])
            _say(f"{time.monotonic() - begun:6.1f} s  {'filling' if filling else 'WHOLE  '}  {figures['/t/corbie']}")
            if filling:
                await asyncio.sleep(5)
        _say(f"CPU s: {dict(_cpu_s(pid))}; load {os.getloadavg()[0]:.1f}")
        figures, _ = await _figures(http, address, PAGES)
        figures, _ = await _figures(http, address, PAGES)
        await asyncio.sleep(after_s)
        again, _ = await _figures(http, address, PAGES)
        _say(f"the same {after_s:.0f} s later: {again == figures}")
        if again != figures:
            _say(f"{figures}\n{again}")


async def _figures(
    http: aiohttp.ClientSession, address: str, pages: Sequence[str]
) -> tuple[dict[str, list[str]], bool]:
    found, filling = {}, False
    for page in pages:
        async with http.get(address + page) as answer:
            text = (await answer.text()).replace("\u00a0", " ").replace("\u202f", " ")
            assert answer.status == 200
        found[page] = [one.strip() for one in FIGURE.findall(text)]
        filling = filling or FILLING.search(text) is not None
    return found, filling


def _cpu_s(pid: int) -> Counter[str]:
    """Return the CPU of a process and those below it, by name."""
    spent: Counter[str] = Counter()
    for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            spent[one.name()] += round(times.user + times.system)
            spent[f"{one.name()}, ended children"] += round(times.children_user + times.children_system)
    return spent


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
