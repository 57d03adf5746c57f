"""What an operator may set of the API and the pages. `deploy/settings.py` composes it, and reads the environment."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


Role = Literal["viewer", "manager", "technician", "supervisor", "administrator"]

# https, or the loopback for a try; no query, fragment or user (OpenID Connect Discovery 1.0, 2).
_ISSUER: Final = r"^(https://[^\s/?#@]+|http://(127\.0\.0\.1|localhost)(:[0-9]{1,5})?)(/[^\s?#]*)?$"


class OidcProvider(BaseModel):
    """An identity provider, ProConnect say, that people may sign in with. docs/access.md says what is declared there.

    `strong_acr`, `strong_amr`: what it says of a sign-in (the claims `acr` and `amr`) that is as good as our own second
    factor; asked for where the provider takes `claims`. `idp_hint`: to which of the providers behind it people go.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    label: Annotated[str, Field(min_length=1, max_length=40)] = "ProConnect"
    issuer: Annotated[str, Field(pattern=_ISSUER)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=16)]
    scopes: tuple[str, ...] = ("openid",)
    acr_values: tuple[str, ...] = ()
    strong_acr: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    strong_amr: tuple[str, ...] = ()
    idp_hint: Annotated[str, Field(max_length=200)] = ""
    timeout_s: Seconds = 10.0


class ApiSettings(BaseModel):
    """Where the API listens, and its bounds. `host` is the loopback until a reverse proxy or TLS stands in front."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    https: bool = False  # people reach it over TLS: browsers are told never to come back without
    demo: bool = False  # every page says that its data is not real
    public_url: str = Field(default="", pattern=r"^(https?://[^/?#\s]+)?$")  # as people reach it; what mails link to
    map_tiles: str = Field(default="", pattern=r"^(https?://[^\s'\";]+\{z\}[^\s'\";]*)?$")  # a background for maps
    map_credit: str = ""  # whose it is, as it asks to be named
    contact: str = Field(default="", max_length=254)  # the e-mail to which people report what they cannot read or do
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()  # addresses whose X-Forwarded-For is believed
    session_idle_s: Seconds = 8 * 3600.0  # a session ends when nothing comes for so long
    session_s: Seconds = 7 * 86400.0  # and after so long in any case
    second_factor_for: tuple[Role, ...] = ("administrator", "supervisor")  # roles that open nothing without one
    oidc: tuple[OidcProvider, ...] = ()
    max_series_points: Positive = 5_000
    max_live_streams: Positive = 5_000
    open_data_per_minute: Positive = 60  # requests without account that one address may make
    max_exports: Positive = 3  # files written at a time; each holds a connection to the database
    live_pause_s: float = Field(default=0.25, ge=0)  # between two reads of one tenant's values
    live_refresh_s: Seconds = 30  # values are read again even if no notification came
    live_heartbeat_s: Seconds = 15
    live_send_timeout_s: Seconds = 30
    reconnect_s: Seconds = 1  # before listening to the database again

    @model_validator(mode="after")
    def _providers_know_where_to_come_back(self) -> Self:
        names = [one.name for one in self.oidc]
        if len(set(names)) < len(names):
            raise ValueError(f"oidc: two providers have one name among {', '.join(names)}")
        if self.oidc and not self.public_url:
            raise ValueError("oidc needs public_url: providers send people back there")
        return self
