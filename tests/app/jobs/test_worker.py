"""Tests of the worker, with handlers that do what a test wants. Both databases."""

import asyncio

import pytest

from app.accounts.models import User
from app.errors import InvalidInput, UpstreamFailed, UpstreamUnavailable
from app.jobs.models import Job, JobStatus
from app.jobs.worker import INTERNAL_REASON
from tests.app.jobs.shop import Shop, failing_times, has
from tests.building import OWNER
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("owner")


@pytest.fixture
async def shop(owner: User) -> Shop:
    return Shop()


async def test_jobs_run_one_after_another_in_order(shop: Shop) -> None:
    at_once = most = 0

    async def act(job: Job) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1

    shop.handler.act = act
    async with shop.open():
        jobs = [await shop.submit() for _ in range(5)]
        await has(jobs[-1], JobStatus.SUCCEEDED)
    assert shop.handler.ran == [job.id for job in jobs]
    assert most == 1


async def test_next_job_runs_while_the_last_one_is_stored(shop: Shop) -> None:
    stored = asyncio.Event()

    async def store(job: Job) -> None:
        await stored.wait()

    shop.handler.store = store
    async with shop.open():
        first, second = await shop.submit(), await shop.submit()
        await until(lambda: shop.handler.ran == [first.id, second.id])
        assert (await Job.get(id=first.id)).status == JobStatus.RUNNING
        stored.set()
        await has(second, JobStatus.SUCCEEDED)


async def test_slow_storing_holds_the_lane_back_before_results_pile_up(shop: Shop) -> None:
    stored = asyncio.Event()

    async def store(job: Job) -> None:
        await stored.wait()

    shop.handler.store = store
    async with shop.open():
        jobs = [await shop.submit() for _ in range(12)]
        await until(lambda: Job.exists(id=jobs[8].id, status=JobStatus.RUNNING))
        assert len(shop.handler.ran) == 8
        stored.set()
        await has(jobs[-1], JobStatus.SUCCEEDED)
    assert len(shop.handler.ran) == 12


async def test_nothing_runs_until_the_third_party_is_ready(shop: Shop) -> None:
    shop.ready.clear()
    async with shop.open():
        job = await shop.submit()
        await until(lambda: Job.exists(id=job.id, status=JobStatus.QUEUED))
        assert shop.handler.ran == []
        shop.ready.set()
        await has(job, JobStatus.SUCCEEDED)


async def test_job_cancelled_while_the_third_party_is_away_never_runs(shop: Shop) -> None:
    shop.ready.clear()
    async with shop.open():
        job, other = await shop.submit(), await shop.submit()
        await shop.queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
        shop.ready.set()
        await has(other, JobStatus.SUCCEEDED)
    assert shop.handler.ran == [other.id]


async def test_failed_attempts_are_tried_again_in_place(shop: Shop) -> None:
    shop.handler.act = failing_times(2, UpstreamFailed("Forge answered 500.", service="forge"))
    async with shop.open():
        first, second = await shop.submit(), await shop.submit()
        await has(second, JobStatus.SUCCEEDED)
    assert shop.handler.ran == [first.id, first.id, first.id, second.id]
    assert (await Job.get(id=first.id)).attempts == 2


async def test_third_failed_attempt_ends_the_job_with_its_reason(shop: Shop) -> None:
    shop.handler.act = failing_times(3, UpstreamFailed("Forge answered 500.", service="forge"))
    async with shop.open():
        first, second = await shop.submit(), await shop.submit()
        await has(second, JobStatus.SUCCEEDED)
    row = await Job.get(id=first.id)
    assert (row.status, row.attempts, row.error) == (JobStatus.FAILED, 3, "Forge answered 500.")
    told = [type(event).__name__ for event in shop.heard if event.job.id == first.id]
    assert told == ["JobStarted"] * 3 + ["JobFailed"]


async def test_third_party_that_is_away_counts_no_attempt(shop: Shop) -> None:
    away = UpstreamUnavailable("Forge does not answer.", service="forge")
    shop.handler.act = failing_times(5, away)
    async with shop.open():
        job = await shop.submit()
        await has(job, JobStatus.SUCCEEDED)
    row = await Job.get(id=job.id)
    assert (row.attempts, row.runs) == (0, 6)


