"""What Grafana should hold: one organisation a tenant, and one for supervisors. Pure."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from deploy.grafana.dashboards import FOLDER, for_supervision, for_tenant
from deploy.grafana.panels import DATA_SOURCE
from store.access.readers import Member, role_of
from store.reading.territory import Tenant

MARK: Final = "samara"  # the uid of what we make in each organisation; a name ends with [samara:…]


class Organisation(NamedTuple):
    """One organisation: `users` maps an e-mail address to (name, role); Grafana's roles are Viewer, Editor, Admin."""

    name: str
    users: Mapping[str, tuple[str, str]]
    data_source: dict[str, Any]
    dashboards: Sequence[dict[str, Any]]

    @property
    def folder(self) -> Mapping[str, str]:
        """Return the folder of the dashboards."""
        return FOLDER


def password_of(secret: str, role: str) -> str:
    """Return the database password of a tenant's role: made of one secret, so that nothing more is kept."""
    return hmac.digest(secret.encode(), role.encode(), hashlib.sha256).hex()


def is_ours(name: str) -> bool:
    """Say whether an organisation's name is one that we give."""
    return name.endswith("]") and f"[{MARK}:" in name


def organisations(
    tenants: Sequence[Tenant], members: Sequence[Member], *, database: str, secret: str, tls: bool
) -> list[Organisation]:
    """Return them. `database` is PostgreSQL's address as Grafana reaches it: postgresql://host:port/name."""
    wanted: list[tuple[int | None, str, str, list[dict[str, Any]]]] = [
        (None, "Supervision", "supervision", for_supervision()),
        *((one.tenant_id, one.name, one.slug, for_tenant()) for one in tenants),
    ]
    return [
        Organisation(
            f"{title} [{MARK}:{slug}]",
            {
                one.email: (one.name, "Editor" if one.may_edit else "Viewer")
                for one in members
                if one.tenant_id == tenant_id
            },
            _source(role_of(tenant_id), database, secret, tls=tls),
            dashboards,
        )
        for tenant_id, title, slug, dashboards in wanted
    ]


def _source(role: str, database: str, secret: str, *, tls: bool) -> dict[str, Any]:
    address = urlsplit(database)
    name = address.path.lstrip("/")
    return {
        "name": "Samara",
        "uid": DATA_SOURCE["uid"],
        "type": DATA_SOURCE["type"],
        "access": "proxy",
        "isDefault": True,
        "url": f"{address.hostname}:{address.port or 5432}",
        "user": role,
        "database": name,
        "jsonData": {
            "database": name,
            "sslmode": "require" if tls else "disable",
            "postgresVersion": 1600,
            "timescaledb": False,
            "maxOpenConns": 5,
            "maxIdleConns": 2,
            "connMaxLifetime": 3600,
        },
        "secureJsonData": {"password": password_of(secret, role)},
    }
