"""Other installations that hear the same network servers: asked whose an undeclared device is."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Final

import asyncpg
import structlog

from ingest.settings import Neighbour
from store.neighbours import declared_among
from store.pool import TRANSIENT, connect

log = structlog.get_logger()

_ANSWER_WITHIN_S: Final = 3.0
_AGAIN_AFTER_S: Final = 30.0


class Neighbours:
    """The neighbours of one process.

    One that does not answer is left alone for a while: what its devices send is quarantined as of unknown devices.
    Whoever looks for a device holds `asking` until it is known whose it is.
    """

    def __init__(self, settings: Sequence[Neighbour], monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._silent_until_s: dict[str, float] = {}
        self.asking = asyncio.Lock()

    async def having(self, dev_euis: Collection[str]) -> dict[str, str]:
        """Return the name of the neighbour that has each of these devices; those that none has are not in it."""
        found: dict[str, str] = {}
        for one in self._settings:
            left = [eui for eui in dev_euis if eui not in found]
            if left and self._monotonic() >= self._silent_until_s.get(one.name, 0.0):
                found.update(dict.fromkeys(await self._ask(one, left), one.name))
        return found

    async def _ask(self, one: Neighbour, dev_euis: Collection[str]) -> list[str]:
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                connection = await connect(one.dsn.get_secret_value(), application="samara-neighbour")
                try:
                    return await declared_among(connection, dev_euis)
                finally:
                    connection.terminate()
        except (*TRANSIENT, asyncpg.PostgresError) as error:
            self._silent_until_s[one.name] = self._monotonic() + _AGAIN_AFTER_S
            log.warning("neighbour_does_not_answer", neighbour=one.name, detail=str(error) or type(error).__name__)
            return []
