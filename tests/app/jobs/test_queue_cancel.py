"""Tests of cancelling: who may, what becomes of the job, and the races it can be in."""

import asyncio

import pytest
from tortoise.transactions import in_transaction

from app.errors import NotFound
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.queue import Cancellation, JobQueue
from tests.building import ORIGIN, OWNER, STRANGER, make_job, make_user

pytestmark = pytest.mark.usefixtures("owner")

LANE = Lane.GENERATION


@pytest.fixture
async def running(queue: JobQueue) -> Job:
    """A job that was claimed."""
    await make_job(queue)
    job = await queue.claim(LANE)
    assert job is not None
    return job


async def cancel(queue: JobQueue, job: Job) -> Cancellation:
    return await queue.cancel(job.id, caller_id=OWNER, is_administrator=False)


async def status_of(job: Job) -> JobStatus:
    return (await Job.get(id=job.id)).status


async def test_cancelled_waiting_job_never_runs_and_the_others_do(queue: JobQueue) -> None:
    first, second, third = [await make_job(queue) for _ in range(3)]
    assert await cancel(queue, second) is Cancellation.REMOVED
    claims = [await queue.claim(LANE) for _ in range(3)]
    assert [job.id if job else None for job in claims] == [first.id, third.id, None]
    assert await status_of(second) == JobStatus.CANCELLED


async def test_job_that_was_read_ahead_is_not_run_after_it_was_cancelled(queue: JobQueue) -> None:
    first, second, third = [await make_job(queue) for _ in range(3)]
    claimed = await queue.claim(LANE)
    assert claimed is not None
    assert claimed.id == first.id
    await cancel(queue, second)
    following = await queue.claim(LANE)
    assert following is not None
    assert following.id == third.id
    assert (await Job.get(id=second.id)).runs == 0


async def test_cancelled_waiting_job_is_not_counted_any_more(queue: JobQueue) -> None:
    jobs = [await make_job(queue) for _ in range(3)]
    await cancel(queue, jobs[0])
    assert await size_with_one_more(queue) == 3


async def test_running_job_is_asked_to_stop_and_goes_on(queue: JobQueue, running: Job) -> None:
    assert not queue.cancellation(running.id).is_set()
    assert await cancel(queue, running) is Cancellation.INTERRUPTED
    assert queue.cancellation(running.id).is_set()
    assert (await Job.get(id=running.id)).cancel_requested
    assert await status_of(running) == JobStatus.RUNNING


async def test_running_job_may_be_asked_to_stop_again(queue: JobQueue, running: Job) -> None:
    for _ in range(2):
        assert await cancel(queue, running) is Cancellation.INTERRUPTED


async def test_only_the_named_job_is_asked_to_stop(queue: JobQueue, running: Job) -> None:
    await make_job(queue)
    other = await queue.claim(LANE)
    assert other is not None
    await cancel(queue, running)
    assert not queue.cancellation(other.id).is_set()


@pytest.mark.parametrize("is_running", [True, False])
async def test_foreign_job_looks_like_an_unknown_one(queue: JobQueue, is_running: bool) -> None:
    await make_user(STRANGER)
    job = await make_job(queue)
    if is_running:
        await queue.claim(LANE)
    raised = []
    for job_id in (job.id, "unknown-job"):
        with pytest.raises(NotFound) as error:
            await queue.cancel(job_id, caller_id=STRANGER, is_administrator=False)
        raised.append((error.value.message, error.value.code))
    assert raised[0] == raised[1]
    assert await status_of(job) == (JobStatus.RUNNING if is_running else JobStatus.QUEUED)


async def test_administrator_cancels_any_job(queue: JobQueue, running: Job) -> None:
    waiting = await make_job(queue)
    for job, done in ((running, Cancellation.INTERRUPTED), (waiting, Cancellation.REMOVED)):
        assert await queue.cancel(job.id, caller_id="admin", is_administrator=True) is done


async def test_id_in_another_case_is_unknown(queue: JobQueue) -> None:
    await make_job(queue, job_id="abcdefgh")
    with pytest.raises(NotFound):
        await queue.cancel("ABCDEFGH", caller_id=OWNER, is_administrator=False)


