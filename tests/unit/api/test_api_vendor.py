"""What is vendored is what npm has, at the version and with the digest that are pinned."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from api import vendor
from api.pages import static


@pytest.fixture(scope="module")
def registry() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm: not installed; apt-get install npm")
    ping = subprocess.run([npm, "ping"], capture_output=True, timeout=30, check=False)
    if ping.returncode:
        pytest.skip("npm's registry does not answer from here; `make vendor` needs it too")


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("registry")
def test_vendoring_again_gives_the_same_files(tmp_path: Path) -> None:
    vendor.vendor(tmp_path)
    assert files(tmp_path) == files(vendor.DESTINATION)


@pytest.mark.usefixtures("registry")
def test_another_digest_is_refused(tmp_path: Path) -> None:
    package = vendor.PACKAGES[0]._replace(integrity="sha512-" + "A" * 86 + "==")
    with pytest.raises(vendor.VendorError, match="is pinned"):
        vendor.fetch(package, tmp_path)


def test_the_manifest_tells_every_file_with_its_integrity_and_licence() -> None:
    manifest = json.loads((vendor.DESTINATION / vendor.MANIFEST).read_text("utf-8"))
    told = {name: digest for package in manifest.values() for name, digest in package["files"].items()}
    held = files(vendor.DESTINATION)
    del held[vendor.MANIFEST]
    assert told == {name: vendor.integrity(content, "sha384") for name, content in held.items()}
    for name, package in manifest.items():
        assert package["licence"]
        assert f"{name}/LICENSE.txt" in held


def test_pages_load_vendored_files_with_their_integrity() -> None:
    found = static.vendored("uplot/uPlot.iife.min.js")
    assert found.href.startswith("/static/")
    assert found.integrity.startswith("sha384-")
    with pytest.raises(FileNotFoundError):
        static.address("js/absent.js")
