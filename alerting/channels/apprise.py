"""Whatever Apprise speaks to, for the operator alone: its addresses can read files and reach inside networks.

Source: github.com/caronc/apprise, "Apprise API for developers". Needs the extra `apprise`.
"""

import importlib
import importlib.util
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from alerting import channels
from alerting.notice import Notice, one_line, plain_text
from alerting.outbound.errors import DeliveryError
from alerting.outbound.settings import DeliverySettings

NAME: Final = "apprise"
OPERATOR_ONLY: Final = True


class Target(channels.Target):
    """One of the names in the operator's settings, [notifications.apprise]."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


def available(settings: DeliverySettings) -> bool:
    """Say whether the operator has set an address and installed the library."""
    return bool(settings.apprise) and importlib.util.find_spec("apprise") is not None


async def send(notice: Notice, target: Target, outbound: channels.Outbound, now: datetime) -> None:
    """Hand the notice to the library."""
    del now
    if not available(outbound.settings):
        raise DeliveryError("apprise is not installed, or [notifications.apprise] is empty", permanent=False)
    address = next((one.url for one in outbound.settings.apprise if one.name == target.name), None)
    if address is None:
        raise DeliveryError(f"[notifications.apprise] has no {target.name!r}", permanent=True)
    client = importlib.import_module("apprise").Apprise()
    if not client.add(address.get_secret_value()):
        raise DeliveryError(f"Apprise does not understand the address {target.name!r}", permanent=True)
    if not await client.async_notify(title=one_line(notice.subject), body=plain_text(notice)):
        raise DeliveryError(f"Apprise could not deliver to {target.name!r}", permanent=False)
