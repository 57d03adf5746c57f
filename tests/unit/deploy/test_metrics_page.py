"""Every series of ours is on docs/metrics.md, and nothing else; every alert is, and is of series that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from api.metrics import Metrics as ApiMetrics
from deploy.delivering import Metrics as DeliveryMetrics
from deploy.maintaining import Metrics as MaintenanceMetrics
from ingest.metrics import IngestMetrics

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
RULES = ROOT / "deploy" / "prometheus" / "samara.rules.yml"
CASES = ROOT / "tests" / "vectors" / "deploy" / "alerts.yml"
PACKAGES = ("alerting", "api", "decoders", "deploy", "ingest", "store")
_DECLARED = re.compile(r'\b(Counter|Gauge|Histogram|Summary)\(\s*"(samara_\w+)"')


def declared() -> set[str]:
    """Return the names as Prometheus sees them: a counter ends with _total."""
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for kind, name in _DECLARED.findall(path.read_text(encoding="utf-8")):
                found.add(name if kind != "Counter" or name.endswith("_total") else f"{name}_total")
    return found


def test_the_page_tells_every_series() -> None:
    told = set(re.findall(r"^\| `(samara_\w+)` \|", PAGE, re.MULTILINE))
    assert told == declared()


def test_what_is_declared_is_what_a_registry_shows() -> None:
    registry = CollectorRegistry()
    for metrics in (IngestMetrics, ApiMetrics, MaintenanceMetrics, DeliveryMetrics):
        metrics(registry)
    shown = {
        one.name + "_total" if one.type == "counter" else one.name
        for one in registry.collect()
        if one.name.startswith("samara_")
    }
    assert shown <= declared()
    assert len(shown) > 20


def test_every_alert_is_told_and_of_series_that_exist() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == set(re.findall(r"`(Samara\w+)`", PAGE))
    for rule in rules:
        for name in re.findall(r"\bsamara_\w+", rule["expr"]):
            assert name.removesuffix("_bucket") in declared(), name
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]


@pytest.mark.parametrize("arguments", [("check", "rules", RULES), ("test", "rules", CASES)])
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool: not installed; apt-get install prometheus")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
