"""Sensors lent, given back and given for good: whose data, which network server, who may."""

from datetime import timedelta

import api_world
from chirpstack_server import APPLICATION, OTHER_APPLICATION, PROFILE, TOKEN, ChirpStackServer
from provisioning_world import AIR, Desk
from test_provisioning_pages import get, post

from store.assignments import assign

A_FOREIGN_POINT = "SELECT min(point_id) FROM points WHERE of_tenant_id <> $1"
ENDED = "UPDATE assignments SET during = tstzrange(lower(during), $2) WHERE point_id = $1"
MEASURED = "SELECT count(*) FROM assignments WHERE device_id = $1 AND upper_inf(during)"
OWNED = "SELECT slug FROM ownerships JOIN tenants USING (tenant_id) WHERE device_id = $1 ORDER BY since"


async def in_stock(desk: Desk) -> None:
    await desk.ask("POST", f"devices/{AIR}/removal", 204)


async def owner(desk: Desk) -> str:
    statement = "SELECT slug FROM devices JOIN tenants USING (tenant_id) WHERE dev_eui = $1"
    return str(await desk.served.connection.fetchval(statement, AIR))


async def test_a_sensor_is_lent_prolonged_and_given_back_over_the_api(desk: Desk) -> None:
    today = desk.served.clock.now.date()
    wanted = {"dev_eui": AIR, "to": "autreville", "due_on": str(today + timedelta(days=7)), "note": "essai"}
    assert "measures" in (await desk.ask("POST", "loans", 409, **wanted))["detail"]
    await in_stock(desk)
    (stocked,) = (await desk.ask("GET", "stock"))["items"]
    assert (stocked["dev_eui"], stocked["model_id"], stocked["point"]) == (AIR, "acme-th", "Air, classe de CM2")
    for to in ("mareuville", "nulle-part"):
        await desk.ask("POST", "loans", 422, **(wanted | {"to": to}))
    await desk.ask("POST", "loans", 422, **(wanted | {"due_on": str(today - timedelta(days=1))}))
    loan = await desk.ask("POST", "loans", 201, **wanted)
    assert (loan["lender"], loan["borrower"], loan["is_overdue"]) == ("mareuville", "autreville", False)
    assert await owner(desk) == "autreville"
    for tenant in ("mareuville", "autreville"):
        (seen,) = (await desk.ask("GET", f"loans?tenant={tenant}&open=true"))["items"]
        assert seen["id"] == loan["id"]
    assert (await desk.ask("GET", "stock?tenant=autreville"))["items"][0]["dev_eui"] == AIR
    back = wanted | {"to": "mareuville"}
    assert "lent" in (await desk.ask("POST", "loans?tenant=autreville", 409, **back))["detail"]  # it is not theirs
    await desk.ask("POST", f"devices/{AIR}/transfer?tenant=autreville", 409, to="mareuville")
    await desk.ask("PATCH", f"loans/{loan['id']}?tenant=autreville", 404, due_on=str(today))
    desk.served.clock.now += timedelta(days=9)
    assert (await desk.ask("GET", f"loans/{loan['id']}"))["is_overdue"]
    assert "1 capteur prêté aurait dû être rendu." in await get(desk, "/stock")
    assert "1 capteur prêté aurait dû être rendu." in await get(desk, "/mes-poses")
    await desk.ask("PATCH", f"loans/{loan['id']}", 422, due_on=str(today - timedelta(days=1)))
    later = await desk.ask("PATCH", f"loans/{loan['id']}", 200, due_on=str(today + timedelta(days=30)))
    assert not later["is_overdue"]

    connection, now = desk.served.connection, desk.served.clock.now
    place = await connection.fetchval(A_FOREIGN_POINT, desk.served.world.tenant_id)
    await connection.execute(ENDED, place, now - timedelta(days=1))
    device_id = await connection.fetchval("SELECT device_id FROM devices WHERE dev_eui = $1", AIR)
    await assign(connection, device_id, place, now)
    desk.served.clock.now += timedelta(days=1)
    over = await desk.ask("POST", f"loans/{loan['id']}/return", 201)
    assert over["returned_at"] is not None
    assert await owner(desk) == "mareuville"
    assert (
        await connection.fetchval(
            "SELECT count(*) FROM assignments WHERE device_id = $1 AND upper_inf(during)", device_id
        )
        == 0
    )
    held = await connection.fetch(
        "SELECT slug FROM ownerships JOIN tenants USING (tenant_id) WHERE device_id = $1 ORDER BY since", device_id
    )
    assert [one["slug"] for one in held] == ["mareuville", "autreville", "mareuville"]  # whose data, when
    await desk.ask("POST", f"loans/{loan['id']}/return", 409)
    assert (await desk.ask("GET", "loans?open=true"))["items"] == []
    actions = await connection.fetch("SELECT action FROM audit WHERE action LIKE 'device%'")
    assert {"device.lent", "device.handed_over", "device.taken_over", "device.given_back"} <= {
        one[0] for one in actions
    }


