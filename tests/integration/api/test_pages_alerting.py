"""The pages of alerts, rules and contacts: what a town hall does there, and what it cannot."""

import json
import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import api_world
from api_served import Served
from api_world import NOW

BASE = "/t/mareuville"


async def get(served: Served, path: str, *, status: int = 200) -> str:
    async with served.http.get(path, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, path
        return plain(await answer.text())


async def post(served: Served, path: str, *, status: int = 200, **fields: Any) -> str:
    async with served.http.post(path, data=fields, headers={"Accept-Language": "fr"}) as answer:
        assert answer.status == status, (path, await answer.text())
        return plain(await answer.text())


def plain(html: str) -> str:
    return html.replace("\u00a0", " ").replace("\u202f", " ").replace("&#39;", "'")


async def an_incident(served: Served, slug: str = "mareuville") -> int:
    number = await served.connection.fetchval(
        """
        WITH owner AS (SELECT tenant_id FROM tenants WHERE slug = $2),
        rule AS (
          INSERT INTO rules (tenant_id, name, kind, definition, target, severity)
          SELECT tenant_id, 'CO2 des classes', 'threshold', '{"quantity": "co2", "above": 1500}', '{}', 'warning'
            FROM owner
          RETURNING rule_id, tenant_id
        ),
        incident AS (
          INSERT INTO incidents (tenant_id, cause, severity, opened_at, site_id)
          SELECT tenant_id, 'threshold:site:1', 'warning', $1, (SELECT min(site_id) FROM sites WHERE tenant_id = $3)
            FROM owner
          RETURNING incident_id, site_id, tenant_id
        )
        INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, site_id, severity, degree, phase, started_at, value,
                            reason, told, incident_id)
        SELECT gen_random_uuid(), incident.tenant_id, rule_id, 1, site_id, 'warning', 1, 'firing', $1, 1812,
               '{"code": "threshold", "value": 1812, "level": 1500}', true, incident_id
          FROM rule, incident
        RETURNING incident_id
        """,
        NOW,
        slug,
        served.world.tenant_id,
    )
    return int(number)


async def test_somebody_takes_care_of_an_alert_writes_a_remark_and_mutes_it(served: Served) -> None:
    number = await an_incident(served)
    page = await get(served, f"{BASE}/alertes")
    assert "1 alerte en cours." in page
    assert "CO2 : 1 812 ppm (seuil 1 500 ppm)." in page
    one = f"{BASE}/alertes/{number}"
    assert "Je m'en occupe" in await get(served, one)
    page = await post(served, f"{one}/prise-en-charge", note="J'ouvre les fenêtres")
    assert "C'est noté : vous vous en occupez." in page
    assert "J'ouvre les fenêtres" in page
    assert "Camille Roux s'en occupe." in page
    assert "Paul Petit s'en occupe." in await post(served, f"{one}/confier", to="Paul Petit")
    page = await post(served, f"{one}/commentaire", note="Toujours <b>haut</b>")
    assert "Toujours &lt;b&gt;haut&lt;/b&gt;" in page
    page = await post(served, f"{one}/sourdine", lasting="day", note="travaux")
    assert "personne n'est prévenu pour l'instant" in page
    page = await get(served, f"{BASE}/alertes")
    assert "En sourdine" in page
    assert "CO2 des classes, " in page
    (silence,) = re.findall(r"/alertes/sourdine/(\d+)/fin", page)
    served.clock.now = NOW.replace(minute=1)
    assert "vous serez prévenu à nouveau" in await post(served, f"{BASE}/alertes/sourdine/{silence}/fin")
    assert "En sourdine" not in await get(served, f"{BASE}/alertes")


async def test_rules_of_a_template_are_tried_shown_and_put_into_service(served: Served) -> None:
    site = await served.connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", served.world.air.point_id)
    assert "Choisir un modèle" in await get(served, f"{BASE}/regles")
    page = await get(served, f"{BASE}/regles/modeles?site={site}")
    assert "Prévenir si la température" in page
    page = await post(served, f"{BASE}/regles/modeles", site=site, template="school")
    assert "Voici les règles proposées, essayées sur le passé." in page
    count = await served.connection.fetchval("SELECT count(*) FROM rules")
    assert f"Mettre en service les {count} règles prêtes" in page
    page = await post(served, f"{BASE}/regles/activer")
    assert "À mettre en service" not in page
    assert await served.connection.fetchval("SELECT count(*) FROM rules WHERE enabled") == count
    page = await post(served, f"{BASE}/regles/modeles", site=site, template="school")
    assert "Ce lieu a déjà toutes les règles de ce modèle." in page


async def test_a_rule_is_written_tried_changed_and_removed(served: Served) -> None:
    new = f"{BASE}/regles/nouvelle"
    assert "Valeur figée" in await get(served, new)
    assert "Au-dessous de" in await get(served, f"{new}?sorte=threshold")
    await get(served, f"{new}?sorte=nonsense", status=404)
    form = {"name": "Classe froide", "target": f"point_id:{served.world.air.point_id}", "quantity": "temperature",
            "below": "21,5", "for_s": "1", "for_s_unit": "h", "severity": "warning"}  # fmt: skip
    page = await post(served, f"{new}?sorte=threshold", status=422, **form | {"below": "froid"})
    assert "Ce champ ne convient pas : Au-dessous de." in page
    assert 'value="froid"' in page
    page = await post(served, f"{new}?sorte=threshold", status=422, **form | {"below": ""})
    assert "Remplissez un seul de ces champs : Au-dessus de, Au-dessous de." in page
    page = await post(served, f"{new}?sorte=threshold", **form)
    assert (
        "Prévenir si la température passe sous 21,5 °C pendant 1 heure (Air, classe de CM2, École Jules-Verne)." in page
    )
    assert "Sur les 90 derniers jours, cette règle se serait déclenchée" in page
    assert "<polygon" in page
    number = await served.connection.fetchval("SELECT rule_id FROM rules")
    rule = f"{BASE}/regles/{number}"
    assert "La règle est en service." in await post(served, f"{rule}/service", on="1")
    page = await get(served, f"{rule}/modifier")
    assert 'value="21,5"' in page
    assert "selected>Air, classe de CM2" in page
    page = await post(served, f"{rule}/modifier", **form | {"below": "15"})
    assert "ne se serait pas déclenchée" in page
    assert "Prête" in page
    assert "La règle a été essayée" in await post(served, f"{rule}/essai")
    assert "supprimé" in await post(served, f"{rule}/suppression")
    await get(served, rule, status=404)
    actions = [row["action"] for row in await served.connection.fetch("SELECT action FROM audit ORDER BY entry_id")]
    assert actions == ["rule.created", "rule.enabled", "rule.changed", "rule.deleted"]


async def test_opening_hours_are_written_for_one_site_or_for_all(served: Served) -> None:
    here = f"{BASE}/regles/horaires"
    site = await served.connection.fetchval("SELECT min(site_id) FROM sites")
    assert "c'est toujours ouvert" in await get(served, here)
    form = {"site": str(site), "mon_0_opens": "08:30", "mon_0_closes": "12:00", "public_holidays": "closed",
            "school_holidays": "B"}  # fmt: skip
    page = await post(served, here, **form)
    assert "C'est enregistré." in page
    assert 'value="08:30"' in page
    assert "Il manque une heure" in await post(served, here, **form | {"mon_0_closes": ""})
    assert 'value="08:30"' not in await get(served, here)
    foreign = await served.connection.fetchval("SELECT max(site_id) FROM sites")
    await post(served, here, status=404, **form | {"site": str(foreign)})


async def test_a_contact_is_added_tried_put_on_call_and_removed(served: Served) -> None:
    here = f"{BASE}/contacts"
    assert "Personne n'est encore prévenu." in await get(served, here)
    form = {"name": "Mairie", "address": "mairie", "severity": "warning", "digest": "daily", "language": "fr",
            "quiet_from": "", "quiet_to": "", "remind": "3600"}  # fmt: skip
    assert "n'a pas la forme attendue" in await post(served, f"{here}/nouveau?canal=email", status=422, **form)
    await post(served, f"{here}/nouveau?canal=sms", status=404, **form)  # no provider is set
    page = await post(served, f"{here}/nouveau?canal=email", **form | {"address": "mairie@example.fr"})
    assert "un message d'essai est parti" in page
    assert "mairie@example.fr" not in page
    assert "Un résumé par jour" in page
    number = await served.connection.fetchval("SELECT contact_id FROM contacts")
    assert await served.connection.fetchval("SELECT count(*) FROM deliveries WHERE kind = 'test'") == 1
    await post(served, f"{here}/{number}/essai")
    page = await post(served, f"{here}/{number}/astreinte", since="2025-11-22T09:00", until="2025-11-22T19:00")
    assert "d'astreinte" in page
    assert "Mairie, du sam. 22 nov., 9 h 00 au sam. 22 nov., 19 h 00" in page
    assert "La fin doit venir après le début." in await post(
        served, f"{here}/{number}/astreinte", since="2025-11-22T09:00", until="2025-11-22T08:00"
    )
    steps = {"after0": "30", "whom0": str(number), "after1": "120", "whom1": "", "after2": "", "whom2": ""}
    page = await post(served, f"{here}/relais", **steps)
    assert 'value="30"' in page
    await served.connection.execute("UPDATE deliveries SET state = 'dead', error = 'no such mailbox'")
    page = await get(served, here)
    assert "Pourquoi : no such mailbox" in page
    letter = await served.connection.fetchval("SELECT min(delivery_id) FROM deliveries")
    await post(served, f"{here}/messages/{letter}/envoi")
    assert "Personne n'est encore prévenu." in await post(served, f"{here}/{number}/suppression")


async def test_the_pages_of_another_town_hall_are_absent(served: Served) -> None:
    foreign = await an_incident(served, "autreville")
    rule = await served.connection.fetchval("SELECT rule_id FROM rules")
    cookie = await api_world.sign_in(served.connection, ("manager", served.world.tenant_id), email="m@example.fr")
    served.http.cookie_jar.clear()
    served.http.cookie_jar.update_cookies(cookie)
    for path in ("/t/autreville/alertes", f"{BASE}/alertes/{foreign}", f"{BASE}/regles/{rule}", "/t/autreville/regles",
                 "/t/autreville/contacts", f"{BASE}/regles/{rule}/modifier"):  # fmt: skip
        await get(served, path, status=404)
    for path, fields in (
        (f"{BASE}/alertes/{foreign}/prise-en-charge", {"note": ""}),
        (f"{BASE}/alertes/{foreign}/commentaire", {"note": "x"}),
        (f"{BASE}/alertes/{foreign}/sourdine", {"lasting": "day", "note": ""}),
        (f"{BASE}/regles/{rule}/essai", {}),
        (f"{BASE}/regles/{rule}/service", {"on": "0"}),
        (f"{BASE}/regles/{rule}/suppression", {}),
    ):
        await post(served, path, status=404, **fields)


async def test_who_only_reads_is_offered_nothing_to_press(served: Served) -> None:
    number = await an_incident(served)
    rule = await served.connection.fetchval("SELECT rule_id FROM rules")
    cookie = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="v@example.fr")
    served.http.cookie_jar.clear()
    served.http.cookie_jar.update_cookies(cookie)
    for path in (f"{BASE}/alertes", f"{BASE}/alertes/{number}", f"{BASE}/regles", f"{BASE}/regles/{rule}"):
        main = (await get(served, path)).partition("<main")[2].partition("</main>")[0]
        assert 'method="post"' not in main
    for path in (f"{BASE}/contacts", f"{BASE}/regles/nouvelle", f"{BASE}/regles/modeles"):
        await get(served, path, status=403)


