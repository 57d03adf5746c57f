"""Collections of codecs on disk, in the layouts of their publishers, and what activates one."""

import json
from pathlib import Path

import pytest

from decoders.javascript.activation import activation
from decoders.javascript.calls import Codec, CodecResult
from decoders.javascript.corpus import Checked, check
from decoders.javascript.examples import Example, Expected, difference, judged
from decoders.javascript.layouts.found import payload_of, relaxed_json, when_of
from decoders.javascript.pool import CodecPool

SCRIPT = "function decodeUplink(input) { return { data: { n: input.bytes[0] / 10 } } }"


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


async def checked(root: Path, pool: CodecPool) -> list[Checked]:
    return [one async for one in check(root, pool)]


async def test_the_things_network(tmp_path: Path, pool: CodecPool) -> None:
    written(tmp_path / "vendor/acme/probe.js", SCRIPT.replace("n:", "state: 'on', at: input.recvTime, n:"))
    written(
        tmp_path / "vendor/acme/probe-codec.yaml",
        "uplinkDecoder:\n  fileName: probe.js\n  examples:\n"
        "    - description: right\n      input: {fPort: 1, bytes: [0x15], recvTime: 2024-05-06T07:08:09Z}\n"
        "      output: {data: {n: 2.1, state: on, at: 2024-05-06T07:08:09.000Z}}\n"
        "    - description: wrong\n      input: {fPort: 1, bytes: [21]}\n      output: {data: {n: 2.2}}\n",
    )
    written(tmp_path / "vendor/acme/index.yaml", "endDevices: [probe]\n")
    (one,) = await checked(tmp_path, pool)
    assert (one.layout, one.name) == ("things-network", "vendor/acme/probe-codec.yaml")
    assert [(verdict.name, verdict.passed) for verdict in one.verdicts] == [("right", True), ("wrong", False)]
    assert one.verdicts[1].reason == "data.n: 2.1, expected 2.2"
    assert not one.ok


async def test_chirpstack(tmp_path: Path, pool: CodecPool) -> None:
    written(tmp_path / "vendors/acme/codecs/probe.js", "export " + SCRIPT)
    written(
        tmp_path / "vendors/acme/codecs/test_decode_probe.json",
        '[{"name": "a", // as published\n "input": {"fPort": 0x02, "bytes": [0x15,]}, expected: {"data": {"n": 2.1}}}]',
    )
    for name in ("constant-1-10.js", "test_decode_constant.json"):
        source = tmp_path / "vendors/acme/codecs" / ("probe.js" if name.endswith("js") else "test_decode_probe.json")
        written(tmp_path / "vendors/acme/codecs" / name, source.read_text("utf-8"))
    found = await checked(tmp_path, pool)
    assert [(one.layout, one.ok, one.passed) for one in found] == [("chirpstack", True, 1)] * 2


async def test_watteco_and_actility(tmp_path: Path, pool: CodecPool) -> None:
    example = {
        "type": "uplink",
        "description": "a",
        "input": {"bytes": "15", "fPort": 125},
        "output": {"data": {"n": 2.1}},
    }
    downlink = {"type": "downlink-encode", "input": {}, "output": {}}
    for name, main in (("devices/one", "main.js"), ("vendors/v/drivers/two", "index.js")):
        written(tmp_path / name / "examples.json", json.dumps([example, downlink]))
        written(tmp_path / name / main, SCRIPT.replace("function", "exports.decodeUplink = function"))
    assert [(one.layout, one.passed) for one in await checked(tmp_path, pool)] == [("examples-json", 1)] * 2


async def test_milesight(tmp_path: Path, pool: CodecPool) -> None:
    written(tmp_path / "x-series/x1/x1-decoder.js", SCRIPT)
    written(
        tmp_path / "x-series/x1/README.md",
        '## Example\n\n```json\n// 15 00\n{\n  "n": 2.1\n}\n\n// 16\n{ "n": 2.3 }\n\n// 17\n{ ... }\n```\n',
    )
    (one,) = await checked(tmp_path, pool)
    assert [(verdict.name, verdict.passed) for verdict in one.verdicts] == [("15 00", True), ("16", False)]


