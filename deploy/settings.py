"""The one settings object: read from a TOML file and the environment, checked whole before anything connects.

The environment wins over the file: `SAMARA_API__PORT=8080` sets `port` of `[api]`. A secret, `dsn` say, is also
read from a file when `dsn_file` (or `SAMARA_DATABASE__DSN_FILE`) names one. `deploy/samara.example.toml` shows
every key.
"""

import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from alerting.outbound.settings import DeliverySettings
from alerting.provisioning.settings import ProvisioningSettings
from api.settings import ApiSettings
from domain.errors import ConfigurationError
from ingest.settings import IngestSettings

PREFIX: Final = "SAMARA_"
DEFAULT_FILE: Final = Path("samara.toml")
CONFIG_VARIABLE: Final = "SAMARA_CONFIG"  # names the file, as --config does


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is not a time zone of this machine (is the package tzdata installed?)") from None
    return name


def _address_of_postgresql(dsn: SecretStr) -> SecretStr:
    if dsn.get_secret_value() and not dsn.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("it should begin with postgresql://")
    return dsn


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DatabaseSettings(_Strict):
    """PostgreSQL. Without a `dsn`, Samara starts its own, in `data_dir`, and the others are not needed.

    `dsn` is of whoever owns the tables; each of the others of the role that a process works as.
    """

    dsn: Annotated[SecretStr, AfterValidator(_address_of_postgresql)] = SecretStr("")
    ingest_dsn: Annotated[SecretStr, AfterValidator(_address_of_postgresql)] = SecretStr("")
    api_dsn: Annotated[SecretStr, AfterValidator(_address_of_postgresql)] = SecretStr("")
    accounts_dsn: Annotated[SecretStr, AfterValidator(_address_of_postgresql)] = SecretStr("")
    alerting_dsn: Annotated[SecretStr, AfterValidator(_address_of_postgresql)] = SecretStr("")
    provisioning_dsn: Annotated[SecretStr, AfterValidator(_address_of_postgresql)] = SecretStr("")

    @property
    def address(self) -> str:
        """Return the address of whoever this process may be: the owner's if it knows that, '' for the embedded one."""
        known = (self.dsn, self.api_dsn, self.ingest_dsn, self.alerting_dsn, self.provisioning_dsn)
        return next((one.get_secret_value() for one in known if one.get_secret_value()), "")

    pool_size: Annotated[int, Field(ge=2, le=200)] = 10  # the API listens on one of them all the time


class GrafanaSettings(_Strict):
    """Grafana, for `samara grafana sync`: an administrator of the server, and PostgreSQL as Grafana reaches it.

    `database_secret` is what the passwords of the tenants' database roles are made of.
    """

    url: Annotated[str, Field(pattern=r"^(https?://[^/?#]+(/[^?#]*)?)?$")] = ""
    user: str = "admin"
    password: SecretStr = SecretStr("")
    database: Annotated[str, Field(pattern=r"^(postgresql://[^/@]+/[^/]+)?$")] = ""
    database_tls: bool = False
    database_secret: SecretStr = SecretStr("")


class TracingSettings(_Strict):
    """OpenTelemetry traces of ingest, by OTLP over HTTP; without `endpoint`, none. `ratio` of the batches is told."""

    endpoint: Annotated[str, Field(pattern=r"^(https?://[^/?#]+(/[^?#]*)?)?$")] = ""
    ratio: Annotated[float, Field(gt=0, le=1)] = 1.0


