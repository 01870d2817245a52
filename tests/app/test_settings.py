"""Tests of `app/settings.py`: where settings come from, and what is refused."""

import logging
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.errors import SettingsInvalid
from app.setting_names import ALIASES
from app.settings import setting_names
from tests.setting_sources import NEAR, OWN, Sources


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Three empty places."""
    return Sources(tmp_path)


def test_nothing_set_gives_the_documented_defaults(sources: Sources) -> None:
    settings = sources.load()
    assert (settings.http_api_host, settings.http_api_port) == ("127.0.0.1", 3333)
    assert settings.rt_api_port == 3334
    assert settings.sd_api_host == "http://localhost:7860/sdapi/v1"
    assert settings.forge_url == "http://localhost:7860"
    assert settings.job_progress_check_interval_ms == 2500
    assert settings.token_expiration_time_s == 14 * 24 * 3600
    assert settings.image_pixel_limit == 3_686_400
    assert settings.max_queued_jobs_per_user == 100
    assert settings.max_queued_bytes_per_user == 500_000_000
    assert settings.checkpoint_unload_interval_minutes == -1
    assert (settings.job_stall_minutes, settings.checkpoint_load_minutes) == (10, 30)
    assert settings.job_attempts == 3
    assert settings.enable_lora_requests
    assert not settings.enable_demo_user
    assert not settings.allow_legacy_bot_endpoints
    assert settings.trusted_proxies == ()
    assert str(settings.database) == f"sqlite://{sources.data_dir / 'navigator.sqlite3'}"
    assert settings.bind_host == "127.0.0.1"


@pytest.mark.parametrize(("value", "minutes"), [("-1", None), ("0", None), ("1", 1), ("90", 90)])
def test_unloading_when_idle_is_off_without_a_time(
    sources: Sources, value: str, minutes: int | None
) -> None:
    assert sources.load().checkpoint_unload_interval is None
    interval = sources.load(CHECKPOINT_UNLOAD_INTERVAL=value).checkpoint_unload_interval
    assert interval == (None if minutes is None else timedelta(minutes=minutes))


def test_environment_wins_over_own_file_over_near_file(sources: Sources) -> None:
    sources.near_file.write_text("HTTP_API_PORT=1001\nRT_API_PORT=1002\nDB_PORT=1003\n")
    assert sources.load().http_api_port == 1001
    sources.own_file.write_text("HTTP_API_PORT=2001\nRT_API_PORT=2002\n")
    assert sources.load().http_api_port == 2001
    sources.environ["HTTP_API_PORT"] = "3001"
    settings = sources.load()
    assert (settings.http_api_port, settings.rt_api_port, settings.db_port) == (3001, 2002, 1003)
    assert sources.load(HTTP_API_PORT=4001).http_api_port == 4001


def test_files_may_have_comments_quotes_and_a_byte_order_mark(sources: Sources) -> None:
    sources.near_file.write_bytes(
        "\ufeffDB_NAME = 'my db'  # mine\n\n# HTTP_API_PORT=1\n"
        'export DB_USER="ä $HOME"\n'.encode()
    )
    settings = sources.load()
    assert (settings.db_name, settings.db_user) == ("my db", "ä $HOME")
    assert settings.http_api_port == 3333


def test_lan_binds_every_interface(sources: Sources) -> None:
    expected = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"
    assert sources.load(lan=True).bind_host == expected


def test_token_of_the_launcher_comes_from_the_environment_alone(sources: Sources) -> None:
    assert sources.load().launcher_token is None
    sources.own_file.write_text("NAVIGATOR_LAUNCHER_TOKEN=secret of the launcher\n")
    with pytest.raises(SettingsInvalid, match="NAVIGATOR_LAUNCHER_TOKEN"):
        sources.load()
    sources.own_file.unlink()
    sources.environ["NAVIGATOR_LAUNCHER_TOKEN"] = "secret of the launcher"
    settings = sources.load()
    assert settings.launcher_token == "secret of the launcher"
    assert "secret of the launcher" in settings.secrets


def test_settings_are_frozen(sources: Sources) -> None:
    settings = sources.load()
    with pytest.raises(ValidationError):
        settings.http_api_port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("HTTP_API_PORT", value) for value in ("x", "-1", "65536", "3333.5", "0x10")),
        *(("RT_API_PORT", value) for value in ("99999", "port")),
        ("HTTP_API_HOST", ""),
        ("DB_PORT", "mysql"),
        ("DB_NAME", ""),
        *(("DB_URL", value) for value in
          ("postgres://a/b", "mysql://", "mysql://host", "mysql://host/", "sqlite:", "x",
           "sqlite://:memory:", "sqlite:///:memory:",
           "mysql://u:p@host:port/n", "mysql://u:p@host:99999/n", "mysql://[::1/n")),
        *(("SD_API_HOST", value) for value in
          ("localhost:7860", "ftp://localhost", "http://", "", "http://localhost:78600",
           "http://localhost:port/sdapi/v1", "http://local host:7860", "http://localhost:0")),
        *(("SD_API_BASE", value) for value in ("localhost", "file:///x", "http://x:999999")),
        *(("PUBLIC_URL", value) for value in
          ("example.org", "https://", "javascript:alert(1)", "http://a..b", 'http://a"b')),
        ("DISCORD_CLIENT_ID", '1";alert(1)//'),
        ("DISCORD_REDIRECT_URI", "http://a/<script>"),
        ("SD_API_AUTH", "user only"),
        *(("JOB_PROGRESS_CHECK_INTERVAL", value) for value in ("0", "49", "60001", "2.5s", "-1")),
        *(("JOB_STALL_MINUTES", value) for value in ("0", "-1", "x", "nan")),
        *(("CHECKPOINT_LOAD_MINUTES", value) for value in ("0", "nan", "never")),
        *(("CHECKPOINT_UNLOAD_INTERVAL", value) for value in ("-2", "x", "1.5", "525601")),
        *(("JOB_ATTEMPTS", value) for value in ("0", "101", "x")),
        ("SECRET_KEY", "too short"),
        ("SUPERUSER_ADMIN_TOKEN", "short"),
        *(("TOKEN_EXPIRATION_TIME", value) for value in
          ("0", "-2", "0d", "soon", "14 fortnights", "-1d", "nan", "inf", "9999999y")),
        *(("IMAGE_PIXEL_LIMIT", value) for value in ("0", "-1", "x", "1e6", "999999999999")),
        *(("MAX_QUEUED_JOBS_PER_USER", value) for value in ("0", "-1", "many")),
        *(("MAX_QUEUED_BYTES_PER_USER", value) for value in ("0", "500 MB")),
        *(("ENABLE_DEMO_USER", value) for value in ("maybe", "2", "-1")),
        *(("ENABLE_LORA_REQUESTS", value) for value in ("maybe", "x")),
        ("ALLOW_LEGACY_BOT_ENDPOINTS", "perhaps"),
        ("SUPPORTS_FLUX", "perhaps"),
        *(("TRUSTED_PROXIES", value) for value in ("x", "10.0.0.0/33", "10.0.0.1;10.0.0.2", "*")),
    ],
)  # fmt: skip
def test_impossible_value_is_refused_by_name(sources: Sources, name: str, value: str) -> None:
    for place in (sources.near_file, sources.own_file):
        place.write_text(f"{name}='{value}'\n")
        with pytest.raises(SettingsInvalid) as from_file:
            sources.load()
        place.unlink()
    sources.environ[name] = value
    with pytest.raises(SettingsInvalid) as from_environment:
        sources.load()
    assert from_file.value.message == from_environment.value.message
    assert from_environment.value.message.startswith(f"{name}: ")


def test_every_problem_is_named_at_once(sources: Sources) -> None:
    sources.environ |= {"HTTP_API_PORT": "x", "JOB_ATTEMPTS": "0"}
    with pytest.raises(SettingsInvalid) as refused:
        sources.load()
    assert "HTTP_API_PORT: " in refused.value.message
    assert "JOB_ATTEMPTS: " in refused.value.message


def test_refusal_does_not_show_the_value(sources: Sources) -> None:
    sources.environ |= {"SECRET_KEY": "hunter2", "SUPERUSER_ADMIN_TOKEN": "hunter3"}
    sources.environ |= {"SD_API_AUTH": "hunter4", "DB_URL": "mysql://root:hunter5@host"}
    with pytest.raises(SettingsInvalid) as refused:
        sources.load()
    assert "hunter" not in refused.value.message
    assert all(name in refused.value.message for name in sources.environ)


def test_unknown_key_is_refused_in_the_own_file_only(
    sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    sources.environ["NAVIGATR_PORT"] = "1"
    sources.near_file.write_text("NEAR_TYPO=secret value\n")
    sources.load()
    assert "NEAR_TYPO" in caplog.text
    assert "secret value" not in caplog.text
    assert "NAVIGATR_PORT" not in caplog.text
    sources.own_file.write_text("OWN_TYPO=1\n")
    with pytest.raises(SettingsInvalid, match="OWN_TYPO") as refused:
        sources.load()
    assert str(sources.own_file) in refused.value.message


@pytest.mark.parametrize("place", [OWN, NEAR, "environ"])
def test_dead_name_is_a_warning_naming_its_successor(
    sources: Sources, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    name = "NAVIGATOR_IGNORE_MIGRATION_MISMATCH"
    if place == "environ":
        sources.environ[name] = "true"
    else:
        file = sources.own_file if place == OWN else sources.near_file
        file.write_text(f"{name}=true\n")
    sources.load()
    (record,) = [record for record in caplog.records if name in record.getMessage()]
    assert record.levelno == logging.WARNING
    assert "successor" in record.getMessage()


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_two_names_of_one_setting_mean_the_same(sources: Sources, alias: str, name: str) -> None:
    field = "discord_bot_token" if "TOKEN" in name else "enable_lora_requests"
    given, other = ("false", "true") if field == "enable_lora_requests" else ("first", "second")
    expected = False if field == "enable_lora_requests" else "first"
    for values in (
        {name: given},
        {alias: given},
        {name: given, alias: other},
        {name: given, alias: ""},
        {name: "", alias: given},
    ):
        sources.environ = values
        assert getattr(sources.load(), field) == expected, values
        sources.environ = {}
        sources.near_file.write_text("".join(f"{k}={v}\n" for k, v in values.items()))
        assert getattr(sources.load(), field) == expected, values
        sources.near_file.unlink()


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_order_of_the_places_holds_across_the_names(
    sources: Sources, alias: str, name: str
) -> None:
    field = "discord_bot_token" if "TOKEN" in name else "enable_lora_requests"
    sources.near_file.write_text(f"{name}=true\n")
    sources.environ = {alias: "false"}
    assert str(getattr(sources.load(), field)).lower() == "false"


def test_every_alias_is_a_name_that_may_stand_in_a_file() -> None:
    assert {*ALIASES, *ALIASES.values()} <= setting_names()


def test_db_url_wins_over_db_host_over_the_file(sources: Sources) -> None:
    assert sources.load().database.dialect == "sqlite"
    sources.environ |= {"DB_HOST": "db.lan", "DB_USER": "me", "DB_PASSWORD": "p@:/", "DB_NAME": "n"}
    location = sources.load().database
    assert (location.dialect, location.host, location.port) == ("mysql", "db.lan", 3306)
    assert (location.user, location.password, location.name) == ("me", "p@:/", "n")
    sources.environ |= {"DB_PORT": "3307"}
    assert sources.load().database.port == 3307
    sources.environ |= {"DB_URL": "sqlite://./elsewhere.db"}
    assert sources.load().database.path == Path("elsewhere.db")
    sources.environ |= {"DB_URL": "  ", "DB_HOST": ""}
    assert sources.load().database.dialect == "sqlite"


@pytest.mark.parametrize(
    ("values", "api", "origin"),
    [
        ({"SD_API_HOST": "http://gpu:7861/sdapi/v1/"}, "http://gpu:7861/sdapi/v1",
         "http://gpu:7861"),
        ({"SD_API_HOST": "https://gpu/forge/sdapi/v1"}, "https://gpu/forge/sdapi/v1",
         "https://gpu"),
        ({"SD_API_HOST": "http://[::1]:7860/sdapi/v1"}, "http://[::1]:7860/sdapi/v1",
         "http://[::1]:7860"),
        ({"SD_API_BASE": "http://other:1/"}, "http://localhost:7860/sdapi/v1", "http://other:1"),
        ({"SD_API_BASE": ""}, "http://localhost:7860/sdapi/v1", "http://localhost:7860"),
    ],
)  # fmt: skip
def test_origin_of_forge_follows_its_api(
    sources: Sources, values: dict[str, str], api: str, origin: str
) -> None:
    sources.environ |= values
    settings = sources.load()
    assert (settings.sd_api_host, settings.forge_url) == (api, origin)


def test_compass_is_in_the_data_folder_unless_named(sources: Sources) -> None:
    assert sources.load().compass_folder == sources.data_dir / "compass"
    assert sources.load(COMPASS_DIR=" ").compass_folder == sources.data_dir / "compass"
    assert sources.load(COMPASS_DIR="somewhere/else").compass_folder == Path("somewhere/else")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00A", b"DB_NAME=\xe4\n"])
def test_file_that_is_no_text_is_refused_by_name(sources: Sources, content: bytes) -> None:
    sources.near_file.write_bytes(content)
    with pytest.raises(SettingsInvalid) as refused:
        sources.load()
    assert str(sources.near_file) in refused.value.message


def test_addresses_of_civitai_are_checked_at_start(sources: Sources) -> None:
    assert sources.load().civitai_api_base == (
        "https://civitai.com/api/v1",
        "https://civitai.red/api/v1",
    )
    sources.environ["CIVITAI_API_BASE"] = "https://mirror.example/api/v1"
    assert sources.load().civitai_api_base == ("https://mirror.example/api/v1",)
    sources.environ["CIVITAI_API_BASE"] = "civitai.com/api/v1"
    with pytest.raises(SettingsInvalid, match="CIVITAI_API_BASE"):
        sources.load()
