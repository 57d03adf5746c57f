"""Incidents, silences, contacts and messages over the API, and whose they are."""

from datetime import timedelta
from typing import Any

import pytest
from api_served import Served

INSERT_ALERT = """
WITH rule AS (
  INSERT INTO rules (tenant_id, name, kind, definition, target, severity)
  VALUES ($1, 'CO2 des classes', 'threshold', '{"quantity": "co2", "above": 1500}', '{}', 'warning')
  RETURNING rule_id
),
incident AS (
  INSERT INTO incidents (tenant_id, cause, severity, opened_at, site_id)
  VALUES ($1, 'threshold:site:1', 'warning', $2, (SELECT min(site_id) FROM sites WHERE tenant_id = $1))
  RETURNING incident_id, site_id
)
INSERT INTO alerts (alert_id, tenant_id, rule_id, state_id, site_id, severity, degree, phase, started_at, value, reason,
                    told, incident_id)
SELECT gen_random_uuid(), $1, rule_id, 1, site_id, 'warning', 1, 'firing', $2, 1812,
       '{"code": "threshold", "value": 1812, "level": 1500}', true, incident_id
  FROM rule, incident
RETURNING incident_id
"""


async def tenants_of(served: Served) -> list[tuple[int, str]]:
    rows = await served.connection.fetch(
        "SELECT tenant_id, slug FROM tenants WHERE EXISTS (SELECT FROM sites WHERE sites.tenant_id = tenants.tenant_id)"
        " ORDER BY tenant_id"
    )
    return [(row["tenant_id"], row["slug"]) for row in rows]


async def call(served: Served, method: str, path: str, tenant: str, body: Any = None, **query: str) -> tuple[int, Any]:
    params = {"tenant": tenant, **query}
    english = {"Accept-Language": "en"}
    async with served.http.request(method, f"/api/v1/{path}", params=params, json=body, headers=english) as answer:
        return answer.status, await answer.json() if answer.content_length else None


@pytest.fixture
async def incident(served: Served) -> tuple[int, str, str]:
    (tenant_id, slug), (_, other) = (await tenants_of(served))[:2]
    number = await served.connection.fetchval(INSERT_ALERT, tenant_id, served.clock())
    return int(number), slug, other


async def test_an_incident_is_listed_and_told_in_words(served: Served, incident: tuple[int, str, str]) -> None:
    number, tenant, other = incident
    status, page = await call(served, "GET", "incidents", tenant, open="true")
    assert status == 200
    assert [one["id"] for one in page["items"]] == [number]
    assert page["items"][0]["rule"] == "CO2 des classes"
    status, told = await call(served, "GET", f"incidents/{number}", tenant)
    assert status == 200
    (alert,) = told["alerts"]
    assert "1,812" in alert["sentence"]
    assert alert["advice"]
    assert (await call(served, "GET", "incidents", tenant, open="false"))[1]["items"] == []
    assert (await call(served, "GET", "incidents", tenant, text="nothing like it"))[1]["items"] == []
    assert (await call(served, "GET", "incidents", other))[1]["items"] == []
    absent = await call(served, "GET", f"incidents/{number + 1}", other)
    assert await call(served, "GET", f"incidents/{number}", other) == absent
    assert absent[0] == 404


async def test_somebody_takes_care_of_it(served: Served, incident: tuple[int, str, str]) -> None:
    number, tenant, other = incident
    assert (await call(served, "POST", f"incidents/{number}/acknowledgement", tenant, {"note": "j'y vais"}))[0] == 204
    assert (await call(served, "POST", f"incidents/{number}/assignment", tenant, {"to": "Paul"}))[0] == 204
    assert (await call(served, "POST", f"incidents/{number}/comments", tenant, {"note": "vanne fermée"}))[0] == 204
    assert (await call(served, "POST", f"incidents/{number}/comments", tenant, {"note": ""}))[0] == 400
    for act, body in (("acknowledgement", {}), ("assignment", {"to": "x"}), ("comments", {"note": "x"})):
        assert (await call(served, "POST", f"incidents/{number}/{act}", other, body))[0] == 404
    _, told = await call(served, "GET", f"incidents/{number}", tenant)
    assert told["assigned_to"] == "Paul"
    assert [one["kind"] for one in told["happenings"]] == ["acknowledged", "assigned", "commented"]
    assert told["acknowledged_by"]


async def test_a_silence_begins_is_listed_and_ends(served: Served, incident: tuple[int, str, str]) -> None:
    _, tenant, other = incident
    until = (served.clock() + timedelta(hours=2)).isoformat()
    status, made = await call(served, "POST", "silences", tenant, {"until": until, "reason": "travaux"})
    assert status == 201
    assert (await call(served, "GET", "silences", tenant))[1]["items"] == [made]
    assert (await call(served, "GET", "silences", other))[1]["items"] == []
    foreign = (await call(served, "GET", "sites", other))[1]["items"][0]["id"]
    refused = await call(served, "POST", "silences", tenant, {"until": until, "reason": "x", "site_id": foreign})
    assert refused[0] == 404
    works = {"since": until, "until": (served.clock() + timedelta(hours=9)).isoformat(), "reason": "vidange"}
    planned = (await call(served, "POST", "silences", tenant, works))[1]
    assert planned["since"].startswith(until[:19])
    assert (await call(served, "POST", "silences", tenant, works | {"until": until}))[0] == 422
    assert (await call(served, "DELETE", f"silences/{planned['id']}", tenant))[0] == 204
    assert (await call(served, "GET", "silences", tenant))[1]["items"] == [made]
    past = (served.clock() - timedelta(hours=2)).isoformat()
    assert (await call(served, "POST", "silences", tenant, {"until": past, "reason": "x"}))[0] == 422
    assert (await call(served, "DELETE", f"silences/{made['id']}", other))[0] == 404
    served.clock.now += timedelta(minutes=1)
    assert (await call(served, "DELETE", f"silences/{made['id']}", tenant))[0] == 204
    assert (await call(served, "GET", "silences", tenant))[1]["items"] == []


