"""What ingest must know of the territory to store an uplink: held in memory, filled from the database.

The database is the truth; this is a copy that follows it (LISTEN samara_devices, and `load` again after a
reconnection). Numbers for names seen for the first time are made here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from domain.events import Position
from domain.quantities import FOREIGN_PREFIX
from store.bound_codecs import BoundCodecs, load_bound_codecs
from store.fleet import Model, sync_models
from store.parameters import NO_PARAMETERS, Parameters, parameters_of

_NOWHERE: Final = (None, None, None)
MAX_MISSED: Final = 100_000  # undeclared DevEUIs remembered, so as not to ask for each of their messages
MAX_FOREIGN: Final = 20_000  # of 32,767 quantity numbers: a codec that makes up names must not use them up


class Device(NamedTuple):
    """A declared device. `parameters` are what its decoder needs to know of it."""

    device_id: int
    tenant_id: int
    model_id: str | None
    parameters: Parameters = NO_PARAMETERS


class QuantityRef(NamedTuple):
    """A quantity's number and plausible range."""

    quantity_id: int
    low: float
    high: float


class Known:
    """The fleet and the vocabulary by name."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.gateways: dict[str, int] = {}
        self.quantities: dict[str, QuantityRef] = {}
        self.sources: dict[str, int] = {}
        self.decoders: dict[tuple[str, str], int] = {}
        self.codecs = BoundCodecs()
        self.elsewhere: set[str] = set()  # DevEUIs that a neighbour has
        self._missed: dict[str, datetime] = {}

    def may_ask(self, dev_eui: str, now: datetime, again_after_s: float) -> bool:
        """Say whether an unknown device may be looked up: a stranger that sends often is not asked for each time."""
        missed = self._missed.get(dev_eui)
        return missed is None or (now - missed).total_seconds() > again_after_s

    def missed(self, dev_eui: str, now: datetime) -> None:
        """Remember that the database does not have this device."""
        if len(self._missed) >= MAX_MISSED:
            self._missed.clear()
        self._missed[dev_eui] = now

    def forget(self, dev_eui: str) -> None:
        """Look this device up again at its next message: it was declared, changed or removed."""
        self.devices.pop(dev_eui, None)
        self._missed.pop(dev_eui, None)
        self.elsewhere.discard(dev_eui)


SELECT_DEVICES: Final = """
SELECT dev_eui, device_id, tenant_id, model_id, parameters::text FROM devices
"""

SELECT_THESE_DEVICES: Final = """
SELECT dev_eui, device_id, tenant_id, model_id, parameters::text FROM devices WHERE dev_eui = ANY($1::text[])
"""

SELECT_GATEWAYS: Final = """
SELECT gateway_eui, gateway_id FROM gateways
"""

SELECT_QUANTITIES: Final = """
SELECT name, quantity_id, low, high FROM quantities
"""

SELECT_SOURCES: Final = """
SELECT name, source_id FROM sources
"""

SELECT_DECODERS: Final = """
SELECT model_id, version, decoder_id FROM decoders WHERE model_id IS NOT NULL
"""


SELECT_ELSEWHERE: Final = """
SELECT dev_eui FROM elsewhere
"""


async def load(connection: asyncpg.Connection, known: Known) -> None:
    """Read everything afresh."""
    known.devices = {
        eui: Device(device_id, tenant_id, model_id, parameters_of(parameters))
        for eui, device_id, tenant_id, model_id, parameters in await connection.fetch(SELECT_DEVICES)
    }
    known.gateways = {record["gateway_eui"]: record["gateway_id"] for record in await connection.fetch(SELECT_GATEWAYS)}
    known.quantities = {
        name: QuantityRef(number, low, high) for name, number, low, high in await connection.fetch(SELECT_QUANTITIES)
    }
    known.sources = {record["name"]: record["source_id"] for record in await connection.fetch(SELECT_SOURCES)}
    known.decoders = {
        (model_id, version): number for model_id, version, number in await connection.fetch(SELECT_DECODERS)
    }
    known.codecs = await load_bound_codecs(connection)
    known.elsewhere = {record["dev_eui"] for record in await connection.fetch(SELECT_ELSEWHERE)}


async def refresh_devices(
    connection: asyncpg.Connection, known: Known, dev_euis: Collection[str], now: datetime
) -> None:
    """Read these devices again: declared, changed or removed."""
    found = {record["dev_eui"]: record for record in await connection.fetch(SELECT_THESE_DEVICES, list(dev_euis))}
    for eui in dev_euis:
        record = found.get(eui)
        if record is None:
            known.missed(eui, now)
        else:
            _, device_id, tenant_id, model_id, parameters = record
            known.devices[eui] = Device(device_id, tenant_id, model_id, parameters_of(parameters))


INSERT_GATEWAYS: Final = """
INSERT INTO gateways (gateway_eui, latitude_deg, longitude_deg, altitude_m)
SELECT * FROM unnest($1::text[], $2::float8[], $3::float8[], $4::float8[])
ON CONFLICT DO NOTHING
"""

SELECT_THESE_GATEWAYS: Final = """
SELECT gateway_eui, gateway_id FROM gateways WHERE gateway_eui = ANY($1::text[])
"""


async def learn_gateways(connection: asyncpg.Connection, known: Known, heard: Mapping[str, Position | None]) -> None:
    """Give numbers to gateways heard for the first time, at the position the network server gives."""
    positions = [position or _NOWHERE for position in heard.values()]
    await connection.execute(
        INSERT_GATEWAYS,
        list(heard),
        [position[0] for position in positions],
        [position[1] for position in positions],
        [position[2] for position in positions],
    )
    known.gateways.update((eui, number) for eui, number in await connection.fetch(SELECT_THESE_GATEWAYS, list(heard)))


INSERT_FOREIGN: Final = """
INSERT INTO quantities (name, unit, kind, domain, low, high, label_fr, label_en)
SELECT name, '1', 'gauge', 'foreign', '-Infinity', 'Infinity', name, name
  FROM unnest($1::text[]) AS one (name)
 WHERE (SELECT count(*) FROM quantities WHERE domain = 'foreign') < $2
