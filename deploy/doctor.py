"""What `samara doctor` looks at, what it finds, and what to do about it."""

import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg

from api.settings import ApiSettings
from decoders.registry import Registry
from deploy.broker_check import check_broker
from deploy.cluster_check import check_cluster
from deploy.database import database
from deploy.findings import Finding, Verdict
from deploy.installation import installed
from deploy.provider_check import check_provider
from deploy.settings import Settings
from domain.errors import SamaraError
from ingest import lns
from ingest.settings import Neighbour
from store.access.roles import INGEST, standing
from store.codecs import quarantined
from store.inspection import OLDEST_VERSION, Database, inspect
from store.neighbours import declared_among
from store.pool import connect

_CLOCK_TOLERANCE_S: Final = 2.0
_EARLIEST_YEAR: Final = 2025  # a machine that says less lost its clock
_LATEST_YEAR: Final = 2100
_FREE_NEEDED_BYTES: Final = 1024**3
_GIB: Final = 1024**3
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_UNITS: Final = Path("/etc/systemd/system")
_CREDENTIALS: Final = Path("/etc/samara")


async def examine(settings: Settings, now: datetime) -> AsyncIterator[Finding]:
    """Yield what is found, as it is found."""
    for finding in _programs(settings):
        yield finding
    yield disk(settings.data_dir, settings.ingest.spool_max_bytes)
    async for finding in _database(settings, now):
        yield finding
    for finding in installed(Path(), _UNITS, _CREDENTIALS, now):
        yield finding
    yield reach(settings.api)
    async for finding in _others(settings, now):
        yield finding
    if not settings.ingest.sources:
        yield Finding("sources", "warning", "no network server is declared", "add [[ingest.mqtt]] to the settings")


async def _others(settings: Settings, now: datetime) -> AsyncIterator[Finding]:
    """Yield what is found of the services of others: brokers, clusters, neighbours, identity providers."""
    servers = lns.load()
    for source in settings.ingest.mqtt:
        topics = source.topics or (servers[source.lns].TOPICS if source.lns in servers else ())
        if topics:
            yield Finding(f"broker {source.name}", *(await check_broker(source, topics)))
    for cluster in settings.ingest.jetstream:
        yield Finding(f"cluster {cluster.name}", *(await check_cluster(cluster)))
    for neighbour in settings.ingest.neighbours:
        yield await _neighbour(neighbour)
    for provider in settings.api.oidc:
        async for finding in check_provider(provider, now):
            yield finding


def _programs(settings: Settings) -> Iterator[Finding]:
    try:
        count = len(Registry.load().decoders)
        servers = lns.load()
    except SamaraError as error:
        yield Finding("program", "wrong", str(error), "install Samara again")
        return
    yield Finding("decoders", "ok", f"{count} models")
    unknown = sorted({source.lns for source in settings.ingest.sources} - servers.keys())
    for name in unknown:
        yield Finding("sources", "wrong", f"no network server {name!r}", f"set lns to one of {', '.join(servers)}")


def disk(data_dir: Path, spool_max_bytes: int) -> Finding:
    """Say whether there is room for what Samara keeps, and whether it may write there."""
    existing = next(step for step in (data_dir.absolute(), *data_dir.absolute().parents) if step.exists())
    free = shutil.disk_usage(existing).free
    said = f"{free / _GIB:.1f} GiB free in {existing}"
    if free < _FREE_NEEDED_BYTES:
        return Finding("disk", "wrong", said, "make room, or set data_dir to a larger disk")
    if free < spool_max_bytes:
        return Finding("disk", "warning", said, "the spool may grow beyond: lower ingest.spool_max_bytes")
    return Finding("disk", "ok", said)


def reach(settings: ApiSettings) -> Finding:
    """Say whether people's passwords can be read on their way to the API."""
    here = settings.host in _LOOPBACK
    said = f"listens on {settings.host}:{settings.port}"
    if here or settings.https:
        return Finding("API", "ok", f"{said}, {'TLS in front' if settings.https else 'this machine alone'}")
    advice = "put a proxy that speaks TLS in front and set api.https = true, or api.host = 127.0.0.1"
    return Finding("API", "warning", f"{said}, without TLS: passwords and keys can be read on their way", advice)


