"""Tests of the queue: order, claiming, ends, restart, retry. Both databases."""

import asyncio
from datetime import UTC, datetime

import pytest
from tortoise.transactions import in_transaction

from app.errors import Conflict, InvalidInput, NotFound, TooMany
from app.events import EventBus, JobFailed, JobInterrupted
from app.jobs.allowance import Allowance
from app.jobs.models import Job, JobKind, JobStatus, Lane
from app.jobs.queue import JobQueue
from tests.building import (
    ORIGIN,
    OWNER,
    STRANGER,
    claimed,
    claimed_ids,
    make_job,
    make_parameters,
    make_queue,
    make_user,
)

pytestmark = pytest.mark.usefixtures("owner")

LANE = Lane.GENERATION


async def finish(queue: JobQueue, job: Job) -> None:
    async with in_transaction() as connection:
        await queue.finish([job], connection)
    queue.forget(job)


async def test_accepted_job_is_a_row_with_everything_in_it(queue: JobQueue) -> None:
    job = await make_job(queue, prompt="a fox 🦊, “quoted” \\ 'and' %s", seed=2**53 - 1)
    row = await Job.get(id=job.id)
    assert (row.status, row.kind, row.lane) == (JobStatus.QUEUED, JobKind.TXT2IMG, LANE)
    assert (row.owner_id, row.origin, row.attempts, row.runs) == (OWNER, ORIGIN, 0, 0)
    assert row.parameters == make_parameters(
        prompt="a fox 🦊, “quoted” \\ 'and' %s", seed=2**53 - 1
    )
    assert abs((datetime.now(UTC) - row.created_at).total_seconds()) < 60
    assert row.started_at is None
    assert row.finished_at is None


async def test_jobs_are_claimed_in_order_of_arrival(queue: JobQueue) -> None:
    # More than the queue reads ahead at a time.
    jobs = [await make_job(queue) for _ in range(70)]
    assert await claimed_ids(queue) == [job.id for job in jobs]


async def test_jobs_that_arrive_between_claims_come_last(queue: JobQueue) -> None:
    first, second = await make_job(queue), await make_job(queue)
    assert (await claimed(queue)).id == first.id
    third = await make_job(queue)
    assert await claimed_ids(queue) == [second.id, third.id]


async def test_claimed_job_is_running_and_nobody_gets_it_again(queue: JobQueue) -> None:
    await make_job(queue)
    one, other = await asyncio.gather(queue.claim(LANE), queue.claim(LANE))
    assert (one is None) != (other is None)
    job = one or other
    assert job is not None
    row = await Job.get(id=job.id)
    assert (row.status, row.runs, row.attempts) == (JobStatus.RUNNING, 1, 0)
    assert row.started_at is not None


async def test_queue_size_counts_waiting_jobs_with_the_new_one(queue: JobQueue) -> None:
    sizes = []
    for _ in range(3):
        accepted = await queue.submit(JobKind.TXT2IMG, {}, owner_id=OWNER, origin=ORIGIN)
        sizes.append(accepted.queue_size)
    await claimed(queue)
    accepted = await queue.submit(JobKind.TXT2IMG, {}, owner_id=OWNER, origin=ORIGIN)
    assert [*sizes, accepted.queue_size] == [1, 2, 3, 3]


async def test_waiting_ends_when_a_job_comes_and_not_before(queue: JobQueue) -> None:
    assert await queue.claim(LANE) is None
    waiting = asyncio.create_task(queue.wait(LANE))
    done, _ = await asyncio.wait([waiting], timeout=0.02)
    assert not done
    await make_job(queue)
    await asyncio.wait_for(waiting, 1)


async def test_own_job_id_is_kept(queue: JobQueue) -> None:
    job = await make_job(queue, job_id="My_own-Id_1")
    assert await Job.exists(id="My_own-Id_1", number=job.number)


async def test_ids_that_differ_in_case_are_different_jobs(queue: JobQueue) -> None:
    lower, upper = (
        await make_job(queue, job_id="abcdefgh"),
        await make_job(queue, job_id="ABCDEFGH"),
    )
    assert await claimed_ids(queue) == ["abcdefgh", "ABCDEFGH"]
    assert (await Job.get(id="ABCDEFGH")).number == upper.number != lower.number


@pytest.mark.parametrize(
    "job_id",
    ["", "short12", "x" * 65, "with space", "../../etc", "abcdefgh\n", "abcdefgü", "a.b.c.d.e"],
)
async def test_malformed_job_id_is_refused_and_nothing_is_queued(
    queue: JobQueue, job_id: str
) -> None:
    with pytest.raises(InvalidInput, match="job_id"):
        await make_job(queue, job_id=job_id)
    assert await Job.all().count() == 0


async def test_taken_job_id_is_a_conflict_though_the_job_has_ended(queue: JobQueue) -> None:
    job = await make_job(queue, job_id="abcdefgh", prompt="the first")
    await finish(queue, await claimed(queue))
    with pytest.raises(Conflict, match="abcdefgh"):
        await make_job(queue, job_id="abcdefgh", prompt="the second")
    assert (await Job.get(id=job.id)).parameters["prompt"] == "the first"
    assert await claimed_ids(queue) == []


