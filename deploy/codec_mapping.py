"""A mapping as a file to edit: TOML with the examples beside each field. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from decoders.javascript.declared import written
from decoders.javascript.mapping import Field, located
from deploy.codecs import Examined
from domain.quantities import QUANTITIES

_SHOWN = 4


def mapping_page(found: Examined, lately: Iterable[str] = ()) -> str:
    """Return the mapping, then what could be mapped and is not, then what speaks against it.

    `lately` are paths that are not mapped either, and that frames have which came from devices.
    """
    fields = (line for one in found.fields for line in _field(one, found))
    return "\n".join([*_head(found), *fields, *_rest(found, lately)])


def _head(found: Examined) -> Iterator[str]:
    codec = found.codec
    yield f"# Codec {codec.name} {codec.sha256[:12]}: which field of its answer is which quantity."
    yield "# value = number * factor + offset, in the quantity's unit."
    yield "# To keep it: samara codecs mapping NAME --tenant TENANT --file THIS-FILE.toml"
    yield ""


def _field(field: Field, found: Examined) -> Iterator[str]:
    unit = QUANTITIES[field.quantity].unit if field.quantity in QUANTITIES else "?"
    seen = [one.value for answer in found.trial.answers for one in located(answer, field.path)][:_SHOWN]
    yield f"# {unit}; in the examples {', '.join(json.dumps(one) for one in seen) or 'nowhere'}"
    yield "[[fields]]"
    for name, value in written([field])[0].items():
        yield f"{name} = {_toml(value)}"
    yield ""


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)  # strings and numbers are written alike in both


def _rest(found: Examined, lately: Iterable[str]) -> Iterator[str]:
    mapped = {field.path for field in found.fields}
    proposals = [one for one in found.proposal.proposals if one.field.path not in mapped]
    for one in proposals:
        yield f"# proposed: path = {json.dumps(one.field.path)}, quantity = {json.dumps(one.field.quantity)}"
    named = {one.field.path for one in proposals}
    for path in (one for one in found.mapping.unmapped if one not in named):
        yield f"# not mapped: {path}"
    named.update(found.mapping.unmapped)
    for path in (one for one in lately if one not in named):
        yield f"# not mapped, in frames of the last week alone: {path}"
    for path in found.mapping.unseen:
        yield f"# no example has it: {path}"
    for reason in found.mapping.reasons:
        yield f"# WRONG: {reason}"
    yield ""
