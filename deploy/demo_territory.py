"""What the demonstration declares: communes of the Somme, the simulated devices, and those of captures at hand."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from deploy.inventory import Listed
from domain.errors import MessageError
from domain.identifiers import dev_eui
from simulators import capture
from simulators.demo import Scenario, devices
from store.fleet import TenantDeclaration

_COMMON: Final = (
    TenantDeclaration("somme", "Département de la Somme", "departement", insee="80"),
    TenantDeclaration("val-de-selle", "Communauté de communes du Val de Selle (fictive)", "epci", "somme"),
    TenantDeclaration("mareuville", "Mareuville (commune fictive)", "commune", "val-de-selle"),
    TenantDeclaration("croixval", "Croixval (commune fictive)", "commune", "val-de-selle"),
)
_SLUGS: Final = {"Mareuville": "mareuville", "Croixval": "croixval"}

# Who is shown as owner of captured devices: one commune for each application of the capture, in turn.
_OF_CAPTURES: Final = (
    TenantDeclaration("val-de-somme", "Communauté de communes du Val de Somme", "epci", "somme"),
    TenantDeclaration("corbie", "Corbie", "commune", "val-de-somme", "80212"),
    TenantDeclaration("pays-du-coquelicot", "Communauté de communes du Pays du Coquelicot", "epci", "somme"),
    TenantDeclaration("albert", "Albert", "commune", "pays-du-coquelicot", "80016"),
    TenantDeclaration("baie-de-somme", "Communauté d'agglomération de la Baie de Somme", "epci", "somme"),
    TenantDeclaration("abbeville", "Abbeville", "commune", "baie-de-somme", "80001"),
    TenantDeclaration("amiens-metropole", "Amiens Métropole", "epci", "somme"),
    TenantDeclaration("amiens", "Amiens", "commune", "amiens-metropole", "80021"),
)


def tenants(*, with_captures: bool) -> Sequence[TenantDeclaration]:
    """Return the tenants, each after its parent."""
    return _COMMON + _OF_CAPTURES if with_captures else _COMMON


def simulated(scenario: Scenario) -> list[Listed]:
    """Return the simulated devices as a list to import."""
    return [
        Listed(
            line=line,
            dev_eui=device.dev_eui,
            tenant=_SLUGS[device.site.commune],
            name=device.name,
            model=device.model,
            site=device.site.name,
            point=device.point,
            latitude_deg=device.site.position.latitude_deg,
            longitude_deg=device.site.position.longitude_deg,
        )
        for line, device in enumerate(devices(scenario), start=1)
    ]


def captured(files: Iterable[Path]) -> list[Listed]:
    """Return the devices that ChirpStack v4 captures speak of, as a list to import."""
    communes = [tenant.slug for tenant in _OF_CAPTURES if tenant.kind == "commune"]
    applications: dict[str, str] = {}
    found: dict[str, Listed] = {}
    for info in _device_infos(files):
        try:
            eui = dev_eui(str(info["devEui"]))
        except (KeyError, MessageError):
            continue
        application = str(info.get("applicationName", ""))
        tenant = applications.setdefault(application, communes[len(applications) % len(communes)])
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
