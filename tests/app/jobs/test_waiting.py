"""Tests of what the queue keeps in memory of the waiting jobs."""

import asyncio

import pytest

from app.jobs.models import Job, Lane
from app.jobs.queue import JobQueue
from app.jobs.waiting import Waiting
from tests.building import OWNER, STRANGER, make_job
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("owner")

LANE = Lane.GENERATION


def make_waiting(owner_id: str = OWNER) -> Job:
    return Job(id="aaaaaaaa", lane=LANE, owner_id=owner_id)


def is_awake(waiting: Waiting) -> bool:
    attempt = waiting.wait(LANE)
    try:
        attempt.send(None)
    except StopIteration:
        return True
    finally:
        attempt.close()
    return False


async def test_counts_follow_jobs_that_come_and_go() -> None:
    waiting = Waiting()
    waiting.add(make_waiting())
    waiting.add(make_waiting(STRANGER))
    waiting.remove(make_waiting())
    assert waiting.in_lane(LANE) == 1
    assert (waiting.of_owner(OWNER), waiting.of_owner(STRANGER)) == (0, 1)


async def test_a_job_wakes_who_waits_for_its_lane() -> None:
    waiting = Waiting()
    assert not is_awake(waiting)
    waiting.add(make_waiting())
    assert is_awake(waiting)
    waiting.sleep(LANE)
    assert not is_awake(waiting)


async def test_counting_anew_forgets_what_was_known_and_wakes_everybody() -> None:
    waiting = Waiting()
    waiting.add(make_waiting())
    waiting.sleep(LANE)
    waiting.replace([(LANE, STRANGER, 7), (LANE, STRANGER, None)])
    assert waiting.in_lane(LANE) == 2
    assert (waiting.of_owner(OWNER), waiting.of_owner(STRANGER)) == (0, 2)
    assert (waiting.bytes_of_owner(OWNER), waiting.bytes_of_owner(STRANGER)) == (0, 7)
    assert is_awake(waiting)


async def test_a_job_put_in_front_comes_before_those_read_ahead(queue: JobQueue) -> None:
    first, second, third = [await make_job(queue) for _ in range(3)]
    claimed = await queue.claim(LANE)
    assert claimed is not None
    assert claimed.id == first.id
    await queue.requeue(claimed)
    order = [job.id for _ in range(3) if (job := await queue.claim(LANE)) is not None]
    assert order == [first.id, second.id, third.id]


async def test_more_jobs_than_are_read_ahead_come_in_order(queue: JobQueue) -> None:
    submitted = [(await make_job(queue)).id for _ in range(70)]
    claimed = [job.id for _ in range(70) if (job := await queue.claim(LANE)) is not None]
    assert claimed == submitted


async def test_a_client_that_leaves_while_its_job_is_accepted_leaves_no_sleeping_job(
    queue: JobQueue,
) -> None:
    """Whenever the caller is cut off, the job is either unknown or found by the worker."""
    for turns in range(12):
        submitting = asyncio.create_task(make_job(queue, job_id=f"client-{turns:02d}"))
        for _ in range(turns):
            await asyncio.sleep(0)
        submitting.cancel()
        await asyncio.gather(submitting, return_exceptions=True)
        waiting = [job.id async for job in Job.filter(status="queued")]
        claimed = await _claimed_until_none_waits(queue)
        assert set(waiting) <= claimed


async def _claimed_until_none_waits(queue: JobQueue) -> set[str]:
    claimed: set[str] = set()

    async def none_waits() -> bool:
        while (job := await queue.claim(LANE)) is not None:
            claimed.add(job.id)
            queue.forget(job)
        return not await Job.exists(status="queued")

    await until(none_waits)  # a commit under way when the caller left may come in late
    return claimed
