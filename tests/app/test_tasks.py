"""Tests of helper tasks that end with their block."""

import asyncio

import pytest

from app.tasks import cancel, running
from tests.waiting import until


class Helper:
    """Notes how far it came."""

    def __init__(self) -> None:
        self.began = False
        self.ended = False

    async def work(self) -> None:
        self.began = True
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # cleaning up may take a while
            self.ended = True


async def fail() -> None:
    raise ValueError("helper")


async def nothing() -> None:
    pass


async def test_helper_has_ended_when_the_block_has() -> None:
    helper = Helper()
    async with running(helper.work()):
        await until(lambda: helper.began)
    assert helper.ended


async def test_helper_ends_when_the_block_fails_and_the_error_of_the_block_stays() -> None:
    helper = Helper()

    async def block() -> None:
        async with running(helper.work()):
            await until(lambda: helper.began)
            raise KeyError

    with pytest.raises(KeyError):
        await block()
    assert helper.ended


async def test_error_of_the_helper_is_raised_when_the_block_ends() -> None:
    with pytest.raises(ValueError, match="helper"):
        async with running(fail()) as task:
            await until(task.done)


async def test_error_of_the_block_goes_before_that_of_the_helper() -> None:
    async def block() -> None:
        async with running(fail()) as task:
            await until(task.done)
            raise KeyError

    with pytest.raises(KeyError):
        await block()


async def test_helper_that_is_done_early_does_not_end_the_block() -> None:
    async with running(nothing()) as task:
        await until(task.done)
        went_on = True
    assert went_on


async def test_cancelling_the_block_cancels_the_helper_and_goes_on() -> None:
    helper = Helper()

    async def block() -> None:
        async with running(helper.work()):
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await until(lambda: helper.began)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert helper.ended


async def test_task_that_swallows_a_cancellation_is_asked_again() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await cancel(task, again_s=0.001)
    assert task.cancelled()
    assert swallowed == 2
