"""Tests of `launcher/settings.py`."""

from pathlib import Path

import pytest

from app.setting_names import LAUNCHER_NAMES
from launcher.errors import SettingsInvalid
from launcher.settings import NAMES, LauncherSettings


def load(folder: Path, environ: dict[str, str] | None = None) -> LauncherSettings:
    """What holds for a data folder."""
    return LauncherSettings.load(environ or {}, data_dir=folder / "data", working_dir=folder)


def test_server_accepts_the_launchers_names() -> None:
    assert NAMES == LAUNCHER_NAMES


def test_defaults_are_those_of_the_readme(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.forge_dir, settings.forge, settings.forge_ram_limit_bytes) == (None,) * 3
    assert (settings.policy.limit, settings.policy.within_s) == (4, 60)
    assert settings.forge_silence_s == 900
    assert settings.log_dir == tmp_path / "data" / "logs"


def test_environment_wins_over_the_owners_file_over_the_one_here(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / ".env").write_text("FORGE_DIR=/here\nFORGE_RAM_LIMIT=1\nRESTART_LIMIT=7\n")
    (tmp_path / "data" / ".env").write_text("FORGE_DIR=/own\nFORGE_RAM_LIMIT=2.5\n")
    settings = load(tmp_path, {"FORGE_DIR": "/outside"})
    assert settings.forge_dir == Path("/outside")
    assert settings.forge_ram_limit_bytes == 2_500_000_000
    assert settings.policy.limit == 7


def test_data_folder_is_found_as_the_server_does(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"NAVIGATOR_DATA_DIR={tmp_path}/near\n")
    found = LauncherSettings.load({}, working_dir=tmp_path)
    assert found.data_dir == tmp_path / "near"
    found = LauncherSettings.load({"NAVIGATOR_DATA_DIR": f"{tmp_path}/far"}, working_dir=tmp_path)
    assert found.data_dir == tmp_path / "far"


@pytest.mark.parametrize(
    ("text", "url", "is_here"),
    [
        ("http://localhost:7860/sdapi/v1", "http://localhost:7860", True),
        ("http://127.0.0.1:7861/sdapi/v1", "http://127.0.0.1:7861", True),
        ("http://[::1]:7860/sdapi/v1", "http://[::1]:7860", True),
        ("http://10.0.0.5/sdapi/v1", "http://10.0.0.5:80", False),
        ("https://forge.example/sdapi/v1", "https://forge.example:443", False),
    ],
)
def test_address_of_forge_is_read(tmp_path: Path, text: str, url: str, is_here: bool) -> None:
    forge = load(tmp_path, {"SD_API_HOST": text, "SD_API_AUTH": "me:secret"}).forge
    assert forge is not None
    assert (forge.url, forge.is_here, forge.auth) == (url, is_here, "me:secret")
    assert "secret" not in repr(forge)


@pytest.mark.parametrize(
    ("name", "value"),
    [("FORGE_RAM_LIMIT", "much"), ("FORGE_RAM_LIMIT", "-1"), ("RESTART_LIMIT", "nan"),
     ("FORGE_START_MINUTES", "0"), ("SD_API_HOST", "localhost:7860"), ("SD_API_HOST", "http://["),
     ("SD_API_HOST", "http://x:99999")],
)  # fmt: skip
def test_impossible_value_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"{name}: "):
        load(tmp_path, {name: value})


def test_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load(tmp_path)


def test_secrets_are_gathered(tmp_path: Path) -> None:
    told = {"SECRET_KEY": "a" * 20, "CIVITAI_API_KEY": "b", "DISCORD_CLIENT_SECRET": "", "X": "c"}
    settings = load(tmp_path, told)
    assert set(settings.secrets) == {"a" * 20, "b"}
    assert "a" * 20 not in repr(settings)
