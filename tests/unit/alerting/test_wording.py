from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from alerting.delivery.wording import of_digest, of_incident, of_test
from alerting.notice import Fact
from store.delivery.contacts import Contact
from store.delivery.messages import Claimed
from store.delivery.reading import Firing, Incident

AT = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)
FIRING = Firing(
    alert_id=UUID(int=1),
    tenant_id=1,
    rule_id=1,
    rule_name="CO2 des classes",
    rule_kind="threshold",
    definition={"quantity": "co2", "above": 1500},
    site_id=1,
    site_name="École Jules-Ferry",
    point_id=1,
    point_name="Classe 3",
    time_zone="Europe/Paris",
    severity="warning",
    degree=1,
    phase="firing",
    started_at=AT - timedelta(minutes=20),
    ended_at=None,
    value=1812.0,
    reason={"code": "threshold", "value": 1812.0, "level": 1500.0},
)
INCIDENT = Incident(
    incident_id=7,
    tenant_id=1,
    tenant_name="Doullens",
    tenant_slug="doullens",
    time_zone="Europe/Paris",
    cause="threshold:site:1",
    gateway_id=None,
    gateway_name=None,
    severity="warning",
    opened_at=AT,
    closed_at=None,
    acknowledged_at=None,
    acknowledged_by=None,
    assigned_to=None,
    revision=1,
    firings=[FIRING],
    held=[],
)
OUTAGE = INCIDENT._replace(
    tenant_id=None,
    tenant_name=None,
    tenant_slug=None,
    cause="gateway:4",
    gateway_id=4,
    gateway_name="Beffroi d'Amiens",
    severity="critical",
    firings=[],
    held=[("Doullens", 40), ("Corbie", 3)],
)


def contact(language: str = "fr") -> Contact:
    return Contact(
        contact_id=1,
        tenant_id=1,
        name="Mairie",
        language=language,
        channel="email",
        target={},
        min_severity="warning",
        on_call_only=False,
        preferences={},
        tenant_slug="doullens",
        time_zone="Europe/Paris",
        on_call=False,
    )


def claimed(kind: str, severity: str = "warning") -> Claimed:
    return Claimed(1, f"incident-7-{kind}", 1, 7, 1, kind, severity, 0, AT, None, wanted=True)


def told(incident: Incident, kind: str, language: str = "fr", severity: str = "warning") -> Any:
    return of_incident(incident, claimed(kind, severity), contact(language), "https://samara.example")


def test_a_notice_says_what_where_since_when_how_much_and_what_to_do() -> None:
    notice = told(INCIDENT, "opened")
    assert notice.subject == "Alerte\u00a0: CO2 des classes, Classe 3, École Jules-Ferry"
    assert notice.sentences[0].startswith("CO2")
    assert "1\u202f812\u00a0ppm" in notice.sentences[0]
    assert notice.sentences[1].startswith("Que faire\u00a0: ")
    assert notice.facts == (
        Fact("Où", "Classe 3, École Jules-Ferry, Doullens"),
        Fact("Depuis", "samedi 21 novembre à 13\u00a0h\u00a045"),
        Fact("Gravité", "à surveiller"),
    )
    assert notice.link == "https://samara.example/t/doullens/alertes/7"
    assert "«\u00a0Mairie\u00a0»" in notice.footer
    assert notice.notice_id == "incident-7-opened"
    assert notice.thread_id == "incident-7"


def test_several_points_are_told_one_by_one_up_to_five() -> None:
    firings = [FIRING._replace(point_id=n, point_name=f"Classe {n}") for n in range(1, 9)]
    notice = told(INCIDENT._replace(firings=firings), "opened")
    assert notice.subject == "Alerte\u00a0: CO2 des classes, École Jules-Ferry"
    assert [sentence[:8] for sentence in notice.sentences[:5]] == [f"Classe {n}" for n in range(1, 6)]
    assert notice.sentences[5] == "Et 3 autres points."
    one_more = told(INCIDENT._replace(firings=firings[:6]), "opened")
    assert "Et un autre point." in one_more.sentences


def test_the_end_says_how_long_it_lasted() -> None:
    over = INCIDENT._replace(closed_at=AT + timedelta(hours=2, minutes=10), acknowledged_by="Marie")
    notice = told(over, "resolved")
    assert notice.subject.startswith("Terminé\u00a0: ")
    assert notice.sentences == ("C'est terminé, après 2\u00a0heures 10\u00a0minutes.",)
    assert Fact("Pris en charge par", "Marie") in notice.facts


@pytest.mark.parametrize(
    ("kind", "begins"), [("updated", "Suite"), ("reminder", "Rappel"), ("escalated", "Sans réponse")]
)
def test_each_kind_says_what_it_is(kind: str, begins: str) -> None:
    assert told(INCIDENT, kind).subject.startswith(begins)


def test_an_outage_lists_the_communes_it_touches() -> None:
    notice = told(OUTAGE, "opened", severity="critical")
    assert notice.subject == "Alerte grave\u00a0: antenne Beffroi d'Amiens muette"
    assert "43 capteurs se taisent à cause d'elle\u00a0: Doullens (40), Corbie (3)." in notice.sentences[1]
    back = told(OUTAGE._replace(closed_at=AT + timedelta(hours=1)), "resolved", severity="critical")
    assert back.sentences == ("L'antenne Beffroi d'Amiens répond de nouveau, après 1\u00a0heure.",)
    network = told(OUTAGE._replace(gateway_id=None, gateway_name=None, held=[]), "opened", severity="critical")
    assert "plus aucune antenne" in network.subject


def test_english_is_english() -> None:
    notice = told(INCIDENT, "opened", "en")
    assert notice.subject == "Alert: CO2 des classes, Classe 3, École Jules-Ferry"
    assert "1,812" in notice.sentences[0]
    assert notice.facts[1] == Fact("Since", "Saturday 21 November at 13:45")
    assert "43 sensors" in told(OUTAGE, "opened", "en", "critical").sentences[1]


def test_a_digest_lists_what_is_and_what_is_over() -> None:
    over = INCIDENT._replace(incident_id=8, closed_at=AT)
    notice = of_digest([INCIDENT, over], claimed("digest"), contact(), "https://samara.example")
    assert notice.subject == "Résumé\u00a0: 2 points à regarder, Doullens"
    assert len(notice.sentences) == 2
    assert notice.sentences[1].endswith("(terminé).")
    assert of_digest([INCIDENT], claimed("digest"), contact(), "").subject.startswith("Résumé\u00a0: un point")


def test_a_test_message_asks_for_nothing() -> None:
    assert "rien à faire" in of_test(contact(), "t-1").sentences[0]


def test_words_that_people_typed_are_not_a_template() -> None:
    hostile = FIRING._replace(rule_name="{0.__class__} {contact}", site_name="{tenant}", point_name="%s")
    notice = told(INCIDENT._replace(firings=[hostile], tenant_name="{n}"), "opened")
    assert "{0.__class__} {contact}" in notice.subject
    assert "{n}" in notice.footer
