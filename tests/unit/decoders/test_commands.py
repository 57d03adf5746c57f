"""Commands of models: the bytes of each form, and that what is declared can be encoded."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from decoders import commands
from decoders.registry import Registry
from deploy.command_desk import names_in
from domain.commands import PERIOD, CommandError, most_bytes

CASES = tomllib.loads((Path(__file__).parents[2] / "vectors" / "commands" / "period.toml").read_text())["case"]
KNOWN = commands.load()
SCRIPT = """
function decodeUplink(input) { return {data: {battery: input.bytes[0]}}; }
function encodeDownlink(input) {
  var payload = input.data;
  if ("report_interval" in payload) { setReport(payload.report_interval); }
  if (input.data.reboot) { return {bytes: [1], fPort: 85}; }
  return {bytes: payload["mode"].map(String), fPort: 85};
}
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["model"])
def test_vector(case: dict[str, Any]) -> None:
    made = KNOWN.encode(case["model"], PERIOD, {"period_s": case["period_s"]})
    assert (made.f_port, made.payload.hex(), made.period_s) == (case["f_port"], case["payload"], case["period_s"])
    assert case["source"]


def test_each_form_has_a_vector_and_its_models_are_decoded() -> None:
    of_vectors = {id(KNOWN.modules[case["model"]]) for case in CASES}
    assert {id(one) for one in KNOWN.modules.values()} == of_vectors
    assert KNOWN.modules.keys() <= Registry.load().decoders.keys()


@pytest.mark.parametrize("model_id", sorted(KNOWN.modules))
def test_every_command_can_be_encoded_at_its_bounds(model_id: str) -> None:
    for command in KNOWN.of(model_id):
        for bound in ("least", "most"):
            values = {one.name: getattr(one, bound) for one in command.parameters}
            made = KNOWN.encode(model_id, command.name, values)
            assert 1 <= made.f_port <= 223
            assert 0 < len(made.payload) <= most_bytes(12)


@pytest.mark.parametrize("given", [{}, {"period_s": 61}, {"period_s": True}, {"period_s": 600.0}, {"period_s": "600"}])
def test_a_value_that_will_not_do_is_told(given: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="from 60 to 64800"):
        KNOWN.encode("milesight-em300-th", PERIOD, given)


def test_what_a_script_looks_at_is_read_from_it() -> None:
    assert names_in(SCRIPT) == ("report_interval", "reboot", "mode")
    assert names_in("function decodeUplink(input) { return input.data.x; }") == ("x",)
