"""Tests of looking at a task and of the watchdog, whose clock the tests hold."""

from dataclasses import replace

import aiohttp
import pytest

from app.clients.forge import ForgeClient
from app.errors import UpstreamUnavailable
from app.generation.progress import Observation, Phase, TaskWatch, Watchdog
from app.simulator import Fault
from tests.app.generation.drawing import drawing, forge_with
from tests.building import WORKING
from tests.waiting import until

STALL_S = 600.0
LOAD_S = 1800.0
SAMPLING = Observation(Phase.SAMPLING, step=1, steps=20)
LOADING = Observation(Phase.LOADING)
WAITING = Observation(Phase.WAITING)


def watchdog() -> Watchdog:
    return Watchdog(0.0, stall_s=STALL_S, load_s=LOAD_S)


def test_task_that_goes_on_never_stalls() -> None:
    dog = watchdog()
    for step in range(20):
        now_s = (STALL_S - 1) * (step + 1)
        assert dog.stalled(now_s) is None
        dog.saw(replace(SAMPLING, step=step), now_s)
    assert dog.stalled(now_s + STALL_S - 1) is None


def test_task_that_stands_at_a_step_stalls_after_the_limit() -> None:
    dog = watchdog()
    for now_s in (10.0, 300.0, 600.0, 609.9):
        dog.saw(replace(SAMPLING, step=7), now_s)
        assert dog.stalled(now_s) is None
    assert "step 7" in (dog.stalled(610.0) or "")
    assert "10 minutes" in (dog.stalled(610.0) or "")


def test_second_pass_that_begins_at_the_same_step_is_progress() -> None:
    dog = watchdog()
    dog.saw(replace(SAMPLING, job_number=0), 0.0)
    dog.saw(replace(SAMPLING, job_number=1), 500.0)
    assert dog.stalled(1099.0) is None
    assert dog.stalled(1100.0) is not None


def test_eta_and_previews_alone_are_no_progress() -> None:
    dog = watchdog()
    for now_s in range(0, 700, 50):
        dog.saw(replace(SAMPLING, eta_s=float(now_s), preview=bytes(now_s)), float(now_s))
    assert dog.stalled(650.0) is not None


def test_loading_a_checkpoint_has_the_longer_limit() -> None:
    dog = watchdog()
    dog.saw(LOADING, 0.0)
    dog.saw(LOADING, 1700.0)
    assert dog.stalled(LOAD_S - 0.1) is None
    assert "loading the checkpoint within 30 minutes" in (dog.stalled(LOAD_S) or "")


def test_sampling_after_a_long_load_has_the_whole_limit() -> None:
    dog = watchdog()
    dog.saw(LOADING, 0.0)
    dog.saw(replace(SAMPLING, step=0), 1700.0)
    assert dog.stalled(1700.0 + STALL_S - 0.1) is None
    assert dog.stalled(1700.0 + STALL_S) is not None


def test_waiting_for_another_task_never_stalls() -> None:
    dog = watchdog()
    for now_s in (0.0, 10_000.0, 20_000.0):
        dog.saw(WAITING, now_s)
        assert dog.stalled(now_s) is None
    dog.saw(SAMPLING, 20_001.0)
    assert dog.stalled(20_001.0 + STALL_S - 0.1) is None


def test_forge_that_tells_nothing_stalls() -> None:
    assert watchdog().stalled(STALL_S - 0.1) is None
    assert "told nothing" in (watchdog().stalled(STALL_S) or "")


async def test_own_task_is_seen_with_steps_and_a_preview() -> None:
    async with forge_with(WORKING) as (forge, _), drawing(forge, "ours"):
        watch = TaskWatch(forge, "ours")
        seen = WAITING

        async def has_preview() -> bool:
            nonlocal seen
            seen = await watch.observe()
            return seen.preview is not None

        await until(has_preview)
        assert seen.phase is Phase.SAMPLING
        assert seen.may_interrupt
        assert 0 < seen.step < seen.steps == 150
        assert 0 < seen.fraction < 1
        assert seen.eta_s > 0
        assert seen.preview is not None
        assert seen.preview.startswith(b"\x89PNG")


