"""What an operator may set of how network servers are spoken to. `deploy/settings.py` composes it."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Address = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.\[\]:-]{1,200}$")]


class ProvisioningSettings(BaseModel):
    """Network servers that devices are registered at.

    `servers` are addresses, as tenants write them, that may lead inside and need no TLS: the data center's own network
    server. Any other address must be https, and lead to the outside. `ca_file` is the authority (PEM) that signed the
    certificates of these.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: tuple[Address, ...] = ()
    ca_file: Path | None = None
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
