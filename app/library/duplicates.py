"""Whether a file that somebody wants is on the disk already, under whatever name."""

import asyncio
import contextlib

from app.errors import Conflict
from app.library.download_plan import DownloadPlan
from app.library.file_hashes import FileHashes
from app.library.model_folder import ModelFile, ModelFolder
from app.library.models import FileHash

ALREADY = "Model already downloaded"
_ROUNDING_BYTES = 1024


class AlreadyDownloaded(Conflict):
    """The file is there."""

    status = 400  # as clients know it [contract 271]
    code = "ALREADY_DOWNLOADED"


class Duplicates:
    """The files of one folder of models, to be compared with what is wanted."""

    def __init__(self, folder: ModelFolder, hashes: FileHashes):
        self._folder = folder
        self._hashes = hashes

    async def check_known(self, plan: DownloadPlan) -> None:
        """Raises `AlreadyDownloaded` as far as can be told without reading a file."""
        files = await self._files()
        if plan.sha256 is None:
            if any(_looks_like(plan, file) for file in files):
                raise AlreadyDownloaded(ALREADY)
            return
        rows = await FileHash.filter(sha256=plan.sha256)
        # Also under another name: no other file has its size, and was changed in its nanosecond.
        known = {(row.size_bytes, row.modified_ns) for row in rows}
        if any((file.size_bytes, file.modified_ns) in known for file in files):
            raise AlreadyDownloaded(ALREADY)

    async def check(self, plan: DownloadPlan) -> None:
        """As `check_known`, and reads files of this kind and size, which takes as long as it takes.

        Of whose size nothing is known, no file is read: it would be every one.
        """
        await self.check_known(plan)
        if plan.sha256 is None or plan.size_bytes is None:
            return
        for file in await self._files():
            if file.kind == plan.kind and _has_size(plan, file):
                path = await asyncio.to_thread(self._folder.path_of, file)
                with contextlib.suppress(OSError):
                    if await self._hashes.sha256(path) == plan.sha256:
                        raise AlreadyDownloaded(ALREADY)

    async def _files(self) -> list[ModelFile]:
        return await asyncio.to_thread(lambda: list(self._folder.files()))


def _looks_like(plan: DownloadPlan, file: ModelFile) -> bool:
    is_named = file.kind == plan.kind and file.path.endswith(f"/{plan.file_name}")
    return is_named and _has_size(plan, file)


def _has_size(plan: DownloadPlan, file: ModelFile) -> bool:
    return plan.size_bytes is None or abs(file.size_bytes - plan.size_bytes) <= _ROUNDING_BYTES
