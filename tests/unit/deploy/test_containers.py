"""compose.yaml by the compose specification's schema, what it must hold of each service, and the Dockerfile's lint.

tests/vectors/deploy/compose-spec/ is of github.com/compose-spec/compose-spec, commit 170098b, under its licence.
"""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.cli.serving import Role

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "tests" / "vectors" / "deploy" / "compose-spec" / "compose-spec.json"
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
MAY_ADD = {"caddy": ["NET_BIND_SERVICE"]}


def test_compose_is_of_the_specification() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(schema).validate(COMPOSE)
    wrong = {**COMPOSE, "services": {"one": {"image": "x", "read_onyl": True}}}
    assert not jsonschema.Draft7Validator(schema).is_valid(wrong)


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_held_tight(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == MAY_ADD.get(name, [])
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["user"].partition(":")[0] not in {"", "0", "root"}
    assert not service.get("privileged")
    limits = service["deploy"]["resources"]["limits"]
    assert limits.keys() >= {"cpus", "memory", "pids"}
    assert ("healthcheck" in service) is True
    assert not re.search(r":latest$|^[^:]+$", service["image"])
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])


def test_nothing_is_reached_from_outside_but_what_should_be() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"mosquitto": ["8883:8883"], "caddy": ["80:8080", "443:8443", "443:8443/udp"]}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["database"]["networks"] == ["inside"]


def test_a_program_that_forgets_tls_is_told_and_not_led_on() -> None:
    plain = (
        (ROOT / "deploy" / "containers" / "Caddyfile")
        .read_text()
        .partition("http://{$SAMARA_DOMAIN} {")[2]
        .partition("\n}")[0]
    )
    api, _, pages = plain.partition("handle {")
    assert "handle /api/*" in api
    assert "403" in api
    assert "redir" not in api
    assert "reverse_proxy" not in plain
    assert "redir https://{host}{uri}" in pages


def test_secrets_are_files_and_never_values() -> None:
    given = {one["environment"] for one in COMPOSE["secrets"].values()}
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|DSN|TOKEN", key):
                assert key.endswith("_FILE"), key
                assert value.startswith("/run/secrets/")
                assert value.removeprefix("/run/secrets/") in service["secrets"]
        assert not given & {name for value in re.findall(r"\$\{(\w+)", json.dumps(service)) for name in [value]}


def test_every_role_is_there_twice() -> None:
    """A new role of `samara serve` comes with its service here, and its unit in deploy/systemd."""
    served = [service["command"][1:] for service in SERVICES.values() if service.get("command", [""])[0] == "serve"]
    count = {role.value: sum(role.value in one for one in served) for role in Role}
    assert all(count[role.value] == 2 for role in Role), count


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(one.split(maxsplit=1)[0], one.split(maxsplit=1)[1]) for one in lines]


def lint(found: list[tuple[str, str]]) -> list[str]:
    """Return what is wrong with a Dockerfile's instructions."""
    wrong = []
    stages = [words for name, words in found if name == "FROM"]
    if len(stages) < 2:
        wrong.append("one stage: the tools of the build end in the image")
    wrong += [f"{stage}: not pinned" for stage in stages if not re.match(r"\S+:\d+\.\d+\.\d+\S*", stage)]
    last = found[max(index for index, (name, _) in enumerate(found) if name == "FROM") :]
    users = [words for name, words in last if name == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1]):
        wrong.append("USER is not a number above 0: Kubernetes' runAsNonRoot cannot tell")
    names = [name for name, _ in last]
    wrong += [f"{name} is missing" for name in ("ENTRYPOINT", "HEALTHCHECK", "USER") if name not in names]
    return wrong + [complaint for one in found for complaint in said_of(*one)]


def said_of(name: str, words: str) -> list[str]:
    """Return what is wrong with one instruction."""
    plain = words.replace('", "', " ")
    checks = {
        "ADD fetches and unpacks: COPY": name == "ADD",
        f"{name} in a shell does not hear SIGTERM": name in {"ENTRYPOINT", "CMD"} and not words.startswith("["),
        "HEALTHCHECK in a shell": name == "HEALTHCHECK" and "CMD [" not in words,
        "pip without hashes": "pip install" in plain and not re.search("--require-hashes|--no-deps", plain),
        "apt-get leaves its lists, or takes what is only recommended": "apt-get install" in words
        and not ("--no-install-recommends" in words and "/var/lib/apt/lists" in words),
        f"{name} holds a secret": name in {"ENV", "ARG"} and bool(re.search("PASSWORD|SECRET|TOKEN|KEY", words)),
        "COPY . brings whatever lies there": name == "COPY" and words.split(maxsplit=1)[0] == ".",
    }
    return [complaint for complaint, holds in checks.items() if holds]


def test_the_dockerfile_is_as_it_should_be() -> None:
    assert lint(instructions()) == []


def test_the_lint_finds_what_is_wrong() -> None:
    bad = [("FROM", "python:latest"), ("COPY", ". /src"), ("RUN", "pip install x"), ("CMD", "samara"), ("USER", "root")]
    assert len(lint(bad)) == 8


def test_the_image_takes_every_package() -> None:
    copied = {words.split()[-2] for name, words in instructions() if name == "COPY" and "--from" not in words}
    packages = {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert packages <= copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"!{name}" for name in packages} <= set(ignored)
