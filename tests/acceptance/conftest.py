"""Services that end with their test. Helpers are in `acceptance_support`."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from acceptance_support import Demo, Service, StartDemo


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def start(settings: dict[str, str], *roles: str) -> Service:
        started.append(Service(tmp_path, settings, *roles))
        return started[-1]

    yield start
    for service in started:
        service.clean()


@pytest.fixture
def demo_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="samara-demo-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def start_demo(demo_directory: Path) -> Iterator[StartDemo]:
    started: list[Demo] = []

    def begin(*arguments: str) -> Demo:
        started.append(Demo(demo_directory, *arguments))
        return started[-1]

    yield begin
    for demo in started:
        demo.clean()
