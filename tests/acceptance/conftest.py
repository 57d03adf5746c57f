"""Services that end with their test. Helpers are in `acceptance_support`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from acceptance_support import Service


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def start(settings: dict[str, str], *roles: str) -> Service:
        started.append(Service(tmp_path, settings, *roles))
        return started[-1]

    yield start
    for service in started:
        service.clean()
