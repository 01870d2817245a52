"""Initial images and masks of img2img jobs: files that last as long as their job needs them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tortoise.expressions import Q

from app.errors import NavigatorError
from app.events import Event, EventBus, JobFailed, JobFinished
from app.files import PARTIAL_SUFFIX, write_flushed
from app.generation.images import DiskFailed
from app.generation.picture_input import as_mask, as_rgb_png, picture_bytes, size_of_png
from app.jobs.models import Job, JobKind, JobStatus
from app.tasks import running

log = logging.getLogger(__name__)

_INIT, _MASK = ".init.png", ".mask.png"
_SWEEP_INTERVAL_S = 60.0
_NEW_S = 600.0  # a job's files are older than its row
_KEPT_FOR_RETRY = timedelta(hours=24)
_ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)
_NEEDED = (*_ACTIVE, JobStatus.FAILED)
_IDS_PER_QUERY = 500
_DECODED_AT_ONCE = 2  # each may take some hundred megabytes


class InputGone(NavigatorError):
    """The initial image is not there any more, so the job cannot run."""

    status = 409
    code = "INITIAL_IMAGE_GONE"


class InputImages:
    """The folder of initial images and masks, by job id."""

    def __init__(self, folder: Path):
        self._folder = folder
        # Of its own: a thread decodes on when its client has gone, and others serve pictures.
        self._pool = ThreadPoolExecutor(_DECODED_AT_ONCE, thread_name_prefix="initial-image")

    def prepare(self) -> None:
        """Makes the folder and removes what a crash left half-written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for partial in self._folder.glob(f"*{PARTIAL_SUFFIX}"):
            partial.unlink(missing_ok=True)

    async def save(self, job_id: str, init_image: str | Path, mask: str | None) -> int:
        """Checks both pictures and writes them; gives their bytes. Returns when they are flushed.

        `init_image` is what the client sent, or the file of a picture of ours. Raises
        `InvalidInput` naming the field, `DiskFailed`.
        """
        saving = self._pool.submit(self._save, job_id, init_image, mask)
        try:
            return await asyncio.shield(asyncio.wrap_future(saving))
        except asyncio.CancelledError:  # the client went away
            if not saving.cancel():
                saving.add_done_callback(lambda _: self._remove([job_id]))
            raise

    async def read(self, job_id: str, *, has_mask: bool) -> tuple[bytes, bytes | None]:
        """The PNGs of a job: initial image and mask. Raises `InputGone`."""
        return await asyncio.to_thread(self._read, job_id, has_mask)

    async def check(self, job: Job) -> None:
        """Raises `InputGone` when the job needs files that are not there any more."""
        if job.kind == JobKind.IMG2IMG:
            names = [_INIT, _MASK] if job.parameters.get("has_mask") else [_INIT]
            paths = [self._folder / (job.id + name) for name in names]
            if not await asyncio.to_thread(lambda: all(path.is_file() for path in paths)):
                raise _gone()

    async def remove(self, job_id: str) -> None:
        """Removes the job's files, if there are any."""
        await asyncio.to_thread(self._remove, [job_id])

    @contextlib.asynccontextmanager
    async def kept_clean(self, events: EventBus) -> AsyncIterator[None]:
        """Removes files whose jobs need them no more, while the block runs."""
        try:
            async with (
                events.subscribed() as happened,
                running(self._remove_of_ended(happened)),
                running(self._sweep_now_and_then()),
            ):
                yield
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def sweep(self) -> None:
        """Removes files of jobs that neither wait, run, nor failed so lately that they may be
        retried."""
        found = sorted(await asyncio.to_thread(self._job_ids))
        for start in range(0, len(found), _IDS_PER_QUERY):
            ids = found[start : start + _IDS_PER_QUERY]
            needed = Q(status__in=_ACTIVE) | Q(
                status=JobStatus.FAILED, finished_at__gt=datetime.now(UTC) - _KEPT_FOR_RETRY
            )
            rows = await Job.filter(needed, id__in=ids).values_list("id", flat=True)
            kept = {str(job_id) for job_id in rows}
            await asyncio.to_thread(self._remove, [one for one in ids if one not in kept])

    async def _remove_of_ended(self, happened: asyncio.Queue[Event]) -> None:
        while True:
            event = await happened.get()
            if not isinstance(event, JobFinished | JobFailed):
                continue
            if event.job.kind == JobKind.IMG2IMG:
                with _only_logged():
                    # A failed one may be retried, or is already.
                    if not await Job.exists(id=event.job.id, status__in=_NEEDED):
                        await self.remove(event.job.id)

    async def _sweep_now_and_then(self) -> None:
        while True:
            with _only_logged():
                await self.sweep()
            await asyncio.sleep(_SWEEP_INTERVAL_S)

    def _job_ids(self) -> set[str]:
        """Of all files that are not brand-new."""
        limit_s = time.time() - _NEW_S
        ids = set()
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < limit_s:
                    ids.add(path.name.partition(".")[0])
        return ids

    def _save(self, job_id: str, init_image: str | Path, mask: str | None) -> int:
        if isinstance(init_image, Path):
            content = _content_of(init_image)
        else:
            content = picture_bytes(init_image, "init_image")
        picture = as_rgb_png(content, "init_image")
        files = {_INIT: picture}
        if mask is not None:
            size = size_of_png(picture)
            files[_MASK] = as_mask(picture_bytes(mask, "mask"), "mask", size)
        try:
            for suffix, written in files.items():
                write_flushed(self._folder / (job_id + suffix), written)
        except OSError as error:
            self._remove([job_id])
            raise DiskFailed(f"The initial image could not be saved: {error.strerror}.") from error
        return sum(len(written) for written in files.values())

    def _read(self, job_id: str, has_mask: bool) -> tuple[bytes, bytes | None]:
        try:
            init_image = (self._folder / (job_id + _INIT)).read_bytes()
            mask = (self._folder / (job_id + _MASK)).read_bytes() if has_mask else None
        except OSError as error:
            raise _gone() from error
        return init_image, mask

    def _remove(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            for suffix in (_INIT, _MASK):
                with contextlib.suppress(OSError):
                    (self._folder / (job_id + suffix)).unlink(missing_ok=True)


@contextlib.contextmanager
def _only_logged() -> Iterator[None]:
    """Nothing depends on the files being removed now rather than at the next sweep."""
    try:
        yield
    except Exception as error:
        log.warning("initial images could not be swept: %r", error)


def _content_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputGone("The file of that picture cannot be read.") from error


def _gone() -> InputGone:
    return InputGone("The initial image of this job is not there any more; submit it again.")
