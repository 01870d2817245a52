"""Tests of pausing a lane: what holds, what is kept over a restart and what is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.database.sql import execute
from app.events import Event, EventBus, QueuePaused, QueueResumed
from app.jobs.models import Lane, LanePause
from app.jobs.pause import Pauses
from tests.waiting import until

LANE = Lane.GENERATION
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("database")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Listening:
    """The pauses of a lane and what they told."""

    def __init__(self, pauses: Pauses, heard: asyncio.Queue[Event], clock: Clock) -> None:
        self.pauses = pauses
        self.clock = clock
        self._heard = heard
        self._told: list[Event] = []

    @property
    def told(self) -> list[Event]:
        while not self._heard.empty():
            self._told.append(self._heard.get_nowait())
        return self._told


@contextlib.asynccontextmanager
async def kept() -> AsyncIterator[Listening]:
    """As after a start: what the table knows holds."""
    events, clock = EventBus(), Clock()
    pauses = Pauses(events, now=clock, look_s=0.01)
    async with events.subscribed() as heard:
        await pauses.load()
        async with pauses.kept():
            yield Listening(pauses, heard, clock)


async def test_lane_is_not_paused_at_first() -> None:
    async with kept() as lane:
        await lane.pauses.wait(LANE)
        assert (lane.pauses.is_paused(LANE), lane.pauses.state(LANE)) == (False, None)
        assert lane.pauses.waiting_reason(LANE) is None


async def test_pause_lasts_until_somebody_resumes() -> None:
    async with kept() as lane:
        await lane.pauses.pause(LANE)
        assert lane.pauses.waiting_reason(LANE) == "The owner has paused the queue."
        waiting = asyncio.create_task(lane.pauses.wait(LANE))
        lane.clock.now += timedelta(days=400)
        await until(lambda: LanePause.exists(lane=LANE.value))
        assert not waiting.done()
        await lane.pauses.resume(LANE)
        await waiting
        assert lane.told == [QueuePaused("generation", None), QueueResumed("generation")]
    assert not await LanePause.exists()


async def test_timed_pause_ends_by_itself() -> None:
    async with kept() as lane:
        await lane.pauses.pause(LANE, for_s=1800)
        assert lane.pauses.waiting_reason(LANE) == (
            "The owner has paused the queue until 2026-03-04 12:30 UTC."
        )
        lane.clock.now += timedelta(seconds=1799)
        assert lane.pauses.is_paused(LANE)
        lane.clock.now += timedelta(seconds=1)
        await lane.pauses.wait(LANE)
        await until(lambda: len(lane.told) == 2)
        assert lane.told == [
            QueuePaused("generation", NOON.timestamp() + 1800),
            QueueResumed("generation"),
        ]

        async def is_gone() -> bool:
            return not await LanePause.exists()

        await until(is_gone)


async def test_end_of_a_pause_comes_by_the_clock_of_the_house() -> None:
    pauses = Pauses(EventBus())
    async with pauses.kept():
        await pauses.pause(LANE, for_s=0.02)
        assert pauses.is_paused(LANE)
        await pauses.wait(LANE)


async def test_pausing_again_changes_the_end_and_keeps_the_beginning() -> None:
    async with kept() as lane:
        first = await lane.pauses.pause(LANE)
        assert await lane.pauses.pause(LANE) == first
        lane.clock.now += timedelta(minutes=5)
        second = await lane.pauses.pause(LANE, for_s=60)
        assert (second.paused_at, second.resumes_at) == (NOON, NOON + timedelta(minutes=6))
        assert [type(event) for event in lane.told] == [QueuePaused, QueuePaused]
        row = await LanePause.get(lane=LANE.value)
        assert (row.paused_at, row.resumes_at) == (second.paused_at, second.resumes_at)


async def test_resuming_what_is_not_paused_tells_nobody() -> None:
    async with kept() as lane:
        await lane.pauses.resume(LANE)
        assert lane.told == []


async def test_pause_is_there_after_a_restart() -> None:
    async with kept() as lane:
        before = await lane.pauses.pause(LANE, for_s=3600)
    async with kept() as lane:
        assert lane.pauses.state(LANE) == before
        lane.clock.now += timedelta(hours=2)
        await lane.pauses.wait(LANE)
        assert lane.told == [QueueResumed("generation")]


async def test_pause_whose_time_passed_before_the_start_is_over() -> None:
    async with kept() as lane:
        lane.clock.now -= timedelta(hours=2)
        await lane.pauses.pause(LANE, for_s=3600)
    async with kept() as lane:
        assert not lane.pauses.is_paused(LANE)
        assert not await LanePause.exists()
        assert lane.told == []


async def test_pause_of_a_lane_that_this_version_does_not_know_is_left_alone() -> None:
    await LanePause.create(lane="dreams", resumes_at=NOON - timedelta(days=1))
    async with kept() as lane:
        assert not lane.pauses.is_paused(LANE)
    assert await LanePause.exists(lane="dreams")


async def test_gate_says_whether_a_job_may_start_and_a_pause_waits_for_a_start() -> None:
    async with kept() as lane:
        async with lane.pauses.gate(LANE) as is_open:
            assert is_open
            pausing = asyncio.create_task(lane.pauses.pause(LANE))
            await until(lambda: lane.pauses.is_paused(LANE))
            assert not pausing.done()
        await pausing
        async with lane.pauses.gate(LANE) as is_open:
            assert not is_open


async def test_pause_holds_though_the_database_refuses_it_and_is_written_later() -> None:
    async with kept() as lane:
        await execute(LanePause._meta.db, "ALTER TABLE lane_pause RENAME TO elsewhere", [])
        await lane.pauses.pause(LANE)
        assert lane.pauses.is_paused(LANE)
        await execute(LanePause._meta.db, "ALTER TABLE elsewhere RENAME TO lane_pause", [])
        await until(lambda: LanePause.exists(lane=LANE.value))
