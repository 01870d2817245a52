"""A host of files for tests of transfers, and a shop for tests of downloads."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.accounts.models import User
from app.library.transfer import Wanted
from tests.app.library.downloading import INK, Shop, shop
from tests.app.library.fetching import CONTENT, wanted_from
from tests.fakes.civitai import FakeCivitai
from tests.fakes.file_host import FileHost


@pytest.fixture
async def host() -> AsyncIterator[FileHost]:
    """A host with one file."""
    async with FileHost({"file": CONTENT}).serving() as serving:
        yield serving


@pytest.fixture
def wanted(host: FileHost, tmp_path: Path) -> Wanted:
    """That file, in a folder that is not there yet."""
    return wanted_from(host, tmp_path)


@pytest.fixture
async def civitai() -> AsyncIterator[FakeCivitai]:
    """One that offers two LoRAs."""
    async with FakeCivitai().serving() as serving:
        serving.offer(101, INK)
        serving.offer(201, b"other" * 5000)
        yield serving


@pytest.fixture
async def downloads(civitai: FakeCivitai, owner: User, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop with an empty folder of models."""
    (tmp_path / "forge" / "models").mkdir(parents=True)
    async with shop(civitai, tmp_path / "forge" / "models") as opened:
        yield opened
