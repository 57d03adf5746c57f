"""What compose.yaml starts, started by hand: `samara init`, a TLS broker with its users and rights, every command."""

import asyncio
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import yaml
from acceptance_support import Service, command
from faults.processes import NO_MOSQUITTO
from faults.territory import assert_kept, count, declare, load, until
from typer.testing import CliRunner

from deploy.cli import application
from deploy.embedded.postgres import role_dsn
from deploy.embedded.process import free_port
from simulators.broker import BrokerAddress, BrokerRefusedError
from simulators.clock import SystemClock
from simulators.load.run import run
from simulators.mqtt_publisher import Publisher
from store.access.roles import ROLES


def here(dsn: str, name: str) -> str:
    """Return the address behind a secret, in the tests' server: its roles have their passwords of it already."""
    role = f"samara_{name.removesuffix('_dsn')}"
    return role_dsn(dsn, role) if role in ROLES else dsn


class Installation:
    """The directory that `samara init` wrote, with the names of containers made this machine's."""

    def __init__(self, directory: Path, dsn: str) -> None:
        command(directory.parent, {}, "init", directory, "--domain", "samara.example.fr")
        self.directory = directory
        self.port = free_port()
        self.values = dict(re.findall(r"^(\w+)=(.*)$", (directory / ".env").read_text(encoding="utf-8"), re.MULTILINE))
        self.compose = yaml.safe_load((directory / "compose.yaml").read_text(encoding="utf-8"))
        self.secrets = directory / "secrets"
        self.secrets.mkdir(mode=0o700)
        for name, told in self.compose["secrets"].items():
            value = here(dsn, name) if name.endswith("_dsn") else self.values[told["environment"]]
            (self.secrets / name).write_text(value, encoding="utf-8")
        self._rewrite("samara.toml", {"mosquitto": "localhost", "8883": str(self.port)})
        self._rewrite("mosquitto/mosquitto.conf", {"8883": str(self.port)})
        if os.geteuid() == 0:  # Mosquitto runs as root here
            for name in ("passwords", "acl", "server.key"):
                os.chown(directory / "mosquitto" / name, 0, 0)

    def _rewrite(self, name: str, others: dict[str, str]) -> None:
        places = {
            "/run/secrets": str(self.secrets),
            "/etc/samara/ca.pem": str(self.directory / "mosquitto" / "ca.pem"),
            "/mosquitto/config": str(self.directory / "mosquitto"),
            "/mosquitto/data": str(self.directory),
        }
        path = self.directory / name
        text = path.read_text(encoding="utf-8")
        for old, new in (others | places).items():
            text = text.replace(old, new) if old.startswith("/") else re.sub(rf"(?<![\w/]){old}(?![\w/])", new, text)
        path.write_text(text, encoding="utf-8")

    def environment(self, service: str) -> dict[str, str]:
        """Return what the service's environment is here, without the prefix."""
        given = self.compose["services"][service].get("environment", {})
        found = {}
        for name, value in given.items():
            here = str(value).replace("/run/secrets", str(self.secrets))
            here = here.replace("/etc/samara/samara.toml", str(self.directory / "samara.toml"))
            found[name.removeprefix("SAMARA_")] = here
        return found

    def roles(self, service: str) -> list[str]:
        return list(self.compose["services"][service]["command"][1:])

    def address(self, user: str, password: str) -> BrokerAddress:
        ca_file = self.directory / "mosquitto" / "ca.pem"
        return BrokerAddress(
            host="localhost", port=self.port, username=user, password=password, tls=True, ca_file=ca_file
        )


@pytest.fixture
async def installation(tmp_path: Path, empty_database: str) -> AsyncIterator[Installation]:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip(NO_MOSQUITTO)
    one = Installation(tmp_path / "site", empty_database)
    run_as = "user root\n" if os.geteuid() == 0 else ""
    configuration = one.directory / "mosquitto" / "mosquitto.conf"
    configuration.write_text(run_as + configuration.read_text(encoding="utf-8"), encoding="utf-8")
    with (one.directory / "log").open("wb") as log:
        process = subprocess.Popen([program, "-c", configuration], stdout=log, stderr=log)  # noqa: ASYNC220
    yield one
    process.terminate()
    process.wait(10)


