"""Of what a rule speaks, and which subjects with which series that makes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alerting.rules import HEARD, Definition
from alerting.rules._base import one_of
from store.alerting.applying import Input
from store.alerting.subjects import Target


class TargetModel(BaseModel):
    """One point, all points of a site, of a tag or of the tenant; or one gateway, or all of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    point_id: int | None = None
    site_id: int | None = None
    tag: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9:_-]{0,62}$")] | None = None
    gateway_id: int | None = None
    everything: bool = False

    @model_validator(mode="after")
    def _one(self) -> "TargetModel":
        one_of(
            ("point_id", "site_id", "tag", "gateway_id", "everything"),
            (self.point_id, self.site_id, self.tag, self.gateway_id, self.everything or None),
        )
        return self

    def target(self) -> Target:
        """Return it as the store wants it."""
        return Target(**self.model_dump())


def quantities_of(definition: Definition) -> list[str]:
    """Return what must be measured at a point for a rule to make sense there; nothing for one about silence."""
    return [one.quantity for one in definition.series() if one.point_id is None and one.quantity != HEARD][:1]


def inputs_of_point(definition: Definition, point_id: int) -> list[Input]:
    """Return the series of one point, or those that a rule names itself."""
    return [
        (place, one.point_id or point_id, None, one.quantity, one.channel)
        for place, one in enumerate(definition.series())
    ]


def inputs_of_group(definition: Definition, point_ids: list[int]) -> list[Input]:
    """Return the series of all members."""
    (one,) = definition.series()
    return [(place, point_id, None, one.quantity, one.channel) for place, point_id in enumerate(point_ids)]


def inputs_of_gateway(gateway_id: int) -> list[Input]:
    """Return that the gateway was heard."""
    return [(0, None, gateway_id, HEARD, 0)]
