import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.errors import ConfigurationError
from ingest.lns import load

GOOD = "NAME = 'acme'\nTOPICS = ('acme/#',)\ndef parse(topic, body, now):\n    return ()\n"

Package = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Write a package of network server modules; return its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(**modules: str) -> str:
        folder = tmp_path / "servers_under_test"
        folder.mkdir()
        (folder / "__init__.py").touch()
        for name, source in modules.items():
            (folder / f"{name}.py").write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        return folder.name

    yield write
    for name in [name for name in sys.modules if name.startswith("servers_under_test")]:
        del sys.modules[name]


def test_every_server_of_the_project_loads() -> None:
    servers = load()
    assert set(servers) == {"actility", "chirpstack", "liveobjects", "thethingsstack"}
    assert [name for name, server in servers.items() if not server.TOPICS] == ["actility"]


def test_a_module_is_found_by_walking(package: Package) -> None:
    assert set(load(package(one=GOOD, _helper="raise SystemError"))) == {"acme"}


def test_two_of_one_name_stop_the_start(package: Package) -> None:
    with pytest.raises(ConfigurationError, match=r"servers_under_test\.two: .* already called 'acme'"):
        load(package(one=GOOD, two=GOOD))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nothing_of_that_name", "cannot be imported: ModuleNotFoundError"),
        ("def parse(:", "cannot be imported: SyntaxError"),
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        (GOOD.replace("NAME", "NAMED"), "NAME must be a text"),
        (GOOD.replace("('acme/#',)", "'acme/#'"), "TOPICS must be a tuple"),
        (GOOD.replace("('acme/#',)", "(1,)"), "TOPICS must be a tuple"),
        (GOOD.replace("parse", "read"), "parse.* is missing"),
    ],
)
def test_a_broken_one_stops_the_start_and_is_named(package: Package, source: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"servers_under_test\.broken.*{said}"):
        load(package(broken=source))


def test_no_grpc_is_imported_for_chirpstack_protobuf() -> None:
    # In a fresh interpreter: another test of this session may have imported it.
    import subprocess  # noqa: PLC0415

    script = "import sys, ingest.lns; ingest.lns.load(); sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