async def test_a_change_that_met_another_is_refused_and_a_technician_of_one_end_lends_nothing(desk: Desk) -> None:
    await in_stock(desk)
    due_on = str(desk.served.clock.now.date())
    loan = await desk.ask("POST", "loans", 201, dev_eui=AIR, to="autreville", due_on=due_on)
    stale = {"If-Match": '"0"'}
    address = f"/api/v1/loans/{loan['id']}?tenant=mareuville"
    async with desk.served.http.patch(address, json={"note": "x"}, headers=stale) as answer:
        assert answer.status == 412
    await desk.ask("POST", f"loans/{loan['id']}/return", 201)
    cookie = await api_world.sign_in(
        desk.served.connection, ("technician", desk.served.world.tenant_id), email="pose@mareuville.example"
    )
    desk.served.http.cookie_jar.update_cookies(cookie)
    await desk.ask("POST", "loans", 422, dev_eui=AIR, to="autreville", due_on=due_on)
    await desk.ask("POST", f"devices/{AIR}/transfer", 422, to="autreville")
    assert await owner(desk) == "mareuville"


async def test_pages_lend_give_back_and_give_for_good(desk: Desk) -> None:
    page = f"/t/mareuville/stock/{AIR}"
    assert "Retirez-le d'abord" in await get(desk, page)
    await in_stock(desk)
    assert f'href="{page}"' in await get(desk, "/stock")
    assert "Donnez le dernier jour" in await post(desk, page, to="autreville", due_on="2020-01-01", note="", status=422)
    assert "Choisissez une collectivité" in await post(desk, page, to="x", due_on="2199-01-01", note="", status=422)
    due_on = str(desk.served.clock.now.date() + timedelta(days=1))
    told = await post(desk, page, to="autreville", due_on=due_on, note="pour l'été")
    assert "Le capteur est prêté." in told
    assert "pour l'été" in told
    assert "emprunté à Mareuville" in await get(desk, f"/t/autreville/stock/{AIR}")
    (loan,) = (await desk.ask("GET", "loans"))["items"]
    assert "C'est enregistré." in await post(desk, f"/t/mareuville/prets/{loan['id']}", due_on="2198-01-01")
    assert "de nouveau en stock" in await post(desk, f"/t/mareuville/prets/{loan['id']}/retour")
    assert "terminé" in await post(desk, f"/t/mareuville/prets/{loan['id']}/retour")
    assert "terminé" in await post(desk, f"/t/mareuville/prets/{loan['id']}", due_on="2198-01-01")
    assert "qui suit le début" in await post(desk, f"/t/mareuville/prets/{loan['id']}", due_on="2020-01-01")
    assert "a changé de collectivité" in await post(desk, f"{page}/don", to="autreville")
    assert await owner(desk) == "autreville"
    await desk.ask("PATCH", f"devices/{AIR}?tenant=autreville", name="Bureau du maire")
    names = [
        (await desk.ask("GET", f"loans/{loan['id']}?tenant={one}"))["name"] for one in ("mareuville", "autreville")
    ]
    assert names == ["", "Bureau du maire"]  # what is called how is of who has it


async def test_network_servers_are_told_when_a_sensor_goes_from_one_to_another(
    desk: Desk, chirpstack: ChirpStackServer
) -> None:
    await desk.configure(chirpstack.address, APPLICATION, TOKEN, PROFILE)
    await desk.put(AIR, app_key="00112233445566778899aabbccddeeff")
    await desk.ask("POST", f"devices/{AIR}/keys", 204, app_key="00112233445566778899aabbccddeeff")
    await desk.work()
    await in_stock(desk)
    await desk.configure(chirpstack.address, OTHER_APPLICATION, TOKEN, PROFILE, tenant="autreville")
    await desk.ask("POST", f"devices/{AIR}/transfer", 204, to="autreville")
    assert await desk.served.connection.fetchval("SELECT count(*) FROM device_keys") == 0  # of who gave them
    await desk.work()
    assert chirpstack.devices[AIR].application_id == OTHER_APPLICATION
    assert AIR not in chirpstack.keys
    assert (await desk.orders())[-1]["steps"] == ["deleted"]
    (there,) = (await desk.ask("GET", "network-orders?tenant=autreville"))["items"]
    assert (there["act"], there["state"], there["steps"]) == ("put", "done", ["created"])
