"""The page docs/models.md, written from the registry: `samara decoders page > docs/models.md`."""

from collections.abc import Iterator, Mapping
from typing import Final

from decoders import commands
from decoders.registry import Decoder, Model
from domain.commands import PERIOD

_HEAD: Final = """# The models that Samara decodes

`samara decoders page` wrote this page from the registry, and a test compares the two. `samara decoders show MODEL`
shows the document that a decoder was written from and its byte map; `samara decoders try MODEL FPORT HEX` decodes a
frame.

A device gets its model when it is declared, or by the name of its device profile on the network server: all words
of one of the hints must occur in that name. How to add a model: [how-to/add-a-decoder.md](how-to/add-a-decoder.md).
After a decoder was mended: [how-to/decode-again.md](how-to/decode-again.md).
"""

_FOOT: Final = """## Not decoded, and why

- **Kamstrup flowIQ and MULTICAL, encrypted.** The utility chose to encrypt (EN 13757-7, AES-128, a key for each meter).
  Plain frames are decoded; encrypted ones are refused as such, for Samara keeps no keys of meters. Ask the utility
  for plain frames: LoRaWAN encrypts them on the air already.
- **Diehl IZAR RC IoT, HRLc, Stella MIU.** No public document of a plain format was found: wireless M-Bus (OMS)
  telegrams, encrypted with a key for each meter. What is missing is the key; `decoders/native/_mbus.py` reads such
  records once they are plain. A Diehl meter with an Elvaco CMi4160 is decoded.
- **Itron Cyble 5.** The vendor gives the structure of its payload, and the key of each module, under agreement only.
- **Birdz, Zenner.** No public document of a plain format was found.
- **Netvox R718H, R718H2 (pulses).** They count from 0 again after each frame: a lost frame is a lost count, and no
  index can be made of it. **R809A, R816B (sockets), R718PB, R718E, RA02G, R900 and R315**: the documents found leave
  out a unit or the layout; the vendor's codec can be added.
- **Tektelic.** Positions by Wi-Fi and Bluetooth need a service to resolve them. Aura, Flux, eDoctor, eBeat, Orca, Seal
  and Sparrow have the vendor's codec.
- **A counter that no document describes** but the place of its index: model `pulse-counter`
  ([device-parameters.md](how-to/device-parameters.md)).

Whatever the vendor gives a JavaScript codec for can be [added](how-to/add-a-codec.md). Frames are kept in any case, and
can be decoded once there is a decoder.
"""


def models_page(decoders: Mapping[str, Decoder]) -> str:
    """Return the page, by vendor and model. The interval is the usual one: most devices can be set to another."""
    by_vendor: dict[str, list[Model]] = {}
    for decoder in decoders.values():
        by_vendor.setdefault(decoder.model.vendor, []).append(decoder.model)
    vendors = sorted(by_vendor, key=str.casefold)
    count = f"{len(decoders)} models of {len(vendors)} vendors."
    sections = (line for vendor in vendors for line in _section(vendor, by_vendor[vendor]))
    return "\n".join([_HEAD, count, "", *sections, _periods(decoders), "", _FOOT])


def _periods(decoders: Mapping[str, Decoder]) -> str:
    """Return which models can be told how often to send, without a codec."""
    known = commands.load()
    told = {model_id for model_id in decoders if any(one.name == PERIOD for one in known.of(model_id))}
    names = ", ".join(f"`{model_id}`" for model_id in sorted(told))
    return (
        f"## Told how often to send\n\nOf {len(told)} models the period can be set from a sensor's page and over the"
        f" API ([downlinks.md](downlinks.md)): {names}.\n\nOf any other model that has a JavaScript codec with"
        " `encodeDownlink`, whatever that codec takes."
    )


def _section(vendor: str, models: list[Model]) -> Iterator[str]:
    yield f"## {vendor}\n"
    yield "| model | name | sends | measures | hints |"
    yield "|---|---|---|---|---|"
    for model in sorted(models):
        hints = ", ".join(model.hints)
        quantities = ", ".join(model.quantities)
        yield f"| `{model.id}` | {model.name} | {_interval(model.period_s)} | {quantities} | {hints} |"
    yield ""


def _interval(period_s: int | None) -> str:
    if period_s is None:
        return "on events"
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if period_s % seconds == 0:
            return f"every {period_s // seconds} {unit}"
    return f"every {period_s} s"
