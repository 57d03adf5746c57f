"""What the API asks of whoever knows how devices are spoken to (decoders and codecs): given by `deploy`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from aiohttp import web

from domain.commands import Command, Encoded
from store.downlinks.asking import DeviceCodec


class CommandDesk(Protocol):
    """The API imports no decoder; it only asks this."""

    def of(self, model_id: str | None, codec: DeviceCodec | None) -> Sequence[Command]:
        """Return what a device can be told, by its model and by the codec in force for it."""

    async def encode(
        self,
        model_id: str | None,
        codec: DeviceCodec | None,
        name: str,
        given: Mapping[str, Any],
        *,
        f_port: int | None,
        at: datetime,
    ) -> Encoded:
        """Return the bytes of a command; `f_port` is for codecs that say none. Raises SamaraError, saying why not."""


COMMAND_DESK: Final[web.AppKey[CommandDesk]] = web.AppKey("command_desk")
