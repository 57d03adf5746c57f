"""`samara contacts` and `samara alerts`, as an operator runs them."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from cli_runner import Samara


@pytest.fixture
def samara(tmp_path: Path, database: str) -> Samara:
    return Samara(tmp_path, DATABASE__DSN=database, NOTIFICATIONS__SMTP__HOST="127.0.0.1")


def test_contacts_are_added_put_on_call_and_removed(samara: Samara) -> None:
    samara("tenants", "add", "corbie", "Corbie")
    night = (
        "--on-call-only",
        "--severity",
        "critical",
        "--preference",
        "quiet_from=22:00",
        "--preference",
        "quiet_to=06:00",
    )
    assert samara("contacts", "add", "corbie", "Mairie", "email", "address=m@corbie.fr", *night).stdout == (
        "contact 1: added\n"
    )
    listed = samara("contacts", "list", "corbie").stdout.splitlines()[1].split("\t")
    assert listed == ["1", "Mairie", "email", "fr", "critical", "only", '{"quiet_from": "22:00", "quiet_to": "06:00"}']
    samara("contacts", "on-call", "corbie", "1", "2020-01-01T00:00", "2100-01-01T00:00")
    assert "\tnow\t" in samara("contacts", "list", "corbie").stdout
    assert samara("contacts", "escalation", "corbie", "30m=1", "2h=on-call").stdout == "corbie: 2 steps\n"
    assert "no contact 9" in samara("contacts", "escalation", "corbie", "30m=9", code=1).stderr
    assert samara("contacts", "test", "corbie", "1").stdout == "a test message is on its way\n"
    assert samara("contacts", "test", "corbie", "1").stdout == "a test message is on its way\n"
    letters = samara("alerts", "letters", "corbie").stdout.splitlines()
    assert [line.split("\t")[1:4] for line in letters[1:]] == [["test", "info", "waiting"]] * 2
    samara("contacts", "remove", "corbie", "1")
    assert samara("contacts", "list", "corbie").stdout.count("\n") == 1
    assert "no contact 1" in samara("contacts", "remove", "corbie", "1", code=1).stderr


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("pigeon", "x=y"), "there is no channel 'pigeon'", 1),
        (("sms", "number=+33601020304"), "sms: the settings do not say how", 1),
        (("email", "address=corbie"), "address: String should match pattern", 1),
        (("email", "corbie@corbie.fr"), "write name=value", 2),
        (("webhook", "url=https://127.0.0.1/", "secret=short"), "secret", 1),
        (("email", "address=m@corbie.fr", "--language", "de"), "--language", 2),
        (("email", "address=m@corbie.fr", "--preference", "quiet_from=22:00"), "go together", 1),
    ],
)
def test_what_will_not_do_is_said(samara: Samara, arguments: tuple[str, ...], said: str, code: int) -> None:
    samara("tenants", "add", "corbie", "Corbie")
    assert said in samara("contacts", "add", "corbie", "Mairie", *arguments, code=code).stderr


async def _an_incident(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        "INSERT INTO incidents (tenant_id, cause, severity, opened_at)"
        " SELECT tenant_id, 'frost:rule:1', 'warning', now() FROM tenants WHERE slug = 'corbie'"
    )
    await connection.close()


async def test_incidents_are_listed_taken_care_of_and_silenced(samara: Samara, database: str) -> None:
    await asyncio.to_thread(samara, "tenants", "add", "corbie", "Corbie")
    await asyncio.to_thread(samara, "tenants", "add", "albert", "Albert")
    await _an_incident(database)

    def acts() -> None:
        samara("alerts", "ack", "corbie", "1", "--who", "Marie", "--note", "j'y vais")
        samara("alerts", "assign", "corbie", "1", "Paul", "--who", "Marie")
        samara("alerts", "comment", "corbie", "1", "vanne fermée", "--who", "Paul")
        assert "no incident 1" in samara("alerts", "ack", "albert", "1", "--who", "x", code=1).stderr
        listed = samara("alerts", "list", "corbie").stdout.splitlines()[1].split("\t")
        assert listed[0] == "1"
        assert listed[-2:] == ["Marie", "Paul"]
        assert samara("alerts", "list", "albert").stdout.count("\n") == 1
        shown = samara("alerts", "show", "1").stdout
        assert "acknowledged\tMarie\tj'y vais" in shown
        assert "commented\tPaul\tvanne fermée" in shown
        assert samara("alerts", "silence", "corbie", "2", "travaux", "--who", "Paul").stdout == "silence 1: begun\n"
        assert (
            "no such rule, site or point"
            in samara("alerts", "silence", "corbie", "2", "x", "--who", "x", "--site", "99", code=1).stderr
        )
        samara("alerts", "unsilence", "corbie", "1")
        assert "no silence 1 that goes on" in samara("alerts", "unsilence", "corbie", "1", code=1).stderr
        assert "no dead letter 1" in samara("alerts", "resend", "corbie", "1", code=1).stderr

    await asyncio.to_thread(acts)
