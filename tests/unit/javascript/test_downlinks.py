"""Commands as codecs encode them, and what becomes of an answer that is none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from decoders.javascript.calls import Codec, CodecCall
from decoders.javascript.downlinks import Downlink, DownlinkError, decode_downlink, encode_downlink
from decoders.javascript.pool import CodecPool

AT = datetime(2026, 1, 1, tzinfo=UTC)
UPLINK = "function decodeUplink(i) { return { data: { n: i.bytes.length, asked: 'ask' in i } } }\n"
BOTH = (
    UPLINK
    + """
function encodeDownlink(input) {
  if (!(input.data.minutes > 0)) return { bytes: [], errors: ["minutes must be positive"] };
  return { fPort: 5, bytes: [1, input.data.minutes & 255, input.data.minutes >> 8], warnings: ["restarts"] };
}
function decodeDownlink(input) { return { data: { minutes: input.bytes[1] | input.bytes[2] << 8, port: input.fPort } } }
"""
)


async def encoded(pool: CodecPool, source: str, command: Any = None, **more: Any) -> Downlink:
    return await encode_downlink(pool, 1, Codec.of(source), command or {"minutes": 300}, at=AT, **more)


async def test_a_command_there_and_back(pool: CodecPool) -> None:
    found = await encoded(pool, BOTH)
    assert found == Downlink(b"\x01\x2c\x01", 5, ("restarts",))
    assert await decode_downlink(pool, 1, Codec.of(BOTH), found, at=AT) == {"minutes": 300, "port": 5}
    (uplink,) = await pool.decode([CodecCall(1, Codec.of(BOTH), b"\1\2", 3, AT)])
    assert uplink.data == {"n": 2, "asked": False}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("function Encoder(command, port) { return [port, command.minutes & 255] }", Downlink(b"\x09\x2c", 9)),
        ("function Encode(port, command, variables) { return [port, variables.a.length] }", Downlink(b"\x09\x03", 9)),
        ("function encodeDownlink() { return { bytes: '0a0B', fPort: 2 } }", Downlink(b"\x0a\x0b", 2)),
        (
            "module.exports = { decodeUplink, encodeDownlink: (i) => ({ bytes: [i.data.minutes / 100], fPort: 2 }) }",
            Downlink(b"\3", 2),
        ),
    ],
)
async def test_older_forms(pool: CodecPool, script: str, expected: Downlink) -> None:
    assert await encoded(pool, UPLINK + script, f_port=9, variables={"a": "xyz"}) == expected


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("", "no function for that"),
        ("function encodeDownlink() { throw new Error('not yet') }", "thrown: not yet"),
        ("function encodeDownlink() { return { bytes: [256], fPort: 1 } }", "numbers from 0 to 255"),
        ("function encodeDownlink() { return { bytes: [1.5], fPort: 1 } }", "numbers from 0 to 255"),
        ("function encodeDownlink() { return { bytes: [], fPort: 1 } }", "0 bytes"),
        ("function encodeDownlink() { return { bytes: Array(243).fill(1), fPort: 1 } }", "243 bytes"),
        ("function encodeDownlink() { return { bytes: [1], fPort: 0 } }", "fPort 0"),
        ("function encodeDownlink() { return { bytes: [1] } }", "the codec says none"),
        ("function encodeDownlink() { return 7 }", "returned number"),
        ("function encodeDownlink() { for (;;); }", "timeout"),
    ],
)
async def test_what_is_no_downlink_is_told(pool: CodecPool, script: str, message: str) -> None:
    with pytest.raises(DownlinkError, match=message):
        await encoded(pool, UPLINK + script)


async def test_what_a_codec_refuses_is_told(pool: CodecPool) -> None:
    with pytest.raises(DownlinkError, match="refused: minutes must be positive"):
        await encoded(pool, BOTH, {"minutes": -1})
    silent = Codec.of(UPLINK + "function decodeDownlink() { return {} }")
    with pytest.raises(DownlinkError, match="without data"):
        await decode_downlink(pool, 1, silent, Downlink(b"\1", 1), at=AT)