async def _database(settings: Settings, now: datetime) -> AsyncIterator[Finding]:
    try:
        async with database(settings) as dsn:
            connection = await connect(dsn, application="samara-doctor")
            try:
                found = await inspect(connection)
                put_away = [] if found.missing else await quarantined(connection)
            finally:
                await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, SamaraError) as error:
        yield Finding("database", "wrong", str(error) or type(error).__name__, _database_advice(error))
        return
    for finding in judge_database(found):
        yield finding
    for one in put_away:
        said = f"{one.name} of tenant {one.tenant_id} is not run: {one.kills} kills, {one.reason}"
        advice = "`samara codecs show` tells more, `samara codecs release` runs it again; or activate another version"
        yield Finding("codecs", "warning", said, advice)
    yield clock(now, found.time)


async def _neighbour(neighbour: Neighbour) -> Finding:
    """Say whether a neighbour answers whose devices are its own, and as whom."""
    subject = f"neighbour {neighbour.name}"
    try:
        connection = await connect(neighbour.dsn.get_secret_value(), application="samara-doctor")
        try:
            await declared_among(connection, ["0" * 16])
            role = (await standing(connection)).role
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        advice = "meanwhile what its new devices send is quarantined here as of unknown devices; check its dsn"
        return Finding(subject, "wrong", str(error) or type(error).__name__, advice)
    if role != INGEST:
        return Finding(subject, "warning", f"asked as {role}", f"give it an address of {INGEST}: it needs no more")
    return Finding(subject, "ok", f"answers, as {role}")


def _database_advice(error: Exception) -> str:
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return "check user and password in database.dsn, and pg_hba.conf"
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return "create that database, or correct database.dsn"
    return "check that PostgreSQL runs and that database.dsn names its host and port"


def judge_database(found: Database) -> Sequence[Finding]:
    """Return the findings on version, rights, schema and extension."""
    findings = [_version(found), _schema(found), _extension(found)]
    if not found.may_create:
        advice = f'GRANT CREATE ON SCHEMA public TO "{found.user}";'
        findings.append(Finding("rights", "wrong", f"{found.user} may not create tables in {found.name}", advice))
    return findings


def _version(found: Database) -> Finding:
    said = f"PostgreSQL {found.version}, database {found.name} as {found.user}"
    if found.version < OLDEST_VERSION:
        return Finding("database", "wrong", said, f"upgrade PostgreSQL to {OLDEST_VERSION} or later")
    return Finding("database", "ok", said)


def _schema(found: Database) -> Finding:
    if found.unknown:
        said = f"the schema is newer than this program: it has migration {found.unknown[-1]}"
        verdict: Verdict = "wrong" if found.breaking else "warning"
        return Finding("schema", verdict, said, "install the version of Samara that migrated it")
    if found.missing:
        return Finding("schema", "wrong", f"{len(found.missing)} migrations are missing", "run `samara migrate`")
    return Finding("schema", "ok", "current")


def _extension(found: Database) -> Finding:
    if found.timescale:
        return Finding("TimescaleDB", "ok", found.timescale)
    if found.timescale_offered:
        said = f"{found.timescale_offered} is offered, and this database does not use it"
        return Finding("TimescaleDB", "ok", said)
    return Finding("TimescaleDB", "ok", "not offered; plain tables serve up to a few hundred sensors well")


def clock(ours: datetime, databases: datetime) -> Finding:
    """Say whether our clock is sane, and agrees with the database's."""
    advice = "install a time service: apt-get install systemd-timesyncd"
    if not _EARLIEST_YEAR <= ours.year <= _LATEST_YEAR:
        return Finding("clock", "wrong", f"this machine says {ours.isoformat(timespec='seconds')}", advice)
    apart_s = abs((ours - databases).total_seconds())
    if apart_s > _CLOCK_TOLERANCE_S:
        return Finding("clock", "wrong", f"{apart_s:.0f} s apart from the database's", advice + ", on both machines")
    return Finding("clock", "ok", f"{ours.isoformat(timespec='seconds')}, as the database's")
