"""`samara codecs` and `samara decoders check` as a person uses them, from the vendor's files to the measurement."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cli_runner import Done, Samara

SCRIPT = """
function decodeUplink(input) {
  if (input.bytes.length < 3) return { errors: ["three bytes"] };
  return { data: { temperature: (input.bytes[0] << 8 | input.bytes[1]) / 10, humidity: input.bytes[2],
                   battery_mv: 3300, frobs: 4, door: input.bytes[2] > 50 ? "open" : "closed" } };
}
"""
EUI = "00aa" * 4


def example(payload: str, **data: Any) -> dict[str, Any]:
    everything = {"battery_mv": 3300, "frobs": 4, "door": "closed"} | data
    return {"type": "uplink", "description": payload, "input": {"bytes": payload, "fPort": 2},
            "output": {"data": everything}}  # fmt: skip


RIGHT = [example("00d728", temperature=21.5, humidity=40)]
WRONG = [*RIGHT, example("00d729", temperature=99, humidity=41)]


def written(folder: Path, examples: list[dict[str, Any]], script: str = SCRIPT) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "index.js").write_text(script, "utf-8")
    (folder / "examples.json").write_text(json.dumps(examples), "utf-8")


@pytest.fixture
def samara(tmp_path: Path, database: str) -> Samara:
    written(tmp_path / "right", RIGHT)
    written(tmp_path / "wrong", WRONG)
    return Samara(tmp_path, DATABASE__DSN=database)


Sql = Callable[[str], Any]


@pytest.fixture
def sql(database: str) -> Sql:
    """Ask the database of a tenant with one device; return one value."""

    async def asked(statement: str) -> Any:
        connection = await asyncpg.connect(database)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def ask(statement: str) -> Any:
        return asyncio.run(asked(statement))

    ask("INSERT INTO tenants (kind, slug, name) VALUES ('epci', 'epci', 'E')")
    ask(f"INSERT INTO devices (dev_eui, tenant_id) VALUES ('{EUI}', 1)")
    return ask


class Codecs:
    """`samara codecs …` of the tenant."""

    def __init__(self, samara: Samara) -> None:
        self.samara = samara

    def __call__(self, command: str, *arguments: object, code: int = 0) -> Done:
        return self.samara("codecs", command, *arguments, "--tenant", "epci", code=code)

    def upload(self, script: str, examples: str = "right/examples.json", name: str = "acme", code: int = 0) -> Done:
        return self("upload", script, "--examples", examples, "--name", name, code=code)


@pytest.fixture
def codecs(samara: Samara) -> Codecs:
    return Codecs(samara)


def test_a_folder_of_codecs_is_checked(samara: Samara, tmp_path: Path) -> None:
    done = samara("decoders", "check", tmp_path, code=1)
    assert "pass     1/1  right (examples-json)\n" in done.stdout
    said = "FAIL     1/2  wrong (examples-json)\n              00d729: data.temperature: 21.5, expected 99\n"
    assert said in done.stdout
    assert "1 of 2 codecs pass, 2 of 3 examples" in done.stdout
    assert "right" not in samara("decoders", "check", tmp_path, "--failed", code=1).stdout
    assert "1 of 1 codecs" in samara("decoders", "check", tmp_path / "right").stdout
    assert "no such directory" in samara("decoders", "check", tmp_path / "nowhere", code=2).stderr


@pytest.mark.usefixtures("sql")
def test_what_fails_its_examples_is_not_activated(codecs: Codecs) -> None:
    done = codecs.upload("wrong/index.js", "wrong/examples.json", code=1)
    assert "1 of 2 examples pass\n  00d729: data.temperature: 21.5, expected 99" in done.stdout
    assert "00d729" in codecs("activate", "acme", code=1).stderr
    codecs("bind", "acme", EUI)
    assert "\tdraft\t" in codecs("list").stdout
    # The examples mended, the same version passes.
    codecs.upload("wrong/index.js")
    assert "acme is active as" in codecs("activate", "acme").stdout


@pytest.mark.usefixtures("sql")
def test_a_mapping_is_read_mended_and_checked(codecs: Codecs, tmp_path: Path) -> None:
    assert "1 of 1 examples pass" in codecs.upload("right/index.js").stdout
    page = codecs("mapping", "acme").stdout
    proposed = (
        '# V; in the examples 3300\n[[fields]]\npath = "battery_mv"\nquantity = "battery_voltage"\nfactor = 0.001'
    )
    assert proposed in page
    assert "# not mapped: frobs" in page

    file = tmp_path / "acme.toml"
    file.write_text(page.replace("factor = 0.001", "factor = 1.0"), "utf-8")
    assert "battery_voltage 3300 V is not within" in codecs("mapping", "acme", "--file", file, code=1).stdout
    assert "battery_voltage 3300 V" in codecs("activate", "acme", code=1).stderr
    file.write_text(page.replace('"battery_voltage"', '"batery"'), "utf-8")
    assert "no quantity batery" in codecs("mapping", "acme", "--file", file, code=1).stdout
    file.write_text("[[fields]]\npath = 1\n", "utf-8")
    assert "field 1:" in codecs("mapping", "acme", "--file", file, code=1).stderr

    door = '\n[[fields]]\npath = "door"\nquantity = "open"\nwords = { "open" = 1, "closed" = 0 }\n'
    file.write_text(page + door, "utf-8")
    assert "4 fields kept; 1 of the examples' numbers" in codecs("mapping", "acme", "--file", file).stdout
    codecs("activate", "acme")
    assert 'words = { "open" = 1.0, "closed" = 0.0 }' in codecs("mapping", "acme").stdout


def test_a_mapping_in_force_changes_only_for_one_that_holds(codecs: Codecs, sql: Sql, tmp_path: Path) -> None:
    codecs.upload("right/index.js")
    codecs("activate", "acme")
    first = sql("SELECT version FROM codecs")
    (tmp_path / "bad.yaml").write_text("fields: [{path: frobs, quantity: humidity, factor: 99}]", "utf-8")
    assert "humidity 396 % is not within" in codecs("mapping", "acme", "--file", "bad.yaml", code=1).stderr
    assert sql("SELECT version FROM codecs") == first
    (tmp_path / "good.yaml").write_text("- {path: humidity, quantity: humidity}\n", "utf-8")
    assert "in force as" in codecs("mapping", "acme", "--file", "good.yaml").stdout
    assert sql("SELECT version FROM codecs") != first
    assert sql("SELECT count(*) FROM decoders WHERE codec_id IS NOT NULL") == 2
    assert codecs("mapping", "acme").stdout.count("# proposed:") == 2
    assert "battery_mv" in codecs("mapping", "acme", "--propose").stdout


def test_what_frames_bring_beyond_the_examples_is_listed(codecs: Codecs, sql: Sql) -> None:
    codecs.upload("right/index.js")
    codecs("activate", "acme")
    codecs("bind", "acme", EUI)
    sql("INSERT INTO sources (name) VALUES ('server')")
    sql("""
        SELECT make_partition('uplinks', date_trunc('month', now())::date)
         WHERE to_regclass('uplinks_' || to_char(now(), 'YYYY_MM')) IS NULL AND EXISTS
               (SELECT FROM pg_partitioned_table WHERE partrelid = 'uplinks'::regclass)
    """)
    sql("""
        INSERT INTO uplinks (received_at, uplink_key, ingested_at, f_cnt, device_id, source_id, confirmed, adr,
                             dev_addr, outcome, detail, payload, decoder_id, object)
        SELECT now(), 1, now(), 1, 1, 1, false, false, '', 'decoded', '', '', max(decoder_id),
               '{"temperature": 21, "frobs": 4, "gust": 7, "words": "none"}' FROM decoders
    """)
    for page in (codecs("show", "acme").stdout, codecs("mapping", "acme").stdout):
        assert "# not mapped, in frames of the last week alone: gust" in page
        assert page.count("frobs") == 1


def test_a_codec_is_bound_put_away_released_and_retired(codecs: Codecs, samara: Samara, sql: Sql) -> None:
    codecs.upload("right/index.js")
    codecs("activate", "acme")
    codecs("bind", "acme", "acme-sm1")
    codecs("bind", "acme", EUI.upper())
    assert "no device" in codecs("bind", "acme", "f" * 16, code=1).stderr
    assert "neither a DevEUI" in codecs("bind", "acme", "Acme SM1", code=2).stderr
    assert f"\tacme-sm1 {EUI}\t" in codecs("list").stdout
    samara("devices", "import", "-", "--tenant", "epci", stdin='{"dev_eui": "00bb00bb00bb00bb", "model": "acme-sm1"}\n')
    assert sql("SELECT model_id FROM devices WHERE dev_eui = '00bb00bb00bb00bb'") == "acme-sm1"

    sql("UPDATE codecs SET state = 'quarantined', kills = 3, reason = 'ended with -27'")
    assert "acme of tenant 1 is not run: 3 kills, ended with -27" in samara("doctor").stdout
    assert "3 kills, ended with -27" in codecs("show", "acme").stdout
    codecs("release", "acme")
    assert "is active, not quarantined" in codecs("release", "acme", code=1).stderr
    assert "is not run" not in samara("doctor").stdout
    codecs("unbind", "acme", EUI)
    assert "not bound" in codecs("unbind", "acme", EUI, code=1).stderr
    codecs("retire", "acme")
    assert "\tretired\t" in codecs("list").stdout
    assert codecs("show", "acme", "--source").stdout.strip() == SCRIPT.strip()
    assert "no codec 'nothing'" in codecs("show", "nothing", code=1).stderr


@pytest.mark.usefixtures("sql")
def test_a_downlink_is_shown(codecs: Codecs, tmp_path: Path) -> None:
    encoder = "function encodeDownlink(i) { return { fPort: 6, bytes: [i.data.minutes], warnings: ['restarts'] } }"
    (tmp_path / "down.js").write_text(SCRIPT + encoder, "utf-8")
    codecs.upload("down.js")
    assert codecs("encode", "acme", '{"minutes": 15}').stdout == "FPort 6, 1 bytes: 0f\n  restarts\n"
    assert "numbers from 0 to 255" in codecs("encode", "acme", '{"minutes": 900}', code=1).stderr
    assert "not a JSON object" in codecs("encode", "acme", "15 minutes", code=2).stderr


def test_files_that_will_not_do_are_told(codecs: Codecs, samara: Samara, tmp_path: Path) -> None:
    (tmp_path / "large.js").write_text("//" + "x" * 200_000, "utf-8")
    (tmp_path / "empty.json").write_text("{}", "utf-8")
    assert "no tenant" in codecs.upload("right/index.js", code=1).stderr
    assert "No such file" in codecs.upload("no.js", code=2).stderr
    assert "neither a list" in codecs.upload("right/index.js", "empty.json", code=1).stderr
    samara("tenants", "add", "epci", "E", "--kind", "epci")
    assert "128 kB" in codecs.upload("large.js", code=1).stderr
    assert "lower-case" in codecs.upload("right/index.js", name="A B", code=1).stderr
