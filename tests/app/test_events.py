"""Tests of the event bus."""

import asyncio

import pytest

from app.events import Event, EventBus, JobFailed, JobFinished, JobSnapshot, JobStarted


def job(job_id: str = "abcdefgh") -> JobSnapshot:
    return JobSnapshot(job_id, "txt2img", "owner", "127.0.0.1", {"prompt": "a secret fox"})


def drained(queue: asyncio.Queue[Event]) -> list[Event]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def test_every_subscriber_gets_every_event_in_order() -> None:
    bus = EventBus()
    published = [JobStarted(job()), JobFailed(job(), "no"), JobFinished(job("other-job"), seed=1)]
    async with bus.subscribed() as one, bus.subscribed() as other:
        for event in published:
            bus.publish(event)
        assert drained(one) == published
        assert drained(other) == published


async def test_subscriber_hears_nothing_from_before_or_after_its_block() -> None:
    bus = EventBus()
    bus.publish(JobStarted(job("before-it")))
    async with bus.subscribed() as queue:
        bus.publish(JobStarted(job("meanwhile")))
    bus.publish(JobStarted(job("afterwards")))
    (event,) = drained(queue)
    assert isinstance(event, JobStarted)
    assert event.job.id == "meanwhile"


async def test_subscriber_that_fails_is_forgotten_and_others_stay() -> None:
    bus = EventBus()
    async with bus.subscribed() as staying:
        with pytest.raises(RuntimeError, match="gone"):
            async with bus.subscribed() as leaving:
                raise RuntimeError("gone")
        bus.publish(JobStarted(job()))
        assert leaving.empty()
        assert len(drained(staying)) == 1


async def test_publishing_does_not_wait_for_slow_subscribers() -> None:
    bus = EventBus()
    async with bus.subscribed() as queue:
        for _ in range(10_000):
            bus.publish(JobStarted(job()))
        assert queue.qsize() == 10_000


def test_events_do_not_print_prompts() -> None:
    """They may end up in a log."""
    assert "secret" not in repr(JobStarted(job()))
