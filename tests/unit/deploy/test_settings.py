import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel, SecretStr

from deploy.defaults import guessable, refuse_defaults
from deploy.settings import DatabaseSettings, Settings, load
from domain.errors import ConfigurationError

EXAMPLE = Path(__file__).parents[3] / "deploy" / "samara.example.toml"


def keys(model: type[BaseModel], path: str = "") -> set[str]:
    """Every key of a model, in dots; a list's items have no number."""
    found = set()
    for name, field in model.model_fields.items():
        inner = [
            candidate
            for candidate in (field.annotation, *get_args(field.annotation))
            if isinstance(candidate, type) and issubclass(candidate, BaseModel)
        ]
        found |= keys(inner[0], f"{path}{name}.") if inner else {path + name}
    return found


def keys_written(values: dict[str, object], path: str = "") -> set[str]:
    found = set()
    for name, value in values.items():
        first = value[0] if isinstance(value, list) and value else value
        found |= keys_written(first, f"{path}{name}.") if isinstance(first, dict) else {path + name}
    return found


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_example_shows_every_key_and_no_other() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    uncommented = re.sub(r"^# (\w+ = |\[\[)", r"\1", text, flags=re.MULTILINE)
    assert keys_written(tomllib.loads(uncommented)) == keys(Settings)


def test_the_example_loads() -> None:
    settings = load(EXAMPLE, {})
    assert settings.ingest.mqtt[0].name == "chirpstack"
    assert settings.ingest.http[0].secret.get_secret_value() == "change-me-change-me"


def test_the_example_says_the_defaults() -> None:
    values = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    for several in ("mqtt", "jetstream", "http", "neighbours"):
        del values["ingest"][several]
    assert Settings(**values) == Settings()


def test_no_process_starts_with_a_secret_of_the_example_or_a_default() -> None:
    settings = load(EXAMPLE, {})
    assert "ingest.http.0.secret" in guessable(settings)
    with pytest.raises(ConfigurationError, match=r"ingest\.http\.0\.secret"):
        refuse_defaults(settings)
    refuse_defaults(Settings())
    for dsn in (
        "postgresql://samara:change-me@db/samara",
        "postgresql://a:Password@db/x",
        "postgresql://a:%73amara@b/c",
    ):
        assert guessable(Settings(database=DatabaseSettings(dsn=SecretStr(dsn)))) == ["database.dsn"]
    long = "postgresql://samara:f3b9c0b1d2e4@db/samara"
    assert guessable(Settings(database=DatabaseSettings(dsn=SecretStr(long)))) == []


def test_every_key_of_the_example_has_a_comment() -> None:
    bare = []
    previous = ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        key = re.match(r"(?:# )?(\w+) = ", line)
        if (
            key
            and not previous.startswith("#")
            and key[1] not in {"name", "lns", "host", "port", "username", "password"}
        ):
            bare.append(key[1])
        previous = line
    assert set(bare) <= {"keepalive_s", "key_file"}


def test_without_file_or_environment_there_are_defaults() -> None:
    assert load(None, {}) == Settings()


def test_the_file_in_place_is_read_and_the_environment_wins() -> None:
    Path("samara.toml").write_text('[api]\nhost = "::1"\nport = 81\n', encoding="utf-8")
    settings = load(None, {"SAMARA_API__PORT": "82", "PATH": "/bin", "SAMARA_LOG__LEVEL": ""})
    assert (settings.api.host, settings.api.port) == ("::1", 82)


def test_the_file_is_named_by_argument_then_by_variable(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(f'data_dir = "/{name}"\n', encoding="utf-8")
    assert load(tmp_path / "a", {"SAMARA_CONFIG": str(tmp_path / "b")}).data_dir == Path("/a")
    assert load(None, {"SAMARA_CONFIG": str(tmp_path / "b")}).data_dir == Path("/b")


def test_lists_come_from_the_environment_as_json() -> None:
    settings = load(None, {"SAMARA_INGEST__MQTT": '[{"name": "cs", "password": "p"}]'})
    assert settings.ingest.mqtt[0].password == SecretStr("p")


def test_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("postgresql://a:b@c/d\n", encoding="utf-8")
    (tmp_path / "secret").write_text("sixteen characters", encoding="utf-8")
    (tmp_path / "s.toml").write_text(
        f'[[ingest.http]]\nname = "x"\nlns = "actility"\nsecret_file = "{tmp_path}/secret"\n'
        f'[[ingest.mqtt]]\nname = "y"\npassword_file = "{tmp_path}/secret"\n',
        encoding="utf-8",
    )
    settings = load(tmp_path / "s.toml", {"SAMARA_DATABASE__DSN_FILE": str(tmp_path / "dsn")})
    assert settings.database.dsn.get_secret_value() == "postgresql://a:b@c/d"
    assert settings.ingest.http[0].secret.get_secret_value() == "sixteen characters"
    assert settings.ingest.mqtt[0].password.get_secret_value() == "sixteen characters"


def test_every_wrong_key_is_named_and_no_value_is_shown(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        'colour = "red"\ntime_zone = "Europe/Amiens"\n[api]\nport = 99999\n[log]\nlevel = "loud"\n'
        '[[ingest.http]]\nname = "x"\nlns = "actility"\nsecret = "hush"\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "s.toml", {})
    lines = str(caught.value).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == [
        "api.port",
        "colour",
        "ingest.http.0.secret",
        "log.level",
        "time_zone",
    ]
    assert "colour: no such setting" in lines
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("port = ", {}, "is not TOML"),
        ("", {"SAMARA_APPI__PORT": "1"}, "SAMARA_APPI__PORT: no such setting"),
        ("", {"SAMARA_API__PROT": "1"}, "api.prot: no such setting"),
        ("", {"SAMARA_INGEST__MQTT": "[{"}, "ingest"),
        ("", {"SAMARA_DATABASE__DSN_FILE": "/nowhere"}, "database.dsn_file: .*No such file"),
        ('[database]\ndsn = "postgresql://x"\ndsn_file = "y"', {}, "database.dsn and database.dsn_file are both set"),
        ("", {"SAMARA_DATABASE__DSN": "host=x password=y"}, "database.dsn: it should begin with postgresql://"),
        ("database = 3", {}, "database: it should"),
        ('[[ingest.mqtt]]\nname = "a"\n[[ingest.mqtt]]\nname = "b"', {}, "disconnect each for the other"),
        (
            '[[ingest.http]]\nname="a"\nlns="x"\nsecret="0123456789abcdef"\n' * 2,
            {},
            "ingest.http: two sources are named a",
        ),
    ],
)
def test_what_is_wrong_is_said(text: str, environ: dict[str, str], said: str) -> None:
    Path("samara.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        load(None, environ)


def test_a_file_that_is_asked_for_must_exist() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: there is no such file"):
        load(Path("nowhere.toml"), {})


def test_a_printed_settings_object_hides_its_secrets() -> None:
    assert "b@c" not in repr(load(None, {"SAMARA_DATABASE__DSN": "postgresql://a:b@c/d"}))


def test_a_secret_at_the_top_comes_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "keyring"
    file.write_text("first:c2VjcmV0\n", encoding="utf-8")
    assert load(None, {"SAMARA_KEYRING_FILE": str(file)}).keyring.get_secret_value() == "first:c2VjcmV0"
    with pytest.raises(ConfigurationError, match="keyring_file"):
        load(None, {"SAMARA_KEYRING_FILE": str(tmp_path / "none")})