async def test_refused_job_leaves_the_queue_in_order(queue: JobQueue) -> None:
    first = await make_job(queue, job_id="abcdefgh")
    with pytest.raises(Conflict):
        await make_job(queue, job_id="abcdefgh")
    second = await make_job(queue)
    assert await claimed_ids(queue) == [first.id, second.id]


async def test_user_at_the_limit_is_refused_with_the_number_and_others_are_not() -> None:
    queue = make_queue(max_queued_per_user=2)
    await queue.recover()
    await make_user(STRANGER)
    await make_job(queue)
    await make_job(queue)
    with pytest.raises(TooMany, match=r"2 \(MAX_QUEUED_JOBS_PER_USER\)"):
        await make_job(queue)
    await make_job(queue, owner_id=STRANGER)
    assert await Job.filter(owner_id=OWNER).count() == 2


async def test_many_at_once_do_not_pass_the_limit() -> None:
    queue = make_queue(max_queued_per_user=5)
    await queue.recover()
    results = await asyncio.gather(*(make_job(queue) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(result, TooMany) for result in results) == 7
    assert await Job.all().count() == 5


async def test_only_waiting_jobs_count_for_the_limit() -> None:
    queue = make_queue(max_queued_per_user=1)
    await queue.recover()
    await make_job(queue)
    running = await claimed(queue)
    waiting = await make_job(queue)
    await queue.cancel(waiting.id, caller_id=OWNER, is_administrator=False)
    again = await make_job(queue)
    with pytest.raises(TooMany):
        await make_job(queue)
    await queue.requeue(running)
    assert await claimed_ids(queue) == [running.id, again.id]
    await make_job(queue)


async def test_limit_holds_after_a_restart(queue: JobQueue) -> None:
    await make_job(queue)
    await make_job(queue)
    restarted = make_queue(max_queued_per_user=2)
    await restarted.recover()
    with pytest.raises(TooMany):
        await make_job(restarted)


async def test_finished_job_is_done_only_when_its_transaction_is(queue: JobQueue) -> None:
    await make_job(queue)
    job = await claimed(queue)

    async def broken() -> None:
        async with in_transaction() as connection:
            await queue.finish([job], connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken()
    assert (await Job.get(id=job.id)).status == JobStatus.RUNNING
    await finish(queue, job)
    row = await Job.get(id=job.id)
    assert row.status == JobStatus.SUCCEEDED
    assert row.finished_at is not None


async def test_failed_job_keeps_its_reason_and_tells_it_once() -> None:
    events = EventBus()
    queue = make_queue(events)
    await queue.recover()
    await make_job(queue)
    job = await claimed(queue)
    async with events.subscribed() as heard:
        await queue.fail(job, "The disk is full.")
        assert heard.get_nowait() == JobFailed(job.snapshot(), "The disk is full.")
        assert heard.empty()
    row = await Job.get(id=job.id)
    assert (row.status, row.error) == (JobStatus.FAILED, "The disk is full.")


async def test_attempt_that_failed_puts_the_job_back_in_its_place(queue: JobQueue) -> None:
    first, second = await make_job(queue), await make_job(queue)
    await queue.fail_attempt(await claimed(queue), "Forge answered 500.")
    row = await Job.get(id=first.id)
    assert (row.status, row.attempts, row.error) == (JobStatus.QUEUED, 1, "Forge answered 500.")
    again = await claimed(queue)
    assert (again.id, again.attempts, again.runs) == (first.id, 1, 2)
    assert await claimed_ids(queue) == [second.id]


async def test_third_failed_attempt_is_the_last(queue: JobQueue) -> None:
    job = await make_job(queue)
    for attempt in range(3):
        await queue.fail_attempt(await claimed(queue), f"reason {attempt}")
    assert await claimed_ids(queue) == []
    row = await Job.get(id=job.id)
    assert (row.status, row.attempts, row.error) == (JobStatus.FAILED, 3, "reason 2")


async def test_going_back_to_the_queue_counts_no_attempt(queue: JobQueue) -> None:
    job = await make_job(queue)
    for _ in range(5):
        await queue.requeue(await claimed(queue))
    row = await Job.get(id=job.id)
    assert (row.status, row.attempts, row.runs) == (JobStatus.QUEUED, 0, 5)


async def test_interrupted_event_tells_of_a_running_job_only() -> None:
    events = EventBus()
    queue = make_queue(events)
    await queue.recover()
    running, waiting = await make_job(queue), await make_job(queue)
    await claimed(queue)
    async with events.subscribed() as heard:
        for job in (waiting, running):
            await queue.cancel(job.id, caller_id=OWNER, is_administrator=False)
        assert heard.get_nowait() == JobInterrupted(running.snapshot())
        assert heard.empty()


async def test_unknown_owner_is_not_taken_for_a_taken_id(queue: JobQueue) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await make_job(queue, owner_id="nobody", job_id="abcdefgh")
    with pytest.raises(NotFound):
        await queue.cancel("abcdefgh", caller_id="nobody", is_administrator=False)


async def test_job_is_accepted_once_it_would_survive_a_power_cut() -> None:
    committed: list[int] = []

    async def sync() -> None:
        committed.append(await Job.all().count())

    queue = JobQueue(
        EventBus(), allowance=Allowance(max_jobs=9, max_bytes=9), max_attempts=3, sync=sync
    )
    await queue.recover()
    await make_job(queue)
    assert committed == [1]
