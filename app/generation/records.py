"""Makes finished pictures known: their rows and the end of their jobs, in one transaction.

Pictures that are ready at the same moment share it, so that a fast Forge or a slow disk does not
make one commit per picture the limit.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from app.generation.models import Category, Image
from app.generation.picture_counts import PictureCounts
from app.jobs.models import Job
from app.jobs.queue import JobQueue


@dataclass(frozen=True)
class _Record:
    image: Image
    job: Job
    committed: asyncio.Future[None]


class ImageRecords:
    """Commits pictures whose files are flushed."""

    def __init__(self, queue: JobQueue, counts: PictureCounts):
        self._queue = queue
        self._counts = counts
        self._waiting: list[_Record] = []
        self._turn = asyncio.Lock()

    async def add(self, image: Image, job: Job) -> None:
        """Returns when the picture's row and its job's end are committed.

        Adding a picture again that is there already only ends the job: the answer to the first
        commit may have been lost on its way.
        """
        record = _Record(image, job, asyncio.get_running_loop().create_future())
        self._waiting.append(record)
        async with self._turn:
            # Whoever has the turn commits for all that wait; no one waits for those who come later.
            if not record.committed.done():
                batch, self._waiting = self._waiting, []
                await self._commit(batch)
        await record.committed

    async def _commit(self, batch: Sequence[_Record]) -> None:
        try:
            with contextlib.ExitStack() as counts:
                for record in batch:
                    image = record.image
                    counts.enter_context(self._counts.changing(image.owner_id)).added(image)
                async with in_transaction() as connection:
                    for record in batch:
                        await record.image.save(using_db=connection, force_create=True)
                    await self._queue.finish([record.job for record in batch], connection)
        except IntegrityError:
            for record in batch:
                await self._commit_alone(record)
        except BaseException as error:
            for record in batch:
                _end(record, error)
            if not isinstance(error, Exception):
                raise
        else:
            for record in batch:
                _end(record)

    async def _commit_alone(self, record: _Record) -> None:
        image = record.image
        try:
            with self._counts.changing(image.owner_id) as changes:
                async with in_transaction() as connection:
                    if not await Image.filter(id=image.id).using_db(connection).exists():
                        if not await _has_category(image, connection):
                            image.category_id = None  # it was removed meanwhile
                        await image.save(using_db=connection, force_create=True)
                        changes.added(image)
                    await self._queue.finish([record.job], connection)
        except Exception as error:
            _end(record, error)
        else:
            _end(record)


async def _has_category(image: Image, connection: BaseDBAsyncClient) -> bool:
    if image.category_id is None:
        return True
    return await Category.filter(id=image.category_id).using_db(connection).exists()


def _end(record: _Record, error: BaseException | None = None) -> None:
    if record.committed.done():  # whoever waited for it was cut off at a shutdown
        return
    if error is None:
        record.committed.set_result(None)
    else:
        record.committed.set_exception(error)
