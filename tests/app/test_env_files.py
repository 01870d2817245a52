"""Tests of `app/env_files.py`: secrets are made once, kept, and seen by nobody else."""

import os
import stat
from pathlib import Path

import pytest

from tests.setting_sources import Sources


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Three empty places."""
    return Sources(tmp_path)


def test_missing_secrets_are_made_once_and_kept(sources: Sources) -> None:
    first = sources.load()
    assert len(first.secret_key) >= 32
    assert first.superuser_admin_token is not None
    assert len(first.superuser_admin_token) >= 32
    assert first.secret_key != first.superuser_admin_token
    written = sources.own_file.read_text()
    again = sources.load()
    assert (again.secret_key, again.superuser_admin_token) == (
        first.secret_key,
        first.superuser_admin_token,
    )
    assert sources.own_file.read_text() == written
    assert [path.name for path in sources.data_dir.iterdir()] == [".env"]


def test_file_of_secrets_is_the_owners_only(sources: Sources) -> None:
    sources.own_file.write_text("DB_NAME=kept\n")
    sources.own_file.chmod(0o644)
    assert sources.load().db_name == "kept"
    assert stat.S_IMODE(sources.own_file.stat().st_mode) == 0o600


def test_secrets_are_flushed_with_their_folder(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[int, int]] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        found = os.fstat(descriptor)
        flushed.append((found.st_dev, found.st_ino))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    sources.load()
    stats = [path.stat() for path in (sources.own_file, sources.data_dir)]
    assert [(one.st_dev, one.st_ino) for one in stats] == flushed


def test_what_stood_in_the_file_stays(sources: Sources) -> None:
    sources.own_file.write_text("# mine\nDB_NAME='a b'\nSECRET_KEY=\n\nDB_USER=me")
    settings = sources.load()
    lines = sources.own_file.read_text().splitlines()
    assert lines[:4] == ["# mine", "DB_NAME='a b'", "", "DB_USER=me"]
    assert (settings.db_name, settings.db_user) == ("a b", "me")
    assert sources.load() == settings


@pytest.mark.parametrize("blank", ["", "  "])
def test_blank_secret_key_does_not_hide_the_kept_one(sources: Sources, blank: str) -> None:
    sources.environ["SECRET_KEY"] = blank
    sources.near_file.write_text(f"SECRET_KEY='{blank}'\n")
    first = sources.load().secret_key
    assert len(first) >= 32
    assert sources.load().secret_key == first
    sources.environ = {}
    assert sources.load().secret_key == first


def test_given_secrets_are_used_and_not_written(sources: Sources) -> None:
    sources.environ["SECRET_KEY"] = "given by the environment"
    sources.environ["SUPERUSER_ADMIN_TOKEN"] = "also given"
    settings = sources.load()
    assert settings.secret_key == "given by the environment"
    assert settings.superuser_admin_token == "also given"
    assert not sources.own_file.exists()


def test_blank_superuser_token_switches_the_superuser_off(sources: Sources) -> None:
    sources.environ["SUPERUSER_ADMIN_TOKEN"] = ""
    assert sources.load().superuser_admin_token is None
    assert "SUPERUSER" not in sources.own_file.read_text()


def test_secrets_are_all_that_must_not_be_seen(sources: Sources) -> None:
    hidden = {
        "SECRET_KEY": "hidden secret key",
        "SUPERUSER_ADMIN_TOKEN": "hidden superuser",
        "DB_PASSWORD": "hidden password",
        "DB_URL": "mysql://u:hidden%20url@host/name",
        "SD_API_AUTH": "user:hidden",
        "DISCORD_CLIENT_SECRET": "hidden client",
        "BOT_TOKEN": "hidden bot",
        "CIVITAI_API_KEY": "hidden key",
    }
    sources.environ |= hidden
    settings = sources.load()
    assert set(settings.secrets) == {*hidden.values(), "hidden url"} - {hidden["DB_URL"]}
    assert "hidden" not in str(settings.database)