ON CONFLICT DO NOTHING
"""

SELECT_THESE_QUANTITIES: Final = """
SELECT name, quantity_id, low, high FROM quantities WHERE name = ANY($1::text[])
"""


async def learn_foreign(connection: asyncpg.Connection, known: Known, names: Collection[str]) -> None:
    """Give numbers to names that a network server's codec used for the first time; none beyond MAX_FOREIGN."""
    foreign = [name for name in names if name.startswith(FOREIGN_PREFIX)]
    await connection.execute(INSERT_FOREIGN, foreign, MAX_FOREIGN)
    for name, number, low, high in await connection.fetch(SELECT_THESE_QUANTITIES, foreign):
        known.quantities[name] = QuantityRef(number, low, high)


INSERT_SOURCES: Final = """
INSERT INTO sources (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING
"""


async def learn_sources(connection: asyncpg.Connection, known: Known, names: Iterable[str]) -> None:
    """Give numbers to the network servers of the settings."""
    missing = [name for name in names if name not in known.sources]
    if missing:
        await connection.execute(INSERT_SOURCES, missing)
        known.sources = {record["name"]: record["source_id"] for record in await connection.fetch(SELECT_SOURCES)}


INSERT_DECODERS: Final = """
INSERT INTO decoders (model_id, version) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING
"""


class DecoderVersion(NamedTuple):
    """A model that the running program can decode, and the version of its decoder."""

    model_id: str
    vendor: str
    name: str
    period_s: int | None
    version: str


async def learn_decoders(connection: asyncpg.Connection, known: Known, decoders: Sequence[DecoderVersion]) -> None:
    """Write the models and decoder versions of the running program, and take their numbers."""
    await sync_models(connection, [Model(*decoder[:4]) for decoder in decoders])
    versions = [decoder.model_id for decoder in decoders], [decoder.version for decoder in decoders]
    await connection.execute(INSERT_DECODERS, *versions)
    known.decoders = {
        (model_id, version): number for model_id, version, number in await connection.fetch(SELECT_DECODERS)
    }
