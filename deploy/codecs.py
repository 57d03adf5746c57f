"""What a person does with codecs: upload, look, map, activate. Each takes a connection and says what it found."""

import json
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import asyncpg
import yaml

from decoders.javascript.calls import Codec, Limits
from decoders.javascript.declared import MappingError, fields_from_json, fields_of, fields_to_json
from decoders.javascript.downlinks import Downlink, encode_downlink
from decoders.javascript.examples import Example
from decoders.javascript.layouts.one_file import examples_from_json, examples_to_json
from decoders.javascript.mapping import Field, applied, unmapped
from decoders.javascript.pool import CodecPool
from decoders.javascript.proposing import Proposed, proposed
from decoders.javascript.trial import MappingTrial, Trial, mapping_tried, tried
from decoders.javascript.uplinks import version_of
from domain.errors import SamaraError
from store import codecs as stored
from store.codec_answers import answers_since
from store.codecs import NewCodec, StoredCodec

_MOST: Final = Limits().script_bytes
LATELY: Final = timedelta(days=7)


class NotActivatedError(SamaraError):
    """The codec stays as it was: its examples or its mapping do not hold."""


class Examined(NamedTuple):
    """One version of a codec, what its script makes of its examples, and its mapping of that."""

    codec: StoredCodec
    trial: Trial
    fields: tuple[Field, ...]
    mapping: MappingTrial
    proposal: Proposed

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it cannot be activated; empty when it can."""
        return (*self.trial.reasons, *(f"mapping: {one}" for one in self.mapping.reasons))


async def upload(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    name: str,
    source: str,
    examples: tuple[Example, ...],
    created_by: str,
) -> Examined:
    """Keep a script as a draft, with the mapping proposed from its examples. Raises CodecError."""
    if len(source.encode()) > _MOST:
        raise stored.CodecError(f"the script has more than {_MOST // 1024} kB; ask the vendor for a smaller bundle")
    codec = Codec.of(source)
    async with CodecPool(workers=1) as pool:
        trial = await tried(pool, codec, examples)
    fields = tuple(one.field for one in proposed(trial.answers).proposals)
    new = NewCodec(
        tenant_id, name, codec.sha256, source, examples_to_json(examples), fields_to_json(fields), created_by
    )
    await stored.upload(connection, new)
    return _examined(await stored.version(connection, tenant_id, name, codec.sha256), trial)


async def examine(codec: StoredCodec) -> Examined:
    """Run the examples of a stored version, and its mapping."""
    async with CodecPool(workers=1) as pool:
        trial = await tried(pool, Codec(codec.sha256, codec.source), examples_from_json(codec.examples_json))
    return _examined(codec, trial)


def _examined(codec: StoredCodec, trial: Trial) -> Examined:
    fields = fields_from_json(codec.fields_json)
    return Examined(codec, trial, fields, mapping_tried(fields, trial.answers), proposed(trial.answers))


async def activate(connection: asyncpg.Connection, codec: StoredCodec) -> str:
    """Put a version in force, and return what uplinks will remember of it. Raises NotActivatedError with reasons."""
    found = await examine(codec)
    if found.reasons:
        raise NotActivatedError("\n".join((f"codec {codec.name} is not activated:", *found.reasons)))
    version = version_of(found.trial.codec, found.fields)
    await stored.activate(
        connection,
        codec.codec_id,
        fields_json=fields_to_json(found.fields),
        is_fresh=found.trial.codec.fresh,
        version=version,
    )
    return version


async def set_mapping(connection: asyncpg.Connection, codec: StoredCodec, fields: tuple[Field, ...]) -> Examined:
    """Give a version another mapping; one in force is activated with it, or stays as it is.

    Raises NotActivatedError when the mapping of a version in force does not hold; that of a draft may be unfinished.
    """
    codec = codec._replace(fields_json=fields_to_json(fields))
    if codec.state == "active":
        codec = codec._replace(version=await activate(connection, codec))
    else:
        await stored.set_mapping(connection, codec.codec_id, codec.fields_json)
    return await examine(codec)


async def unmapped_lately(connection: asyncpg.Connection, codec: StoredCodec, now: datetime) -> tuple[str, ...]:
    """Return the paths of numbers that the frames of the last week brought, and no field takes."""
    fields = fields_from_json(codec.fields_json)
    paths: dict[str, None] = {}
    for text in await answers_since(connection, codec, now - LATELY):
        answer = json.loads(text)
        paths.update(dict.fromkeys(unmapped(answer, applied(fields, answer).taken)))
    return tuple(paths)


async def encode(codec: StoredCodec, command: dict[str, Any], f_port: int | None, at: datetime) -> Downlink:
    """Return what a codec makes of a command for a device. Raises DownlinkError."""
    async with CodecPool(workers=1) as pool:
        script = Codec(codec.sha256, codec.source, codec.is_fresh)
        return await encode_downlink(pool, codec.tenant_id, script, command, at=at, f_port=f_port)


def mapping_in(path: Path) -> tuple[Field, ...]:
    """Return the mapping that a TOML, YAML or JSON file holds as `fields`. Raises MappingError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        said: Any = tomllib.loads(text) if path.suffix.lower() == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise MappingError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: {error}") from None
    return fields_of(said.get("fields") if isinstance(said, dict) else said)
