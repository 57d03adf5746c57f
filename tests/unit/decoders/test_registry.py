"""The registry: what it finds, what it refuses, and what becomes of one frame."""

from pathlib import Path
from typing import Any

import pytest

from decoders.registry import Decoded, Registry, RegistryError
from domain.errors import SamaraError
from domain.readings import DECODED, EMPTY, FAILED, FOREIGN, MALFORMED, NO_DECODER, OUTCOMES, Reading

HEAD = "from decoders.registry import Model\n"
MODEL = 'MODEL = Model("acme-one", "Acme", "One", ("temperature",), hints=("acme one",))\n'
DECODE = "def decode(payload, f_port):\n    return []\n"


def write(folder: Path, name: str, *source: str) -> None:
    (folder / name).write_text("".join(source), encoding="utf-8")


def loaded(folder: Path, body: str) -> Registry:
    """Load one decoder whose function has this body; what it raises needs no import."""
    write(
        folder,
        "acme.py",
        "import struct\nfrom domain.errors import DecodeError\nfrom domain.readings import Reading\n",
        HEAD + MODEL,
        "def decode(payload, f_port):\n    " + body + "\n",
    )
    return Registry.load(folder)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def decode(:\n", "SyntaxError"),
        ("import nothing_of_the_kind\n", "nothing_of_the_kind"),
        (HEAD + MODEL, "no function `decode`"),
        (DECODE, "neither `MODEL` nor `MODELS`"),
        ("MODEL = 'acme'\n" + DECODE, "neither `MODEL` nor `MODELS`"),
        (HEAD + MODEL.replace("temperature", "warmth") + DECODE, "warmth"),
        (HEAD + MODEL.replace('("acme one",)', '("acme one")') + DECODE, "not tuples"),
        (HEAD + MODEL.replace("acme-one", "Acme One") + DECODE, "'Acme One'"),
    ],
)
def test_a_broken_module_is_refused_by_name(tmp_path: Path, source: str, said: str) -> None:
    write(tmp_path, "acme_one.py", source)
    with pytest.raises(RegistryError, match=r"acme_one\.py") as caught:
        Registry.load(tmp_path)
    assert said in str(caught.value)
    assert isinstance(caught.value, SamaraError)


def test_a_model_in_two_files_is_refused_with_both_names(tmp_path: Path) -> None:
    for name in ("acme_one.py", "acme_two.py"):
        write(tmp_path, name, HEAD, MODEL, DECODE)
    with pytest.raises(RegistryError, match=r"acme_two\.py.*acme-one.*acme_one\.py"):
        Registry.load(tmp_path)


def test_helpers_are_not_decoders_and_a_family_has_several_models(tmp_path: Path) -> None:
    write(tmp_path, "_helper.py", "raise RuntimeError\n")
    models = MODEL + MODEL.replace("one", "two").replace("MODEL", "OTHER") + "MODELS = (MODEL, OTHER)\n"
    write(tmp_path, "acme.py", HEAD, models, DECODE)
    registry = Registry.load(tmp_path)
    assert set(registry.decoders) == {"acme-one", "acme-two"}


def test_the_version_follows_the_source(tmp_path: Path) -> None:
    def version() -> str:
        return Registry.load(tmp_path).decoders["acme-one"].version

    write(tmp_path, "acme.py", HEAD, MODEL, DECODE)
    first = version()
    write(tmp_path, "acme.py", HEAD, MODEL, DECODE, "# mended\n")
    assert version() != first
    write(tmp_path, "acme.py", HEAD, MODEL, DECODE)
    assert version() == first
    assert len(first) == 12


def test_the_registry_cannot_be_changed() -> None:
    decoders: Any = Registry.load().decoders
    with pytest.raises(TypeError):
        decoders["acme"] = None


def test_a_decoded_frame(tmp_path: Path) -> None:
    registry = loaded(tmp_path, "return [Reading('temperature', payload[0] + f_port)]")
    decoded = registry.decode("acme-one", b"\x05", 7, {"temperature": 1})
    version = registry.decoders["acme-one"].version
    assert decoded == Decoded(DECODED, [Reading("temperature", 12)], "", version)


