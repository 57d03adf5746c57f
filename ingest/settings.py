"""What an operator may set of ingest. `deploy/settings.py` composes it; nothing here reads the environment."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Positive = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsSettings(_Strict):
    """TLS towards a broker. Without `ca_file`, the system's authorities are trusted."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


_REPAIRS: Final = {"things-stack": "thethingsstack", "chirpstack-postgresql": "chirpstack"}  # which lns each is of


class RepairSettings(_Strict):
    """Where a network server keeps a history of its uplinks, for `samara repair`.

    things-stack: the storage integration of one application, at `url`, read with `api_key`.
    chirpstack-postgresql: the database of ChirpStack's integration "postgresql", at `dsn`.
    """

    kind: Literal["things-stack", "chirpstack-postgresql"]
    url: Annotated[str, Field(pattern=r"^(https?://[^/?#]+(/[^?#]*)?)?$")] = ""
    application: Annotated[str, Field(pattern=r"^([a-z0-9-]+(@[a-z0-9-]+)?)?$")] = ""
    api_key: SecretStr = SecretStr("")
    dsn: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        given = {name for name in ("url", "application", "api_key", "dsn") if getattr(self, name)}
        needed = {"dsn"} if self.kind == "chirpstack-postgresql" else {"url", "application", "api_key"}
        if given != needed:
            raise ValueError(f"{self.kind} takes {', '.join(sorted(needed))}, and those alone")
        return self


class _Source(_Strict):
    """What sources have in common, however they are heard."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    lns: str
    repair: RepairSettings | None = None

    @model_validator(mode="after")
    def _repair_is_of_its_network_server(self) -> Self:
        if self.repair is not None and _REPAIRS[self.repair.kind] != self.lns:
            raise ValueError(f"repair by {self.repair.kind} is for lns = {_REPAIRS[self.repair.kind]!r}")
        return self


class MqttSource(_Source):
    """One network server heard over MQTT.

    `name` identifies the network server: it is part of the key that makes a redelivery harmless, so the same
    server heard by MQTT and by HTTP bears the same name. `topics` defaults to what the module `lns` declares.
    `shared_group` subscribes as `$share/<group>/…`, so that several workers divide the messages (not on NATS).
    """

    lns: str = "chirpstack"
    host: str = "127.0.0.1"
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    client_id: str = "samara-ingest"
    topics: tuple[str, ...] = ()
    shared_group: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    tls: TlsSettings | None = None
    keepalive_s: Positive = 30
    session_expiry_s: Positive = 7 * 24 * 3600


class JetStreamSource(_Source):
    """One network server heard through a NATS JetStream cluster: it publishes MQTT at QoS 1, workers pull.

    `servers` are the nodes. `stream` is where nats-server keeps what MQTT clients publish; another is a stream whose
    subjects are the topics with dots. `consumer` is the durable one that the workers share, samara-<name> by default.
    What a dead worker held goes to another after `ack_wait_s`: more than a batch and the spool may take.
    `max_ack_pending` bounds what all workers together hold.
    """

    lns: str = "chirpstack"
    servers: Annotated[tuple[Annotated[str, Field(pattern=r"^(nats|tls)://[^/]+$")], ...], Field(min_length=1)] = (
        "nats://127.0.0.1:4222",
    )
    stream: Annotated[str, Field(pattern=r"^[^.*>/\\\s]+$")] = "$MQTT_msgs"
    consumer: Annotated[str, Field(pattern=r"^[^.*>/\\\s]*$")] = ""
    topics: tuple[str, ...] = ()
    username: str = ""
    password: SecretStr = SecretStr("")
    tls: TlsSettings | None = None
    ack_wait_s: Positive = 30
    max_ack_pending: Positive = 50_000


class HttpSource(_Source):
    """One network server that pushes over HTTP, at /ingest/<name>, with its own secret."""

    secret: SecretStr = Field(min_length=16)


class Neighbour(_Strict):
    """Another installation that hears the same network servers: messages of its devices are not kept here.

    `dsn` is of the role samara_ingest there.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    dsn: SecretStr


AnySource = MqttSource | JetStreamSource | HttpSource


class IngestSettings(_Strict):
    """Bounds of the ingest path. Each is a promise: memory, batch, queue and message size never exceed them."""

    mqtt: tuple[MqttSource, ...] = ()
    jetstream: tuple[JetStreamSource, ...] = ()
    http: tuple[HttpSource, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    max_message_bytes: Positive = 256 * 1024
    max_unacknowledged: Positive = 14_000
    max_unacknowledged_bytes: Positive = 64 * 1024 * 1024
    max_batch: Positive = 4_000
    max_linger_ms: float = Field(default=50.0, ge=0, le=1000)
    writers: Positive = 3
    spool_after_s: float = Field(default=10.0, gt=0)
    spool_max_bytes: Positive = 4 * 1024**3

    @property
    def sources(self) -> tuple[AnySource, ...]:
        """Every network server, however it is heard."""
        return (*self.mqtt, *self.jetstream, *self.http)
