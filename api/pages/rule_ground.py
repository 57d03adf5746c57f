"""What a tenant has that a rule may speak of: its places, what is measured there, and antennas for who runs them."""

from collections.abc import Mapping
from typing import NamedTuple

import asyncpg

from alerting import rules
from api.pages.texts import Texts
from api.pagination import everything
from store.alerting.subjects import measured_quantities, runs_network
from store.alerting.tags import tags
from store.reading import network, territory
from store.reading.territory import Tenant


class Ground(NamedTuple):
    """What a tenant has that a rule may speak of."""

    targets: list[tuple[str, str]]
    quantities: list[str]
    points: list[tuple[str, str]]
    outdoor: list[tuple[str, str]]
    antennas: list[tuple[str, str]]  # none for who does not run the network


async def ground_of(connection: asyncpg.Connection, tenant: Tenant, texts: Texts) -> Ground:
    """Return what there is."""
    sites = await everything(lambda **page: territory.sites(connection, tenant.tenant_id, **page))
    points = await everything(lambda **page: territory.points(connection, tenant.tenant_id, **page))
    measured = await measured_quantities(connection, tenant.tenant_id)
    tagged = await tags(connection, tenant.tenant_id)
    antennas = []
    if await runs_network(connection, tenant.tenant_id):
        antennas = await everything(lambda **page: network.gateways(connection, **page))
    named = {site.site_id: site.name for site in sites}
    labels = {point.point_id: f"{point.name}, {named.get(point.site_id, '')}" for point in points}
    return Ground(
        targets=[
            ("everything", texts("regles.everything")),
            *((f"site_id:{site.site_id}", texts("regles.all_of", site=site.name)) for site in sites),
            *((f"tag:{one.tag}", texts("regles.all_of", site=one.tag)) for one in tagged),
            *((f"point_id:{point_id}", label) for point_id, label in labels.items()),
        ],
        quantities=sorted({quantity for _, quantity in measured}),
        points=[(str(point_id), label) for point_id, label in labels.items()],
        outdoor=[(str(point), labels[point]) for point, quantity in measured if quantity == "temperature"],
        antennas=[(f"gateway_id:{one.gateway_id}", one.name or one.gateway_eui) for one in antennas],
    )


def targets(
    kind: type[rules.Definition], ground: Ground, given: Mapping[str, str], texts: Texts
) -> list[tuple[str, str]]:
    """Return what the rule may be of; a tag that it has already stays."""
    found = ground.targets
    if kind.SUBJECT == "gateway":
        found = [("everything", texts("regles.all_antennas")), *ground.antennas]
    known = given.get("target", "everything")
    if known in {value for value, _ in found}:
        return found
    return [*found, (known, known.partition(":")[2])]
