"""What an operator may set of what leaves the data center. `deploy/settings.py` composes it."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Seconds = Annotated[float, Field(gt=0, le=120)]
_ADDRESS: Final = r"^[^@\s<>]{1,64}@[A-Za-z0-9.-]{1,253}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SmtpSettings(_Strict):
    """The relay that e-mails are handed to. Without a `host`, no e-mail leaves, and nobody can be told by e-mail.

    `security`: starttls (port 587), tls (port 465), or none for a relay of the data center itself.
    `sender_name` and `sender_address` are what readers see.
    """

    host: str = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    sender_name: str = "Samara"
    sender_address: Annotated[str, Field(pattern=_ADDRESS)] = "samara@localhost"
    timeout_s: Seconds = 15.0

    @model_validator(mode="after")
    def _a_password_is_not_sent_in_clear(self) -> Self:
        if self.username and self.security == "none":
            raise ValueError("username is given, and security = none would send its password in clear")
        return self


class SmsSettings(_Strict):
    """The account at one SMS provider. Without a `provider`, nobody can be told by SMS.

    What each provider calls its credentials: docs/alerting.md. `url` replaces the provider's own address, for a
    gateway that speaks as it does. `custom` posts `template` to `url`: JSON where {to}, {text} and {sender} stand
    for the number, the words and the sender's name; `header` and `secret` are how it knows us.
    """

    provider: Literal["", "ovh", "brevo", "octopush", "smsfactor", "custom"] = ""
    sender: Annotated[str, Field(pattern=r"^[A-Za-z0-9 ]{0,11}$")] = "SAMARA"
    account: str = ""
    key: SecretStr = SecretStr("")
    secret: SecretStr = SecretStr("")
    consumer_key: SecretStr = SecretStr("")
    url: str = ""
    header: Annotated[str, Field(pattern=r"^[A-Za-z-]{0,64}$")] = "Authorization"
    template: str = ""
    max_segments: Annotated[int, Field(ge=1, le=5)] = 2

    @model_validator(mode="after")
    def _has_what_its_provider_needs(self) -> Self:
        needed = {
            "": (),
            "ovh": ("account", "key", "secret", "consumer_key"),
            "brevo": ("key",),
            "octopush": ("account", "key"),
            "smsfactor": ("key",),
            "custom": ("url", "template"),
        }[self.provider]
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise ValueError(f"provider {self.provider} needs {', '.join(missing)}")
        return self


class AppriseAddress(_Strict):
    """An address in Apprise's form, under a name."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    url: SecretStr


class DeliverySettings(_Strict):
    """How people are told, and the bounds on it.

    `base_url` is where readers find the pages: links in messages begin with it. `allowed_networks` are inside
    networks that webhooks and chat addresses may lead to (a chat server of the data center), with or without TLS;
    nothing else inside can be reached. `max_per_contact_per_hour` caps what one person receives: what is over waits
    for the next digest, except critical notices. `apprise` names addresses in Apprise's form, for the operator's own
    contacts (needs the extra `apprise`). `max_sms_per_tenant_per_day` bounds the bill.
    """

    base_url: Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+)?$")] = ""
    smtp: SmtpSettings = SmtpSettings()
    sms: SmsSettings = SmsSettings()
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    timeout_s: Seconds = 10.0
    max_per_contact_per_hour: Annotated[int, Field(ge=1, le=1000)] = 20
    apprise: tuple[AppriseAddress, ...] = ()
    max_sms_per_tenant_per_day: Annotated[int, Field(ge=0, le=100_000)] = 100
