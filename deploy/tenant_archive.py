"""A tenant as a folder: one CSV file a relation, and a manifest that says what is there, with digests.

docs/how-to/leave-with-your-data.md is the format. The manifest is written last: a folder without one is not whole.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import asyncpg
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import ConfigurationError
from store.access.audit import append
from store.fleet import TenantDeclaration, declare_tenant, tenant_ids
from store.migrate import has_timescale
from store.transfer.arriving import AGGREGATES, ArrivalError, Arrived, arriving
from store.transfer.hushing import hush
from store.transfer.leaving import Departure, departing, find, of_groups
from store.transfer.relations import ALERTING, DEALINGS, DERIVED, LEFT_OUT, RECORD, TELEMETRY, TERRITORY, Relation

MANIFEST: Final = "manifest.json"
_ACTOR: Final = "samara tenants"
_BLOCK: Final = 1 << 20
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ArchivedTenant(_Strict):
    """The tenant itself; `parent` is the slug of the one above it."""

    slug: str
    name: str
    kind: str
    parent: str | None
    insee: str | None
    siren: str | None
    time_zone: str


class ArchivedFile(_Strict):
    """One file: RFC 4180, UTF-8, a header; times are ISO 8601 in UTC, an empty field is none, "" is an empty text."""

    name: Annotated[str, Field(pattern=r"^[a-z_]+\.csv$")]
    rows: int
    fields: tuple[str, ...]
    sha256: str


class Manifest(_Strict):
    """What an export holds, and what it does not."""

    format: Literal["samara-tenant"] = "samara-tenant"
    edition: Literal[1] = 1
    program: str
    made_at: datetime
    tenant: ArchivedTenant
    files: tuple[ArchivedFile, ...]
    left_out: Mapping[str, str] = {}


async def export_tenant(connection: asyncpg.Connection, slug: str, directory: Path, now: datetime) -> Manifest:
    """Write everything of a tenant, as of one moment, into a folder that is new or empty."""
    tenant = await find(connection, slug)
    prepare(directory)
    async with departing(connection, tenant.tenant_id) as departure:
        files = await write_files(
            departure, of_groups((TERRITORY, TELEMETRY, DERIVED, ALERTING, DEALINGS, RECORD)), directory
        )
        said = tenant._asdict()
        del said["tenant_id"]
        manifest = Manifest(
            program=version("samara"), made_at=now, tenant=ArchivedTenant(**said), files=tuple(files), left_out=LEFT_OUT
        )
    (directory / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    await append(
        connection,
        "tenant.exported",
        actor=_ACTOR,
        tenant_id=tenant.tenant_id,
        subject=slug,
        detail={"manifest": _digest(directory / MANIFEST)},
    )
    return manifest


def prepare(directory: Path) -> None:
    """Make a folder for its owner alone. Raises ConfigurationError when there is something in it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise ConfigurationError(f"{directory}: there is something in it already; name a new folder")


async def write_files(departure: Departure, relations: Sequence[Relation], directory: Path) -> list[ArchivedFile]:
    """Write these relations; return what was written."""
    written = []
    for relation in relations:
        name = f"{relation.name}.csv"
        digest = hashlib.sha256()
        with (directory / name).open("wb") as file:

            async def sink(data: bytes, file: Any = file, digest: Any = digest) -> None:
                digest.update(data)
                file.write(data)

            fields, rows = await departure.write(relation, sink)
        written.append(ArchivedFile(name=name, rows=rows, fields=tuple(fields), sha256=digest.hexdigest()))
    return written


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of a folder whose files are what it says. Raises ConfigurationError."""
    try:
        manifest = Manifest.model_validate_json((directory / MANIFEST).read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{directory} is not an export: {error}") from None
    except (ValidationError, json.JSONDecodeError) as error:
        raise ConfigurationError(f"{directory / MANIFEST}: {error}") from None
    for file in manifest.files:
        path = directory / file.name
        if not path.is_file() or _digest(path) != file.sha256:
            raise ConfigurationError(f"{path}: it is missing, or was changed since it was written")
    return manifest


class Here(NamedTuple):
    """Where a tenant arrives: a connection, and one aside for what others must not wait for until the end."""

    connection: asyncpg.Connection
    aside: asyncpg.Connection


class Imported(NamedTuple):
    """What became of each file, and how many rules were disabled."""

    files: dict[str, Arrived]
    disabled: int


async def import_tenant(
    here: Here, directory: Path, now: datetime, *, slug: str = "", parent: str = "", enable_rules: bool = False
) -> Imported:
    """Bring in everything of an export, or nothing.

    Unless `enable_rules`, nobody is told anything before somebody looked. Raises ArrivalError; ConfigurationError for
    a folder that is not whole.
    """
    manifest = read_manifest(directory)
    known = await tenant_ids(here.connection)
    wanted = slug or manifest.tenant.slug
    if wanted in known:
        raise ArrivalError(f"there is a tenant {wanted!r} here already: give another name with --as")
    above = parent or (manifest.tenant.parent if manifest.tenant.parent in known else None)
    async with here.connection.transaction():
        tenant_id = await declare_tenant(
            here.connection, TenantDeclaration(**(manifest.tenant.model_dump() | {"slug": wanted, "parent": above}))
        )
        files = await read_files(here, tenant_id, directory, manifest.files)
        disabled = 0 if enable_rules else await hush(here.connection, tenant_id, now)
        await append(
            here.connection,
            "tenant.imported",
            actor=_ACTOR,
            tenant_id=tenant_id,
            subject=wanted,
            detail={"manifest": _digest(directory / MANIFEST)},
        )
    return Imported(files, disabled)


async def read_files(
    here: Here,
    tenant_id: int,
    directory: Path,
    files: Sequence[ArchivedFile],
    *,
    again: bool = False,
    derive_from: datetime | None = None,
) -> dict[str, Arrived]:
    """Bring files in, in the order in which they depend on each other; return what became of each.

    `again` and `derive_from`: as of `arriving`; TimescaleDB makes again whatever it can.
    """
    timescale = await has_timescale(here.connection)
    given = {file.name.removesuffix(".csv"): file for file in files}
    if timescale and not given.keys().isdisjoint(AGGREGATES):
        derive_from = EVER
    arrived = {}
    async with arriving(*here, tenant_id, timescale=timescale, derive_from=derive_from, again=again) as arrival:
        for relation in of_groups((TERRITORY, TELEMETRY, DERIVED, ALERTING, DEALINGS)):
            file = given.get(relation.name)
            if file is None:
                continue
            arrived[relation.name] = await arrival.read(relation, directory / file.name, file.fields)
    return arrived


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