async def test_works_are_announced_and_end(served: Served) -> None:
    page = await get(served, f"{BASE}/travaux")
    assert "Aucuns travaux annoncés" in page
    assert 'value="gateway_id' not in page
    point = await served.connection.fetchval(
        "SELECT min(point_id) FROM points JOIN sites USING (site_id) WHERE tenant_id = $1", served.world.tenant_id
    )
    local = (NOW + timedelta(hours=1)).astimezone(ZoneInfo("Europe/Paris"))
    begins, ends = f"{local:%Y-%m-%dT%H:%M}", f"{local + timedelta(hours=3):%Y-%m-%dT%H:%M}"
    about = {"place": f"point_id:{point}", "since": begins, "until": ends, "reason": "vidange"}
    assert "La fin doit venir" in await post(served, f"{BASE}/travaux", status=422, **about | {"until": begins})
    assert "Dites pourquoi" in await post(served, f"{BASE}/travaux", status=422, **about | {"reason": " "})
    await post(served, f"{BASE}/travaux", status=404, **about | {"place": f"point_id:{served.world.foreign.point_id}"})
    page = await post(served, f"{BASE}/travaux", **about)
    assert "ces travaux sont annoncés" in page
    assert "vidange · annoncé par" in page
    number = await served.connection.fetchval("SELECT window_id FROM maintenance_windows")
    page = await post(served, f"{BASE}/travaux/{number}/fin")
    assert "Aucuns travaux annoncés" in page


