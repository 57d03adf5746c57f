"""Any bytes on any port: readings of the model's own quantities, or DecodeError, and nothing else."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from decoders.registry import Registry
from domain.errors import DecodeError
from domain.readings import Reading

REGISTRY = Registry.load()
FOLDER = Path(__file__).parents[2] / "vectors" / "decoders"
# Frames that are right, so that what hypothesis makes of them gets past the first check.
SEEDS = sorted(
    (bytes.fromhex(vector["payload_hex"]), int(vector["f_port"]))
    for vector in (json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*/*.json"))
)
ONE_PER_FUNCTION = {decoder.decode: decoder for decoder in REGISTRY.decoders.values()}.values()
QUANTITIES = {
    one.decode: {
        name for other in REGISTRY.decoders.values() if other.decode is one.decode for name in other.model.quantities
    }
    for one in ONE_PER_FUNCTION
}


@st.composite
def frames(draw: st.DrawFn) -> tuple[bytes, int]:
    """Give random bytes, or a right frame with some bytes changed, cut or prolonged, on a likely port."""
    if draw(st.booleans()):
        return draw(st.binary(min_size=1, max_size=242)), draw(st.integers(1, 223))
    payload, f_port = draw(st.sampled_from(SEEDS))
    changed = bytearray(payload)
    for place in draw(st.lists(st.integers(0, max(len(changed) - 1, 0)), max_size=4)):
        changed[place] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(changed)))
    frame = bytes(changed[:cut] if draw(st.booleans()) else changed) + draw(st.binary(max_size=8))
    return frame or b"\0", f_port


@pytest.mark.parametrize("decoder", ONE_PER_FUNCTION, ids=lambda decoder: decoder.model.id)
@settings(max_examples=50)  # of each of sixty decoders; `--hypothesis-profile=search` looks for others each time
@given(frame=frames())
@example(frame=(b"\0", 1))
def test_any_bytes(decoder: object, frame: tuple[bytes, int]) -> None:
    assert hasattr(decoder, "decode")
    try:
        readings = decoder.decode(*frame)
    except DecodeError:
        return
    assert type(readings) is list
    for reading in readings:
        assert type(reading) is Reading
        assert reading.quantity in QUANTITIES[decoder.decode]
        assert type(reading.value) in {int, float}
        assert math.isfinite(reading.value)
        assert type(reading.channel) is int
        assert 0 <= reading.channel < 2**15
        assert math.isfinite(reading.age_s)
        assert reading.measured_at is None or reading.measured_at.tzinfo is not None
