"""Network servers: one module each, found by walking this folder.

A module says what it is called, where it publishes, and turns one message into events. How to add one:
docs/how-to/add-a-network-server.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import ModuleType
from typing import Protocol, cast

from domain.errors import ConfigurationError
from domain.events import Event
from domain.folders import named


class NetworkServer(Protocol):
    """What a module of this folder offers.

    NAME is what settings call it. TOPICS are the MQTT filters subscribed to when the settings name none; empty
    when the server speaks HTTP only.
    """

    NAME: str
    TOPICS: tuple[str, ...]

    def parse(self, topic: str, body: bytes, now: datetime) -> Sequence[Event]:
        """Return the events of one message: one as a rule, none when it is known and of no interest.

        `topic` is the MQTT topic, or what `ingest.http` makes of a request's path and query. `now` is
        timezone-aware; it bounds which times are plausible. Raises MessageError, with a reason of
        `domain.quarantine`, and nothing else, whatever the bytes are.
        """


def load(package: str = __name__) -> Mapping[str, NetworkServer]:
    """Return the network servers of a package by NAME. Modules whose name begins with `_` are their helpers.

    Raises ConfigurationError, naming the module, when one cannot be imported, lacks a part, or bears a taken name.
    """
    return named(package, "network server", _checked, lambda server: server.NAME)


def _checked(module: ModuleType) -> NetworkServer:
    name, topics = getattr(module, "NAME", None), getattr(module, "TOPICS", None)
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"{module.__name__}: NAME must be a text")
    if not isinstance(topics, tuple) or not all(isinstance(topic, str) for topic in topics):
        raise ConfigurationError(f"{module.__name__}: TOPICS must be a tuple of texts, empty for HTTP only")
    if not callable(getattr(module, "parse", None)):
        raise ConfigurationError(f"{module.__name__}: parse(topic, body, now) is missing")
    return cast("NetworkServer", module)
