"""Whose an undeclared device is: neighbours are asked in turn, and one that does not answer is left alone."""

from collections.abc import Collection
from typing import Any

import pytest
from pydantic import SecretStr

from ingest import neighbours as module
from ingest.neighbours import Neighbours
from ingest.settings import Neighbour

SETTINGS = [Neighbour(name=name, dsn=SecretStr(name)) for name in ("oise", "aisne")]


class Others:
    """The databases of neighbours, by address."""

    def __init__(self) -> None:
        self.devices = {"oise": {"a"}, "aisne": {"a", "b"}}
        self.away: set[str] = set()
        self.asked: list[str] = []

    async def connect(self, dsn: str, **_: object) -> Any:
        self.asked.append(dsn)
        if dsn in self.away:
            raise ConnectionRefusedError
        return Connection(self.devices[dsn])


class Connection:
    def __init__(self, devices: set[str]) -> None:
        self.devices = devices

    def terminate(self) -> None:
        pass


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Others:
    made = Others()

    async def declared_among(connection: Connection, dev_euis: Collection[str]) -> list[str]:
        return sorted(connection.devices & set(dev_euis))

    monkeypatch.setattr(module, "connect", made.connect)
    monkeypatch.setattr(module, "declared_among", declared_among)
    return made


async def test_the_first_that_has_it_is_named(others: Others) -> None:
    asked = Neighbours(SETTINGS, lambda: 0.0)
    assert await asked.having(["a"]) == {"a": "oise"}
    assert others.asked == ["oise"]
    assert await asked.having(["a", "b", "c"]) == {"a": "oise", "b": "aisne"}


async def test_one_that_does_not_answer_is_left_alone_for_a_while(others: Others) -> None:
    now_s = 100.0
    asked = Neighbours(SETTINGS, lambda: now_s)
    others.away = {"oise"}
    assert await asked.having(["a"]) == {"a": "aisne"}
    now_s = 129.0
    await asked.having(["c"])
    assert others.asked == ["oise", "aisne", "aisne"]
    others.away = set()
    now_s = 130.0
    assert await asked.having(["a"]) == {"a": "oise"}
