import io
import json
import logging
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from deploy import logs
from deploy.metrics import new_registry

pytestmark = pytest.mark.usefixtures("logs_as_before")


def _said_by(names: set[str], stream: io.StringIO) -> list[dict[str, Any]]:
    """Return what these loggers wrote. What other tests left (a task, a thread) may speak meanwhile."""
    return [said for said in map(json.loads, stream.getvalue().splitlines()) if said.get("logger") in names]


def test_json_is_one_object_a_line_for_ours_and_for_libraries() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    structlog.get_logger("of-ours").warning("the broker is away", host="h", retry_s=1.5)
    logging.getLogger("of-a-library").error("%s happened", "it")
    logging.getLogger("of-a-library").debug("not this")
    structlog.get_logger("of-ours").debug("nor this")
    ours, theirs = _said_by({"of-ours", "of-a-library"}, stream)
    assert (ours["event"], ours["level"], ours["logger"]) == ("the broker is away", "warning", "of-ours")
    assert (ours["host"], ours["retry_s"]) == ("h", 1.5)
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("it happened", "error", "of-a-library")


def test_an_exception_stays_on_its_line() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    try:
        int("no")
    except ValueError:
        structlog.get_logger("x").exception("it broke", data=object)
    (said,) = _said_by({"x"}, stream)
    assert said["exception"][0]["exc_type"] == "ValueError"


def test_the_console_form_is_for_people() -> None:
    stream = io.StringIO()
    logs.configure("console", "debug", stream)
    structlog.get_logger("of-ours").debug("connected", host="h")
    assert "connected" in stream.getvalue()
    assert "host=h" in stream.getvalue()
    assert "\x1b[" not in stream.getvalue()


def test_each_registry_has_the_process_and_its_own_counts() -> None:
    text = generate_latest(new_registry()).decode()
    assert "process_resident_memory_bytes" in text
    assert "python_gc_collections_total" in text
    assert new_registry() is not new_registry()
