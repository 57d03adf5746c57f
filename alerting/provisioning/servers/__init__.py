"""Network servers that devices can be registered at: one module each, found by walking this folder.

How to add one: docs/provisioning.md.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Literal, Protocol, cast

from alerting.provisioning.door import Place
from domain.downlinks import Outgoing, Queued
from domain.folders import has, named
from domain.provisioning import RootKeys, There, Wanted
from store.provisioning.servers import Access

TakenBack = Literal["taken", "gone", "kept"]


class NetworkServer(Protocol):
    """An application on a network server. Whatever the other side does, these raise ServerError alone."""

    async def create(self, wanted: Wanted) -> bool:
        """Register a device; return False when it is there already, in this application or another."""

    async def find(self, dev_eui: str) -> There | None:
        """Return a device as it is there, with its application; None when it is not."""

    async def change(self, wanted: Wanted) -> None:
        """Give a device that is there this name, profile, JoinEUI and application; the rest stays."""

    async def key(self, wanted: Wanted, keys: RootKeys) -> None:
        """Give a device its root keys, whether it had some or not."""

    async def delete(self, dev_eui: str) -> bool:
        """Take a device away if it is in this application; return whether it was."""

    def listed(self, without_join_eui: Collection[str]) -> AsyncIterator[There]:
        """Yield all devices of the application, with their JoinEUI, which of these is not needed."""

    async def enqueue(self, downlink: Outgoing) -> str:
        """Put a downlink at the end of its device's queue; return what it is called there."""

    async def queue(self, dev_eui: str) -> Sequence[Queued]:
        """Return what waits in the queue of a device."""

    async def take_back(self, downlink: Outgoing, item: str) -> TakenBack:
        """Take a downlink out of its device's queue: `gone` when it is not in it, `kept` when that cannot be done."""


class Module(Protocol):
    """What a module of this folder offers: the word by which it is configured, and how it is spoken to."""

    NAME: str

    def opened(self, access: Access, place: Place, timeout_s: float) -> AbstractAsyncContextManager[NetworkServer]:
        """Speak to a network server for as long as the context lasts. Nothing is sent before something is asked."""


def load(package: str = __name__) -> Mapping[str, Module]:
    """Return the modules by NAME. Raises ConfigurationError, naming the module, when one will not do."""
    return named(package, "network server", _checked, lambda one: one.NAME)


def _checked(module: ModuleType) -> Module:
    has(module, "NAME", "opened")
    return cast("Module", module)
