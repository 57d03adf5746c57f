"""Makes Grafana what it should be: reads what is there, changes what differs, removes only what we made.

Everything goes through Grafana's HTTP API (versions 11 to 13), by an administrator of the server. Run again after a
failure: each step asks first.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

from grafana_client.client import GrafanaClientError, GrafanaException

from deploy.grafana.desired import MARK, Organisation, is_ours
from deploy.grafana.panels import TAG
from domain.errors import SamaraError

_OURS_OF_A_SOURCE: Final = ("name", "type", "access", "url", "user", "isDefault")
_PAGE: Final = 1_000

Connect = Callable[[int | None], Any]  # grafana_client.api.GrafanaApi, whose methods have no types
Say = Callable[[str], None]


class GrafanaError(SamaraError):
    """Grafana does not answer, or refuses; what was done stays, and the next run goes on."""


class Sync:
    """One run. `connect` gives a client of one organisation (None: of the server). `say` hears each change."""

    def __init__(self, connect: Connect, *, say: Say, apply: bool) -> None:
        self._connect = connect
        self._server = connect(None)
        self._say = say
        self._apply = apply
        self.changes = 0

    def run(self, wanted: Sequence[Organisation], known_users: frozenset[str]) -> None:
        """Reconcile. `known_users` are all accounts of Samara: of others, nobody is removed. Raises GrafanaError."""
        try:
            there = {one["name"]: one["id"] for one in self._server.organizations.list_organization()}
            for one in wanted:
                self._organisation(one, there.get(one.name), known_users)
            names = {one.name for one in wanted}
            for name, number in there.items():
                if is_ours(name) and name not in names and self._has_our_source(number):
                    self._do(f"remove organisation {name}", self._server.organizations.delete_organization, number)
        except (GrafanaException, OSError) as error:
            raise GrafanaError(f"Grafana: {error}") from error

    def _do(self, what: str, work: Callable[..., Any], *arguments: Any) -> Any:
        self.changes += 1
        self._say(what)
        return work(*arguments) if self._apply else None

    def _organisation(self, wanted: Organisation, number: int | None, known: frozenset[str]) -> None:
        if number is None:
            made = self._do(
                f"add organisation {wanted.name}", self._server.organization.create_organization, wanted.name
            )
            if made is None:
                return  # a dry run: there is nothing to compare with
            number = int(made["orgId"])
        inside = self._connect(number)
        self._users(wanted, number, known)
        self._source(wanted, inside)
        self._folder(wanted, inside)
        self._dashboards(wanted, inside)

    def _users(self, wanted: Organisation, number: int, known: frozenset[str]) -> None:
        api = self._server
        there = {one["email"]: one for one in api.organizations.organization_user_list(number)}
        for email, (name, role) in wanted.users.items():
            if email not in there:
                self._do(f"{wanted.name}: add {email} as {role}", self._add_user, number, email, name, role)
            elif there[email]["role"] != role:
                user = there[email]["userId"]
                self._do(
                    f"{wanted.name}: {email} is {role}", api.organizations.organization_user_update, number, user, role
                )
        for email, user in there.items():
            if email in known and email not in wanted.users:
                self._do(
                    f"{wanted.name}: remove {email}",
                    api.organizations.organization_user_delete,
                    number,
                    user["userId"],
                )

    def _add_user(self, number: int, email: str, name: str, role: str) -> None:
        try:
            self._server.users.find_user(email)
        except GrafanaClientError:
            password = secrets.token_urlsafe(32)  # nobody knows it: people come by single sign-on, or ask for a new one
            user = {"name": name, "email": email, "login": email, "password": password, "OrgId": number}
            self._server.admin.create_user(user)
            there = {one["email"]: one["userId"] for one in self._server.organizations.organization_user_list(number)}
            if email in there:
                self._server.organizations.organization_user_update(number, there[email], role)
                return
        self._server.organizations.organization_user_add(number, {"loginOrEmail": email, "role": role})

    def _has_our_source(self, number: int) -> bool:
        return any(one["uid"] == MARK for one in self._connect(number).datasource.list_datasources())

    def _source(self, wanted: Organisation, inside: Any) -> None:
        there = {one["uid"]: one for one in inside.datasource.list_datasources()}.get(MARK)
        source = wanted.data_source
        if there is None:
            self._do(f"{wanted.name}: add data source", inside.datasource.create_datasource, source)
        elif not (
            all(there.get(key) == source[key] for key in _OURS_OF_A_SOURCE)
            and source["jsonData"].items() <= there.get("jsonData", {}).items()
        ):
            self._do(f"{wanted.name}: change data source", inside.datasource.update_datasource_by_uid, MARK, source)

    def _folder(self, wanted: Organisation, inside: Any) -> None:
        there = {one["uid"]: one["title"] for one in inside.folder.get_all_folders()}
        uid, title = wanted.folder["uid"], wanted.folder["title"]
        if uid not in there:
            self._do(f"{wanted.name}: add folder", inside.folder.create_folder, title, uid)

    def _dashboards(self, wanted: Organisation, inside: Any) -> None:
        found = inside.search.search_dashboards(tag=TAG, type_="dash-db", limit=_PAGE)
        there = {one["uid"] for one in found if one["uid"].startswith(f"{MARK}-")}
        for one in wanted.dashboards:
            if one["uid"] in there:
                held = inside.dashboard.get_dashboard(one["uid"])["dashboard"]
                if _same(held, one):
                    continue
            verb = "change" if one["uid"] in there else "add"
            body = {
                "dashboard": one,
                "folderUid": wanted.folder["uid"],
                "overwrite": True,
                "message": "samara grafana sync",
            }
            self._do(f"{wanted.name}: {verb} dashboard {one['title']}", inside.dashboard.update_dashboard, body)
        for uid in sorted(there - {one["uid"] for one in wanted.dashboards}):
            self._do(f"{wanted.name}: remove dashboard {uid}", inside.dashboard.delete_dashboard, uid)


def _same(held: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Say whether a dashboard is as we want it; Grafana adds an id, counts versions, and may raise schemaVersion."""
    ignored = {"id", "version", "schemaVersion"}
    return all(held.get(key) == value for key, value in wanted.items() if key not in ignored)
