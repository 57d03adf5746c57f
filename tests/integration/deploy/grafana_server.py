"""A server that answers as Grafana's documented HTTP API does, as far as `samara grafana sync` asks; in a thread.

Source: grafana.com/docs, "HTTP API": organisations, users, admin, data sources, folders, dashboards, search. Version 12
and later raise a dashboard's schemaVersion when they save it; passwords of data sources are never given back.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class State:
    """What the server holds: organisations with their users, data sources, folders and dashboards."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.orgs: dict[int, dict[str, Any]] = {}
        self.users: dict[int, dict[str, Any]] = {1: {"id": 1, "email": "admin@localhost", "login": "admin"}}
        self.writes: list[tuple[str, str]] = []
        self.fails = 0
        self.add_org("Main Org.")

    def add_org(self, name: str) -> int:
        number = max(self.orgs, default=0) + 1
        self.orgs[number] = {"name": name, "members": {1: "Admin"}, "sources": {}, "folders": {}, "dashboards": {}}
        return number

    def named(self, name: str) -> dict[str, Any]:
        return next(one for one in self.orgs.values() if one["name"] == name)


class Handler(BaseHTTPRequestHandler):
    """Dispatches by method and path."""

    state: State

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        url = urlsplit(self.path)
        parts = [unquote(part) for part in url.path.removeprefix("/grafana/api/").split("/")]
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        scheme, _, secret = (self.headers.get("Authorization") or "").partition(" ")
        if scheme != "Basic" or b64decode(secret) != b"admin:the password":
            self._say(401, {"message": "Invalid username or password"})
            return
        if self.command != "GET":
            self.state.writes.append((self.command, url.path))
            if self.state.fails and len(self.state.writes) >= self.state.fails:
                self._say(503, {"message": "database is locked"})
                return
        code, said = self._route(parts, parse_qs(url.query), body)
        self._say(code, said)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - the base class's names

    def _say(self, code: int, said: Any) -> None:
        data = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _route(self, parts: list[str], query: dict[str, list[str]], body: Any) -> tuple[int, Any]:  # noqa: C901, PLR0911
        state = self.state
        org = state.orgs[int(self.headers.get("X-Grafana-Org-Id") or 1)]
        match [self.command, *parts]:
            case ["GET", "orgs"]:
                return 200, [{"id": number, "name": one["name"]} for number, one in state.orgs.items()]
            case ["POST", "orgs"]:
                if any(one["name"] == body["name"] for one in state.orgs.values()):
                    return 409, {"message": "Organization name taken"}
                return 200, {"orgId": state.add_org(body["name"]), "message": "Organization created"}
            case ["DELETE", "orgs", number]:
                del state.orgs[int(number)]
                return 200, {"message": "Organization deleted"}
            case [method, "orgs", number, "users", *rest]:
                return self._members(method, state.orgs[int(number)], rest, body)
            case ["GET", "users", "lookup"]:
                found = [one for one in state.users.values() if one["email"] == query["loginOrEmail"][0]]
                return (200, found[0]) if found else (404, {"message": "user not found"})
            case ["POST", "admin", "users"]:
                number = max(state.users) + 1
                state.users[number] = {"id": number, "email": body["email"], "login": body["login"]}
                state.orgs[body["OrgId"]]["members"][number] = "Viewer"
                return 200, {"id": number, "message": "User created"}
            case [method, "datasources", *rest]:
                return self._sources(method, org, rest, body)
            case ["GET", "folders"]:
                return 200, [{"uid": uid, "title": title} for uid, title in org["folders"].items()]
            case ["POST", "folders"]:
                org["folders"][body["uid"]] = body["title"]
                return 200, body
            case ["GET", "search"]:
                found = [one for one in org["dashboards"].values() if query["tag"][0] in one["tags"]]
                return 200, [{"uid": one["uid"], "title": one["title"], "type": "dash-db"} for one in found]
            case [method, "dashboards", *rest]:
                return self._dashboards(method, org, rest, body)
        return 404, {"message": f"Not found: {self.command} {self.path}"}

    def _members(self, method: str, org: dict[str, Any], rest: list[str], body: Any) -> tuple[int, Any]:
        members, users = org["members"], self.state.users
        if method == "GET":
            return 200, [{"userId": one, "email": users[one]["email"], "role": role} for one, role in members.items()]
        if method == "POST":
            number = next(one for one, user in users.items() if user["email"] == body["loginOrEmail"])
            if number in members:
                return 409, {"message": "User is already member of this organization"}
            members[number] = body["role"]
        elif method == "PATCH":
            members[int(rest[0])] = body["role"]
        else:
            del members[int(rest[0])]
        return 200, {"message": "done"}

    def _sources(self, method: str, org: dict[str, Any], rest: list[str], body: Any) -> tuple[int, Any]:
        sources = org["sources"]
        if method == "GET":
            hidden = [{**one, "secureJsonFields": {"password": True}} for one in sources.values()]
            return 200, [{key: value for key, value in one.items() if key != "secureJsonData"} for one in hidden]
        if method == "POST" and body["uid"] in sources:
            return 409, {"message": "data source with the same uid already exists"}
        sources[body["uid"] if method == "POST" else rest[1]] = body
        return 200, {"datasource": body, "message": "Datasource added"}

    def _dashboards(self, method: str, org: dict[str, Any], rest: list[str], body: Any) -> tuple[int, Any]:
        held = org["dashboards"]
        if method == "POST":
            one = body["dashboard"]
            before = held.get(one["uid"])
            if before is not None and not body.get("overwrite") and before["version"] != one["version"]:
                return 412, {"status": "version-mismatch"}
            if body["folderUid"] not in org["folders"]:
                return 404, {"message": "folder not found"}
            raised = one["schemaVersion"] if self.state.version.startswith("11") else 42
            version = 1 if before is None else before["version"] + 1
            held[one["uid"]] = {**one, "id": len(held) + 1, "version": version, "schemaVersion": raised}
            return 200, {"uid": one["uid"], "status": "success", "version": version}
        if method == "DELETE":
            del held[rest[1]]
            return 200, {"message": "deleted"}
        if rest[1] not in held:
            return 404, {"message": "Dashboard not found"}
        return 200, {"dashboard": held[rest[1]], "meta": {"folderUid": "samara"}}


@contextmanager
def grafana(version: str) -> Iterator[tuple[State, str]]:
    """Serve; give what is held and the address."""
    state = State(version)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state}))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}/grafana"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
