"""What a notice says, in words: what, where, since when, how much, what to do. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast
from zoneinfo import ZoneInfo

from alerting import rules
from alerting.notice import Fact, Kind, Notice, Severity
from alerting.rules import Language
from alerting.rules._words import lasting, moment
from store.delivery.contacts import Contact
from store.delivery.messages import Claimed
from store.delivery.reading import Firing, Incident

_SHOWN: Final = 5  # firings that are told one by one
_COMMUNES: Final = 12

_TEXTS: Final[Mapping[Language, Mapping[str, str]]] = {
    "fr": {
        "info": "Information\u00a0: ",
        "warning": "Alerte\u00a0: ",
        "critical": "Alerte grave\u00a0: ",
        "resolved": "Terminé\u00a0: ",
        "updated": "Suite\u00a0: ",
        "reminder": "Rappel\u00a0: ",
        "escalated": "Sans réponse\u00a0: ",
        "gateway": "antenne {name} muette",
        "network": "plus aucune antenne ne répond",
        "gateway_said": "L'antenne {name} ne donne plus de nouvelles depuis {since}.",
        "network_said": "Aucune antenne ne donne de nouvelles depuis {since}\u00a0: le serveur de réseau, ou la liaison"
        " avec lui, est en cause.",
        "gateway_back": "L'antenne {name} répond de nouveau, après {lasting}.",
        "network_back": "Les antennes répondent de nouveau, après {lasting}.",
        "held": "{n} capteurs se taisent à cause d'elle\u00a0: {communes}. Les communes n'ont pas été alertées.",
        "held_one": "Un capteur se tait à cause d'elle\u00a0: {communes}. La commune n'a pas été alertée.",
        "gateway_advice": "Vérifier son alimentation et sa liaison à Internet.",
        "others": "Et {n} autres points.",
        "others_one": "Et un autre point.",
        "ended": "C'est terminé, après {lasting}.",
        "nobody": "Personne n'a encore répondu à cette alerte.",
        "advice": "Que faire\u00a0: {advice}",
        "where": "Où",
        "since": "Depuis",
        "until": "Jusqu'à",
        "severity": "Gravité",
        "severity.info": "information",
        "severity.warning": "à surveiller",
        "severity.critical": "grave",
        "taken": "Pris en charge par",
        "link": "Voir dans Samara",
        "footer": "Vous recevez ce message parce que «\u00a0{contact}\u00a0» est un contact de {tenant} dans Samara.",
        "digest": "Résumé\u00a0: {n} points à regarder, {tenant}",
        "digest_one": "Résumé\u00a0: un point à regarder, {tenant}",
        "digest_line": "{what}, {since}.",
        "digest_over": "{what}, {since} (terminé).",
        "test": "Message d'essai de Samara",
        "test_said": "Ce message montre que Samara peut vous joindre par ce moyen. Il n'y a rien à faire.",
    },
    "en": {
        "info": "Information: ",
        "warning": "Alert: ",
        "critical": "Serious alert: ",
        "resolved": "Over: ",
        "updated": "Update: ",
        "reminder": "Reminder: ",
        "escalated": "Nobody answered: ",
        "gateway": "antenna {name} silent",
        "network": "no antenna answers any more",
        "gateway_said": "Antenna {name} has not been heard of since {since}.",
        "network_said": "No antenna has been heard of since {since}: the network server or the way to it is the cause.",
        "gateway_back": "Antenna {name} answers again, after {lasting}.",
        "network_back": "The antennas answer again, after {lasting}.",
        "held": "{n} sensors are silent because of it: {communes}. The communes were not alerted.",
        "held_one": "One sensor is silent because of it: {communes}. The commune was not alerted.",
        "gateway_advice": "Check its power and its Internet connection.",
        "others": "And {n} other points.",
        "others_one": "And one other point.",
        "ended": "It is over, after {lasting}.",
        "nobody": "Nobody has answered this alert yet.",
        "advice": "What to do: {advice}",
        "where": "Where",
        "since": "Since",
        "until": "Until",
        "severity": "Severity",
        "severity.info": "information",
        "severity.warning": "to be watched",
        "severity.critical": "serious",
        "taken": "Taken care of by",
        "link": "See it in Samara",
        "footer": 'You receive this message because "{contact}" is a contact of {tenant} in Samara.',
        "digest": "Summary: {n} things to look at, {tenant}",
        "digest_one": "Summary: one thing to look at, {tenant}",
        "digest_line": "{what}, {since}.",
        "digest_over": "{what}, {since} (over).",
        "test": "A test message from Samara",
        "test_said": "This message shows that Samara can reach you this way. There is nothing to do.",
    },
}


def of_incident(incident: Incident, claimed: Claimed, contact: Contact, base_url: str) -> Notice:
    """Return the notice of one incident for one contact. Links begin with `base_url`; "": there are none."""
    language, kind, severity = _language(contact), cast("Kind", claimed.kind), cast("Severity", claimed.severity)
    texts = _TEXTS[language]
    prefix = texts[severity if kind == "opened" else kind]
    what = title(incident, language)
    return Notice(
        notice_id=claimed.message_id,
        thread_id=f"incident-{incident.incident_id}",
        kind=kind,
        severity=severity,
        language=language,
        subject=prefix + what[:1].lower() + what[1:] if incident.tenant_id is None else prefix + what,
        sentences=tuple(_sentences(incident, kind, language)),
        facts=tuple(_facts(incident, severity, language)),
        link=_link(contact, base_url, incident.incident_id),
        link_label=texts["link"],
        footer=_footer(contact, incident.tenant_name, language),
        data=_data(incident),
    )


def of_digest(incidents: Sequence[Incident], claimed: Claimed, contact: Contact, base_url: str) -> Notice:
    """Return the digest of several incidents for one contact, as they are now."""
    language = _language(contact)
    texts = _TEXTS[language]
    tenant = next((one.tenant_name for one in incidents if one.tenant_name), "Samara")
    lines = [
        texts["digest_line" if one.closed_at is None else "digest_over"].format(
            what=title(one, language), since=moment(one.opened_at.timestamp(), ZoneInfo(one.time_zone), language)
        )
        for one in incidents
    ]
    return Notice(
        notice_id=claimed.message_id,
        thread_id=claimed.message_id,
        kind="digest",
        severity=cast("Severity", claimed.severity),
        language=language,
        subject=texts["digest_one" if len(incidents) == 1 else "digest"].format(n=len(incidents), tenant=tenant),
        sentences=tuple(lines),
        link=_link(contact, base_url),
        link_label=texts["link"],
        footer=_footer(contact, tenant, language),
        data={"incidents": [_data(one) for one in incidents]},
    )


def of_test(contact: Contact, notice_id: str) -> Notice:
    """Return the message that shows that a contact can be reached."""
    texts = _TEXTS[_language(contact)]
    return Notice(
        notice_id=notice_id,
        thread_id=notice_id,
        kind="test",
        severity="info",
        language=_language(contact),
        subject=texts["test"],
        sentences=(texts["test_said"],),
    )


def title(incident: Incident, language: Language) -> str:
    """Return what an incident is, and where, on one line."""
    texts = _TEXTS[language]
    if incident.tenant_id is None:
        return texts["network"] if incident.gateway_id is None else texts["gateway"].format(name=incident.gateway_name)
    if not incident.firings:
        return incident.cause
    return ", ".join(dict.fromkeys([incident.firings[0].rule_name, *_places(incident.firings)]))


def explained(firing: Firing, language: Language) -> str:
    """Return what was found, as a sentence made of the figures of an alert."""
    return rules.parse(firing.rule_kind, firing.definition).explain(dict(firing.reason), language)


def _places(firings: Sequence[Firing]) -> list[str]:
    places = dict.fromkeys(_place(firing) for firing in firings)
    if len(places) == 1:
        return [place for place in places if place]
    return [site for site in dict.fromkeys(firing.site_name for firing in firings) if site]


def _place(firing: Firing) -> str:
    return ", ".join(part for part in (firing.point_name, firing.site_name) if part)


def _sentences(incident: Incident, kind: str, language: Language) -> list[str]:
    texts = _TEXTS[language]
    said = [texts["nobody"]] if kind == "escalated" else []
    if incident.closed_at is not None:
        return [*said, *_over(incident, incident.closed_at, language)]
    if incident.tenant_id is None:
        return [*said, *_outage(incident, language)]
    several = len({firing.point_id for firing in incident.firings}) > 1
    for firing in incident.firings[:_SHOWN]:
        what = explained(firing, language)
        said.append(f"{firing.point_name}{_COLON[language]}{what}" if several and firing.point_name else what)
    left = len(incident.firings) - _SHOWN
    if left > 0:
        said.append(texts["others_one" if left == 1 else "others"].format(n=left))
    advice = dict.fromkeys(
        rules.kinds()[firing.rule_kind].ADVICE[language]
        for firing in incident.firings
        if firing.rule_kind in rules.kinds()
    )
    return [*said, *(texts["advice"].format(advice=one) for one in advice)]


_COLON: Final = {"fr": "\u00a0: ", "en": ": "}


def _over(incident: Incident, closed_at: datetime, language: Language) -> list[str]:
    texts = _TEXTS[language]
    after = lasting((closed_at - incident.opened_at).total_seconds(), language)
    if incident.tenant_id is not None:
        return [texts["ended"].format(lasting=after)]
    if incident.gateway_id is None:
        return [texts["network_back"].format(lasting=after)]
    return [texts["gateway_back"].format(name=incident.gateway_name, lasting=after)]


def _outage(incident: Incident, language: Language) -> list[str]:
    texts = _TEXTS[language]
    since = moment(incident.opened_at.timestamp(), ZoneInfo(incident.time_zone), language)
    key = "network_said" if incident.gateway_id is None else "gateway_said"
    said = [texts[key].format(name=incident.gateway_name, since=since)]
    if incident.held:
        count = sum(alerts for _, alerts in incident.held)
        communes = ", ".join(f"{name} ({alerts})" for name, alerts in incident.held[:_COMMUNES])
        if len(incident.held) > _COMMUNES:
            communes += "…"
        said.append(texts["held_one" if count == 1 else "held"].format(n=count, communes=communes))
    if incident.gateway_id is not None:
        said.append(texts["advice"].format(advice=texts["gateway_advice"]))
    return said


def _facts(incident: Incident, severity: str, language: Language) -> list[Fact]:
    texts, zone = _TEXTS[language], ZoneInfo(incident.time_zone)
    facts = []
    places = _places(incident.firings)
    if incident.tenant_name:
        facts.append(Fact(texts["where"], ", ".join([*places, incident.tenant_name])))
    since = min([firing.started_at for firing in incident.firings], default=incident.opened_at)
    facts.append(Fact(texts["since"], moment(since.timestamp(), zone, language)))
    if incident.closed_at is not None:
        facts.append(Fact(texts["until"], moment(incident.closed_at.timestamp(), zone, language)))
    facts.append(Fact(texts["severity"], texts[f"severity.{severity}"]))
    if incident.acknowledged_by:
        facts.append(Fact(texts["taken"], incident.acknowledged_by))
    return facts


def _link(contact: Contact, base_url: str, incident_id: int | None = None) -> str:
    """Return the address of an incident, or of all, on the pages of the contact's tenant."""
    if not base_url:
        return ""
    return f"{base_url}/t/{contact.tenant_slug}/alertes" + ("" if incident_id is None else f"/{incident_id}")


def _footer(contact: Contact, tenant: str | None, language: Language) -> str:
    return _TEXTS[language]["footer"].format(contact=contact.name, tenant=tenant or "Samara")


def _data(incident: Incident) -> dict[str, object]:
    return {
        "incident": incident.incident_id,
        "cause": incident.cause,
        "tenant": incident.tenant_slug,
        "gateway": incident.gateway_name,
        "severity": incident.severity,
        "opened_at": incident.opened_at.isoformat(),
        "closed_at": None if incident.closed_at is None else incident.closed_at.isoformat(),
        "alerts": [
            {
                "id": str(firing.alert_id),
                "rule": firing.rule_name,
                "kind": firing.rule_kind,
                "site": firing.site_name,
                "point": firing.point_name,
                "started_at": firing.started_at.isoformat(),
                "ended_at": None if firing.ended_at is None else firing.ended_at.isoformat(),
                "value": firing.value,
                "reason": dict(firing.reason),
            }
            for firing in incident.firings
        ],
        "silenced_sensors": dict(incident.held),
    }


def _language(contact: Contact) -> Language:
    return "en" if contact.language == "en" else "fr"