async def test_every_command_of_compose_works(
    installation: Installation, serve: Callable[..., Service], tmp_path: Path, empty_database: str
) -> None:
    (tmp_path / "home").mkdir()
    migrating = installation.environment("migrate")
    assert "0001" in command(tmp_path / "home", migrating, *installation.compose["services"]["migrate"]["command"])
    spec = load(500)
    await declare(empty_database, spec)
    services = [
        (name, serve(installation.environment(name) | {"DATA_DIR": str(tmp_path / name)}, *installation.roles(name)))
        for name in (
            "ingest-1",
            "api-1",
            "maintenance-1",
            "alerting-1",
            "delivery-1",
            "provisioning-1",
        )  # the others are their twins
    ]
    for name, service in services:
        address = (await service.until_logged("started", 60))["address"]
        await until(lambda address=address: _is_ready(address))
        probed = subprocess.run(  # noqa: ASYNC221
            [sys.executable, "-m", "deploy.probe", f"{address}readyz"], capture_output=True, check=False
        )
        assert probed.returncode == 0, (name, probed.stderr)
    address = installation.address("chirpstack", installation.values["MQTT_PASSWORD_CHIRPSTACK"])
    async with Publisher(address, client_id="chirpstack") as publisher:
        await run(spec, [publisher], tmp_path / "ledger", clock=SystemClock())
    await until(lambda: _all(empty_database, spec.uplinks))
    await assert_kept(empty_database, tmp_path / "ledger")


async def _is_ready(address: str) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{address}readyz") as answer:
        return answer.status == 200


async def _all(dsn: str, rows: int) -> bool:
    return await count(dsn) >= rows


async def test_the_broker_lets_in_whom_it_should(installation: Installation) -> None:
    await until(lambda: _accepts(installation))
    for user, password in (
        ("chirpstack", "wrong"),
        ("", ""),
        ("samara", installation.values["MQTT_PASSWORD_CHIRPSTACK"]),
    ):
        with pytest.raises(BrokerRefusedError):
            async with Publisher(installation.address(user, password), client_id="nobody"):
                pass
    heard = await asyncio.to_thread(_heard_by_a_network_server, installation)
    assert heard == []  # neither its neighbours' uplinks nor its own


def _heard_by_a_network_server(installation: Installation) -> list[str]:
    from paho.mqtt import subscribe  # noqa: PLC0415

    context = ssl.create_default_context(cafile=installation.directory / "mosquitto" / "ca.pem")
    refused: list[str] = []
    client = subscribe.paho.Client(subscribe.paho.CallbackAPIVersion.VERSION2, client_id="spy", protocol=5)
    client.username_pw_set("chirpstack", installation.values["MQTT_PASSWORD_CHIRPSTACK"])
    client.tls_set_context(context)
    client.on_message = lambda _client, _data, message: refused.append(message.topic)
    client.connect("localhost", installation.port)
    client.loop_start()
    client.subscribe("application/+/device/+/event/+", 1)
    client.publish("application/1/device/0/event/up", b"x", 1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()
    return refused


async def _accepts(installation: Installation) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", installation.port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


def initialise(*arguments: object) -> str:
    """Run the command in this process; return what it complained of."""
    result = CliRunner().invoke(application.app, ["init", *map(str, arguments)])
    return str(result.exception or "")


def test_init_writes_over_nothing_and_takes_no_nonsense(tmp_path: Path) -> None:
    site, other, third = (tmp_path / name for name in ("site", "other", "third"))
    domain = ("--domain", "samara.example.fr")
    assert initialise(site, *domain, "--network-server", "ttn=thethingsstack") == ""
    first = (site / ".env").read_text(encoding="utf-8")
    assert (site / ".env").stat().st_mode & 0o777 == 0o600
    for arguments, said in (
        ((site, *domain), "is there already"),
        ((other, "--domain", "localhost"), "is not a domain"),
        ((other, *domain, "--network-server", "x=actility"), "is not heard over MQTT"),
        ((other, *domain, "--network-server", "samara=chirpstack"), "a name is"),
        ((other, *domain, "--network-server", "x"), "NAME=KIND"),
    ):
        assert said in initialise(*arguments)
    assert not other.exists()
    assert (site / ".env").read_text(encoding="utf-8") == first
    assert initialise(third, *domain) == ""
    secrets = [set(re.findall(r"[0-9a-f]{48}", (one / ".env").read_text(encoding="utf-8"))) for one in (site, third)]
    assert len(secrets[0]) == len(secrets[1]) == 10
    assert not secrets[0] & secrets[1]
