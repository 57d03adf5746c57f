"""Rules over the API: written, tried on the past, enabled, told in the reader's language, and whose they are."""

from typing import Any

import api_world
from aiohttp import hdrs
from api_served import Served

TEMPLATES = "/api/v1/rule-templates"
COLD = {"name": "Classe froide", "kind": "threshold", "definition": {"quantity": "temperature", "below": 21}}


async def call(
    served: Served, method: str, path: str = "", body: Any = None, *, tenant: str = "mareuville", **headers: str
) -> tuple[int, Any, str]:
    """Return status, JSON and ETag. `language` and `if_match` are headers."""
    sent = {"Accept-Language": headers.get("language", "fr")}
    if "if_match" in headers:
        sent[hdrs.IF_MATCH] = headers["if_match"]
    path, _, query = path.partition("?")
    base = path if path.startswith("/api/") else f"/api/v1/rules{path}"
    address = f"{base}?tenant={tenant}&{query}".rstrip("&")
    async with served.http.request(method, address, json=body, headers=sent) as answer:
        return (
            answer.status,
            await answer.json(content_type=None) if answer.content_length else None,
            answer.headers.get(hdrs.ETAG, ""),
        )


async def test_a_rule_is_written_tried_on_the_past_and_only_then_enabled(served: Served) -> None:
    status, made, _ = await call(served, "POST", body=COLD | {"point_id": served.world.air.point_id})
    assert status == 201
    assert (made["enabled"], made["firings"], made["version"]) == (False, None, 1)
    assert made["sentence"] == (
        "Prévenir si la température passe sous 21\u00a0°C (Air, classe de CM2, École Jules-Verne)."
    )
    rule = f"/{made['id']}"
    assert (await call(served, "GET", f"{rule}/backtest"))[0] == 404
    status, said, _ = await call(served, "PATCH", rule, {"enabled": True})
    assert (status, said["type"]) == (409, "urn:samara:problem:conflict")
    status, tried, _ = await call(served, "POST", f"{rule}/backtest", {"days": 20}, language="en")
    assert status == 201
    assert tried["count"] > 10
    assert tried["summary"] == f"Over the last 20 days, this rule would have fired {tried['count']} times"
    assert tried["firings"][0]["sentence"].startswith("Temperature: ")
    assert sum(tried["per_day"].values()) == tried["count"]
    assert len(tried["curve"]["at"]) == len(tried["curve"]["low"]) == len(tried["curve"]["high"])
    assert (await call(served, "GET", f"{rule}/backtest"))[1]["count"] == tried["count"]
    status, enabled, _ = await call(served, "PATCH", rule, {"enabled": True})
    assert (status, enabled["enabled"], enabled["firings"]) == (200, True, tried["count"])
    status, listed, _ = await call(served, "GET")
    assert [one["id"] for one in listed["items"]] == [made["id"]]
    actions = await served.connection.fetch("SELECT action, actor, object FROM audit WHERE action LIKE 'rule%'")
    assert [tuple(row) for row in actions] == [
        ("rule.created", "somebody@example.fr", str(made["id"])),
        ("rule.enabled", "somebody@example.fr", str(made["id"])),
    ]


async def test_another_definition_must_be_tried_anew_and_another_name_need_not(served: Served) -> None:
    made = (await call(served, "POST", body=COLD))[1]
    rule = f"/{made['id']}"
    await call(served, "POST", f"{rule}/backtest", {})
    await call(served, "PATCH", rule, {"enabled": True})
    renamed = (await call(served, "PATCH", rule, {"name": "Froid", "severity": "critical"}))[1]
    assert (renamed["enabled"], renamed["version"], renamed["name"]) == (True, 1, "Froid")
    same = (await call(served, "PATCH", rule, {"definition": COLD["definition"]}))[1]
    assert same["enabled"]
    colder = (await call(served, "PATCH", rule, {"definition": {"quantity": "temperature", "below": 15}}))[1]
    assert (colder["enabled"], colder["version"], colder["firings"]) == (False, 2, None)
    site = await served.connection.fetchval("SELECT min(site_id) FROM sites")
    moved = (await call(served, "PATCH", rule, {"site_id": site}))[1]
    assert (moved["site_id"], moved["version"], moved["place"]) == (site, 3, "École Jules-Verne")
    everywhere = (await call(served, "PATCH", rule, {"site_id": None}))[1]
    assert (everywhere["site_id"], everywhere["version"]) == (None, 4)


