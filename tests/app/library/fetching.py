"""Transfers from a fake host of files, with pauses that do not wait."""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from app.clients.civitai_files import CivitaiFiles
from app.clients.public_web import PublicWeb
from app.library.transfer import Transfer, Wanted
from tests.fakes.file_host import FileHost

CONTENT = bytes(range(256)) * 20_000  # 5 MB, more than one piece
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@contextlib.asynccontextmanager
async def files_of(*trusted: str, silence_s: float = 0.3) -> AsyncIterator[CivitaiFiles]:
    """A client of these hosts."""
    web = PublicWeb(trusted=trusted, service="civitai", proxies=dict)
    async with web.session() as session:
        yield CivitaiFiles(session, web, api_bases=trusted[:1], api_key=None, silence_s=silence_s)


@contextlib.asynccontextmanager
async def transfer_from(
    *trusted: str, pauses_s: list[float] | None = None, **options: Any
) -> AsyncIterator[Transfer]:
    """Transfers from these hosts; pauses are noted."""

    async def sleep(pause_s: float) -> None:
        if pauses_s is not None:
            pauses_s.append(pause_s)

    async with files_of(*trusted) as files:
        yield Transfer(files, sleep=sleep, **options)


def wanted_from(host: FileHost, folder: Path) -> Wanted:
    """The file of that content, below `folder`, where `models` is and `Lora` is not."""
    (folder / "models").mkdir()
    target = folder / "models" / "Lora" / "ink.safetensors"
    return Wanted(f"{host.url}/file", target, "abc", len(CONTENT), SHA256.upper())


def nothing(_: int, __: int | None) -> None:
    """Nobody looks."""


def left(wanted: Wanted) -> list[str]:
    """What is in the folder."""
    folder = wanted.target.parent
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


async def fetch(host: FileHost, wanted: Wanted) -> str:
    """One run."""
    async with transfer_from(host.url) as transfer:
        return await transfer.run(wanted, progress=nothing)
