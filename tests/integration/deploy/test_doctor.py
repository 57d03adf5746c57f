"""`samara doctor` on real services, well and ill."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from oidc_server import CLIENT, SECRET, provided

from api.settings import ApiSettings, OidcProvider
from deploy import doctor
from deploy.doctor import clock, disk, examine, reach
from deploy.embedded.postgres import role_dsn
from deploy.findings import Finding, worst
from deploy.provider_check import check_provider
from deploy.settings import DatabaseSettings, Settings, load
from ingest.settings import MqttSource, TlsSettings
from store.access.roles import INGEST

NOW = datetime.now(UTC)


def settings(dsn: str, *sources: MqttSource) -> Settings:
    values: dict[str, Any] = {"database": {"dsn": dsn}, "ingest": {"mqtt": [one.model_dump() for one in sources]}}
    return Settings(**values)


async def findings(chosen: Settings) -> dict[str, Finding]:
    return {finding.subject: finding async for finding in examine(chosen, datetime.now(UTC))}


async def test_all_is_well(any_database: str, nats_broker: Any) -> None:
    found = await findings(settings(any_database, MqttSource(name="cs", host=nats_broker.host, port=nats_broker.port)))
    assert worst(list(found.values())) == "ok", found
    assert found["schema"].said == "current"
    assert "grants QoS 1 on application/" in found["broker cs"].said


async def test_an_empty_database_is_to_be_migrated(empty_database: str) -> None:
    found = await findings(settings(empty_database))
    assert found["schema"].verdict == "wrong"
    assert found["schema"].advice == "run `samara migrate`"
    assert found["sources"].verdict == "warning"


async def test_a_newer_schema_is_told(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO schema_migrations (number, name) VALUES (9999, '9999_later.sql')")
    await connection.close()
    found = (await findings(settings(database)))["schema"]
    assert (found.verdict, "newer" in found.said) == ("warning", True)  # only added: this program works with it
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO schema_migrations (number, name) VALUES (10000, '10000_gone_post.sql')")
    await connection.close()
    assert (await findings(settings(database)))["schema"].verdict == "wrong"


async def test_missing_rights_are_told_with_the_remedy(empty_database: str) -> None:
    connection = await asyncpg.connect(empty_database)
    await connection.execute("DROP ROLE IF EXISTS doctor_test")
    await connection.execute("CREATE ROLE doctor_test LOGIN PASSWORD 'x'")
    try:
        host = empty_database.rpartition("@")[2]
        found = await findings(settings(f"postgresql://doctor_test:x@{host}"))
        assert found["rights"].advice == 'GRANT CREATE ON SCHEMA public TO "doctor_test";'
        wrong = await findings(settings(f"postgresql://doctor_test:y@{host}"))
        assert "check user and password" in wrong["database"].advice
    finally:
        await connection.execute("DROP ROLE doctor_test")
        await connection.close()


async def test_a_database_away_is_told() -> None:
    found = await findings(settings("postgresql://a:secret@127.0.0.1:9/none"))
    assert found["database"].verdict == "wrong"
    assert "check that PostgreSQL runs" in found["database"].advice
    assert "secret" not in str(found)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_brokers_of_both_protocols_and_shared_groups(database: str, mosquitto_broker: Any, protocol: Any) -> None:
    source = MqttSource(
        name="cs", host=mosquitto_broker.host, port=mosquitto_broker.port, protocol=protocol, shared_group="g"
    )
    assert (await findings(settings(database, source)))["broker cs"].verdict == "ok"


async def test_brokers_that_will_not_do(database: str, nats_broker: Any, tmp_path: Path) -> None:
    host, port = nats_broker.host, nats_broker.port
    away = MqttSource(name="away", port=9, client_id="a")
    shared_on_nats = MqttSource(name="shared", host=host, port=port, shared_group="g", client_id="b")
    plain_for_tls = MqttSource(name="tls", host=host, port=port, tls=TlsSettings(), client_id="c")
    no_file = MqttSource(name="file", host=host, port=port, tls=TlsSettings(ca_file=tmp_path / "none"), client_id="d")
    found = await findings(settings(database, away, plain_for_tls, no_file, shared_on_nats))
    assert "refuses connections" in found["broker away"].said
    assert found["broker tls"].verdict == "wrong"
    assert "TLS" in found["broker file"].said


async def test_a_broker_that_wants_a_password(database: str, guarded_broker: int) -> None:
    found = await findings(settings(database, MqttSource(name="cs", port=guarded_broker)))
    assert "check username, password" in found["broker cs"].advice


async def test_neighbours_are_asked_and_as_whom(database: str) -> None:
    """Another installation that does not answer makes strangers of its new devices."""
    addresses = {
        "as-it-should": role_dsn(database, INGEST),
        "as-owner": database,
        "away": "postgresql://a:b@127.0.0.1:9/c",
    }
    neighbours = [{"name": name, "dsn": dsn} for name, dsn in addresses.items()]
    found = await findings(Settings(database=DatabaseSettings(dsn=database), ingest={"neighbours": neighbours}))
    verdicts = {name: found[f"neighbour {name}"].verdict for name in addresses}
    assert verdicts == {"as-it-should": "ok", "as-owner": "warning", "away": "wrong"}
    assert "quarantined here" in found["neighbour away"].advice


async def test_identity_providers_are_asked_who_they_are_and_what_time_it_is() -> None:
    async def found(issuer: str, now: datetime) -> dict[str, Finding]:
        asked = OidcProvider.model_validate(
            {
                "name": "pro",
                "issuer": issuer,
                "client_id": CLIENT,
                "client_secret": SECRET,
                "strong_acr": ["eidas1-mfa"],
            }
        )
        return {one.subject: one async for one in check_provider(asked, now)}

    async with provided("/api/v2") as provider:
        now = datetime.now(UTC)
        well = await found(provider.issuer, now)
        assert {one.verdict for one in well.values()} == {"ok"}, well
        assert "1 keys" in well["identity provider pro"].said
        late = await found(provider.issuer, now + timedelta(minutes=5))
        assert late["identity provider pro, clock"].verdict == "wrong"
        provider.described = {"acr_values_supported": ["eidas1"]}
        warned = await found(provider.issuer, now)
        assert (warned["identity provider pro"].verdict, "eidas1-mfa" in warned["identity provider pro"].said) == (
            "warning",
            True,
        )
        provider.described = {"issuer": "https://elsewhere.example"}
        (other,) = (await found(provider.issuer, now)).values()
        assert (other.verdict, "https://elsewhere.example" in other.advice) == ("wrong", True)
        provider.described = {"jwks_uri": f"{provider.issuer}/absent"}
        (keyless,) = (await found(provider.issuer, now)).values()
        assert (keyless.verdict, "answered 404" in keyless.said) == ("wrong", True)
        (absent,) = (await found(f"{provider.issuer}/absent", now)).values()
        assert absent.verdict == "wrong"
    (away,) = (await found(provider.issuer, datetime.now(UTC))).values()
    assert (away.verdict, "issuer" in away.advice) == ("wrong", True)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [({}, "ok"), ({"host": "0.0.0.0", "https": True}, "ok"), ({"host": "0.0.0.0"}, "warning")],
)
def test_an_api_that_is_reached_without_tls_is_told(values: dict[str, Any], verdict: str) -> None:
    assert reach(ApiSettings.model_validate(values)).verdict == verdict


def test_clocks() -> None:
    assert clock(NOW, NOW + timedelta(seconds=1)).verdict == "ok"
    assert clock(NOW, NOW + timedelta(hours=1)).said == "3600 s apart from the database's"
    assert clock(datetime(1970, 1, 1, tzinfo=UTC), NOW).verdict == "wrong"
    assert clock(datetime(2106, 2, 7, tzinfo=UTC), NOW).verdict == "wrong"


def test_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert disk(tmp_path / "not" / "yet", 1).verdict == "ok"
    assert disk(tmp_path, 2**60).verdict == "warning"
    monkeypatch.setattr(doctor, "_FREE_NEEDED_BYTES", 2**60)
    assert disk(tmp_path, 1).verdict == "wrong"


def test_an_unknown_network_server_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[[ingest.mqtt]]\nname = "a"\nlns = "abacus"\n', encoding="utf-8")
    found = list(doctor._programs(load(tmp_path / "s.toml", {})))
    assert found[-1].said == "no network server 'abacus'"


def test_the_exit_code_says_it(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "SAMARA_DATABASE__DSN": "postgresql://x@127.0.0.1:9/x"}
    command = [Path(sys.executable).with_name("samara"), "doctor", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert {"ok", "wrong"} <= {finding["verdict"] for finding in json.loads(done.stdout)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment | {"SAMARA_API__PORT": "x"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["subject"] == "settings"
