"""Commands of models and of codecs, for the API: which there are, and the bytes of one."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from decoders import commands
from decoders.javascript.calls import Codec
from decoders.javascript.downlinks import encode_downlink
from decoders.javascript.pool import CodecPool
from domain.commands import CODEC, Command, CommandError, Encoded
from store.downlinks.asking import DeviceCodec

_ENCODES: Final = re.compile(r"\b(?:encodeDownlink|Encoder?)\b")
# What scripts look at of a command: input.data.period, "period" in payload, obj.period.
_NAMES: Final = re.compile(
    r"\b(?:input\.data|data|payload|obj|command|cmd)(?:\.|\[['\"])([A-Za-z_]\w{0,39})\b"
    r"|['\"]([A-Za-z_]\w{0,39})['\"]\s+in\s+(?:input\.data|data|payload|obj|command|cmd)\b"
)
_NOT_NAMES: Final = frozenset({"length", "push", "concat", "slice", "map", "forEach", "hasOwnProperty", "toString"})
_MOST_NAMES: Final = 60
_AT_ONCE: Final = 2  # workers of the sandbox: each is a process


class CommandDesk:
    """See `api.commands.CommandDesk`."""

    def __init__(self) -> None:
        self._known = commands.load()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def of(self, model_id: str | None, codec: DeviceCodec | None) -> Sequence[Command]:
        """Return what a device can be told."""
        found = self._known.of(model_id)
        if codec is None or _ENCODES.search(codec.source) is None:
            return found
        return (*found, Command(CODEC, "codec", names=names_in(codec.source)))

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
        """Return the bytes of a command. Raises CommandError, DownlinkError."""
        if name != CODEC:
            return self._known.encode(model_id, name, given)
        if codec is None:
            raise CommandError("no codec is in force for this sensor: docs/codecs.md says how to bring one in")
        script = Codec(codec.sha256, codec.source, codec.is_fresh)
        async with self._turns, CodecPool(workers=1) as pool:
            made = await encode_downlink(pool, codec.tenant_id, script, given, at=at, f_port=f_port)
        return Encoded(made.f_port, made.payload, made.warnings)


def names_in(source: str) -> tuple[str, ...]:
    """Return the members of a command that a script looks at, as far as reading it says. Pure."""
    start = _ENCODES.search(source)
    found = _NAMES.finditer(source, start.start() if start else 0)
    names = dict.fromkeys(one[1] or one[2] for one in found)
    return tuple(one for one in names if one not in _NOT_NAMES)[:_MOST_NAMES]