async def test_waiting_job_says_why(shop: Shop) -> None:
    async def act(job: Job) -> None:
        shop.ready.clear()
        raise UpstreamUnavailable("Forge does not answer.", service="forge")

    shop.handler.act = act
    async with shop.open():
        job = await shop.submit()
        await until(lambda: Job.exists(id=job.id, error="Forge does not answer."))
        assert (await Job.get(id=job.id)).status == JobStatus.QUEUED


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InvalidInput("model_name: there is no such checkpoint."), "no such checkpoint"),
        (ZeroDivisionError("secret detail"), INTERNAL_REASON),
    ],
)
async def test_error_that_trying_again_does_not_mend_ends_the_job_at_once(
    shop: Shop, error: Exception, reason: str
) -> None:
    shop.handler.act = failing_times(1, error)
    async with shop.open():
        first, second = await shop.submit(), await shop.submit()
        await has(second, JobStatus.SUCCEEDED)
    row = await Job.get(id=first.id)
    assert row.status == JobStatus.FAILED
    assert reason in (row.error or "")
    assert "secret" not in (row.error or "")
    assert shop.handler.ran == [first.id, second.id]


async def test_error_while_storing_ends_that_job_only(shop: Shop) -> None:
    shop.handler.store = failing_times(1, InvalidInput("The disk is full."))
    async with shop.open():
        first, second = await shop.submit(), await shop.submit()
        await has(second, JobStatus.SUCCEEDED)
        await has(first, JobStatus.FAILED)
    assert (await Job.get(id=first.id)).error == "The disk is full."


async def test_shutdown_puts_the_running_job_back_and_counts_no_attempt(shop: Shop) -> None:
    began = asyncio.Event()

    async def act(job: Job) -> None:
        began.set()
        await asyncio.Event().wait()

    shop.handler.act = act
    async with shop.open():
        first, second = await shop.submit(), await shop.submit()
        await began.wait()
    row = await Job.get(id=first.id)
    assert (row.status, row.attempts, row.runs) == (JobStatus.QUEUED, 0, 1)
    assert "JobFailed" not in [type(event).__name__ for event in shop.heard]

    again = Shop()
    async with again.open():
        await has(second, JobStatus.SUCCEEDED)
    assert again.handler.ran == [first.id, second.id]


async def test_shutdown_ends_a_cancelled_job(shop: Shop) -> None:
    began = asyncio.Event()

    async def act(job: Job) -> None:
        began.set()
        await asyncio.Event().wait()

    shop.handler.act = act
    async with shop.open():
        job = await shop.submit()
        await began.wait()
        await shop.queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
    assert (await Job.get(id=job.id)).status == JobStatus.CANCELLED


async def test_shutdown_waits_for_what_is_being_stored(shop: Shop) -> None:
    storing, stored = asyncio.Event(), asyncio.Event()

    async def store(job: Job) -> None:
        storing.set()
        await stored.wait()

    shop.handler.store = store
    async with shop.open():
        job = await shop.submit()
        await storing.wait()
        asyncio.get_running_loop().call_later(0.05, stored.set)
    assert (await Job.get(id=job.id)).status == JobStatus.SUCCEEDED


async def test_finished_job_leaves_nothing_in_memory_to_cancel(shop: Shop) -> None:
    async with shop.open():
        job = await shop.submit()
        await has(job, JobStatus.SUCCEEDED)
    with pytest.raises(KeyError):
        shop.queue.cancellation(job.id)


async def test_worker_goes_on_after_an_error_that_nobody_thought_of(shop: Shop) -> None:
    shop.stumbles = 1
    job = await shop.submit()
    async with shop.open():
        await has(job, JobStatus.SUCCEEDED)


async def test_several_may_run_at_once_and_begin_in_order(shop: Shop) -> None:
    done = asyncio.Event()

    async def act(job: Job) -> None:
        await done.wait()

    shop.handler.act = act
    async with shop.open(at_once=2):
        jobs = [await shop.submit() for _ in range(5)]
        await until(lambda: len(shop.handler.ran) == 2)
        assert await Job.filter(status=JobStatus.RUNNING).count() == 2
        done.set()
        for job in jobs:
            await has(job, JobStatus.SUCCEEDED)
    assert shop.handler.ran == [job.id for job in jobs]
