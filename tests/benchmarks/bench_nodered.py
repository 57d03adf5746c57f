"""Node-RED as one would set it up: an MQTT node, its JSON, a function with node-postgres and one five-row INSERT.

The INSERT is that of `bench_naive`. Ten connections, so ten INSERTs at once: what its PostgreSQL nodes do as well. It
acknowledges a message when it has read it, not when it is stored: what it holds is lost if it dies.
"""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Any, Final

import bench_naive

from deploy.embedded.process import Child, free_port, spawn

CONNECTIONS: Final = 10

_FUNCTION: Final = """
const event = msg.payload, frame = Buffer.from(event.data, 'base64');
const values = [
  frame.readInt16BE(1) / 10, frame[4], frame.readUInt16BE(6), frame.readUInt16BE(9), frame.readUInt16BE(12) / 1000,
];
global.get('pool').query({ name: 'five', text: global.get('insert'),
                           values: [event.time, event.deviceInfo.devEui, ...values] })
  .catch((error) => node.error(error.message));
return null;
"""

_SETTINGS: Final = """
const {{ Pool }} = require({pg});
const pool = new Pool({{ connectionString: {dsn}, max: {connections} }});
module.exports = {{
  uiPort: {port}, uiHost: '127.0.0.1', disableEditor: true, flowFile: 'flows.json',
  functionGlobalContext: {{ pool, insert: {insert} }},
  logging: {{ console: {{ level: 'warn' }} }},
}};
"""


def program() -> Path | None:
    """Return where `node-red` is; None when it is not on the PATH. node-postgres (`pg`) is looked for beside it."""
    found = shutil.which("node-red")
    return Path(found).resolve() if found else None


@asynccontextmanager
async def node_red(started: Path, folder: Path, dsn: str, options: dict[str, Any]) -> AsyncIterator[Child]:
    """Run Node-RED with the flow for as long as the context lasts."""
    modules = next(one for one in started.parents if one.name == "node_modules")
    settings = _SETTINGS.format(
        pg=json.dumps(str(modules / "pg")),
        dsn=json.dumps(dsn),
        connections=CONNECTIONS,
        port=free_port(),
        insert=json.dumps(bench_naive.INSERT),
    )
    (folder / "settings.js").write_text(settings, encoding="utf-8")
    (folder / "flows.json").write_text(json.dumps(_flow(options)), encoding="utf-8")
    command = ["node", started, "--userDir", folder, "--settings", folder / "settings.js", folder / "flows.json"]
    server = spawn(command, name="Node-RED", log_file=folder / "node-red.log", identity=None)
    try:
        yield server
    finally:
        await server.stop(SIGINT, SIGTERM, timeout_s=5)


def _flow(options: dict[str, Any]) -> list[dict[str, Any]]:
    broker = {
        "id": "broker",
        "type": "mqtt-broker",
        "broker": options["host"],
        "port": str(options["port"]),
        "clientid": options["client_id"],
        "protocolVersion": "4",
        "keepalive": "60",
        "cleansession": False,
        "autoConnect": True,
    }
    hearing = {
        "id": "heard",
        "type": "mqtt in",
        "z": "flow",
        "topic": options["topic"],
        "qos": "1",
        "datatype": "json",
        "broker": "broker",
        "inputs": 0,
        "wires": [["store"]],
    }
    storing = {"id": "store", "type": "function", "z": "flow", "func": _FUNCTION, "outputs": 0, "wires": []}
    return [{"id": "flow", "type": "tab", "label": "bench"}, broker, hearing, storing]