class LogSettings(_Strict):
    """Logs go to the standard error: lines for people, or JSON for a collector."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """Everything an operator may set."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=True
    )

    data_dir: Path = Path(".samara")
    pg_bin: Path | None = None
    keyring: SecretStr = SecretStr("")
    worker: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,40}$")] = ""
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "Europe/Paris"
    database: DatabaseSettings = DatabaseSettings()
    ingest: IngestSettings = IngestSettings()
    api: ApiSettings = ApiSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    grafana: GrafanaSettings = GrafanaSettings()
    notifications: DeliverySettings = DeliverySettings()
    provisioning: ProvisioningSettings = ProvisioningSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what is given: `load` reads the file and the environment, both its arguments."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @model_validator(mode="after")
    def _names_are_distinct(self) -> Self:
        _distinct("ingest.http: two sources are named", [source.name for source in self.ingest.http])
        clients = [f"{source.client_id} at {source.host}:{source.port}" for source in self.ingest.mqtt]
        _distinct("ingest.mqtt: two sources (the broker would disconnect each for the other) are client", clients)
        _distinct("ingest.jetstream: two sources are named", [source.name for source in self.ingest.jetstream])
        return self


_SECRETS: Final = tuple(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr)


def _distinct(complaint: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{complaint} {', '.join(twice)}")


class _Environment(EnvSettingsSource):
    """What `environ` says, as nested values; pydantic-settings would read the process's own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(Settings)
        self.env_vars = {name.lower(): value for name, value in environ.items() if value}


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings of `config` (or $SAMARA_CONFIG, or ./samara.toml if there is one) and of `environ`.

    Raises ConfigurationError naming every key that is wrong, in one go.
    """
    named = config or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    values = _read_file(named or DEFAULT_FILE, required=named is not None)
    _refuse_unknown_variables(environ)
    try:
        _merge(values, _Environment(environ)())
        _merge(values, _secret_files(environ))
        _read_secret_files(values, Settings, "")
        return Settings(**values)
    except SettingsError as error:
        raise ConfigurationError(f"{error}: {error.__cause__}") from None
    except ValidationError as error:
        raise ConfigurationError(_in_plain_words(error)) from None


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise ConfigurationError(f"{path}: there is no such file") from None
        return {}
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None


def _secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the files that the environment names for secrets at the top; those below come with the rest."""
    wanted = {f"{PREFIX}{secret}_file".lower(): f"{secret}_file" for secret in _SECRETS}
    return {wanted[name.lower()]: value for name, value in environ.items() if name.lower() in wanted and value}


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a misspelt variable: ignored, it would be noticed too late."""
    known = {CONFIG_VARIABLE.lower(), *(f"{PREFIX}{secret}_file".lower() for secret in _SECRETS)}
    for name in environ:
        first = name.lower().removeprefix(PREFIX.lower()).partition("__")[0]
        if name.lower().startswith(PREFIX.lower()) and name.lower() not in known and first not in Settings.model_fields:
            raise ConfigurationError(f"{name}: no such setting; those of the file are the only ones")


def _merge(below: MutableMapping[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), MutableMapping):
            _merge(below[key], value)
        else:
            below[key] = value


def _read_secret_files(values: Any, model: type[BaseModel], path: str) -> None:
    """Replace each `x_file` of a secret `x` by what the file holds, without its last line feed."""
    if not isinstance(values, MutableMapping):
        return
    for name, field in model.model_fields.items():
        file_key = f"{name}_file"
        if field.annotation is SecretStr and file_key in values:
            if name in values:
                raise ConfigurationError(f"{path}{name} and {path}{file_key} are both set: keep one")
            values[name] = _secret(values.pop(file_key), f"{path}{file_key}")
        inner, many = _inner_model(field.annotation)
        if inner is not None and name in values:
            parts = values[name] if many and isinstance(values[name], list) else [values[name]]
            for number, part in enumerate(parts):
                _read_secret_files(part, inner, f"{path}{name}.{number}." if many else f"{path}{name}.")


def _secret(file: Any, key: str) -> str:
    try:
        return Path(str(file)).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{key}: {error}") from None


def _inner_model(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model that a field holds, if it does, and whether it holds several."""
    many = get_origin(annotation) is tuple
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate, many
    return None, many


def _in_plain_words(error: ValidationError) -> str:
    """Return one line for each key. The values given are left out: one may be a secret."""
    lines = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in problem["loc"])
        said = "no such setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        said = said.removeprefix("Value error, ").replace("Input should", "it should")
        lines.append(f"{key}: {said}" if key else said)
    return "\n".join(lines)
