"""Every vector of tests/vectors/decoders/<model>/<case>.json against its decoder."""

import json
from pathlib import Path

import pytest

from decoders.registry import Registry
from domain.errors import DecodeError
from domain.quantities import QUANTITIES

FOLDER = Path(__file__).parents[2] / "vectors" / "decoders"
REGISTRY = Registry.load()
VECTORS = sorted(FOLDER.glob("*/*.json"))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_vector(path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    decoder = REGISTRY.decoders[path.parent.name]
    payload = bytes.fromhex(vector["payload_hex"])
    known = [vector["constants"]] if "constants" in vector else []
    if "error" in vector:
        with pytest.raises(DecodeError) as caught:
            decoder.decode(payload, vector["f_port"], *known)
        assert vector["error"] in str(caught.value)
        return
    readings = decoder.decode(payload, vector["f_port"], *known)
    got = [(r.quantity, r.channel, r.age_s, r.measured_at and r.measured_at.isoformat()) for r in readings]
    want = [(r["quantity"], r.get("channel", 0), r.get("age_s", 0), r.get("measured_at")) for r in vector["readings"]]
    assert got == want
    assert [r.value for r in readings] == pytest.approx([r["value"] for r in vector["readings"]], rel=1e-9, abs=1e-9)
    for reading in readings:
        quantity = QUANTITIES[reading.quantity]
        assert quantity.low <= reading.value <= quantity.high, f"{reading} is implausible"
    assert vector["source"]


def _vectors_of_family(model_id: str) -> list[dict[str, object]]:
    """Return the vectors of all models that share this one's decode function and its quantities."""
    this = REGISTRY.decoders[model_id]
    family = [
        other.model.id
        for other in REGISTRY.decoders.values()
        if other.decode is this.decode and other.model.quantities == this.model.quantities
    ]
    return [json.loads(path.read_text(encoding="utf-8")) for name in family for path in (FOLDER / name).glob("*.json")]


@pytest.mark.parametrize("model_id", sorted(REGISTRY.decoders))
def test_the_vectors_show_every_declared_quantity_and_a_malformed_frame(model_id: str) -> None:
    vectors = _vectors_of_family(model_id)
    shown = {reading["quantity"] for vector in vectors for reading in vector.get("readings", ())}
    assert shown == set(REGISTRY.decoders[model_id].model.quantities)
    assert any("error" in vector for vector in vectors)


def test_every_model_has_its_folder_of_vectors() -> None:
    assert {path.name for path in FOLDER.iterdir()} == REGISTRY.decoders.keys()