async def test_a_change_does_not_undo_somebody_elses(served: Served) -> None:
    made = (await call(served, "POST", body=COLD))[1]
    rule = f"/{made['id']}"
    _, _, tag = await call(served, "GET", rule)
    status, changed, new_tag = await call(served, "PATCH", rule, {"name": "Un"}, if_match=tag)
    assert (status, changed["name"]) == (200, "Un")
    assert (await call(served, "GET", rule))[2] == new_tag
    status, said, _ = await call(served, "PATCH", rule, {"name": "Deux"}, if_match=tag)
    assert (status, said["type"]) == (412, "urn:samara:problem:changed-meanwhile")
    assert (await call(served, "DELETE", rule, if_match=tag))[0] == 412
    assert (await call(served, "DELETE", rule, if_match=new_tag))[0] == 204
    assert (await call(served, "GET", rule))[0] == 404
    assert (await call(served, "DELETE", rule))[0] == 404


async def test_a_rule_that_cannot_be_is_refused_with_what_is_wrong(served: Served) -> None:
    for wrong, said in (
        ({"kind": "nonsense"}, "no rule kind"),
        ({"definition": {"quantity": "co2"}}, "give one of above, below"),
        ({"definition": {"quantity": "co2", "above": 1e999}}, ""),
        ({"definition": {"quantity": "a\x00", "above": 1}}, "quantity"),
        ({"definition": {"quantity": "co2", "above": 1, "tenant_id": 1}}, "tenant_id: no such field"),
        ({"site_id": 1, "tag": "salles"}, "target"),
        ({"kind": "silent_gateway", "definition": {}}, "gateways are the network's"),
    ):
        status, problem, _ = await call(served, "POST", body=COLD | wrong)
        assert status in {400, 422}, wrong
        if said:
            assert problem["type"] == "urn:samara:problem:no-such-rule"
            assert said in problem["detail"]
    assert (await call(served, "POST", body=COLD | {"point_id": served.world.foreign.point_id}))[0] == 404
    assert (await call(served, "POST", body=COLD | {"severity": "nonsense"}))[0] == 400


async def test_who_only_reads_writes_no_rule(served: Served) -> None:
    made = (await call(served, "POST", body=COLD))[1]
    cookie = await api_world.sign_in(served.connection, ("viewer", served.world.tenant_id), email="v@example.fr")
    served.http.cookie_jar.clear()
    served.http.cookie_jar.update_cookies(cookie)
    assert (await call(served, "GET"))[0] == 200
    for method, path, body in (
        ("POST", "", COLD),
        ("PATCH", f"/{made['id']}", {"name": "x"}),
        ("DELETE", f"/{made['id']}", None),
        ("POST", f"/{made['id']}/backtest", {}),
        ("POST", TEMPLATES, {"template": "school", "site_id": 1}),
    ):
        assert (await call(served, method, path, body))[0] == 403


async def test_kinds_tell_their_forms_in_the_language_of_the_reader(served: Served) -> None:
    french = {one["kind"]: one for one in (await call(served, "GET", "/api/v1/rule-kinds"))[1]["items"]}
    english = {one["kind"]: one for one in (await call(served, "GET", "/api/v1/rule-kinds", language="en"))[1]["items"]}
    assert len(french) == 20
    assert (french["threshold"]["title"], english["threshold"]["title"]) == ("Seuil", "Threshold")
    fields = {one["name"]: one for one in french["frost"]["fields"]}
    assert [one["label"] for one in fields["quantity"]["choices"]][:1] == ["Température"]
    assert (fields["ahead_s"]["ask"], fields["ahead_s"]["default"]) == ("duration", 7200)
    assert fields["for_s"]["common"]


