"""A real browser over the real application; what the machine lacks is skipped with one line that says how to get it.

Development tools from npm (never served) are kept in `.cache`, at the versions and digests pinned here.
"""

import os
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import api_world
import asyncpg
import network_world
import pages_world
import pytest
from browser_watch import STREAMS, Served, sign_in, violations, watch
from playwright.async_api import Browser, Page, async_playwright
from pydantic import SecretStr

from api.settings import ApiSettings, OidcProvider
from api.vendor import Package, VendorError, fetch
from deploy import demo_box

PROVIDER = OidcProvider(
    name="essai", issuer="https://identity.example", client_id="samara", client_secret=SecretStr("x" * 32)
)  # nobody asks it anything
CACHE = Path(__file__).parent / ".cache"
AXE = Package(
    name="axe-core",
    version="4.14.1",
    integrity="sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    licence="MPL-2.0",
    files={},
)
TYPESCRIPT = Package(
    name="typescript",
    version="5.9.3",
    integrity="sha512-jl1vZzPDinLr9eUt3J/t7V6FgNEw9QjvBPdysz9KfQDD41fQrC2Y4vKQdiaUpFT4bXlb1RHhLpp8wtm6M5TgSw==",
    licence="Apache-2.0",
    files={},
)


def _tool(package: Package) -> Path:
    directory = CACHE / f"{package.name}-{package.version}"
    if not directory.is_dir():
        CACHE.mkdir(exist_ok=True)
        try:
            archive = fetch(package, CACHE)
        except VendorError as error:
            pytest.skip(f"{package.name}: not to be had from npm's registry ({str(error).splitlines()[0][:100]})")
        with tarfile.open(archive) as members:
            members.extractall(directory, filter="data")
        archive.unlink()
    return directory / "package"


@pytest.fixture(scope="session")
def axe() -> str:
    return (_tool(AXE) / "axe.min.js").read_text("utf-8")


@pytest.fixture(scope="session")
def typescript() -> list[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node: not installed; apt-get install nodejs npm")
    return [node, str(_tool(TYPESCRIPT) / "lib" / "tsc.js")]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    program = os.environ.get("SAMARA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium: not installed; apt-get install chromium (or set SAMARA_CHROMIUM)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        await browser.close()


@pytest.fixture
async def served(territory: api_world.Territory) -> AsyncIterator[Served]:
    clock, (dsn, world) = api_world.Clock(), territory
    connection = await asyncpg.connect(dsn)
    try:
        settings = ApiSettings(live_pause_s=0, demo=True)
        async with api_world.serving(dsn, settings, clock, labels=demo_box.labels()) as address:
            cookie = await api_world.sign_in(connection, ("administrator", None))
            yield Served(address, world, connection, clock, cookie)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def standing(fresh: Callable[[str], Any], plain_template: str) -> AsyncIterator[Served]:
    """Thirteen months of a commune and two days of a network, which all tests that only read share."""
    clock = api_world.Clock()
    async with fresh(plain_template) as dsn:
        connection = await asyncpg.connect(dsn)
        try:
            world = await pages_world.build(connection)
            heard = api_world.World(world.tenant_id, world.air, world.foreign, world.third, world.silent, world.foreign)
            await network_world.build(connection, heard)
            settings = ApiSettings(demo=True, public_url="http://127.0.0.1", oidc=(PROVIDER,))
            async with api_world.serving(dsn, settings, clock, labels=demo_box.labels()) as address:
                cookie = await api_world.sign_in(connection, ("manager", world.tenant_id), email="mairie@example.fr")
                yield Served(address, world, connection, clock, cookie)
        finally:
            await connection.close()


@pytest.fixture
async def reading(browser: Browser, standing: Served) -> AsyncIterator[Page]:
    """A page in French at 1440 px over `standing`, its town hall signed in. A complaint left behind is a failure."""
    complaints: list[str] = []
    async with await browser.new_context(
        locale="fr-FR", viewport={"width": 1440, "height": 900}, service_workers="block"
    ) as context:
        await sign_in(context, standing)
        page = await watch(context, complaints)
        yield page
        refused = await violations(page)
        await page.close()
    assert [one for one in complaints if not one.startswith("failed:") or not STREAMS.search(one)] == []
    assert refused == []


@pytest.fixture
async def page(browser: Browser, served: Served) -> AsyncIterator[Page]:
    """A page in French at 1440 px, somebody signed in. A test that leaves a complaint behind fails."""
    complaints: list[str] = []
    async with await browser.new_context(
        locale="fr-FR", viewport={"width": 1440, "height": 1100}, service_workers="block"
    ) as context:
        await sign_in(context, served)
        page = await watch(context, complaints)
        yield page
        refused = await violations(page)
        await page.close()
    # The stream is cut when the page is left, and a form that is refused is a page again: those are no complaints.
    complaints = [one for one in complaints if "status of 422" not in one]
    assert [one for one in complaints if not one.startswith("failed:") or not STREAMS.search(one)] == []
    assert refused == []
