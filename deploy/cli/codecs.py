"""samara codecs upload | list | show | mapping | activate | bind | unbind | retire | release | encode."""

import getpass
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import asyncpg
import typer

from decoders.javascript.downlinks import Downlink
from decoders.javascript.layouts.one_file import examples_in
from decoders.javascript.trial import mapping_tried
from deploy import codecs
from deploy.cli.common import run, show_table, with_database
from deploy.codec_mapping import mapping_page
from deploy.codecs import Examined
from deploy.pages import everything
from deploy.roles import now
from domain.errors import ConfigurationError
from store import codecs as stored
from store.codecs import Binding, StoredCodec
from store.reading.territory import tenant_by_slug, tenants

T = TypeVar("T")

app = typer.Typer(help="JavaScript codecs of tenants: docs/how-to/add-a-codec.md.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="The tenant whose codec it is, by its slug.")]
Name = Annotated[str, typer.Argument(help="The codec's name.")]
Version = Annotated[str, typer.Option(help="The first digits of the script's hash; the newest version otherwise.")]

_DEV_EUI: Final = re.compile(r"[0-9a-fA-F]{16}")
_MODEL: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DIGITS: Final = 12


@app.command("upload")
def upload_command(
    context: typer.Context,
    script: Annotated[Path, typer.Argument(help="The vendor's script: one file with decodeUplink, Decoder or Decode.")],
    *,
    examples: Annotated[
        Path, typer.Option(help="Its examples: JSON, YAML or a README, as their publisher wrote them.")
    ],
    tenant: Tenant,
    name: Annotated[str, typer.Option(help="Lower-case words joined by hyphens: acme-sm1.")],
) -> None:
    """Keep a script as a draft, run its examples, and propose a mapping. Nothing is decoded by it yet."""
    source, given = _text(script), examples_in(examples)

    async def work(connection: asyncpg.Connection) -> Examined:
        tenant_id = (await tenant_by_slug(connection, tenant)).tenant_id
        who = getpass.getuser()
        return await codecs.upload(connection, tenant_id, name=name, source=source, examples=given, created_by=who)

    found = with_database(context, work)
    _show_trial(found)
    typer.echo(f"{name} {found.codec.sha256[:_DIGITS]}: {found.codec.state}")
    if found.trial.reasons:
        raise typer.Exit(1)
    typer.echo(f"Read the mapping line by line: samara codecs mapping {name} --tenant {tenant} > {name}.toml")


@app.command("list")
def list_command(
    context: typer.Context, tenant: Annotated[str | None, typer.Option(help="Of this tenant alone.")] = None
) -> None:
    """List the codecs, all versions."""

    async def work(connection: asyncpg.Connection) -> list[tuple[str, StoredCodec, list[Binding]]]:
        chosen = (
            [await tenant_by_slug(connection, tenant)]
            if tenant
            else await everything(lambda after: tenants(connection, after=after))
        )
        return [
            (one.slug, codec, [bound for bound in bindings if bound.codec == codec.name])
            for one in chosen
            for bindings in [await stored.bindings(connection, one.tenant_id)]
            for codec in await stored.versions(connection, one.tenant_id)
        ]

    show_table(
        ("tenant", "codec", "version", "state", "bound to", "uploaded", "by", "activated", "why"),
        [
            (slug, codec.name, codec.version or codec.sha256[:_DIGITS], codec.state,
             " ".join(one.dev_eui or one.model_id or "" for one in bound), codec.created_at.date(), codec.created_by,
             codec.activated_at and codec.activated_at.isoformat(timespec="seconds"), codec.reason)
            for slug, codec, bound in with_database(context, work)
        ],
    )  # fmt: skip


@app.command("show")
def show_command(
    context: typer.Context,
    name: Name,
    *,
    tenant: Tenant,
    version: Version = "",
    source: Annotated[bool, typer.Option("--source", help="The script itself, and nothing else.")] = False,
) -> None:
    """Show one version: what its examples and its mapping give today."""
    codec, bound, lately = _codec(context, tenant, name, version, _with_bindings)
    if source:
        typer.echo(codec.source)
        return
    found = _examined(codec)
    typer.echo(f"{codec.name} {codec.version or codec.sha256[:_DIGITS]}: {codec.state}")
    if codec.state == "quarantined":
        typer.echo(f"in quarantine since {codec.quarantined_at}: {codec.kills} kills, {codec.reason}")
        typer.echo(f"run it again: samara codecs release {name} --tenant {tenant}")
    for one in bound:
        typer.echo(f"bound to {one.dev_eui or f'model {one.model_id}'}")
    _show_trial(found)
    typer.echo(mapping_page(found, lately))


@app.command("mapping")
def mapping_command(
    context: typer.Context,
    name: Name,
    *,
    tenant: Tenant,
    version: Version = "",
    file: Annotated[Path | None, typer.Option(help="A mapping to keep: TOML, YAML or JSON.")] = None,
    propose: Annotated[bool, typer.Option("--propose", help="Print the one proposed instead of the one kept.")] = False,
) -> None:
    """Print the mapping as a file to edit; or keep one, checked against the examples."""
    if file is None:
        codec, _, lately = _codec(context, tenant, name, version, _with_bindings)
        found = _examined(codec)
        if propose:
            fields = tuple(one.field for one in found.proposal.proposals)
            found = found._replace(fields=fields, mapping=mapping_tried(fields, found.trial.answers))
        typer.echo(mapping_page(found, lately), nl=False)
        return
    fields = codecs.mapping_in(file)

    async def keep(connection: asyncpg.Connection, codec: StoredCodec) -> Examined:
        return await codecs.set_mapping(connection, codec, fields)

    found = _codec(context, tenant, name, version, keep)
    typer.echo(f"{len(fields)} fields kept; {len(found.mapping.unmapped)} of the examples' numbers are not mapped")
    for reason in found.mapping.reasons:
        typer.echo(f"  {reason}")
    if found.mapping.reasons:
        raise typer.Exit(1)
    if found.codec.state == "active":
        typer.echo(f"in force as {found.codec.version}; `samara redecode` applies it to the past")


@app.command("activate")
def activate_command(context: typer.Context, name: Name, *, tenant: Tenant, version: Version = "") -> None:
    """Put a version in force, if its examples pass and its mapping is plausible. The former one is retired."""
    given = _codec(context, tenant, name, version, codecs.activate)
    typer.echo(f"{name} is active as {given}")
    typer.echo("`samara codecs bind` says what it decodes; `samara redecode` applies it to the past.")


@app.command("bind")
def bind_command(
    context: typer.Context,
    name: Name,
    what: Annotated[str, typer.Argument(help="The DevEUI of one device, or the id of a model.")],
    *,
    tenant: Tenant,
) -> None:
    """Have a codec decode a device, or a model: of its tenant and of those below. It wins over a native decoder."""
    binding = _binding(name, what)

    async def bind(connection: asyncpg.Connection, codec: StoredCodec) -> None:
        if binding.dev_eui:
            await stored.bind_device(connection, codec.tenant_id, name, binding.dev_eui)
        else:
            await stored.bind_model(connection, codec.tenant_id, name, what)

    _codec(context, tenant, name, "", bind)
    typer.echo(f"{name} is bound to {what}")


@app.command("unbind")
def unbind_command(
    context: typer.Context,
    name: Name,
    what: Annotated[str, typer.Argument(help="The DevEUI of one device, or the id of a model.")],
    *,
    tenant: Tenant,
) -> None:
    """End a binding: what it decoded is decoded as if there were no codec."""

    async def unbind(connection: asyncpg.Connection, codec: StoredCodec) -> None:
        await stored.unbind(connection, codec.tenant_id, _binding(name, what))

    _codec(context, tenant, name, "", unbind)
    typer.echo(f"{name} is no longer bound to {what}")


@app.command("retire")
def retire_command(context: typer.Context, name: Name, *, tenant: Tenant, version: Version = "") -> None:
    """Take a version out of force; it is kept, with what it decoded."""
    _codec(context, tenant, name, version, stored.retire, "active", "quarantined")
    typer.echo(f"{name} is retired")


@app.command("release")
def release_command(context: typer.Context, name: Name, *, tenant: Tenant, version: Version = "") -> None:
    """Run a version again that was put in quarantine."""
    _codec(context, tenant, name, version, stored.release, "quarantined")
    typer.echo(f"{name} runs again; `samara redecode` decodes what came meanwhile")


@app.command("encode")
def encode_command(
    context: typer.Context,
    name: Name,
    command: Annotated[str, typer.Argument(help="The command as JSON, in the codec's own words.")],
    *,
    tenant: Tenant,
    version: Version = "",
    f_port: Annotated[int | None, typer.Option(help="For a codec that does not say it.", min=1, max=223)] = None,
) -> None:
    """Show the downlink that a codec makes of a command; nothing is sent."""
    try:
        said = json.loads(command)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ConfigurationError(f'{command!r:.60} is not a JSON object, such as {{"interval": 15}}')
    codec = _codec(context, tenant, name, version, _alone, "active")
    found: Downlink = run(codecs.encode(codec, said, f_port, now()))
    typer.echo(f"FPort {found.f_port}, {len(found.payload)} bytes: {found.payload.hex()}")
    for warning in found.warnings:
        typer.echo(f"  {warning}")


def _binding(name: str, what: str) -> Binding:
    if _DEV_EUI.fullmatch(what):
        return Binding(name, what.lower(), None)
    if _MODEL.fullmatch(what):
        return Binding(name, None, what)
    raise ConfigurationError(f"{what!r} is neither a DevEUI nor the id of a model (lower-case words joined by hyphens)")


def _codec(
    context: typer.Context,
    tenant: str,
    name: str,
    digits: str,
    work: Callable[[asyncpg.Connection, StoredCodec], Awaitable[T]],
    *states: str,
) -> T:
    """Do something with one version of a codec: when none is said, one in these states, else the newest."""

    async def found(connection: asyncpg.Connection) -> T:
        tenant_id = (await tenant_by_slug(connection, tenant)).tenant_id
        return await work(
            connection, await stored.version(connection, tenant_id, name, digits.partition(".")[0], states)
        )

    return with_database(context, found)


async def _alone(_connection: asyncpg.Connection, codec: StoredCodec) -> StoredCodec:
    return codec


async def _with_bindings(
    connection: asyncpg.Connection, codec: StoredCodec
) -> tuple[StoredCodec, list[Binding], tuple[str, ...]]:
    """Return what a codec is bound to, and what the frames of late have that it does not map."""
    every = await stored.bindings(connection, codec.tenant_id)
    lately = await codecs.unmapped_lately(connection, codec, now())
    return codec, [one for one in every if one.codec == codec.name], lately


def _examined(codec: StoredCodec) -> Examined:
    found: Examined = run(codecs.examine(codec))
    return found


def _show_trial(found: Examined) -> None:
    verdicts = found.trial.verdicts
    typer.echo(f"{sum(one.passed for one in verdicts)} of {len(verdicts)} examples pass")
    for reason in found.trial.reasons:
        typer.echo(f"  {reason}")
    if found.trial.codec.fresh:
        typer.echo("  its answers depend on earlier calls: it is run in a new context at each (1 ms a frame)")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text") from None
