"""Which user runs a server that root may not, and what that user can reach."""

import os
import pwd
import stat
from pathlib import Path

from deploy.embedded.process import Identity
from domain.errors import ConfigurationError


def server_identity(own_uid: int) -> Identity | None:
    """Return the user that runs PostgreSQL for root: `postgres`, else `nobody`. None when we are not root."""
    if own_uid != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(entry.pw_uid, entry.pw_gid)
    raise ConfigurationError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` here")


def can_enter(directory: Path, identity: Identity) -> bool:
    """Say whether that user, in no other group, can enter `directory` (absolute, no links) and all above it."""
    return all(_searchable(step.stat(), identity) for step in (directory, *directory.parents))


def _searchable(status: os.stat_result, identity: Identity) -> bool:
    if status.st_uid == identity.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == identity.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def give(path: Path, identity: Identity | None) -> None:
    """Give `path` to that user. Nothing to do for None: it is ours already."""
    if identity is not None:
        os.chown(path, identity.uid, identity.gid)
