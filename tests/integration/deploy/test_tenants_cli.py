"""`samara tenants` export, import, remove, move and forget, as a person runs them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cli_runner import Samara

from deploy.embedded.postgres import role_dsn
from store.access.roles import INGEST


class Two(NamedTuple):
    """Two installations that are neighbours; `there` is where tenants go."""

    here: Samara
    there: Samara


@pytest.fixture
async def two(fresh: Any, plain_template: str, database: str, tmp_path: Path) -> AsyncIterator[Two]:
    async with fresh(plain_template) as other:
        neighbours = json.dumps([{"name": "oise", "dsn": role_dsn(other, INGEST)}])
        for name in ("here", "there"):
            (tmp_path / name).mkdir()
        (tmp_path / "here" / "oise.dsn").write_text(other, encoding="utf-8")
        yield Two(
            Samara(tmp_path / "here", DATABASE__DSN=database, INGEST__NEIGHBOURS=neighbours),
            Samara(tmp_path / "there", DATABASE__DSN=other),
        )


def declared(samara: Samara) -> None:
    samara("tenants", "add", "somme", "Somme", "--kind", "departement")
    samara("tenants", "add", "corbie", "Corbie", "--parent", "somme")
    (samara.directory / "list.csv").write_text(
        "DevEUI;Tenant;Name;Model;Site;Point;Latitude;Longitude\n70b3d5e75e000001;corbie;Sol;;Stade;Pelouse;49,9;2,5\n",
        encoding="utf-8",
    )
    samara("devices", "import", "list.csv")


def listed(samara: Samara, what: str) -> list[list[str]]:
    return [line.split("\t") for line in samara(what, "list").stdout.splitlines()[1:]]


def test_a_tenant_leaves_is_removed_and_comes_back(two: Two) -> None:
    here, there = two
    declared(here)
    said = here("tenant", "export", "corbie", "out").stdout
    assert "devices.csv\t1\t" in said
    assert "network keys are not among them" in said
    assert "no tenant 'nowhere'" in here("tenants", "export", "nowhere", "other", code=1).stderr
    assert "declared here already" in here("tenants", "import", "out", "--as", "copie", code=1).stderr
    assert "is the export of corbie" in here("tenants", "remove", "somme", "out", code=1).stderr
    there("tenants", "import", here.directory / "out", "--as", "corbie-80")
    assert [row[0] for row in listed(there, "tenants")] == ["corbie-80"]
    assert [row[0] for row in listed(there, "devices")] == ["70b3d5e75e000001"]
    here("tenants", "remove", "corbie", "out")
    assert [row[0] for row in listed(here, "tenants")] == ["somme"]
    assert listed(here, "devices") == []
    here("tenants", "import", "out")
    assert [(row[0], row[3]) for row in listed(here, "tenants")] == [("somme", ""), ("corbie", "somme")]


def test_a_tenant_is_moved_and_forgotten(two: Two) -> None:
    here, there = two
    declared(here)
    to = ("--dsn-file", "oise.dsn")
    url = ("--url", "https://oise.example.fr/")
    assert "is not one of [[ingest.neighbours]]" in here("tenants", "move", "corbie", "aisne", *url, *to, code=2).stderr
    assert "was not moved" in here("tenants", "forget", "corbie", *to, code=1).stderr
    assert "corbie: at oise with 0 uplinks" in here("tenants", "move", "corbie", "oise", *url, *to).stdout
    assert [row[0] for row in listed(there, "devices")] == ["70b3d5e75e000001"]
    assert "wait an hour" in here("tenants", "forget", "corbie", *to, code=1).stderr
    here("tenants", "forget", "corbie", *to, "--at-once")
    assert listed(here, "devices") == []
    again = here("tenants", "move", "corbie", "oise", *url, *to, code=1).stderr
    assert "corbie is at https://oise.example.fr since" in again
    actions = [json.loads(line)["action"] for line in here("audit", "export").stdout.splitlines()]
    assert actions[-2:] == ["tenant.moved", "tenant.forgotten"]
