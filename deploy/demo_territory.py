"""What the demonstration declares: communes of the Somme, the simulated devices, and those of captures at hand."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.inventory import Listed
from domain.errors import MessageError
from domain.identifiers import dev_eui
from simulators import capture, communes
from simulators.demo.places import COMMUNES
from simulators.demo.scenario import SLOT, Scenario, devices
from simulators.territories import SOMME
from store.fleet import TenantDeclaration

_DEPARTEMENT: Final = TenantDeclaration("somme", "Département de la Somme", "departement", insee="80")

# The EPCI of somme.csv that the demonstration needs, by SIREN: slug, and the name in full.
_EPCI: Final = {
    "248000499": ("val-de-somme", "Communauté de communes du Val de Somme"),
    "248000747": ("pays-du-coquelicot", "Communauté de communes du Pays du Coquelicot"),
    "200070969": ("avre-luce-noye", "Communauté de communes Avre Luce Noye"),
    "200071223": ("nievre-et-somme", "Communauté de communes Nièvre et Somme"),
    "200070993": ("baie-de-somme", "Communauté d'agglomération de la Baie de Somme"),
    "248000531": ("amiens-metropole", "Communauté d'agglomération Amiens Métropole"),
}

# Who is shown as owner of captured devices: one commune for each application of the capture, in turn.
_OF_CAPTURES: Final = {"80001": "abbeville", "80021": "amiens"}


def tenants(*, with_captures: bool) -> Sequence[TenantDeclaration]:
    """Return the tenants, each after its parent: real communes under their EPCI."""
    slugs = COMMUNES | _OF_CAPTURES if with_captures else COMMUNES
    rows = {
        row["insee"]: row for row in communes.rows(SOMME, ("insee", "siren", "epci_siren")) if row["insee"] in slugs
    }
    above = {row["epci_siren"]: _EPCI[row["epci_siren"]] for row in rows.values()}
    return (
        _DEPARTEMENT,
        *(TenantDeclaration(slug, name, "epci", "somme", siren=siren) for siren, (slug, name) in above.items()),
        *(
            TenantDeclaration(slug, row["name"], "commune", above[row["epci_siren"]][0], insee, row["siren"])
            for insee, slug in slugs.items()
            for row in (rows[insee],)
        ),
    )


def simulated(scenario: Scenario) -> list[Listed]:
    """Return the simulated devices as a list to import."""
    return [
        Listed(
            line=line,
            dev_eui=device.dev_eui,
            tenant=COMMUNES[device.site.insee],
            name=device.name,
            model=device.model,
            site=device.site.name,
            site_kind=device.site.kind,
            point=device.point,
            latitude_deg=device.site.position.latitude_deg,
            longitude_deg=device.site.position.longitude_deg,
            parameters={**device.parameters, "period_s": str(round(device.every * SLOT.total_seconds()))},
            use=device.use,
            part_of=device.part_of,
        )
        for line, device in enumerate(devices(scenario), start=1)
    ]


def captured(files: Iterable[Path]) -> list[Listed]:
    """Return the devices that ChirpStack v4 captures speak of, as a list to import."""
    slugs = list(_OF_CAPTURES.values())
    applications: dict[str, str] = {}
    found: dict[str, Listed] = {}
    for info in _device_infos(files):
        try:
            eui = dev_eui(str(info["devEui"]))
        except (KeyError, MessageError):
            continue
        application = str(info.get("applicationName", ""))
        tenant = applications.setdefault(application, slugs[len(applications) % len(slugs)])
        name = str(info.get("deviceName") or eui)
        found[eui] = Listed(
            line=len(found) + 1,
            dev_eui=eui,
            tenant=tenant,
            name=name,
            model=str(info.get("deviceProfileName", "")),
            site=f"Capteurs rejoués ({application})",
            point=name,
        )
    return list(found.values())


def _device_infos(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for item, _, _ in capture.read(file):
            if isinstance(item, capture.Message) and item.topic.endswith("/event/up"):
                info = json.loads(item.payload).get("deviceInfo")
                if isinstance(info, dict):
                    yield info
