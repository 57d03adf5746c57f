"""What a load was and what became of it: one report as JSON, Markdown and HTML."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulators import pages
from simulators.load.judge import BROKEN_BY, Cause, Verdict
from simulators.load.run import LoadReport
from simulators.load.spec import LoadSpec, Publishing


def summary(spec: LoadSpec, publishing: Publishing, run: LoadReport | None, verdict: Verdict | None) -> dict[str, Any]:
    """Return everything as plain JSON values; `run` is None when an earlier ledger is judged again."""
    said: dict[str, Any] = {"name": spec.name, "scenario": asdict(spec) | {"start_at": spec.start_at.isoformat()}}
    said["publish"] = asdict(publishing)
    if run is not None:
        said["published"] = run._asdict() | {"lateness": run.lateness._asdict() if run.lateness else None}
    if verdict is not None:
        said["verdict"] = verdict._asdict() | {
            "broken": verdict.broken,
            "causes": [one._asdict() for one in verdict.causes],
        }
    return said


def headline(run: LoadReport | None, verdict: Verdict | None) -> str:
    """Return the outcome in one sentence."""
    parts = []
    if run is not None:
        parts.append(f"{run.messages:,} messages published in {run.seconds:.1f} s ({run.per_second:,.0f}/s)")
        if not run.valid and run.lateness is not None:
            parts.append(f"not valid: the generator itself was {run.lateness.p99_s:.2f} s late (p99)")
    if verdict is not None:
        counts = ", ".join(f"{name.replace('_', ' ')} {_count(verdict, name)}" for name in BROKEN_BY)
        parts.append(f"{'an obligation is broken' if verdict.broken else 'every obligation was kept'}: {counts}")
    return "; ".join(parts) + "."


def _count(verdict: Verdict, name: str) -> str:
    value = getattr(verdict, name)
    return "not asked" if value is None else f"{value:,}"


def _published(run: LoadReport) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [
        ("messages", run.messages),
        ("uplinks", run.uplinks),
        ("bytes of payload", run.payload_bytes),
        ("seconds", round(run.seconds, 3)),
        ("messages a second", round(run.per_second, 1)),
    ]
    if run.lateness is not None:
        names = ("lateness p50, ms", "lateness p99, ms", "lateness max, ms")
        rows += [(name, round(1000 * late_s, 1)) for name, late_s in zip(names, run.lateness, strict=True)]
    return [*rows, ("valid", "yes" if run.valid else "no: the schedule was not kept")]


def _judged(verdict: Verdict) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = [
        ("emitted", verdict.emitted),
        ("to be stored", verdict.expected),
        ("stored", verdict.stored),
        *((name.replace("_", " "), getattr(verdict, name)) for name in BROKEN_BY),
        ("known frames under a new id", verdict.mergeable),
        ("of these recognised", verdict.merged),
        ("to be set aside", verdict.set_aside),
    ]
    for share, latency_s in (("p50", verdict.latency_p50_s), ("p99", verdict.latency_p99_s)):
        if latency_s is not None:
            rows.append((f"published to committed {share}, s", round(latency_s, 3)))
    return rows


def _scenario(spec: LoadSpec, publishing: Publishing) -> list[tuple[str, str]]:
    values = asdict(spec) | asdict(publishing)
    faults = {name: value for name, value in values.pop("faults").items() if value}
    return [(name, str(value)) for name, value in values.items()] + [
        (f"fault {name}", str(value)) for name, value in faults.items()
    ]


def write(
    spec: LoadSpec, publishing: Publishing, run: LoadReport | None, verdict: Verdict | None, folder: Path
) -> dict[str, Any]:
    """Write report.json, report.md and report.html; return what they say."""
    said, sentence = summary(spec, publishing, run, verdict), headline(run, verdict)
    sound = (run is None or run.valid) and (verdict is None or not verdict.broken)
    tables: list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]] = []
    if verdict is not None:
        tables.append(("What became of it", ("", "count"), list(_judged(verdict))))
        tables.append(("By cause", Cause._fields, [tuple(one) for one in verdict.causes]))
        if verdict.examples:
            tables.append(("Some of what is broken", ("uplink",), [(one,) for one in verdict.examples]))
    if run is not None:
        tables.append(("What was published", ("", "value"), list(_published(run))))
    tables.append(("Scenario", ("", "value"), list(_scenario(spec, publishing))))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(said, indent=1, default=str) + "\n", encoding="utf-8")
    lines = [f"# {spec.name}", "", sentence, ""]
    parts = [pages.paragraph(sentence, "ok" if sound else "bad")]
    for title, head, rows in tables:
        lines += pages.markdown_table(title, head, rows)
        parts.append(pages.table(title, head, rows))
    if verdict is not None:
        parts.insert(2, pages.bars("Emitted, by cause", {one.fault: one.expected for one in verdict.causes}))
    (folder / "report.md").write_text("\n".join(lines), encoding="utf-8")
    (folder / "report.html").write_text(pages.document(spec.name, parts, language="en"), encoding="utf-8")
    return said
