"""Tests of the worker while its lane is paused. Both databases."""

import asyncio

import pytest

from app.accounts.models import User
from app.jobs.models import Job, JobStatus, Lane
from tests.app.jobs.shop import Shop, has
from tests.building import claimed, make_job, make_queue
from tests.waiting import until

LANE = Lane.GENERATION


@pytest.fixture
async def shop(owner: User) -> Shop:
    return Shop()


async def test_no_job_starts_while_paused_and_the_first_one_does_after_it(shop: Shop) -> None:
    await shop.pauses.pause(LANE)
    async with shop.open():
        jobs = [await shop.submit() for _ in range(2)]
        assert await shop.queue.claim(LANE) is None
        assert (shop.queue.waiting(LANE), shop.queue.running(LANE)) == (2, [])
        await shop.pauses.resume(LANE)
        await has(jobs[-1], JobStatus.SUCCEEDED)
    assert shop.handler.ran == [job.id for job in jobs]


async def test_running_job_goes_on_and_the_next_one_waits(shop: Shop) -> None:
    began, done = asyncio.Event(), asyncio.Event()

    async def act(job: Job) -> None:
        began.set()
        await done.wait()

    shop.handler.act = act
    async with shop.open():
        first, second = await shop.submit(), await shop.submit()
        await began.wait()
        await shop.pauses.pause(LANE)
        assert [job.id for job in shop.queue.running(LANE)] == [first.id]
        done.set()
        await has(first, JobStatus.SUCCEEDED)
        await until(lambda: not shop.queue.running(LANE))
        assert shop.handler.ran == [first.id]
        await shop.pauses.resume(LANE)
        await has(second, JobStatus.SUCCEEDED)


async def test_job_is_not_started_by_a_worker_that_was_about_to(shop: Shop) -> None:
    """The worker knows of the job and waits for the third party when the pause comes."""
    shop.ready.clear()
    async with shop.open():
        job = await shop.submit()
        await until(lambda: shop.asked)
        await shop.pauses.pause(LANE)
        shop.ready.set()
        # The second one waits for its turn behind what the worker tries now.
        other, last = await shop.submit(), await shop.submit()
        assert shop.queue.waiting(LANE) == 3
        assert shop.handler.ran == []
        await shop.pauses.resume(LANE)
        await has(last, JobStatus.SUCCEEDED)
    assert shop.handler.ran == [job.id, other.id, last.id]


async def test_pausing_in_the_middle_of_a_crowd_leaves_no_gap(shop: Shop) -> None:
    """What runs when the pause is there is all that runs, whenever it comes."""
    async with shop.open():
        jobs = [await shop.submit() for _ in range(30)]
        for number in (3, 9, 15):
            await until(lambda number=number: len(shop.handler.ran) >= number)  # type: ignore[misc]
            await shop.pauses.pause(LANE)
            started = {job.id for job in shop.queue.running(LANE)} | set(shop.handler.ran)
            await until(lambda: not shop.queue.running(LANE))
            assert await shop.queue.claim(LANE) is None
            assert set(shop.handler.ran) == started
            await shop.pauses.resume(LANE)
        await has(jobs[-1], JobStatus.SUCCEEDED)
    assert shop.handler.ran == [job.id for job in jobs]


async def test_claim_that_is_under_way_ends_before_the_pause_is_there(shop: Shop) -> None:
    await shop.queue.recover()
    job = await shop.submit()
    claiming = asyncio.create_task(shop.queue.claim(LANE))
    await asyncio.wait([claiming], timeout=0)  # lets it pass the gate
    await shop.pauses.pause(LANE)
    assert [one.id for one in shop.queue.running(LANE)] == [job.id]
    assert await claiming is not None


@pytest.mark.usefixtures("owner")
async def test_queue_without_pauses_of_its_own_is_never_paused() -> None:
    queue = make_queue()
    await queue.recover()
    job = await make_job(queue)
    assert (await claimed(queue)).id == job.id


async def test_timed_pause_lets_the_queue_go_on_by_itself(shop: Shop) -> None:
    async with shop.pauses.kept(), shop.open():
        await shop.pauses.pause(LANE, for_s=0.05)
        job = await shop.submit()
        assert await shop.queue.claim(LANE) is None
        await has(job, JobStatus.SUCCEEDED)
