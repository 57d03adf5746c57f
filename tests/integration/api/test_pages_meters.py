"""The settings of a point, and what the pages of energy and water tell of uses."""

import aiohttp
from api_served import Served
from api_world import sign_in


async def get(served: Served, path: str, *, status: int = 200) -> str:
    async with served.http.get(path, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, path
        return plain(await answer.text())


async def post(served: Served, path: str, *, status: int = 200, **fields: str) -> str:
    async with served.http.post(path, data=fields, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, (path, await answer.text())
        return plain(await answer.text())


def plain(html: str) -> str:
    return html.replace("\u00a0", " ").replace("\u202f", " ").replace("&#39;", "'")


async def test_a_technician_says_what_a_point_is_for_and_behind_which_meter_it_is(served: Served) -> None:
    world = served.world
    page = f"/t/mareuville/points/{world.water.point_id}"
    assert f'href="{page}/compteur"' in await get(served, page)
    name, site_id = await served.connection.fetchrow(
        "SELECT name, site_id FROM points WHERE point_id = $1", world.water.point_id
    )
    sub_id = await served.connection.fetchval(
        "INSERT INTO points (site_id, name) VALUES ($1, 'Eau, cantine') RETURNING point_id", site_id
    )
    sub = f"/t/mareuville/points/{sub_id}"
    form = await get(served, f"{sub}/compteur")
    assert f'value="{world.water.point_id}"' in form
    assert f'value="{world.air.point_id}"' not in form  # it counts nothing
    said = {"name": "Eau de la cantine", "use": "kitchen", "part_of": str(world.water.point_id)}
    kept = await post(served, f"{sub}/compteur", **said)
    assert "C'est enregistré." in kept
    assert "Eau de la cantine" in kept
    assert f"sous-compteur de « {name} »" in kept
    assert "Cuisine" in kept
    refused = {"name": name, "use": "", "part_of": str(sub_id)}
    assert "lui-même derrière ce point" in await post(served, f"{page}/compteur", status=422, **refused)
    foreign = await post(served, f"{sub}/compteur", status=422, **said | {"part_of": str(world.foreign.point_id)})
    assert "n'existe pas ici" in foreign
    assert foreign == await post(served, f"{sub}/compteur", status=422, **said | {"part_of": "2147483647"})
    assert "Donnez un nom" in await post(served, f"{sub}/compteur", status=422, **said | {"name": " "})
    assert "porte déjà ce nom" in await post(served, f"{sub}/compteur", status=422, **said | {"name": name})
    await get(served, f"/t/mareuville/points/{world.foreign.point_id}/compteur", status=404)
    actions = await served.connection.fetch("SELECT action FROM audit WHERE action = 'meter.set'")
    assert len(actions) == 1


async def test_who_may_not_install_changes_no_point(served: Served) -> None:
    cookie = await sign_in(served.connection, ("manager", served.world.tenant_id), email="mairie@example.fr")
    page = f"/t/mareuville/points/{served.world.water.point_id}"
    async with aiohttp.ClientSession(served.http._base_url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(page, cookies=cookie) as answer:
            assert answer.status == 200
            assert "/compteur" not in await answer.text()
        async with http.get(f"{page}/compteur", cookies=cookie) as answer:
            assert answer.status == 403
