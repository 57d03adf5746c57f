"""Commands for devices: what a codec's `encodeDownlink` makes of one, and its `decodeDownlink` of the bytes.

Source: LoRa Alliance TS013-1.0.0, Payload Codec API. The older `Encoder(command, port)` and `Encode(port, command,
variables)`, which give the bytes alone, will do as well.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from decoders.javascript.calls import Codec, CodecCall, CodecResult
from decoders.javascript.pool import CodecPool
from domain.errors import SamaraError

MAX_PAYLOAD_BYTES: Final = 242  # EU868, the fastest data rates; the slowest take 51
F_PORTS: Final = range(1, 224)
_USUAL_F_PORT: Final = 1


class DownlinkError(SamaraError):
    """The codec made no downlink of the command: what it said, or what is wrong with its answer."""


class Downlink(NamedTuple):
    """What to send to a device."""

    payload: bytes
    f_port: int
    warnings: tuple[str, ...] = ()


async def encode_downlink(
    pool: CodecPool,
    tenant_id: int,
    codec: Codec,
    command: Mapping[str, Any],
    *,
    at: datetime,
    f_port: int | None = None,
    variables: Mapping[str, str] = {},
) -> Downlink:
    """Return the bytes of a command. `f_port` is for codecs that do not say it themselves. Raises DownlinkError."""
    call = CodecCall(tenant_id, codec, b"", f_port or _USUAL_F_PORT, at, variables, "encodeDownlink", dict(command))
    (result,) = await pool.decode([call])
    said = _answer(result)
    port = said.get("fPort")
    return Downlink(_payload(said.get("bytes")), _port(f_port or 0 if port is None else port), result.warnings)


async def decode_downlink(
    pool: CodecPool,
    tenant_id: int,
    codec: Codec,
    downlink: Downlink,
    *,
    at: datetime,
    variables: Mapping[str, str] = {},
) -> Any:
    """Return the command that bytes stand for, as the codec says it. Raises DownlinkError."""
    call = CodecCall(tenant_id, codec, downlink.payload, downlink.f_port, at, variables, "decodeDownlink")
    (result,) = await pool.decode([call])
    command = _answer(result).get("data")
    if command is None:
        raise DownlinkError("the codec answered without data")
    return command


def _answer(result: CodecResult) -> Mapping[str, Any]:
    if result.status != "data":
        raise DownlinkError(f"{result.status}: {result.detail}" if result.detail else result.status)
    assert isinstance(result.data, dict)  # the harness makes it
    return result.data


def _payload(said: object) -> bytes:
    if isinstance(said, str):
        said = _hexadecimal(said)
    if not isinstance(said, list) or not all(type(one) is int and 0 <= one <= 255 for one in said):
        raise DownlinkError(f"the codec's bytes are no list of numbers from 0 to 255: {said!r:.60}")
    if not 0 < len(said) <= MAX_PAYLOAD_BYTES:
        raise DownlinkError(f"the codec made {len(said)} bytes; a frame has 1 to {MAX_PAYLOAD_BYTES}")
    return bytes(said)


def _hexadecimal(said: str) -> list[int] | str:
    try:
        return list(bytes.fromhex(said))
    except ValueError:
        return said


def _port(said: object) -> int:
    if type(said) is not int or said not in F_PORTS:
        raise DownlinkError(f"fPort {said!r:.20} is not 1 to {F_PORTS[-1]}: the codec says none, so give it one")
    return said
