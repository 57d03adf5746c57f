"""Put other people's browser code under `static/vendor`: exact versions from npm, with licence and integrity.

    python -m api.vendor        (or: make vendor)

needs Node's npm. What npm sends must have the digest pinned here. `vendor.json` says what is there, and holds
the integrity (SRI) with which pages load each file. A test does all this again and compares.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import SamaraError

DESTINATION: Final = Path(__file__).parent / "static" / "vendor"
MANIFEST: Final = "vendor.json"
_TIMEOUT_S: Final = 60


class VendorError(SamaraError):
    """A package could not be had from npm, or is not the one that is pinned."""


class Package(NamedTuple):
    """A package of npm. `integrity` is of its archive, as npm tells it; `files` maps its paths to our names."""

    name: str
    version: str
    integrity: str
    licence: str
    files: Mapping[str, str]


PACKAGES: Final = (
    Package(
        name="uplot",
        version="1.6.32",
        integrity="sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        licence="MIT",
        files={
            "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
            "dist/uPlot.min.css": "uPlot.min.css",
            "LICENSE": "LICENSE.txt",
        },
    ),
    Package(
        name="zxing-wasm",
        version="3.1.4",
        integrity="sha512-1+v8p7sauddySVNG+ye7GD/0TS95BG2ycdkrC+EnBrFBFkHeIghzUt2yVjtx3NucJeNrQnhT8yGAIz60Vx9o0w==",
        licence="MIT",
        files={
            "dist/iife/reader/index.js": "reader.iife.js",
            "dist/reader/zxing_reader.wasm": "zxing_reader.wasm",
            "LICENSE": "LICENSE.txt",
        },
    ),
    Package(
        name="leaflet",
        version="1.9.4",
        integrity="sha512-nxS1ynzJOmOlHp+iL3FyWqK89GtNL8U8rvlMOsQdTTssxZwCXh8N2NB3GDQOL+YR3XnWyZAxwQixURb+FA74PA==",
        licence="BSD-2-Clause",
        files={"dist/leaflet.js": "leaflet.js", "dist/leaflet.css": "leaflet.css", "LICENSE": "LICENSE.txt"},
    ),
)


def integrity(content: bytes, algorithm: str) -> str:
    """Return a digest as Subresource Integrity writes it: `sha384-…`."""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def fetch(package: Package, directory: Path) -> Path:
    """Return the archive of a package, downloaded by npm into `directory`. Raises VendorError."""
    npm = shutil.which("npm")
    if npm is None:
        raise VendorError("npm is not installed: apt-get install npm")
    wanted = f"{package.name}@{package.version}"
    command = [npm, "pack", wanted, "--json", "--pack-destination", str(directory)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=True, cwd=directory)  # noqa: S603 - pinned above
    except (subprocess.SubprocessError, OSError) as error:
        raise VendorError(f"{wanted}: {error}") from error
    archive = directory / str(json.loads(done.stdout)[0]["filename"])
    found = integrity(archive.read_bytes(), "sha512")
    if found != package.integrity:
        raise VendorError(f"{wanted}: the archive has the digest {found}, and {package.integrity} is pinned")
    return archive


def unpack(archive: Path, files: Mapping[str, str], destination: Path) -> dict[str, str]:
    """Write the files wanted of an archive; return the integrity of each by its new name."""
    destination.mkdir(parents=True, exist_ok=True)
    found = {}
    with tarfile.open(archive) as members:
        for path, name in files.items():
            member = members.extractfile(f"package/{path}")
            if member is None:
                raise VendorError(f"{archive.name}: {path} is not a file")
            content = member.read()
            (destination / name).write_bytes(content)
            found[name] = integrity(content, "sha384")
    return found


def vendor(destination: Path) -> None:
    """Write every package and the manifest under `destination`. Raises VendorError."""
    manifest = {}
    for package in PACKAGES:
        with tempfile.TemporaryDirectory() as directory:
            archive = fetch(package, Path(directory))
            files = unpack(archive, package.files, destination / package.name)
        manifest[package.name] = {
            "version": package.version,
            "licence": package.licence,
            "archive": package.integrity,
            "files": {f"{package.name}/{name}": digest for name, digest in files.items()},
        }
    (destination / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        vendor(DESTINATION)
    except VendorError as error:
        sys.exit(str(error))
