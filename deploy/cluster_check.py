"""Whether a JetStream cluster answers, and keeps messages as ingest needs. It changes nothing there."""

import contextlib
from typing import Final, Literal

from nats.errors import AuthorizationError, NoRespondersError
from nats.js.api import StreamInfo
from nats.js.errors import NotFoundError

from ingest.jetstream import FAILURES, connect
from ingest.settings import JetStreamSource
from ingest.subjects import STREAM

_NODES: Final = 3

Verdict = tuple[Literal["ok", "warning", "wrong"], str, str]  # verdict, what was found, what to do


async def check_cluster(source: JetStreamSource) -> Verdict:
    """Ask each node, and the stream's leader; say how it is."""
    silent, info = [], None
    for server in source.servers:
        try:
            client = await connect(source, server)
        except AuthorizationError:
            return "wrong", f"{server} does not let {source.username or 'nobody'} in", "check username and password"
        except FAILURES as error:
            silent.append(f"{server} ({error or 'no answer'})")
            continue
        try:
            info = info or await client.jetstream().stream_info(source.stream)
        except NotFoundError:
            return (
                "warning",
                f"{server}: no stream {source.stream} yet",
                "connect one MQTT client: nats-server makes it",
            )
        except NoRespondersError:
            return "wrong", f"{server} has no JetStream for {source.username}", "enable jetstream for that account"
        except FAILURES as error:
            silent.append(f"{server} (JetStream: {error or 'no answer'})")
        finally:
            with contextlib.suppress(*FAILURES):
                await client.close()
    if info is None:
        return "wrong", f"no node answers: {', '.join(silent)}", "check the addresses, and that the nodes run"
    return judge(source, info, silent)


def judge(source: JetStreamSource, info: StreamInfo, silent: list[str]) -> Verdict:
    """Say what a stream's configuration and the silent nodes mean."""
    copies = info.config.num_replicas or 1
    if silent:
        return "warning", f"{len(silent)} of {len(source.servers)} nodes silent: {', '.join(silent)}", "bring them back"
    if copies < _NODES:
        said = f"{source.stream} is kept on {copies} node{'s' * (copies > 1)}"
        advice = "set stream_replicas: 3 under mqtt in nats-server's configuration" if source.stream == STREAM else (
            "set its replicas to 3"
        )  # fmt: skip
        return "warning", said, advice
    return "ok", f"{source.stream} is kept on {copies} nodes", ""
