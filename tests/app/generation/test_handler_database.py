"""Tests of a txt2img job while its database is away, or does things without saying so."""

import asyncio
import functools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.database.connection import opened, until_available
from app.database.migration import migrate
from app.generation.models import Image
from app.jobs.models import Job, JobStatus
from app.setting_types import DatabaseLocation
from app.simulator import Fault, Simulator
from tests.building import Workshop, make_user, workshop
from tests.databases import MODEL_MODULES, PrivateMariadb
from tests.losing_proxy import LosingProxy, losing_proxy
from tests.waiting import until


async def migrated(location: DatabaseLocation, folder: Path) -> DatabaseLocation:
    await migrate(location, MODEL_MODULES, backups_dir=folder / "backups")
    return location


@pytest.fixture
async def proxy(mariadb: PrivateMariadb, tmp_path: Path) -> AsyncIterator[LosingProxy]:
    """A database that can lose an answer, connected."""
    location = await migrated(mariadb.location(), tmp_path)
    async with losing_proxy(location) as proxy, opened(proxy.location, MODEL_MODULES):
        await make_user()
        yield proxy
    mariadb.sql(f"DROP DATABASE `{location.name}`")


def has_finished(shop: Workshop, job: Job) -> bool:
    return "JobFinished" in shop.names(job.id)


async def end_well(shop: Workshop, *jobs: Job) -> None:
    """Each job finishes, with one picture and told of once."""
    for job in jobs:
        # The first question after a lost connection may still be asked on that one.
        row = await until_available(functools.partial(shop.ended, job, 20), retry_delay_s=0.05)
        assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 0)
        await until(functools.partial(has_finished, shop, job))
        assert shop.names(job.id).count("JobFinished") == 1
        assert "JobFailed" not in shop.names(job.id)
        assert await Image.filter(id=job.id).count() == 1


async def test_database_that_is_away_when_a_picture_is_ready_gets_it_when_it_is_back(
    stoppable_mariadb: PrivateMariadb, simulator: Simulator, tmp_path: Path
) -> None:
    location = await migrated(stoppable_mariadb.location(), tmp_path)
    async with opened(location, MODEL_MODULES):
        await make_user()
        async with workshop(tmp_path, simulator.url) as shop:
            jobs = [await shop.submit(steps=30), await shop.submit(steps=2)]
            await shop.is_sampling()
            await asyncio.to_thread(stoppable_mariadb.stop)
            await until(lambda: list((tmp_path / "images").rglob("*.png")), 10)
            assert "JobFinished" not in shop.names(jobs[0].id)
            await asyncio.to_thread(stoppable_mariadb.start)
            await end_well(shop, *jobs)
    assert len(simulator.requests) == 2


@pytest.mark.parametrize("statement", ["COMMIT", "UPDATE job SET status = 'succeeded'"])
async def test_picture_is_known_once_though_the_answer_to_storing_it_was_lost(
    proxy: LosingProxy, simulator: Simulator, tmp_path: Path, statement: str
) -> None:
    async with workshop(tmp_path, simulator.url) as shop:
        job = await shop.submit(steps=20)
        await shop.is_sampling()
        proxy.lose_answer_to(statement)
        await end_well(shop, job, await shop.submit(steps=2))
    assert proxy.lost == 1
    assert len(simulator.requests) == 2


async def test_job_runs_though_the_answer_to_claiming_it_was_lost(
    proxy: LosingProxy, simulator: Simulator, tmp_path: Path
) -> None:
    async with workshop(tmp_path, simulator.url) as shop:
        await shop.health.wait_ready()
        proxy.lose_answer_to("UPDATE job SET status = 'running'")
        await end_well(shop, await shop.submit(steps=2), await shop.submit(steps=2))
    assert proxy.lost == 1


async def test_attempt_is_counted_once_though_the_answer_to_counting_it_was_lost(
    proxy: LosingProxy, simulator: Simulator, tmp_path: Path
) -> None:
    async with workshop(tmp_path, simulator.url) as shop:
        await shop.health.wait_ready()
        simulator.inject(Fault.http_500(times=1))
        proxy.lose_answer_to("UPDATE `job` SET `status`='queued'")
        job = await shop.submit(steps=2)
        row = await until_available(functools.partial(shop.ended, job, 20), retry_delay_s=0.05)
    assert (row.status, row.attempts) == (JobStatus.SUCCEEDED, 1)
    assert proxy.lost == 1


async def test_job_whose_acceptance_nobody_heard_of_runs_in_its_place(
    proxy: LosingProxy, simulator: Simulator, tmp_path: Path
) -> None:
    async with workshop(tmp_path, simulator.url) as shop:
        first = await shop.submit(steps=30)
        await shop.is_sampling()
        proxy.lose_answer_to("INSERT INTO `job`")
        with pytest.raises(Exception, match=r"(?i)lost|connection|closed"):
            await shop.submit(steps=2, job_id="unheard-of")
        unheard = await Job.get(id="unheard-of")
        third = await shop.submit(steps=2)
        await end_well(shop, first, unheard, third)
        started = [event.job.id for event in shop.events if type(event).__name__ == "JobStarted"]
        assert started == [first.id, unheard.id, third.id]
        assert third.position > unheard.position
    assert proxy.lost == 1
