"""What the codecs that are out there expect of whoever runs them."""

# ruff: noqa: E501  # a table of scripts reads better with one row a line

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from decoders.javascript.calls import Codec, CodecCall, CodecResult
from decoders.javascript.pool import CodecPool

RECEIVED = datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)


async def run(pool: CodecPool, source: str, payload: bytes = b"\1\2\xff", **more: Any) -> CodecResult:
    variables: Mapping[str, str] = more.get("variables", {})
    codec = Codec.of(source, fresh=more.get("fresh", False))
    (result,) = await pool.decode([CodecCall(1, codec, payload, more.get("f_port", 7), RECEIVED, variables)])
    return result


ANSWERS = {
    "ts013": ("function decodeUplink(input) { return { data: { b: input.bytes, p: input.fPort } } }", {"b": [1, 2, 255], "p": 7}),
    "bytes are an array": ("function decodeUplink({bytes}) { return { data: { a: Array.isArray(bytes), s: bytes.slice(1) } } }", {"a": True, "s": [2, 255]}),
    "recvTime is a Date": ("function decodeUplink(i) { return { data: { d: i.recvTime instanceof Date, t: i.recvTime.toISOString() } } }", {"d": True, "t": "2024-05-06T07:08:09.123Z"}),
    "Actility's time": ("function decodeUplink(i) { return { data: { t: new Date(i.time).getTime() === i.recvTime.getTime() } } }", {"t": True}),
    "local time is UTC": ("function decodeUplink(i) { return { data: { h: i.recvTime.getHours(), z: i.recvTime.getTimezoneOffset() } } }", {"h": 7, "z": 0}),
    "sloppy": ("function decodeUplink(i) { undeclared = 010; return { data: { n: undeclared, g: this === globalThis } } }", {"n": 8, "g": True}),
    "const at the top": ("const decodeUplink = (input) => ({ data: { p: input.fPort } });", {"p": 7}),
    "export function": ("export function decodeUplink(input) { return { data: { p: input.fPort } } }", {"p": 7}),
    "export list": ("const decodeUplink = ({fPort}) => ({ data: { fPort } });\nexport { decodeUplink };", {"fPort": 7}),
    "export default": ("export default { decodeUplink(input) { return { data: { p: input.fPort } } } };", {"p": 7}),
    "exports": ("exports.decodeUplink = function (input) { return { data: { p: input.fPort } } };", {"p": 7}),
    "module.exports": ("module.exports = { decodeUplink: (input) => ({ data: { p: input.fPort } }) };", {"p": 7}),
    "driver": ("var driver = { f: 3, decodeUplink(input) { return { data: { p: input.fPort, f: this.f } } } };", {"p": 7, "f": 3}),
    "Decoder": ("function Decoder(bytes, port) { return { n: bytes.length, port }; }", {"n": 3, "port": 7}),
    "Decode": ("function Decode(fPort, bytes, variables) { return { fPort, n: bytes.length, v: variables.a }; }", {"fPort": 7, "n": 3}),
    "TS013 before the older": ("function Decoder() { return { old: 1 } } function decodeUplink() { return { data: { old: 0 } } }", {"old": 0}),
    "data alone": ("function decodeUplink() { return { temperature: 21.5 } }", {"temperature": 21.5}),
    "console": ("function decodeUplink() { console.log('x'); console.error(1); console.table([]); return { data: { x: 1 } } }", {"x": 1}),
    "require buffer": ("const { Buffer } = require('buffer'); function decodeUplink(i) { return { data: { h: Buffer.from(i.bytes).toString('hex') } } }", {"h": "0102ff"}),
    "NaN is null": ("function decodeUplink() { return { data: { n: NaN, i: -Infinity, u: undefined } } }", {"n": None, "i": None}),
    "a list": ("function Decoder(bytes) { return [{ x: 1 }]; }", [{"x": 1}]),
    "a date in the answer": ("function decodeUplink(i) { return { data: { at: i.recvTime } } }", {"at": "2024-05-06T07:08:09.123Z"}),
    "errors empty": ("function decodeUplink() { return { data: { x: 1 }, errors: [], warnings: [] } }", {"x": 1}),
    "polyfill while loading": ("if (!Array.prototype.mine) Array.prototype.mine = function () { return this.length }; function decodeUplink({bytes}) { return { data: { n: bytes.mine() } } }", {"n": 3}),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
async def test_it_answers(pool: CodecPool, name: str) -> None:
    source, expected = ANSWERS[name]
    result = await run(pool, source)
    assert result.status == "data", result
    assert (
        {"v": None, **result.data} == {"v": None, **expected} if isinstance(expected, dict) else result.data == expected
    )


async def test_variables_are_the_devices_own(pool: CodecPool) -> None:
    source = "function decodeUplink({variables}) { return { data: { k: Number(variables.factor) } } }"
    assert (await run(pool, source, variables={"factor": "2.5", 'é"': "\n"})).data == {"k": 2.5}


async def test_normalize_uplink_is_called_with_the_data(pool: CodecPool) -> None:
    source = (
        "function decodeUplink() { return { data: { t: 210 } } }\n"
        "function normalizeUplink(input) { return { data: [{ air: { temperature: input.data.t / 10 } }] } }"
    )
    result = await run(pool, source)
    assert (result.data, result.normalized) == ({"t": 210}, [{"air": {"temperature": 21}}])


async def test_errors_refuse_the_frame_and_warnings_stay(pool: CodecPool) -> None:
    source = "function decodeUplink() { return { data: { x: 1 }, errors: ['bad', 3], warnings: 'odd' } }"
    result = await run(pool, source)
    assert (result.status, result.data, result.errors, result.warnings) == ("refused", None, ("bad", "3"), ("odd",))


@pytest.mark.parametrize(
    ("source", "status", "detail"),
    [
        ("function decodeUplink() { throw new Error('wrong CRC') }", "thrown", "wrong CRC"),
        ("function decodeUplink() { return null }", "thrown", "returned object"),
        ("function decodeUplink() { return 3 }", "thrown", "returned number"),
        ("function decodeUplink() { return { data: null } }", "thrown", "no data"),
        ("async function decodeUplink() { return { data: {} } }", "thrown", "asynchronous"),
        ("function decodeUplink( {", "unloadable", "SyntaxError"),
        ("export function decodeUplink( {", "unloadable", "SyntaxError"),
        ("throw new TypeError('at the top')", "unloadable", "at the top"),
        ("var x = 1", "unloadable", "no function decodeUplink"),
        ("x".ljust(200_000), "too_large", "larger than its limit"),
    ],
)
async def test_it_says_why_not(pool: CodecPool, source: str, status: str, detail: str) -> None:
    result = await run(pool, source)
    assert result.status == status
    assert detail in result.detail


async def test_a_fresh_codec_remembers_nothing(pool: CodecPool) -> None:
    source = "var calls = 0; function decodeUplink() { return { data: { calls: ++calls } } }"
    assert [(await run(pool, source, fresh=True)).data["calls"] for _ in range(3)] == [1, 1, 1]
    assert [(await run(pool, source + " ")).data["calls"] for _ in range(3)] == [1, 2, 3]


async def test_a_codec_that_throws_starts_anew(pool: CodecPool) -> None:
    source = "var n = 0; function decodeUplink(i) { n++; if (i.fPort === 9) throw 1; return { data: { n } } }"
    seen = [await run(pool, source, f_port=port) for port in (1, 1, 9, 1)]
    assert [one.data and one.data["n"] for one in seen] == [1, 2, None, 1]


async def test_tenants_never_share_a_context(pool: CodecPool) -> None:
    codec = Codec.of("var n = 0; function decodeUplink() { return { data: { n: ++n } } }")
    calls = [CodecCall(tenant, codec, b"\1", 1, RECEIVED) for tenant in (21, 22, 21, 22, 22)]
    assert sorted((call.tenant_id, one.data["n"]) for call, one in zip(calls, await pool.decode(calls), strict=True)) == [
        (21, 1), (21, 2), (22, 1), (22, 2), (22, 3),
    ]  # fmt: skip


BUFFER = {
    "Buffer.from('0aFF', 'hex').toJSON().data": [10, 255],
    "Buffer.from('0aFxF', 'hex').length": 1,
    "Buffer.from('AQID_-8', 'base64').toString('hex')": "010203ffef",
    "Buffer.from([1, 2, 3, 255, 239]).toString('base64')": "AQID/+8=",
    "Buffer.from([1]).toString('base64')": "AQ==",
    "Buffer.from([255, 239]).toString('base64url')": "_-8",
    "Buffer.from('h\u00e9\u20ac\U0001f600').toString()": "hé€😀",
    "Buffer.from('h\u00e9\u20ac\U0001f600').length": 10,
    "Buffer.from([0x41, 0xff, 0xc3]).toString('utf8')": "A\ufffd\ufffd",
    "Buffer.from([0x41, 0xe9]).toString('latin1')": "Aé",
    "Buffer.from([0x41, 0xe9]).toString('ascii')": "Ai",
    "Buffer.from([1, 2, 3, 4]).readUInt16BE(1)": 0x0203,
    "Buffer.from([1, 2, 3, 4]).readUint32LE(0)": 0x04030201,
    "Buffer.from([255, 254]).readInt16BE(0)": -2,
    "Buffer.from([255, 254]).readInt8(1)": -2,
    "Buffer.from([1, 2, 3]).readUIntBE(0, 3)": 0x010203,
    "Buffer.from([253, 255, 255]).readIntLE(0, 3)": -3,
    "Buffer.from([0, 0, 200, 65]).readFloatLE(0)": 25,
    "Buffer.from([63, 240, 0, 0, 0, 0, 0, 0]).readDoubleBE()": 1,
    "Number(Buffer.from([0, 0, 0, 0, 0, 0, 1, 0]).readBigUInt64BE(0))": 256,
    "Buffer.concat([Buffer.from([1]), [2, 3]]).toString('hex')": "010203",
    "Buffer.alloc(3, 7).toString('hex')": "070707",
    "Buffer.isBuffer(Buffer.alloc(1)) && !Buffer.isBuffer([1])": True,
    "Buffer.byteLength('é')": 2,
    "Buffer.from([1, 2, 3, 4]).slice(1, 3).toString('hex')": "0203",
    "Buffer.from([1, 2, 3, 4]).subarray(-2).readUInt16BE(0)": 0x0304,
    "Buffer.from([1, 2]).equals(Buffer.from('0102', 'hex'))": True,
    "(() => { const b = Buffer.alloc(4); b.writeInt16LE(-2, 1); b.writeUInt8(9); return b.toString('hex') })()": "09feff00",
    "(() => { const b = Buffer.alloc(4); b.writeUIntBE(0x010203, 1, 3); return b.toString('hex') })()": "00010203",
    "(() => { const b = Buffer.alloc(4); b.write('hé', 1); return b.toString('hex') })()": "0068c3a9",
    "(() => { const b = Buffer.alloc(3); return Buffer.from([1, 2]).copy(b, 1) + b.toString('hex') })()": "2000102",
    "(() => { try { Buffer.alloc(1).readUInt16BE(0) } catch (e) { return e instanceof RangeError } })()": True,
    "JSON.stringify(Buffer.from([1]))": '{"type":"Buffer","data":[1]}',
}  # fmt: skip


@pytest.mark.parametrize("expression", BUFFER)
async def test_buffer(pool: CodecPool, expression: str) -> None:
    result = await run(pool, f"function decodeUplink() {{ return {{ data: {{ v: {expression} }} }} }}")
    assert result.data == {"v": BUFFER[expression]}, result


async def test_an_input_that_is_too_large_is_not_run(pool: CodecPool) -> None:
    source = "function decodeUplink() { return { data: {} } }"
    assert (await run(pool, source, variables={"a": "x" * 70_000})).status == "too_large"
    assert json.loads("{}") == (await run(pool, source)).data