async def test_files_that_cannot_be_read_are_said(tmp_path: Path, pool: CodecPool) -> None:
    written(tmp_path / "a/x-codec.yaml", "uplinkDecoder:\n  fileName: ../../../../etc/hostname\n")
    written(tmp_path / "b/x-codec.yaml", "uplinkDecoder: [\n")
    written(tmp_path / "c/test_decode_x.json", "[]")
    written(tmp_path / "d/examples.json", "{")
    written(tmp_path / "e/x-codec.yaml", "uplinkDecoder:\n  fileName: x.js\n")
    written(tmp_path / "e/x.js", SCRIPT)
    problems = [one.problem for one in await checked(tmp_path, pool)]
    assert len(problems) == 5
    assert all(problems)
    assert "outside the collection" in problems[0]
    assert problems[2] == "no examples"


async def test_a_codec_that_depends_on_earlier_calls_is_marked(tmp_path: Path, pool: CodecPool) -> None:
    written(tmp_path / "codecs/x.js", "var n = 0; function decodeUplink() { return { data: { n: ++n } } }")
    tests = [{"name": str(n), "input": {"bytes": [1]}, "expected": {"data": {"n": 1}}} for n in range(3)]
    written(tmp_path / "codecs/test_decode_x.json", json.dumps(tests))
    (one,) = await checked(tmp_path, pool)
    assert (one.ok, one.order_matters) == (True, True)


RIGHT = CodecResult("data", {"n": 1})
WRONG = CodecResult("data", {"n": 2})
EXAMPLE = Example("one", b"\1", 1, Expected({"n": 1}))


def test_a_codec_is_activated_when_its_examples_pass() -> None:
    assert activation(Codec.of(SCRIPT), [EXAMPLE], [RIGHT]) == (True, (), Codec.of(SCRIPT))


@pytest.mark.parametrize(
    ("examples", "results", "reason"),
    [
        ([], [], "no examples"),
        ([EXAMPLE], [WRONG], "one: data.n: 2, expected 1"),
        ([EXAMPLE, EXAMPLE], [RIGHT], "1 results of 2 examples"),
        ([EXAMPLE], [CodecResult("killed", detail="it ended")], "one: killed: it ended"),
    ],
)
def test_else_not_and_it_says_why(examples: list[Example], results: list[CodecResult], reason: str) -> None:
    found = activation(Codec.of(SCRIPT), examples, results)
    assert (found.ok, found.reasons) == (False, (reason,))


def test_a_script_that_is_too_long_is_not_activated() -> None:
    assert not activation(Codec.of(SCRIPT + "é" * 70_000), [EXAMPLE], [RIGHT]).ok


def test_a_codec_that_needs_fresh_contexts_gets_them() -> None:
    assert activation(Codec.of(SCRIPT), [EXAMPLE], [RIGHT], together=[WRONG]).codec.fresh
    assert not activation(Codec.of(SCRIPT), [EXAMPLE], [RIGHT], together=[RIGHT]).codec.fresh


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        (1, 1.0, True),
        (0.1 + 0.2, 0.3, True),
        (1, True, False),
        ("1", 1, False),
        ({"a": None}, {}, True),
        ({}, {"a": 1}, False),
        ([1, 2], [1], False),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, False),
        ("2023-07-19T07:51:31.598957793Z", "2023-07-19T07:51:31.598Z", True),
        ("2023-07-19T07:51:31Z", "2023-07-19T07:51:32Z", False),
        ("2023-07-19T07:51:31Z", "2023-07-19T07:51:31", False),
    ],
)
def test_equality_of_answers(expected: object, found: object, *, same: bool) -> None:
    assert (difference(expected, found, "data") == "") is same


def test_errors_expected_may_be_returned_or_thrown() -> None:
    example = Example("e", b"", 1, Expected(errors=("bad",)))
    assert judged(example, CodecResult("refused", errors=("bad",))).passed
    assert judged(example, CodecResult("thrown", detail="bad")).passed
    assert not judged(example, CodecResult("refused", errors=("worse",))).passed
    assert not judged(example, RIGHT).passed


def test_what_is_nearly_json() -> None:
    assert relaxed_json("{e: 'it\\'s \"so\"'}") == {"e": 'it\'s "so"'}
    assert relaxed_json('{a: 0x1F, /* c */ "b://": [1, 2,], // d\n}') == {"a": 31, "b://": [1, 2]}


def test_payloads_and_times() -> None:
    assert payload_of("01 ff") == payload_of([1, -1]) == payload_of(["0x01", "255"]) == b"\1\xff"
    assert when_of("2020-08-02T20:00:00.000+05:00").isoformat() == "2020-08-02T20:00:00+05:00"