async def test_works_are_announced_listed_and_called_off(served: Served, incident: tuple[int, str, str]) -> None:
    _, tenant, other = incident
    point = (await call(served, "GET", "points", tenant))[1]["items"][0]["id"]
    works = {"since": (served.clock() + timedelta(hours=1)).isoformat(), "reason": "vidange", "point_id": point}
    works["until"] = (served.clock() + timedelta(hours=9)).isoformat()
    status, made = await call(served, "POST", "maintenance-windows", tenant, works)
    assert status == 201
    assert made["created_by"]
    assert (await call(served, "GET", "maintenance-windows", tenant))[1]["items"] == [made]
    assert (await call(served, "GET", "maintenance-windows", other))[1]["items"] == []
    assert (await call(served, "POST", "maintenance-windows", other, works))[0] == 404
    assert (await call(served, "POST", "maintenance-windows", tenant, works | {"site_id": 1}))[0] == 422
    assert (await call(served, "POST", "maintenance-windows", tenant, works | {"until": works["since"]}))[0] == 422
    assert (await call(served, "DELETE", f"maintenance-windows/{made['id']}", other))[0] == 404
    assert (await call(served, "DELETE", f"maintenance-windows/{made['id']}", tenant))[0] == 204
    assert (await call(served, "GET", "maintenance-windows", tenant))[1]["items"] == []


async def test_contacts_are_added_tried_put_on_call_and_removed(served: Served, incident: tuple[int, str, str]) -> None:
    _, tenant, other = incident
    new = {"name": "Mairie", "channel": "email", "target": {"address": "mairie@example.org"}}
    status, made = await call(served, "POST", "contacts", tenant, new)
    assert status == 201
    assert "mairie@example.org" not in str(made)
    listed = (await call(served, "GET", "contacts", tenant))[1]["items"]
    assert [one["name"] for one in listed] == ["Mairie"]
    assert (await call(served, "GET", "contacts", other))[1]["items"] == []
    assert "email" in (await call(served, "GET", "channels", tenant))[1]["channels"]
    assert "sms" not in (await call(served, "GET", "channels", tenant))[1]["channels"]
    for wrong in ({"channel": "sms", "target": {"number": "+33601020304"}}, {"target": {"address": "x"}}):
        assert (await call(served, "POST", "contacts", tenant, new | wrong))[0] == 422
    assert (await call(served, "POST", "contacts", tenant, new | {"tenant_id": 1}))[0] == 400
    number = made["id"]
    assert (await call(served, "POST", f"contacts/{number}/test", other))[0] == 404
    assert (await call(served, "POST", f"contacts/{number}/test", tenant))[0] == 204
    messages = (await call(served, "GET", "messages", tenant))[1]["items"]
    assert [(one["kind"], one["state"], one["contact"]) for one in messages] == [("test", "waiting", "Mairie")]
    shift = {"since": served.clock().isoformat(), "until": (served.clock() + timedelta(hours=1)).isoformat()}
    assert (await call(served, "POST", f"contacts/{number}/shifts", other, shift))[0] == 404
    assert (await call(served, "POST", f"contacts/{number}/shifts", tenant, shift))[0] == 201
    assert (await call(served, "GET", "contacts", tenant))[1]["items"][0]["on_call"] is True
    (shift_told,) = (await call(served, "GET", "shifts", tenant))[1]["items"]
    assert shift_told["contact_id"] == number
    assert (await call(served, "GET", "shifts", other))[1]["items"] == []
    assert (await call(served, "DELETE", f"shifts/{shift_told['id']}", other))[0] == 404
    assert (await call(served, "DELETE", f"shifts/{shift_told['id']}", tenant))[0] == 204
    assert (await call(served, "GET", "contacts", tenant))[1]["items"][0]["on_call"] is False
    steps = {"steps": [{"after_s": 1800, "contact_id": number}, {"after_s": 7200}]}
    assert (await call(served, "POST", "escalation", other, steps))[0] == 404
    assert (await call(served, "POST", "escalation", tenant, steps))[0] == 204
    assert [one["after_s"] for one in (await call(served, "GET", "escalation", tenant))[1]["steps"]] == [1800, 7200]
    assert (await call(served, "POST", f"messages/{messages[0]['id']}/resend", tenant))[0] == 404  # it is not dead
    await served.connection.execute("UPDATE deliveries SET state = 'dead'")
    assert (await call(served, "POST", f"messages/{messages[0]['id']}/resend", other))[0] == 404
    assert (await call(served, "POST", f"messages/{messages[0]['id']}/resend", tenant))[0] == 204
    assert (await call(served, "DELETE", f"contacts/{number}", other))[0] == 404
    assert (await call(served, "DELETE", f"contacts/{number}", tenant))[0] == 204
    assert (await call(served, "GET", "contacts", tenant))[1]["items"] == []