async def previews_of(watch: TaskWatch, *, steps: int) -> list[bytes]:
    """Those that were given until so many steps were done."""
    given = []

    async def stepped_on() -> bool:
        seen = await watch.observe()
        given.append(seen.preview)
        return seen.step >= steps

    await until(stepped_on)
    return [preview for preview in given if preview is not None]


async def test_same_preview_is_given_once() -> None:
    options = replace(WORKING, preview_every_n_steps=20)
    async with forge_with(options) as (forge, _), drawing(forge, "ours"):
        assert len(await previews_of(TaskWatch(forge, "ours"), steps=30)) == 1


async def test_somebody_elses_task_is_waited_for_and_shows_no_preview() -> None:
    async with forge_with(WORKING) as (forge, simulator), drawing(forge, "theirs"):
        await until(lambda: simulator.active_task == "theirs")
        watch = TaskWatch(forge, "ours")
        for _ in range(5):
            seen = await watch.observe()
            assert seen == WAITING
            assert not seen.may_interrupt


async def test_loading_checkpoint_is_told_from_sampling() -> None:
    options = replace(WORKING, checkpoint_load_time_s=30.0)
    async with forge_with(options) as (forge, simulator), drawing(forge, "ours"):
        await until(lambda: simulator.active_task == "ours")
        seen = await TaskWatch(forge, "ours").observe()
        assert seen.phase is Phase.LOADING
        assert seen.may_interrupt
        assert seen.fraction == 0


async def test_without_the_page_whatever_runs_is_looked_at() -> None:
    async with forge_with(replace(WORKING, ui=False)) as (forge, simulator):
        watch = TaskWatch(forge, "ours")
        assert await watch.observe() == replace(WAITING, is_by_id=False)
        async with drawing(forge, "ours"):
            seen = WAITING

            async def has_preview() -> bool:
                nonlocal seen
                seen = await watch.observe()
                return seen.preview is not None

            await until(has_preview)
            assert seen.phase is Phase.SAMPLING
            assert seen.may_interrupt
        # The route that is missing is asked for once.
        assert simulator.calls["POST /internal/progress"] == 1


async def test_without_the_page_what_ran_before_ours_was_sent_is_not_ours() -> None:
    async with (
        forge_with(replace(WORKING, ui=False)) as (forge, _),
        drawing(forge, "somebody-elses"),
    ):

        async def samples() -> bool:
            return (await forge.progress()).step > 0

        await until(samples)
        begun_at = (await forge.progress()).begun_at
        seen = await TaskWatch(forge, "ours", foreign=begun_at).observe()
        assert seen == replace(WAITING, is_by_id=False)
        assert not seen.may_interrupt


async def test_without_the_page_a_loading_checkpoint_may_be_anybodys() -> None:
    options = replace(WORKING, ui=False, checkpoint_load_time_s=30.0)
    async with forge_with(options) as (forge, simulator), drawing(forge, "ours"):
        await until(lambda: simulator.active_task == "ours")
        seen = await TaskWatch(forge, "ours").observe()
        assert seen.phase is Phase.LOADING
        assert not seen.may_interrupt


async def test_unchanged_preview_is_given_once_without_the_page() -> None:
    options = replace(WORKING, ui=False, preview_every_n_steps=20)
    async with forge_with(options) as (forge, _), drawing(forge, "ours"):
        assert len(await previews_of(TaskWatch(forge, "ours"), steps=30)) == 1


async def test_run_that_threw_stays_active_but_is_not_sampling() -> None:
    async with forge_with(WORKING) as (forge, simulator):
        simulator.inject(Fault.crash())
        async with drawing(forge, "ours"):
            await until(lambda: simulator.active_task == "ours")

            async def is_idle() -> bool:
                return (await forge.progress()).job_count == 0

            await until(is_idle)
            assert simulator.active_task == "ours"


async def test_forge_that_is_gone_raises(unused_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        root = f"http://127.0.0.1:{unused_port}"
        forge = ForgeClient(session, api_url=f"{root}/sdapi/v1", root_url=root)
        with pytest.raises(UpstreamUnavailable):
            await TaskWatch(forge, "ours").observe()
