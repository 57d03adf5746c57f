"""A technician sets how often a sensor sends, on a phone."""

from datetime import timedelta

import pytest
from api_world import NOW
from browser_looks import look
from browser_watch import Served
from playwright.async_api import Page, expect

from store.fleet import Model, sync_models

AIR = f"{1:016x}"
PATH = f"/reseau/capteurs/{AIR}"
CODEC = """
function decodeUplink(input) { return {data: {}}; }
function encodeDownlink(input) { return {bytes: [1, input.data.valve ? 1 : 0], fPort: 5}; }
"""


CLICKED_TWICE = """
(form) => Promise.all([1, 2].map(async () =>
  (await fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))})).status))
"""


@pytest.fixture
async def commanded(served: Served) -> Served:
    """A sensor whose period can be set, with a codec of its own, and what it was told before."""
    connection = served.connection
    await sync_models(connection, [Model("dragino-lse01", "Dragino", "LSE01", 1800)])
    await connection.execute("UPDATE devices SET model_id = 'dragino-lse01' WHERE dev_eui = $1", AIR)
    tenant_id, device_id = await connection.fetchrow("SELECT tenant_id, device_id FROM devices WHERE dev_eui = $1", AIR)
    await connection.execute(
        "INSERT INTO network_servers (tenant_id, kind, address, application)"
        " VALUES ($1, 'chirpstack', 'https://x.example', 'a')",
        tenant_id,
    )
    await connection.execute(
        "INSERT INTO codecs (tenant_id, name, sha256, source, examples, fields, state, created_by)"
        " VALUES ($1, 'valve', repeat('0', 64), $2, '[]', '[]', 'active', 'tests')",
        tenant_id, CODEC,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO codec_bindings (tenant_id, codec, device_id) VALUES ($1, 'valve', $2)", tenant_id, device_id
    )
    for passed, ago in (("acknowledged_at", 3), ("sent_at", 2), ("accepted_at", 1), ("failed_at", 4)):
        await connection.execute(
            "INSERT INTO downlinks (tenant_id, device_id, command, parameters, period_s, f_port, payload, confirmed,"
            f" created_at, expires_at, due_at, asked_at, {passed}, trouble)"
            " VALUES ($1, $2, 'period', '{}', 1800, 2, '\\x01000708', true, $3, $4, $4, $3, $3, $5)",
            tenant_id, device_id, NOW - timedelta(hours=ago), NOW + timedelta(days=2),
            "the sensor did not acknowledge it" if passed == "failed_at" else "",
        )  # fmt: skip
    return served


async def test_a_technician_sets_a_period_sees_its_state_and_takes_it_back(
    commanded: Served, page: Page, axe: str
) -> None:
    await look(page, commanded, "commandes", PATH, axe)
    assert "n'en a pas accusé réception" in await page.inner_text(".downlinks")
    await page.set_viewport_size({"width": 360, "height": 800})
    await page.goto(commanded.address + PATH)
    await page.get_by_label("Période entre deux messages").select_option("1200")
    await page.get_by_role("button", name="Envoyer au capteur").first.click()
    await expect(page.get_by_text("La commande est en file.")).to_be_visible()
    first = page.locator(".downlinks li").first
    await expect(first).to_contain_text("Période d'envoi : 20 minutes".replace(" :", "\u00a0:"))
    await expect(first).to_contain_text("En file")
    await first.get_by_role("button", name="Annuler").click()
    await expect(page.locator(".downlinks li").first).to_contain_text("Annulée")

    await page.get_by_text("Autres commandes").click()
    await page.get_by_label("Commande, en JSON").fill('{"valve": tru')
    await page.get_by_role("button", name="Envoyer au capteur").last.click()
    await expect(page.get_by_role("alert")).to_contain_text("n'est pas du JSON")
    await page.get_by_label("Commande, en JSON").fill('{"valve": true}')
    await page.get_by_role("button", name="Envoyer au capteur").last.click()
    await expect(page.locator(".downlinks li").first).to_contain_text('{"valve": true}')
    held = "SELECT payload, f_port, parameters FROM downlinks ORDER BY downlink_id DESC LIMIT 1"
    assert tuple(await commanded.connection.fetchrow(held)) == (b"\x01\x01", 5, '{"valve": true}')

    await page.get_by_label("Période entre deux messages").select_option("7200")
    statuses = await page.locator("form.surface").first.evaluate(CLICKED_TWICE)
    assert statuses == [200, 200]
    asked = "SELECT count(*) FROM downlinks WHERE period_s = 7200"
    assert await commanded.connection.fetchval(asked) == 1
