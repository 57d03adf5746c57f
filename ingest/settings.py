"""What an operator may set of ingest. `deploy/settings.py` composes it; nothing here reads the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Positive = Annotated[int, Field(gt=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TlsSettings(_Strict):
    """TLS towards a broker. Without `ca_file`, the system's authorities are trusted."""

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


class MqttSource(_Strict):
    """One network server heard over MQTT.

    `name` identifies the network server: it is part of the key that makes a redelivery harmless, so the same
    server heard by MQTT and by HTTP bears the same name. `topics` defaults to what the module `lns` declares.
    `shared_group` subscribes as `$share/<group>/…`, so that several workers divide the messages (not on NATS).
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
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


class HttpSource(_Strict):
    """One network server that pushes over HTTP, at /ingest/<name>, with its own secret."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    lns: str
    secret: SecretStr = Field(min_length=16)


class IngestSettings(_Strict):
    """Bounds of the ingest path. Each is a promise: memory, batch, queue and message size never exceed them."""

    mqtt: tuple[MqttSource, ...] = ()
    http: tuple[HttpSource, ...] = ()
    max_message_bytes: Positive = 256 * 1024
    max_unacknowledged: Positive = 20_000
    max_unacknowledged_bytes: Positive = 64 * 1024 * 1024
    max_batch: Positive = 2_000
    max_linger_ms: float = Field(default=50.0, ge=0, le=1000)
    writers: Positive = 2
    spool_after_s: float = Field(default=10.0, gt=0)
    spool_max_bytes: Positive = 4 * 1024**3
