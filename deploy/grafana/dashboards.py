"""The dashboards: four for each tenant, three for supervisors. Titles are in French, the readers' first language."""

from typing import Any, Final

from deploy.grafana.panels import dashboard, series, table
from store.reading.grafana import STATEMENTS

FOLDER: Final = {"uid": "samara", "title": "Samara"}


def for_tenant() -> list[dict[str, Any]]:
    """Return what every tenant gets; the data source decides whose data it shows."""
    return [
        dashboard(
            "samara-energy",
            "Énergie",
            [
                series("Électricité, par jour", _day("active_energy_import"), "kwatth", width=24, bars=True),
                series("Puissance", _hour("active_power"), "watt"),
                series("Gaz, par jour", _day("gas_volume"), "m3", bars=True),
                table("Dernières valeurs", _latest("energy")),
            ],
        ),
        dashboard(
            "samara-water",
            "Eau",
            [
                series("Eau, par jour", _day("water_volume"), "m3", width=24, bars=True),
                series("Niveau", _hour("water_level"), "lengthm", width=24),
                table("Dernières valeurs", _latest("water")),
            ],
        ),
        dashboard(
            "samara-environment",
            "Environnement",
            [
                series("Température", _hour("temperature"), "celsius"),
                series("Humidité", _hour("humidity"), "humidity"),
                series("CO2", _hour("co2"), "ppm", width=24),
                table("Dernières valeurs", _latest("environment")),
            ],
            since="now-7d",
        ),
        dashboard(
            "samara-alerts",
            "Alertes",
            [
                table("Incidents en cours", STATEMENTS["open_incidents"]),
                series("Alertes par jour et par gravité", STATEMENTS["alerts_by_severity"], width=24, bars=True),
                table("Alertes de la période", STATEMENTS["alerts_of_period"]),
                table("Capteurs silencieux", STATEMENTS["silent_devices"]),
                series("Trames perdues et entendues, par jour", STATEMENTS["lost_frames"], width=24, bars=True),
            ],
        ),
    ]


def for_supervision() -> list[dict[str, Any]]:
    """Return what supervisors get."""
    return [
        dashboard(
            "samara-network",
            "Réseau",
            [
                series("Trames par passerelle", STATEMENTS["gateway_receptions"], width=24),
                series("Facteurs d'étalement", STATEMENTS["spreading_factors"], width=12, bars=True),
                series("Trames perdues et entendues, par jour", STATEMENTS["lost_frames"], width=12, bars=True),
                table("Capteurs silencieux", STATEMENTS["silent_devices"]),
            ],
            since="now-7d",
        ),
        dashboard(
            "samara-ingest",
            "Réception",
            [
                series("Messages par jour et par issue", STATEMENTS["ingest_outcomes"], width=24, bars=True),
                table("Mis en quarantaine", STATEMENTS["quarantine_reasons"]),
            ],
        ),
        dashboard(
            "samara-load-test",
            "Essai de charge",
            [series("Trames par minute, délai jusqu'à la base", STATEMENTS["ingest_delay"], "s", width=24)],
            since="now-1h",
        ),
    ]


def _day(quantity: str) -> str:
    return STATEMENTS["daily_increase"].format(quantity=quantity)


def _hour(quantity: str) -> str:
    return STATEMENTS["hourly"].format(quantity=quantity)


def _latest(domain: str) -> str:
    return STATEMENTS["latest_of_domain"].format(domain=domain)