async def test_a_template_proposes_what_a_site_measures_and_is_taken_once(served: Served) -> None:
    site = await served.connection.fetchval("SELECT site_id FROM points WHERE point_id = $1", served.world.air.point_id)
    found = {
        one["template"]: one
        for one in (await call(served, "GET", f"/api/v1/rule-templates?site_id={site}"))[1]["items"]
    }
    proposed = [one["kind"] for one in found["school"]["proposals"]]
    assert "night_flow" in proposed
    assert "co2_occupied" not in proposed  # no CO2 is measured there
    assert all(one["sentence"].startswith("Prévenir s") for one in found["school"]["proposals"])
    status, made, _ = await call(served, "POST", TEMPLATES, {"template": "school", "site_id": site})
    assert (status, len(made["rules"])) == (201, len(proposed))
    assert (await call(served, "POST", TEMPLATES, {"template": "school", "site_id": site}))[1]["rules"] == []
    assert (await call(served, "POST", TEMPLATES, {"template": "castle", "site_id": site}))[0] == 422
    for rule_id in made["rules"]:
        assert (await call(served, "POST", f"/{rule_id}/backtest", {}))[0] == 201
        assert (await call(served, "PATCH", f"/{rule_id}", {"enabled": True}))[1]["enabled"]


async def test_what_a_rule_found_is_told_in_words(served: Served) -> None:
    made = (await call(served, "POST", body=COLD))[1]
    await served.connection.execute(
        """
        INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, point_id, severity, degree, phase, started_at,
                            ended_at, value, reason, told)
        VALUES (gen_random_uuid(), $1, $2, 1, $3, 'warning', 1, 'resolved', $4, $4, 18.5,
                '{"code": "threshold", "value": 18.5, "level": 21}', true)
        """,
        served.world.tenant_id,
        made["id"],
        served.world.air.point_id,
        api_world.NOW,
    )
    (alert,) = (await call(served, "GET", f"/{made['id']}/alerts", language="en"))[1]["items"]
    assert (alert["sentence"], alert["told"]) == ("Temperature: 18.5\u00a0°C (level 21\u00a0°C).", True)


async def test_opening_hours_are_said_and_told(served: Served) -> None:
    hours = "/api/v1/hours"
    site = await served.connection.fetchval("SELECT min(site_id) FROM sites")
    assert (await call(served, "GET", f"{hours}?site_id={site}"))[1] == {"hours": None}
    of_all = {"weekly": {"mon": [{"opens": "08:30:00", "closes": "16:30:00"}]}, "school_holidays": "B"}
    assert (await call(served, "POST", hours, {"hours": of_all}))[0] == 204
    told = (await call(served, "GET", f"{hours}?site_id={site}"))[1]["hours"]
    assert (told["weekly"], told["school_holidays"], told["public_holidays"]) == (of_all["weekly"], "B", "closed")
    assert (await call(served, "POST", hours, {"site_id": site, "hours": {"weekly": {}}}))[0] == 204
    assert (await call(served, "GET", f"{hours}?site_id={site}"))[1]["hours"]["weekly"] == {}
    assert (await call(served, "GET", hours))[1]["hours"]["weekly"] == of_all["weekly"]
    zoned = {"weekly": {"mon": [{"opens": "08:30Z", "closes": "16:30"}]}}
    assert (await call(served, "POST", hours, {"hours": zoned}))[0] == 422
    other = await served.connection.fetchval("SELECT max(site_id) FROM sites")
    assert (await call(served, "POST", hours, {"site_id": other, "hours": {"weekly": {}}}))[0] == 404


async def test_points_are_grouped_by_words(served: Served) -> None:
    tags, both = "/api/v1/tags", [served.world.air.point_id, served.world.water.point_id]
    assert (await call(served, "POST", tags, {"tag": "secteur:nord", "points": both}))[0] == 204
    assert (await call(served, "GET", tags))[1]["items"] == [{"tag": "secteur:nord", "points": both}]
    assert (await call(served, "POST", tags, {"tag": "secteur:nord", "points": both[:1]}))[0] == 204
    assert (await call(served, "GET", tags))[1]["items"][0]["points"] == both[:1]
    made = (await call(served, "POST", body=COLD | {"tag": "secteur:nord"}))[1]
    assert (made["tag"], made["place"]) == ("secteur:nord", "secteur:nord")
    assert (await call(served, "POST", f"/{made['id']}/backtest", {}))[1]["subjects"] == 1
    foreign = {"tag": "x", "points": [served.world.foreign.point_id]}
    assert (await call(served, "POST", tags, foreign))[0] == 404
    assert (await call(served, "POST", tags, {"tag": "Nord", "points": []}))[0] == 400
    assert (await call(served, "POST", tags, {"tag": "secteur:nord", "points": []}))[0] == 204
    assert (await call(served, "GET", tags))[1]["items"] == []
