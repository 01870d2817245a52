"""Tests of syncing commits to the disk."""

import asyncio
import os
from pathlib import Path

import pytest

from app.database.connection import opened
from app.database.durability import LogSync, sync_of
from app.database.migration import migrate
from app.setting_types import DatabaseLocation
from tests.databases import MODEL_MODULES


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that the system was asked to sync, in order."""
    names: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return names


@pytest.mark.posix
async def test_the_log_of_an_open_database_is_synced(tmp_path: Path, synced: list[str]) -> None:
    location = DatabaseLocation("sqlite", path=tmp_path / "navigator.sqlite3")
    await migrate(location, MODEL_MODULES, backups_dir=tmp_path)
    async with opened(location, MODEL_MODULES):
        synced.clear()
        await sync_of(location)()
        assert synced == ["navigator.sqlite3-wal"]


@pytest.mark.posix
async def test_those_who_ask_at_the_same_time_share_a_sync(
    tmp_path: Path, synced: list[str]
) -> None:
    (tmp_path / "x-wal").touch()
    sync = LogSync(tmp_path / "x")
    await asyncio.gather(*(sync() for _ in range(50)))
    # One for the first, and one for all that came while it was under way.
    assert 1 <= len(synced) <= 2
    await sync()
    assert len(synced) <= 3


async def test_whoever_comes_during_a_sync_waits_for_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one under way may have begun before their commit."""
    began: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        began.append(descriptor)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    (tmp_path / "x-wal").touch()
    sync = LogSync(tmp_path / "x")
    first = asyncio.create_task(sync())
    await asyncio.sleep(0)  # it has asked, and is on its way
    await sync()
    await first
    assert len(began) == 2


async def test_nothing_is_left_to_sync_without_a_log(tmp_path: Path) -> None:
    await LogSync(tmp_path / "x")()


async def test_a_server_that_syncs_by_itself_is_left_alone() -> None:
    await sync_of(DatabaseLocation("mysql", host="127.0.0.1", port=1, name="nowhere"))()