@pytest.mark.parametrize(("payload", "f_port"), [(b"", 1), (b"\x01", None), (b"\x01", 0), (b"", None)])
def test_a_frame_of_mac_commands_alone_is_empty(payload: bytes, f_port: int | None, tmp_path: Path) -> None:
    registry = loaded(tmp_path, "return [Reading('temperature', 1)]")
    assert registry.decode("acme-one", payload, f_port, {"temperature": 1}).outcome == EMPTY


@pytest.mark.parametrize(
    ("body", "outcome", "detail"),
    [
        ("raise DecodeError('3 bytes')", MALFORMED, "3 bytes"),
        ("return struct.unpack('>I', payload)", MALFORMED, "requires a buffer of 4 bytes"),
        ("return payload[9]", MALFORMED, "index out of range"),
        ("return 1 / 0", FAILED, "ZeroDivisionError"),
        ("return nothing_of_the_kind", FAILED, "NameError"),
        ("return decode(payload, f_port)", FAILED, "RecursionError"),
    ],
)
def test_a_frame_that_will_not_decode(tmp_path: Path, body: str, outcome: str, detail: str) -> None:
    decoded = loaded(tmp_path, body).decode("acme-one", b"\x01", 1, {"temperature": 1})
    assert (decoded.outcome, decoded.readings) == (outcome, ())
    assert detail in decoded.detail
    assert decoded.version


@pytest.mark.parametrize("model_id", [None, "acme-nine"])
def test_an_unknown_model_falls_back_on_the_network_servers_numbers(tmp_path: Path, model_id: str | None) -> None:
    registry = loaded(tmp_path, "return []")
    decoded = registry.decode(model_id, b"\x01", 1, {"temp": 3})
    assert decoded == Decoded(FOREIGN, [Reading("ns:temp", 3)])
    for nothing in (None, {}, {"name": "a"}):
        decoded = registry.decode(model_id, b"\x01", 1, nothing)
        assert (decoded.outcome, decoded.readings) == (NO_DECODER, ())
        assert (model_id or "no model") in decoded.detail


def test_every_outcome_is_of_the_vocabulary() -> None:
    assert set(OUTCOMES) >= {DECODED, EMPTY, NO_DECODER, FOREIGN, MALFORMED, FAILED}


@pytest.mark.parametrize(
    ("hint", "model_id"),
    [
        ("Multitech RBS301 Temp Sensor", "multitech-rbs301-temp"),
        ("rbs301-dws", "multitech-rbs301-dws"),
        ("rbs305-ath", "multitech-rbs305-ath"),
        ("Dragino DDS75-LB Ultrasonic Distance Sensor", "dragino-dds75-lb"),
        ("Makerfabs Soil Moisture Sensor", "makerfabs-soil-moisture"),
        ("dragino-gps-lgt-92", "dragino-lgt92"),
        ("LSE01 (EU868)", "dragino-lse01"),
        ("dragino-lse01", "dragino-lse01"),
        ("Soil Moisture", None),
        ("", None),
    ],
)
def test_match(hint: str, model_id: str | None) -> None:
    assert Registry.load().match(hint) == model_id


def test_the_longest_hint_wins_and_a_tie_is_nobodys(tmp_path: Path) -> None:
    two = MODEL.replace("acme-one", "acme-two").replace("acme one", "acme one plus")
    three = MODEL.replace("acme-one", "acme-three")
    write(tmp_path, "one.py", HEAD, MODEL, DECODE)
    write(tmp_path, "two.py", HEAD, two, DECODE)
    registry = Registry.load(tmp_path)
    assert registry.match("ACME One Plus") == "acme-two"
    assert registry.match("acmeone v2") == "acme-one"
    write(tmp_path, "three.py", HEAD, three, DECODE)
    assert Registry.load(tmp_path).match("ACME One") is None


def test_every_hint_leads_to_its_own_model() -> None:
    registry = Registry.load()
    for decoder in registry.decoders.values():
        for hint in (decoder.model.id, *decoder.model.hints):
            assert registry.match(hint) == decoder.model.id, hint