async def test_conditions_are_combined_in_words(served: Served) -> None:
    page = await get(served, f"{BASE}/regles/nouvelle?sorte=combined")
    assert "Prévenir quand tout ceci est vrai à la fois" in page
    assert '<option value="open">Ouverture' in page
    point = await served.connection.fetchval(
        "SELECT min(point_id) FROM points JOIN sites USING (site_id) WHERE tenant_id = $1", served.world.tenant_id
    )
    name = await served.connection.fetchval("SELECT name FROM points WHERE point_id = $1", point)
    filled = {
        "kind": "combined",
        "name": "Chauffage fenêtre ouverte",
        "severity": "warning",
        "target": "everything",
        "c00_quantity": "temperature",
        "c00_op": "below",
        "c00_value": "18,5",
        "c00_minus": "temperature",
        "c00_minus_point": str(point),
        "c01_quantity": "open",
        "c01_op": "equals",
        "c01_value": "1",
        "c10_quantity": "co2",
        "c10_op": "above",
        "c10_value": "1500",
    }
    async with served.http.get(f"{BASE}/regles/phrase", params=filled, headers={"Accept-Language": "fr"}) as answer:
        sentence = plain((await answer.json())["sentence"])
    assert sentence.startswith("Prévenir si l'écart entre la température et la température (" + name)
    assert sentence.endswith(") est sous 18,5 °C et l'ouverture est signalée, ou bien le CO2 dépasse 1 500 ppm.")
    address = f"{BASE}/regles/nouvelle?sorte=combined"
    assert "Dites au moins une condition" in await post(served, address, status=422, name="x")
    assert "Vérifiez la condition 2" in await post(served, address, status=422, **filled | {"c01_value": ""})
    kept = await post(served, address, **filled)
    assert sentence in kept
    number = await served.connection.fetchval("SELECT max(rule_id) FROM rules")
    changing = await get(served, f"{BASE}/regles/{number}/modifier")
    assert 'value="18,5"' in changing
    await post(served, f"{BASE}/regles/{number}/modifier", **filled | {"c01_quantity": "", "c01_value": ""})
    when = json.loads(await served.connection.fetchval("SELECT definition FROM rules WHERE rule_id = $1", number))[
        "when"
    ]
    assert [part["op"] for part in when["of"]] == ["difference_below", "above"]
    await served.connection.execute(
        "UPDATE rules SET definition = $2, backtest_version = NULL WHERE rule_id = $1",
        number,
        json.dumps({"when": {"op": "any", "of": [{"op": "above", "quantity": "co2", "value": n} for n in range(4)]}}),
    )
    assert f"/regles/{number}/modifier" not in await get(served, f"{BASE}/regles/{number}")
    await get(served, f"{BASE}/regles/{number}/modifier", status=404)


async def test_antennas_are_watched_by_who_runs_the_network_alone(served: Served) -> None:
    assert "sorte=silent_gateway" not in await get(served, f"{BASE}/regles/nouvelle")
    await get(served, f"{BASE}/regles/nouvelle?sorte=silent_gateway", status=404)
