"""Ways of telling people: one module each, found by walking this folder. How to add one: docs/alerting.md.

A channel turns a notice into what it sends, and hands it to `alerting.outbound`. It decides nothing else: who is
told, when, how often and how a failure is tried again is the worker's business.
"""

from collections.abc import Mapping
from datetime import datetime
from types import ModuleType
from typing import Annotated, Any, NamedTuple, Protocol, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alerting.notice import Notice
from alerting.outbound.addresses import checked_url
from alerting.outbound.errors import DeliveryError
from alerting.outbound.http import HttpSender
from alerting.outbound.settings import DeliverySettings
from alerting.outbound.smtp import SmtpSender
from domain.errors import ConfigurationError
from domain.folders import has, named


class Target(BaseModel):
    """Where a contact is reached by one channel, as a user types it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _web_address(url: str) -> str:
    try:
        checked_url(url, allow_http=True)  # without TLS only where the operator allows: checked when it is sent
    except DeliveryError as error:
        raise ValueError(str(error)) from error
    return url


WebAddress = Annotated[str, Field(max_length=2048), AfterValidator(_web_address)]


class Outbound(NamedTuple):
    """What a channel may use to send. `operator_http` is for addresses the operator set, not a user."""

    settings: DeliverySettings
    http: HttpSender
    operator_http: HttpSender
    smtp: SmtpSender


class Channel(Protocol):
    """What a module of this folder offers.

    NAME is what contacts call it. Target is the model of an address. OPERATOR_ONLY channels are for contacts that
    the operator declares: they could reach what a tenant's user must not.
    """

    NAME: str
    Target: type[Target]
    OPERATOR_ONLY: bool

    async def send(self, notice: Notice, target: Any, outbound: Outbound, now: datetime) -> None:
        """Deliver one notice. Raises DeliveryError and nothing else that a target or an answer can cause."""

    def available(self, settings: DeliverySettings) -> bool:
        """Say whether the operator has set what this channel needs."""


def load(package: str = __name__) -> Mapping[str, Channel]:
    """Return the channels by NAME. Raises ConfigurationError, naming the module, when one will not do."""
    return named(package, "channel", _checked, lambda one: one.NAME)


def _checked(module: ModuleType) -> Channel:
    target = getattr(module, "Target", None)
    if not (isinstance(target, type) and issubclass(target, Target)):
        raise ConfigurationError(f"{module.__name__}: Target must be a model of an address")
    has(module, "NAME", "OPERATOR_ONLY", "send", "available")
    return cast("Channel", module)
