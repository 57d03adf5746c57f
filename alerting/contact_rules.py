"""What may be said of a contact: which channels there are for whom, and what each takes as an address."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from alerting import channels
from alerting.delivery.preferences import Preferences
from alerting.outbound.settings import DeliverySettings
from domain.errors import SamaraError

LANGUAGES: Final = ("fr", "en")


class ContactError(SamaraError):
    """The contact is not one that can be told anything; nothing was kept."""


class ContactRules:
    """The channels of this installation, and the checks of what people type."""

    def __init__(self, settings: DeliverySettings) -> None:
        self._channels = channels.load()
        self._settings = settings

    def available(self, *, operator: bool = False) -> list[str]:
        """Return the channels that the settings make possible; those of the operator alone when it is the operator."""
        return [
            name
            for name, channel in self._channels.items()
            if channel.available(self._settings) and (operator or not channel.OPERATOR_ONLY)
        ]

    def check(
        self, channel: str, target: Mapping[str, Any], preferences: Mapping[str, Any], *, operator: bool = False
    ) -> None:
        """Raise ContactError, saying what is wrong, unless a contact can be made of these."""
        if channel not in self._channels:
            raise ContactError(f"there is no channel {channel!r}: there are {', '.join(self._channels)}")
        if channel not in self.available(operator=operator):
            raise ContactError(f"{channel}: the settings do not say how ([notifications], docs/alerting.md)")
        try:
            self._channels[channel].Target.model_validate(target)
            Preferences.model_validate(preferences)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where, said = ".".join(str(part) for part in first["loc"]), first["msg"].removeprefix("Value error, ")
            raise ContactError(f"{where}: {said}" if where else said) from None