@pytest.mark.parametrize("end", ["finished", "failed", "cancelled"])
async def test_ended_job_cannot_be_cancelled(queue: JobQueue, running: Job, end: str) -> None:
    if end == "finished":
        async with in_transaction() as connection:
            await queue.finish([running], connection)
        queue.forget(running)
    elif end == "failed":
        await queue.fail(running, "no")
    else:
        await cancel(queue, running)
        await queue.fail(running, "no")
    before = await status_of(running)
    with pytest.raises(NotFound):
        await cancel(queue, running)
    assert await status_of(running) == before


async def test_cancelled_waiting_job_cannot_be_cancelled_again(queue: JobQueue) -> None:
    job = await make_job(queue)
    await cancel(queue, job)
    with pytest.raises(NotFound):
        await cancel(queue, job)


async def test_job_that_finishes_though_it_was_cancelled_ends_as_cancelled(
    queue: JobQueue, running: Job
) -> None:
    await cancel(queue, running)
    async with in_transaction() as connection:
        await queue.finish([running], connection)
    assert await status_of(running) == JobStatus.CANCELLED


async def test_cancelled_job_that_fails_is_not_tried_again(queue: JobQueue, running: Job) -> None:
    await cancel(queue, running)
    await queue.fail_attempt(running, "Forge answered 500.")
    assert await status_of(running) == JobStatus.CANCELLED
    assert await queue.claim(LANE) is None


async def test_cancelled_job_does_not_go_back_to_the_queue_at_a_shutdown(
    queue: JobQueue, running: Job
) -> None:
    await cancel(queue, running)
    await queue.requeue(running)
    assert await status_of(running) == JobStatus.CANCELLED


async def test_cancel_that_comes_while_the_job_goes_back_is_not_lost(
    queue: JobQueue, running: Job
) -> None:
    """Both begin when the job still runs: either it never waits, or it is removed there."""
    results = await asyncio.gather(cancel(queue, running), queue.requeue(running))
    assert isinstance(results[0], Cancellation)
    assert await status_of(running) == JobStatus.CANCELLED
    assert await queue.claim(LANE) is None


async def test_cancel_that_comes_just_after_the_job_went_back_removes_it(
    queue: JobQueue, running: Job
) -> None:
    _, done = await asyncio.gather(queue.requeue(running), cancel(queue, running))
    assert isinstance(done, Cancellation)
    assert await status_of(running) == JobStatus.CANCELLED
    assert await queue.claim(LANE) is None


async def test_cancel_that_comes_while_the_job_fails_tells_the_truth(
    queue: JobQueue, running: Job
) -> None:
    """Accepted, the job ends as cancelled; refused, as failed; never accepted and failed."""
    outcome, _ = await asyncio.gather(
        cancel(queue, running), queue.fail(running, "no"), return_exceptions=True
    )
    if isinstance(outcome, NotFound):
        assert await status_of(running) == JobStatus.FAILED
    else:
        assert outcome is Cancellation.INTERRUPTED
        assert await status_of(running) == JobStatus.CANCELLED


async def test_cancelling_twice_at_once_removes_once(queue: JobQueue) -> None:
    job = await make_job(queue)
    outcomes = await asyncio.gather(cancel(queue, job), cancel(queue, job), return_exceptions=True)
    assert [one for one in outcomes if isinstance(one, Cancellation)] == [Cancellation.REMOVED]
    assert await size_with_one_more(queue) == 1


async def test_claiming_and_cancelling_at_once_agree(queue: JobQueue) -> None:
    job = await make_job(queue)
    outcome, claimed = await asyncio.gather(cancel(queue, job), queue.claim(LANE))
    if outcome is Cancellation.REMOVED:
        assert claimed is None
    else:
        assert claimed is not None
        assert queue.cancellation(job.id).is_set()


async def size_with_one_more(queue: JobQueue) -> int:
    return (await queue.submit(JobKind.TXT2IMG, {}, owner_id=OWNER, origin=ORIGIN)).queue_size
