"""What the store keeps of a codec: its examples, whichever form they came in, and its mapping."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from decoders.javascript.calls import Codec
from decoders.javascript.declared import MappingError, fields_from_json, fields_of, fields_to_json, written
from decoders.javascript.examples import Example, Expected
from decoders.javascript.layouts.one_file import ExamplesError, examples_from_json, examples_in, examples_to_json
from decoders.javascript.mapping import Field
from decoders.javascript.pool import CodecPool
from decoders.javascript.trial import mapping_tried, tried

AT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
EXAMPLES = (
    Example("a", b"\x15", 2, Expected({"n": 2.1}), AT, {"k": "v"}),
    Example("refused", b"", 1, Expected(None, ("empty",), ("short",))),
    Example("normal", b"\1", 1, Expected({"n": 0.1}, (), (), [{"air": {"temperature": 21}}])),
)
FIELDS = (
    Field("t", "temperature"),
    Field("door", "open", words={"open": 1.0, "closed": 0.0}),
    Field("past.*.v", "battery_voltage", 0.001, -1.0, 3, {}, "past.*.at", "epoch_s"),
)


def test_examples_and_mappings_come_back_as_they_were() -> None:
    assert examples_from_json(examples_to_json(EXAMPLES)) == EXAMPLES
    assert fields_from_json(fields_to_json(FIELDS)) == FIELDS
    assert written(FIELDS[:1]) == [{"path": "t", "quantity": "temperature"}]


FORMS = {
    "examples.json": """[
        {"type": "uplink", "input": {"bytes": "15", "fPort": 2}, "output": {"data": {"n": 2.1}}},
        {"type": "downlink-encode", "input": {}, "output": {}}
    ]""",
    "test_decode_x.json": "[{name: 'a', input: {fPort: 2, bytes: [0x15]}, expected: {data: {n: 2.1}}}]",
    "x-codec.yaml": "uplinkDecoder: {examples: [{input: {fPort: 2, bytes: [21]}, output: {data: {n: 2.1}}}]}",
}


@pytest.mark.parametrize("name", FORMS)
def test_examples_are_read_in_any_form(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(FORMS[name], "utf-8")
    (one,) = examples_in(tmp_path / name)
    assert (one.payload, one.f_port, one.expected.data) == (b"\x15", 2, {"n": 2.1})


def test_the_examples_of_a_readme_are_read(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text('```json\n// 15\n{ "n": 2.1 }\n```\n', "utf-8")
    (one,) = examples_in(tmp_path / "README.md")
    assert (one.payload, one.f_port, one.expected.data) == (b"\x15", 85, {"n": 2.1})


@pytest.mark.parametrize(
    "text", ["{}", "[1]", '[{"input": {}}]', "nonsense", '[{"input": {"bytes": "0"}, "output": {}}]']
)
def test_examples_that_cannot_be_read_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(ExamplesError, match=r"x\.json: "):
        examples_in(tmp_path / "x.json")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"a": 1}, "a mapping is a list"),
        ([1], "field 1: "),
        ([{"path": "t"}], "field t: .*quantity"),
        ([{"path": "t", "quantity": "temperature", "factr": 2}], "field t: .*factr"),
        ([{"path": "t", "quantity": "temperature", "factor": "2"}], "field t: .*factor"),
        ([{"path": "t", "quantity": "temperature", "time_form": "lunar"}], "field t: time_form lunar"),
        ([{"path": "t", "quantity": "temperature"}] * 501, "501 fields"),
    ],
)
def test_a_mapping_that_cannot_be_read_is_told(said: object, problem: str) -> None:
    with pytest.raises(MappingError, match=problem):
        fields_of(json.loads(json.dumps(said)))


def test_a_mapping_is_tried_on_the_answers() -> None:
    answers = [{"t": 21, "x": 1, "h": 140}, {"t": "?", "h": 40}]
    found = mapping_tried([Field("t", "temperature"), Field("h", "humidity"), Field("no", "co2")], answers)
    assert found.reasons == ("humidity 140 % is not within 0 to 100", "t: '?' is no number")
    assert (found.unmapped, found.unseen) == (("x",), ("no",))
    assert mapping_tried([], answers).reasons == ("no field is mapped: nothing would be measured",)
    assert mapping_tried([Field("t", "nothing")], answers).reasons == ("t: no quantity nothing",)


async def test_a_codec_that_depends_on_earlier_calls_is_found_out(pool: CodecPool) -> None:
    counting = Codec.of("var n = 0; function decodeUplink() { n += 1; return { data: { n: n } } }")
    examples = [Example(name, b"\1", 1, Expected({"n": 1})) for name in "ab"]
    found = await tried(pool, counting, examples)
    assert (found.reasons, found.codec.fresh, found.answers) == ((), True, ({"n": 1}, {"n": 1}))
