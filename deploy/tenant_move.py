"""A tenant moves to another installation that hears the same network servers (docs/decisions/0018)."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import asyncpg

from deploy.tenant_archive import EVER, Here, read_files, read_manifest, write_files
from domain.errors import SamaraError
from store.access.audit import append
from store.fleet import TenantDeclaration, declare_tenant, tenant_ids
from store.transfer.arriving import Arrived
from store.transfer.leaving import Departure, Leaver, departing, find, of_groups, shared_devices
from store.transfer.moving import Placement, begin, came_since, delete_tenant, of_one_side, placement, remove, settle
from store.transfer.relations import DERIVED, RELATIONS, TELEMETRY, TERRITORY
from store.transfer.words import know_words

FORGET_AFTER: Final = timedelta(hours=1)  # what a spool or a broker held back has come by then
_ACTOR: Final = "samara tenants"
_STILL_WITHIN_S: Final = 10.0
_JUST_NOW: Final = timedelta(minutes=5)  # clocks differ, and transactions take time
_DERIVED_LATELY: Final = timedelta(days=2)
_OF_FRAMES: Final = frozenset({"models", "quantities", "decoders"})  # grow with what comes
_TRIES: Final = 5
_COUNTED: Final = ("uplinks", "receptions", "measurements", "network_events")


class MoveError(SamaraError):
    """A tenant cannot be moved, or not yet; nothing of it is lost."""


class Moved(NamedTuple):
    """What a move did. `pause_s`: how long nothing was evaluated, told, or changed where the tenant left."""

    uplinks: int
    measurements: int
    pause_s: float


class Move:
    """One tenant, from one database to another."""

    def __init__(self, source: Here, target: Here, slug: str, folder: Path, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._target = target
        self._slug = slug
        self._folder = folder
        self._clock = clock

    async def run(self, neighbour: str, url: str) -> Moved:
        """Move the tenant. Interrupted, it goes on where it was when it is run again. Raises MoveError."""
        tenant = await find(self._source.connection, self._slug)
        placed = await self._place(tenant, neighbour, url)
        there = await declare_tenant(self._target.connection, await self._declaration(tenant))
        await self._copy(tenant, there, (TERRITORY,))  # from here on, both sides store what comes
        whole = await self._copy(
            tenant, there, (TERRITORY, TELEMETRY, DERIVED), derive_from=placed.began_at - _DERIVED_LATELY
        )
        await self._copy_late(tenant, there, placed)
        loop = asyncio.get_running_loop()
        stilled_s = loop.time()
        await self._turn(tenant, there)
        return Moved(whole["uplinks"].rows, whole["measurements"].rows, loop.time() - stilled_s)

    async def forget(self, *, at_once: bool) -> int:
        """Remove what is still here of a tenant that was moved; return how many rows. Raises MoveError."""
        connection = self._source.connection
        tenant = await find(connection, self._slug)
        placed = await placement(connection, tenant.tenant_id)
        if placed is None or placed.moved_at is None:
            raise MoveError(f"{self._slug} was not moved")
        if not at_once and self._clock() - placed.moved_at < FORGET_AFTER:
            raise MoveError(
                f"{self._slug} was moved at {placed.moved_at:%H:%M} UTC: what is late still comes; wait an hour"
            )
        there = (await find(self._target.connection, self._slug)).tenant_id
        for _ in range(_TRIES):
            late = await self._copy_late(tenant, there, placed)
            if not any(late[name].new for name in _COUNTED):
                break
        else:
            raise MoveError(f"{self._slug}: there is always more here than there; does the other side hear everything?")
        async with connection.transaction():
            await know_words(connection, tenant.tenant_id, of_frames=False)
            removed = await remove(connection, tenant.tenant_id, RELATIONS)
            await append(connection, "tenant.forgotten", actor=_ACTOR, tenant_id=tenant.tenant_id, subject=self._slug)
        return removed

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        with TemporaryDirectory(dir=self._folder, prefix="move-") as name:
            yield Path(name)

    async def _copy_late(self, tenant: Leaver, there: int, placed: Placement) -> dict[str, Arrived]:
        """Copy what came here since the move began: the other side may have let it pass."""
        since = await came_since(self._source.connection, tenant.tenant_id, placed.began_at - _JUST_NOW)
        return await self._copy(tenant, there, (TERRITORY, TELEMETRY), since=since, derive_from=EVER)

    async def _place(self, tenant: Leaver, neighbour: str, url: str) -> Placement:
        """Note where it goes, or find that it was on its way."""
        connection = self._source.connection
        placed = await placement(connection, tenant.tenant_id)
        if placed is not None:
            if placed.moved_at is not None:
                raise MoveError(f"{self._slug} is at {placed.url} since {placed.moved_at:%Y-%m-%d %H:%M} UTC")
            if (placed.neighbour, placed.url) != (neighbour, url):
                raise MoveError(f"{self._slug} is on its way to {placed.neighbour}, {placed.url}")
            return placed
        shared = await shared_devices(connection, tenant.tenant_id)
        if shared:
            raise MoveError(
                f"{self._slug}: other tenants had, or have, {', '.join(shared[:5])}: a move would part them"
            )
        if self._slug in await tenant_ids(self._target.connection):
            raise MoveError(f"there is a tenant {self._slug!r} at {neighbour} already")
        now = self._clock()
        await begin(connection, tenant.tenant_id, neighbour, url, now)
        return Placement(neighbour, url, now, None)

    async def _declaration(self, tenant: Leaver) -> TenantDeclaration:
        known = await tenant_ids(self._target.connection)
        said = tenant._asdict()
        del said["tenant_id"]
        return TenantDeclaration(**(said | {"parent": tenant.parent if tenant.parent in known else None}))

    async def _copy(
        self,
        tenant: Leaver,
        there: int,
        groups: tuple[str, ...],
        *,
        since: datetime | None = None,
        derive_from: datetime | None = None,
    ) -> dict[str, Arrived]:
        """Copy what is here and not there; return what became of each relation."""
        relations = [one for one in of_groups(groups) if one.name != "ingest_accounts"]
        with self._aside() as folder:
            async with departing(self._source.connection, tenant.tenant_id, since=since) as departure:
                files = await write_files(departure, relations, folder)
            return await read_files(self._target, there, folder, files, again=True, derive_from=derive_from)

    async def _turn(self, tenant: Leaver, there: int) -> None:
        """Take what is watched and told to the other side, where it goes on; from then on people are sent there."""
        source, target = self._source.connection, self._target.connection
        counted = [one for one in of_groups((TELEMETRY,)) if one.name == "ingest_accounts"]
        moved = [*counted, *of_one_side()]
        territory = [one for one in of_groups((TERRITORY,)) if one.name not in _OF_FRAMES]
        with self._aside() as ours, self._aside() as theirs:
            async with departing(source, tenant.tenant_id, stilled_within_s=_STILL_WITHIN_S) as departure:
                files = await write_files(departure, moved, ours)
                before = await write_files(departure, territory, ours)
                async with target.transaction():
                    await know_words(target, there, of_frames=False)
                    await remove(target, there, moved)
                    await read_files(self._target, there, ours, files)
                    await know_words(target, there, of_frames=False)
                    after = await write_files(Departure(target, there, None), territory, theirs)
                    changed = [one.name for one, other in zip(before, after, strict=True) if one != other]
                    if changed:
                        raise MoveError(
                            f"{', '.join(changed)} changed while {self._slug} was moved: remove the tenant there"
                            " (`samara tenants remove`), and move it again"
                        )
                    await append(target, "tenant.arrived", actor=_ACTOR, tenant_id=there, subject=self._slug)
                await remove(source, tenant.tenant_id, of_one_side())
                await settle(source, tenant.tenant_id, self._clock())
                await append(source, "tenant.moved", actor=_ACTOR, tenant_id=tenant.tenant_id, subject=self._slug)


async def remove_tenant(connection: asyncpg.Connection, slug: str, export: Path) -> int:
    """Delete a tenant of which there is a whole export; return how many rows. Raises MoveError."""
    manifest = read_manifest(export)
    if manifest.tenant.slug != slug:
        raise MoveError(f"{export} is the export of {manifest.tenant.slug}")
    tenant = await find(connection, slug)
    shared = await shared_devices(connection, tenant.tenant_id)
    if shared:
        raise MoveError(f"{slug}: other tenants had, or have, {', '.join(shared[:5])}: what they said is theirs too")
    try:
        async with connection.transaction():
            await know_words(connection, tenant.tenant_id, of_frames=False)
            removed = await remove(connection, tenant.tenant_id, RELATIONS)
            await append(connection, "tenant.removed", actor=_ACTOR, tenant_id=tenant.tenant_id, subject=slug)
            await delete_tenant(connection, tenant.tenant_id)
    except asyncpg.ForeignKeyViolationError as error:
        raise MoveError(f"{slug}: something else still refers to it ({error.constraint_name})") from error
    return removed
